//! The people of a meeting: how many go on the record, who stays in the mailbox alone, and that this is said.

use crate::harness::acts::granted;
use crate::harness::outlook::{Outlook, item};
use crate::harness::outside::Outside;
use crate::harness::{Office, began};
use chrono::TimeDelta;
use holdfast::access::permission::Explain;
use holdfast::crm::model::{CrmId, CrmRecord, CrmUser, CrmWrite, ExternalKey};
use holdfast::crm::port::Crm;
use holdfast::foundation::content::Content;
use holdfast::mailbox::model::ItemId;
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::event::{Attendance, Attendee, Event, Response};
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::record::person::Person;
use holdfast::sync::completeness::{Said, completeness};
use holdfast::sync::explain::explain;
use holdfast::sync::model::Side;
use holdfast::sync::notes::Note;
use holdfast::sync::policy::{Flow, Policy};
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast_lab::cast::OutsiderKind;
use holdfast_lab::exchange::groups::List;
use holdfast_lab::exchange::value::Address;
use holdfast_lab::faults::{Fault, Rule, Told};
use std::collections::BTreeSet;
use std::sync::Arc;

const CALENDAR: RecordKind = RecordKind::Calendar;
const STRANGER: &str = "stranger@nowhere.example";

/// An office whose first person's calendar is synchronised, and nothing else of hers.
pub async fn calendar(people: usize) -> (Office, MailboxRow) {
    let office = Office::open(people, 0).await;
    let row = synchronised(&office).await;
    (office, row)
}

/// The first person's calendar, synchronised from now on.
pub async fn synchronised(office: &Office) -> MailboxRow {
    let mut policy = Policy::default();
    policy.contacts.common.flow = Flow::Off;
    policy.tasks.common.flow = Flow::Off;
    office.policy("calendar", policy).await;
    let row = office.add_with(0, "calendar").await;
    office.settle(&row).await;
    row
}

/// Makes a meeting of these people in Outlook.
pub async fn meet(office: &Office, title: &str, people: &[String]) -> ItemId {
    let guest = |address: &String| {
        format!("<t:Attendee><t:Mailbox><t:EmailAddress>{address}</t:EmailAddress></t:Mailbox></t:Attendee>")
    };
    let guests: String = people.iter().map(guest).collect();
    let rest = format!("<t:RequiredAttendees>{guests}</t:RequiredAttendees>");
    let start = began() + TimeDelta::days(3);
    ItemId(Outlook::of(&office.lab, 0).create(title, start, 60, &rest).await)
}

pub async fn record(office: &Office, row: &MailboxRow) -> CrmRecord {
    let mut records = office.records(row, CALENDAR).await;
    assert_eq!(records.len(), 1);
    records.remove(0)
}

fn event(record: &Record) -> &Event {
    match record {
        Record::Event(event) => event,
        _ => panic!("an event"),
    }
}

fn addresses(record: &Record) -> BTreeSet<String> {
    let attendees = event(record).attendees.iter();
    attendees.map(|one| one.person.key().expose().clone()).collect()
}

/// Who is asked to the meeting, as the mailbox has it.
async fn asked(office: &Office, row: &MailboxRow) -> BTreeSet<String> {
    let items = office.items(row, CALENDAR).await;
    assert_eq!(items.len(), 1);
    addresses(&items[0].record)
}

/// The same, as Outlook shows it.
async fn shown(office: &Office, id: &ItemId) -> String {
    let get = format!(
        "<m:GetItem><m:ItemShape><t:BaseShape>AllProperties</t:BaseShape></m:ItemShape><m:ItemIds>{}</m:ItemIds></m:GetItem>",
        item(&id.0)
    );
    Outlook::of(&office.lab, 0).ask(&get).await
}

fn set<'a>(addresses: impl IntoIterator<Item = &'a String>) -> BTreeSet<String> {
    addresses
        .into_iter()
        .map(|address| address.to_lowercase())
        .collect()
}

