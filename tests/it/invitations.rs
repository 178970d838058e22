//! A policy that invites: whoever is asked to a meeting learns from the organiser's mail server what is done to it in
//! the CRM. Nobody learns anything else, and without such a policy nobody learns anything.

use crate::guests::{by_hand, outsiders};
use crate::harness::acts::event;
use crate::harness::{Office, began};
use chrono::TimeDelta;
use holdfast::crm::model::{CrmId, CrmUser, CrmWrite, ExternalKey, Match};
use holdfast::crm::port::Crm;
use holdfast::foundation::content::Content;
use holdfast::record::Record;
use holdfast::record::event::{Attendance, Attendee, Event, Response, When};
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::record::person::Person;
use holdfast::sync::policy::{Deletion, Flow, Invitations, OutOfScope, Policy};
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast_lab::cast::OutsiderKind;

pub const CALENDAR: RecordKind = RecordKind::Calendar;

pub fn inviting() -> Policy {
    let mut policy = Policy::default();
    policy.calendar.invitations = Invitations::FromCrm;
    policy.calendar.common.deletion = Deletion::Follow;
    policy.contacts.common.flow = Flow::Off;
    policy.tasks.common.flow = Flow::Off;
    policy.mail.enabled = false;
    policy
}

/// An office whose only person's calendar invites, and somebody whom the CRM knows.
pub async fn office(policy: Policy) -> (Office, MailboxRow, String) {
    let office = Office::open(1, 0).await;
    office.policy("inviting", policy).await;
    let row = office.add_with(0, "inviting").await;
    let guest = outsiders(&office, OutsiderKind::Contact, 1).remove(0);
    (office, row, guest)
}

pub fn meeting(title: &str, hours: i64, guests: &[&str]) -> Event {
    let start = began() + TimeDelta::hours(hours);
    let end = start + TimeDelta::hours(1);
    let guest = |address: &&str| Attendee {
        person: Person::at(*address),
        attendance: Attendance::Required,
        response: Response::None,
    };
    Event {
        attendees: guests.iter().map(guest).collect(),
        ..event(title, When::Timed { start, end })
    }
}

/// Those of a meeting whom the CRM knows.
pub async fn known(crm: &dyn Crm, user: &CrmUser, meeting: &Event) -> Vec<Match> {
    let keys: Vec<Content<String>> = meeting.attendees.iter().map(|one| one.person.key()).collect();
    crm.who_is(user, &keys).await.unwrap()
}

pub fn new(meeting: Event, matches: Vec<Match>) -> CrmWrite {
    CrmWrite::Create {
        key: ExternalKey(format!("by-hand-{}", meeting.subject.expose())),
        record: Record::Event(meeting),
        matches,
    }
}

/// The user makes a meeting in the CRM.
pub async fn made(office: &Office, row: &MailboxRow, meeting: Event) {
    let matches = known(&*by_hand(office), &row.user, &meeting).await;
    office.in_crm(row, CALENDAR, new(meeting, matches)).await;
}

/// Its number in the CRM.
pub async fn id(office: &Office, row: &MailboxRow) -> CrmId {
    office.records(row, CALENDAR).await.remove(0).id
}

pub async fn edit(office: &Office, row: &MailboxRow, fields: &[Field], meeting: Event) {
    let write = CrmWrite::Update {
        id: id(office, row).await,
        fields: FieldSet::of(fields),
        matches: known(&*by_hand(office), &row.user, &meeting).await,
        record: Record::Event(meeting),
    };
    office.in_crm(row, CALENDAR, write).await;
}

/// What went out, and to whom.
pub fn told(office: &Office) -> Vec<(&'static str, Vec<String>)> {
    use holdfast_lab::ledger::Noticed::{Cancellation, Invitation};
    let entries = office.lab.parts.ledger.entries();
    let told = entries.into_iter().map(|entry| match &entry {
        Invitation { to, .. } | Cancellation { to, .. } => (entry.kind(), to.clone()),
        _ => (entry.kind(), Vec::new()),
    });
    told.collect()
}

#[tokio::test]
async fn people_are_invited_told_of_a_move_and_of_the_end_and_of_nothing_else() {
    let (office, row, guest) = office(inviting()).await;
    office.settle(&row).await;
    let to = vec![guest.clone()];
    made(&office, &row, meeting("Offer", 48, &[&guest])).await;
    office.settle(&row).await;
    let mut expected = vec![("invitation", to.clone())];
    assert_eq!(told(&office), expected);
    edit(&office, &row, &[Field::When], meeting("Offer", 72, &[])).await;
    office.settle(&row).await;
    expected.push(("invitation", to.clone()));
    assert_eq!(told(&office), expected);
    // A note is for the house, and a reminder for its owner.
    let noted = Event {
        body: "He haggles".into(),
        reminder_minutes: Some(30),
        ..meeting("Offer", 72, &[])
    };
    edit(&office, &row, &[Field::Body, Field::Reminder], noted).await;
    office.settle(&row).await;
    assert_eq!(told(&office), expected);
    let id = id(&office, &row).await;
    office.in_crm(&row, CALENDAR, CrmWrite::Delete { id }).await;
    office.settle(&row).await;
    expected.push(("cancellation", to));
    assert_eq!(told(&office), expected);
    assert!(office.items(&row, CALENDAR).await.is_empty());
}

#[tokio::test]
async fn nobody_is_told_of_what_was_there_before_of_what_is_over_or_of_an_appointment_alone() {
    let (office, row, guest) = office(inviting()).await;
    made(&office, &row, meeting("There before", 48, &[&guest])).await;
    office.settle(&row).await;
    made(&office, &row, meeting("Over", -48, &[&guest])).await;
    made(&office, &row, meeting("Alone", 48, &[])).await;
    office.settle(&row).await;
    assert_eq!(office.items(&row, CALENDAR).await.len(), 3);
    assert_eq!(told(&office), []);
}

#[tokio::test]
async fn what_a_policy_takes_away_is_not_called_off() {
    let (office, row, guest) = office(inviting()).await;
    office.settle(&row).await;
    made(&office, &row, meeting("Offer", 48, &[&guest])).await;
    office.settle(&row).await;
    let mut narrow = inviting();
    narrow.calendar.future_days = 0;
    narrow.calendar.common.out_of_scope = OutOfScope::Remove;
    office.policy("inviting", narrow).await;
    office.settle(&row).await;
    assert!(office.items(&row, CALENDAR).await.is_empty());
    assert_eq!(told(&office), [("invitation", vec![guest])]);
}

#[tokio::test]
async fn without_such_a_policy_nobody_is_told_of_anything() {
    let mut policy = inviting();
    policy.calendar.invitations = Invitations::Never;
    let (office, row, guest) = office(policy).await;
    office.settle(&row).await;
    made(&office, &row, meeting("Offer", 48, &[&guest])).await;
    office.settle(&row).await;
    edit(&office, &row, &[Field::When], meeting("Offer", 72, &[])).await;
    office.settle(&row).await;
    let id = id(&office, &row).await;
    office.in_crm(&row, CALENDAR, CrmWrite::Delete { id }).await;
    office.settle(&row).await;
    assert!(office.items(&row, CALENDAR).await.is_empty());
    assert_eq!(told(&office), []);
}
