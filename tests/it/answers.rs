//! What those who were asked to a meeting answer: it comes to the CRM, whenever it comes, and changes nothing else.

use crate::guests::{calendar, colleagues, meet, outsiders, record as the_record, synchronised};
use crate::harness::outlook::{Outlook, item};
use crate::harness::{Office, began};
use crate::salesforce_org::rows;
use chrono::{TimeDelta, Utc};
use holdfast::crm::model::CrmWrite;
use holdfast::foundation::clock::Clock;
use holdfast::mailbox::model::ItemId;
use holdfast::record::event::Response;
use holdfast::record::field::FieldSet;
use holdfast::record::kind::RecordKind;
use holdfast::record::{self, Record};
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast_lab::cast::OutsiderKind;
use holdfast_lab::exchange::meeting::Answer;
use holdfast_lab::faults::Fault;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

const CALENDAR: RecordKind = RecordKind::Calendar;

/// Somebody outside answers the first person's only meeting; her server notes it.
fn answer_from_outside(office: &Office, address: &str, answer: Answer) {
    let exchange = &office.lab.parts.exchange;
    let meetings = exchange.titled(&office.lab.cast.people[0].smtp, "Offer");
    exchange.answer(&meetings[0], address, answer).unwrap();
}

/// What the record says that people answered.
async fn said(office: &Office, row: &MailboxRow) -> BTreeMap<String, Response> {
    let Record::Event(event) = the_record(office, row).await.record else {
        panic!("an event")
    };
    let attendees = event.attendees.iter();
    attendees
        .map(|one| (one.person.key().expose().clone(), one.response))
        .collect()
}

fn set<'a>(answers: impl IntoIterator<Item = (&'a String, Response)>) -> BTreeMap<String, Response> {
    let answers = answers.into_iter();
    answers.map(|(who, said)| (who.to_lowercase(), said)).collect()
}

/// A meeting of two contacts, a lead and a colleague, in step.
async fn meeting() -> (Office, MailboxRow, [String; 4], ItemId) {
    let (office, row) = calendar(2).await;
    let people = four(&office);
    let id = meet(&office, "Offer", &people).await;
    office.settle(&row).await;
    (office, row, people, id)
}

fn four(office: &Office) -> [String; 4] {
    let [first, second] = outsiders(office, OutsiderKind::Contact, 2).try_into().unwrap();
    let lead = outsiders(office, OutsiderKind::Lead, 1).remove(0);
    [first, second, lead, colleagues(office).remove(0)]
}

#[tokio::test]
async fn what_people_answer_after_the_record_was_made_comes_to_it_and_what_they_take_back_too() {
    use Response::{Accepted, Declined, None};
    let (office, row, people, _) = meeting().await;
    let expect = |said: [Response; 4]| set(people.iter().zip(said));
    assert_eq!(said(&office, &row).await, expect([None; 4]));
    answer_from_outside(&office, &people[0], Answer::Accept);
    answer_from_outside(&office, &people[2], Answer::Decline);
    office.settle(&row).await;
    assert_eq!(
        said(&office, &row).await,
        expect([Accepted, None, Declined, None])
    );
    answer_from_outside(&office, &people[0], Answer::Decline);
    answer_from_outside(&office, &people[1], Answer::Accept);
    answer_from_outside(&office, &people[2], Answer::Tentative);
    answer_from_outside(&office, &people[3], Answer::Accept);
    office.settle(&row).await;
    assert_eq!(
        said(&office, &row).await,
        expect([Declined, Accepted, None, Accepted]),
        "Salesforce has no word for perhaps"
    );
    assert!(office.lab.parts.ledger.entries().is_empty(), "nobody was told");
}