pub fn outsiders(office: &Office, kind: OutsiderKind, count: usize) -> Vec<String> {
    let of_kind = office.lab.cast.outsiders.iter().filter(|one| one.kind == kind);
    let found: Vec<String> = of_kind.map(|one| one.email.clone()).take(count).collect();
    assert_eq!(found.len(), count, "the cast is too small");
    found
}

pub fn colleagues(office: &Office) -> Vec<String> {
    let people = office.lab.cast.people.iter().skip(1);
    people.map(|person| person.smtp.clone()).collect()
}

/// The user's own way into the CRM.
pub fn by_hand(office: &Office) -> Arc<dyn Crm> {
    Outside::of(&office.lab)
        .for_people()
        .connect(Arc::clone(&office.egress))
        .1
}

/// The user sets the list of a meeting's people in the CRM.
async fn set_people(office: &Office, row: &MailboxRow, people: &BTreeSet<String>) {
    let found = record(office, row).await;
    let keys: Vec<Content<String>> = people.iter().map(|address| address.as_str().into()).collect();
    let matches = by_hand(office).who_is(&row.user, &keys).await.unwrap();
    let attendees = people.iter().map(|address| Attendee {
        person: Person::at(address.as_str()),
        attendance: Attendance::Required,
        response: Response::None,
    });
    let write = CrmWrite::Update {
        id: found.id.clone(),
        fields: FieldSet::of(&[Field::Attendees]),
        record: Record::Event(Event {
            attendees: attendees.collect(),
            ..event(&found.record).clone()
        }),
        matches,
    };
    office.in_crm(row, CALENDAR, write).await;
}

async fn explained(office: &Office, row: &MailboxRow, id: &ItemId) -> String {
    let explanation = explain(&office.engine, row, &id.0).await.unwrap().unwrap();
    explanation.notes.join("\n")
}

/// What completeness says of the mailbox's side of the calendar.
async fn said(office: &Office, row: &MailboxRow) -> Vec<Said> {
    let tallies = completeness(&office.engine, &granted(Explain), row)
        .await
        .unwrap();
    let mailbox = tallies
        .into_iter()
        .find(|tally| (tally.kind, tally.side) == (CALENDAR, Side::Mailbox))
        .unwrap();
    assert!(mailbox.adds_up(), "{mailbox:?}");
    mailbox.noted
}

#[tokio::test]
async fn sixty_contacts_five_leads_and_all_colleagues_are_on_the_record() {
    let (office, row) = calendar(8).await;
    let known = [
        outsiders(&office, OutsiderKind::Contact, 60),
        outsiders(&office, OutsiderKind::Lead, 5),
        colleagues(&office),
    ]
    .concat();
    let mut people = known.clone();
    people.push(STRANGER.to_owned());
    let id = meet(&office, "Convention", &people).await;
    office.settle(&row).await;
    assert_eq!(addresses(&record(&office, &row).await.record), set(&known));
    assert_eq!(asked(&office, &row).await, set(&people));
    let explained = explained(&office, &row, &id).await;
    assert!(
        explained.contains("72 are linked to the record, 1 the CRM does not know"),
        "{explained}"
    );
    assert!(said(&office, &row).await.is_empty(), "nobody was left out");
}

#[tokio::test]
async fn whoever_is_taken_off_in_the_crm_goes_and_strangers_and_all_others_stay() {
    let (office, row) = calendar(8).await;
    let known = outsiders(&office, OutsiderKind::Contact, 60);
    let mut people = known.clone();
    people.push(STRANGER.to_owned());
    meet(&office, "Convention", &people).await;
    office.settle(&row).await;
    let lead = outsiders(&office, OutsiderKind::Lead, 1).remove(0);
    let mut edited = set(&known);
    edited.remove(&known[7].to_lowercase());
    edited.insert(lead.to_lowercase());
    set_people(&office, &row, &edited).await;
    office.settle(&row).await;
    let mut expected = edited.clone();
    expected.insert(STRANGER.to_owned());
    assert_eq!(asked(&office, &row).await, expected);
    assert_eq!(addresses(&record(&office, &row).await.record), edited);
    assert!(office.lab.parts.ledger.entries().is_empty(), "nobody was told");
}

/// So many contacts of a colleague's in the CRM.
async fn crowd(office: &Office, count: usize) -> Vec<String> {
    let colleague = &office.lab.cast.people[1];
    let user = CrmUser {
        username: colleague.sf_username.clone(),
        id: Some(CrmId(colleague.sf_user_id.clone())),
        list: None,
    };
    let people: Vec<String> = (0..count).map(|n| format!("guest{n:04}@crowd.example")).collect();
    let crm = by_hand(office);
    for some in people.chunks(200) {
        let write = |address: &String| CrmWrite::Create {
            key: ExternalKey(format!("crowd-{address}")),
            record: Record::Contact(Contact {
                family_name: address.as_str().into(),
                email: address.as_str().into(),
                ..Contact::default()
            }),
            matches: Vec::new(),
        };
        let writes: Vec<CrmWrite> = some.iter().map(write).collect();
        let fates = crm.write(&user, RecordKind::Contacts, &writes).await.unwrap();
        assert!(fates.iter().all(Result::is_ok));
    }
    people
}

#[tokio::test]
async fn of_eleven_hundred_the_crm_links_a_thousand_and_the_rest_is_counted_and_stays() {
    let (office, row) = calendar(2).await;
    let crowd = crowd(&office, 1_100).await;
    let id = meet(&office, "Fair", &crowd).await;
    office.settle(&row).await;
    assert_eq!(
        addresses(&record(&office, &row).await.record),
        set(&crowd[..1_000])
    );
    assert_eq!(asked(&office, &row).await.len(), 1_100);
    let explained = explained(&office, &row, &id).await;
    assert!(explained.contains("100 attendees are beyond"), "{explained}");
    let said = said(&office, &row).await;
    assert_eq!(said.len(), 1, "{said:?}");
    let [said] = said.as_slice() else { panic!() };
    assert_eq!(
        (said.note, said.items, said.count),
        (Note::AttendeesLeftOut, 1, 100)
    );
    assert_eq!(said.ids, [id.0.as_str()]);
    assert!(!explained.contains("crowd.example"), "by numbers, never by names");
    // Somebody is taken off in the CRM: only she leaves the meeting, and somebody else comes on the record.
    let mut edited = set(&crowd[..1_000]);
    edited.remove(&crowd[3]);
    set_people(&office, &row, &edited).await;
    office.settle(&row).await;
    let mut expected = set(&crowd);
    expected.remove(&crowd[3]);
    assert_eq!(asked(&office, &row).await, expected);
}

fn list(office: &Office, address: &str, members: &[&str], hidden: bool) -> String {
    office.lab.parts.exchange.lists.put(List {
        name: address.to_owned(),
        smtp: address.to_owned(),
        members: members.iter().map(|member| Address::new("", *member)).collect(),
        hidden,
    });
    address.to_owned()
}

#[tokio::test]
async fn whoever_is_behind_a_list_within_a_list_is_a_guest_and_the_list_stays_an_attendee() {
    let (office, row) = calendar(4).await;
    let known = outsiders(&office, OutsiderKind::Contact, 3);
    let colleague = colleagues(&office).remove(0);
    list(
        &office,
        "inner@lab.example",
        &[&known[1], &colleague, "outer@lab.example"],
        false,
    );
    list(&office, "hidden@lab.example", &[&known[2]], true);
    let outer = list(
        &office,
        "outer@lab.example",
        &[&known[0], STRANGER, "inner@lab.example", "hidden@lab.example"],
        false,
    );
    let id = meet(&office, "All hands", std::slice::from_ref(&outer)).await;
    office.settle(&row).await;
    let expected = set([&known[0], &known[1], &colleague]);
    assert_eq!(addresses(&record(&office, &row).await.record), expected);
    assert_eq!(asked(&office, &row).await, set([&outer]));
    let explained = explained(&office, &row, &id).await;
    assert!(explained.contains("1 distribution lists"), "{explained}");
    let said = said(&office, &row).await;
    assert_eq!(
        said.iter()
            .map(|said| (said.note, said.count))
            .collect::<Vec<_>>(),
        [(Note::GroupsUnexpanded, 1)]
    );
    // An edit in the CRM asks nobody twice and takes nobody's list away.
    let lead = outsiders(&office, OutsiderKind::Lead, 1).remove(0);
    let mut edited = expected.clone();
    edited.insert(lead.to_lowercase());
    set_people(&office, &row, &edited).await;
    office.settle(&row).await;
    assert_eq!(asked(&office, &row).await, set([&outer, &lead]));
    let shown = shown(&office, &id).await;
    assert!(
        shown.contains("<t:MailboxType>PublicDL</t:MailboxType>"),
        "{shown}"
    );
    assert_eq!(addresses(&record(&office, &row).await.record), edited);
}