#[tokio::test]
async fn what_a_colleague_answers_in_her_own_outlook_comes_to_the_organisers_record() {
    let (office, row) = calendar(2).await;
    let colleague = colleagues(&office).remove(0);
    let start = began() + TimeDelta::days(3);
    let outlook = Outlook::of(&office.lab, 0);
    outlook.invite(&[&colleague], "Offer", (start, 60), "").await;
    let hers = office.add_with(1, "calendar").await;
    office.settle(&row).await;
    office.settle(&hers).await;
    let copies = office.items(&hers, CALENDAR).await;
    assert_eq!(copies.len(), 1);
    let accept = format!(
        "<m:CreateItem MessageDisposition=\"SendOnly\"><m:Items><t:AcceptItem>{}</t:AcceptItem></m:Items></m:CreateItem>",
        item(&copies[0].item.id.0).replace("ItemId", "ReferenceItemId")
    );
    Outlook::of(&office.lab, 1).ask(&accept).await;
    office.settle(&hers).await;
    office.settle(&row).await;
    assert_eq!(said(&office, &row).await, set([(&colleague, Response::Accepted)]));
}

#[tokio::test]
async fn an_answer_is_no_work_on_the_meeting_that_would_bring_a_deleted_record_back() {
    let (office, row, people, id) = meeting().await;
    let deleted = the_record(&office, &row).await.id;
    office
        .in_crm(&row, CALENDAR, CrmWrite::Delete { id: deleted })
        .await;
    answer_from_outside(&office, &people[0], Answer::Accept);
    office.settle(&row).await;
    assert!(office.records(&row, CALENDAR).await.is_empty());
    let items = office.items(&row, CALENDAR).await;
    assert!(
        items.iter().all(|item| item.item.id != id),
        "the meeting went with it"
    );
}

#[tokio::test]
async fn an_answer_and_an_edit_in_the_crm_pass_each_other() {
    let (office, row, people, _) = meeting().await;
    let found = the_record(&office, &row).await;
    let Record::Event(mut event) = found.record.clone() else {
        panic!("an event")
    };
    event.location = "Upstairs".into();
    let edit = CrmWrite::Update {
        id: found.id,
        fields: FieldSet::of(&[record::field::Field::Location]),
        record: Record::Event(event),
        matches: Vec::new(),
    };
    office.in_crm(&row, CALENDAR, edit).await;
    answer_from_outside(&office, &people[1], Answer::Accept);
    office.settle(&row).await;
    assert_eq!(
        said(&office, &row).await[&people[1].to_lowercase()],
        Response::Accepted
    );
    for (side, record) in [
        ("mailbox", office.items(&row, CALENDAR).await.remove(0).record),
        ("crm", the_record(&office, &row).await.record),
    ] {
        let Record::Event(event) = record else {
            panic!("an event")
        };
        assert_eq!(event.location.expose(), "Upstairs", "{side}");
    }
}

#[tokio::test]
async fn an_answer_that_met_a_locked_row_is_set_later() {
    let (mut office, row, people, _) = meeting().await;
    office.engine.clock = Clock::manual(Utc::now());
    office.crm_fails("collections_update", Fault::LockedRow, Some(1));
    answer_from_outside(&office, &people[3], Answer::Accept);
    assert_eq!(office.sync(&row).await[&CALENDAR].failed, 1);
    office.engine.clock.advance(Duration::from_secs(3_600));
    office.settle(&row).await;
    assert_eq!(
        said(&office, &row).await[&people[3].to_lowercase()],
        Response::Accepted
    );
}

#[tokio::test]
async fn without_shared_activities_whoever_answers_has_a_row_and_keeps_it_while_he_is_asked() {
    let office = Office::open(2, 0).await;
    let salesforce = &office.lab.parts.salesforce;
    salesforce
        .patch_settings(&json!({ "shared_activities": false }))
        .unwrap();
    let row = synchronised(&office).await;
    let people = four(&office);
    meet(&office, "Offer", &people).await;
    office.settle(&row).await;
    for address in &people[..2] {
        answer_from_outside(&office, address, Answer::Accept);
    }
    office.settle(&row).await;
    use Response::{Accepted, None};
    assert_eq!(
        said(&office, &row).await,
        set(people.iter().zip([Accepted, Accepted, None, None]))
    );
    answer_from_outside(&office, &people[0], Answer::Decline);
    office.settle(&row).await;
    let guests = rows(&office.lab, "EventRelation");
    assert_eq!(guests.len(), 4, "{guests:?}");
}