#[tokio::test]
async fn a_list_that_cannot_be_asked_for_just_now_takes_no_guest_off_the_record() {
    let (office, row) = calendar(4).await;
    let known = outsiders(&office, OutsiderKind::Contact, 1).remove(0);
    let team = list(&office, "team@lab.example", &[&known], false);
    let id = meet(&office, "Stand-up", &[team]).await;
    office.settle(&row).await;
    // A process that knows nothing yet meets a busy directory.
    office.lab.parts.faults.add(Rule {
        side: holdfast_lab::faults::Side::Exchange,
        operation: Some("ExpandDL".to_owned()),
        mailbox: None,
        fault: Fault::Busy { back_off_ms: 1 },
        times: Some(1),
        skip: 0,
        probability: None,
        seed: 1,
    });
    let outlook = Outlook::of(&office.lab, 0);
    let moved = [(
        "item:Subject",
        "<t:Subject>Stand-up, moved</t:Subject>".to_owned(),
    )];
    outlook.set(&item(&id.0), &moved).await;
    let fresh = office.engine_with(|_| {});
    let _ = office.try_sync_by(&fresh, &row).await;
    assert_eq!(addresses(&record(&office, &row).await.record), set([&known]));
    for _ in 0..3 {
        let _ = office.try_sync_by(&fresh, &row).await;
    }
    assert_eq!(
        event(&record(&office, &row).await.record).subject.expose(),
        "Stand-up, moved"
    );
    assert_eq!(addresses(&record(&office, &row).await.record), set([&known]));
}

#[tokio::test]
async fn whom_the_crm_refuses_stays_in_the_meeting_and_is_counted() {
    let (office, row) = calendar(4).await;
    let lead = outsiders(&office, OutsiderKind::Lead, 2);
    let contact = outsiders(&office, OutsiderKind::Contact, 1).remove(0);
    // The event is the first call, its guests that are rows are the second.
    office.lab.parts.faults.add(Rule {
        side: holdfast_lab::faults::Side::Salesforce,
        operation: Some("collections_create".to_owned()),
        mailbox: None,
        fault: Fault::Refused {
            code: Told("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"),
        },
        times: Some(1),
        skip: 1,
        probability: None,
        seed: 1,
    });
    let people = [lead.clone(), vec![contact.clone()]].concat();
    let id = meet(&office, "Visit", &people).await;
    office.settle(&row).await;
    assert_eq!(addresses(&record(&office, &row).await.record), set([&contact]));
    assert_eq!(
        asked(&office, &row).await,
        set(&people),
        "nobody was taken off the meeting"
    );
    let said = said(&office, &row).await;
    assert_eq!(
        said.iter()
            .map(|said| (said.note, said.count))
            .collect::<Vec<_>>(),
        [(Note::AttendeesRefused, 2)]
    );
    let explained = explained(&office, &row, &id).await;
    assert!(explained.contains("2 attendees the CRM refused"), "{explained}");
    // The next change of the meeting tries again.
    let outlook = Outlook::of(&office.lab, 0);
    let moved = [("item:Subject", "<t:Subject>Visit of two</t:Subject>".to_owned())];
    outlook.set(&item(&id.0), &moved).await;
    office.settle(&row).await;
    assert_eq!(addresses(&record(&office, &row).await.record), set(&people));
    assert!(self::said(&office, &row).await.is_empty());
}
