//! A meeting that becomes private under a policy that shows no more of it than when: what was attached to it does not
//! stay on its record, and what waited to go there does not go.

use crate::harness::outlook::{Outlook, item};
use crate::harness::sales;
use crate::harness::{Office, began};
use crate::salesforce_org::rows;
use bytes::Bytes;
use chrono::TimeDelta;
use holdfast::record::kind::RecordKind;
use holdfast::sync::policy::{Policy, PrivateItems};
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast_lab::exchange::item::AttachmentContent;
use holdfast_lab::exchange::value::Binary;
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn office() -> (Office, MailboxRow) {
    let office = Office::open(1, 0).await;
    let mut policy = Policy::default();
    policy.calendar.private = PrivateItems::Mask;
    policy.attachments.of = vec![RecordKind::Calendar];
    office.policy("masks", policy).await;
    let row = office.add_with(0, "masks").await;
    (office, row)
}

/// A meeting with two files in the person's calendar; its id.
async fn meeting(office: &Office) -> String {
    let outlook = Outlook::of(&office.lab, 0);
    let start = began() + TimeDelta::days(2);
    let id = outlook.create("Appraisal", start, 30, "").await;
    for (name, text) in [("notes.txt", b"the first"), ("figures.txt", b"the other")] {
        let file = AttachmentContent::File(Binary(Bytes::from_static(text)));
        office.lab.parts.exchange.attach_file(&id, name, file).unwrap();
    }
    id
}

async fn becomes(office: &Office, id: &str, sensitivity: &str) {
    let value = format!("<t:Sensitivity>{sensitivity}</t:Sensitivity>");
    let outlook = Outlook::of(&office.lab, 0);
    outlook.set(&item(id), &[("item:Sensitivity", value)]).await;
}

fn event(office: &Office) -> String {
    let events = rows(&office.lab, "Event");
    assert_eq!(events.len(), 1);
    events[0]["Id"].as_str().unwrap().to_owned()
}

/// The titles of what hangs on the event.
fn hanging(office: &Office) -> BTreeSet<String> {
    let event = event(office);
    let documents = rows(&office.lab, "ContentDocument");
    let title = |link: &Value| {
        let of_link = |row: &&Value| row["Id"] == link["ContentDocumentId"];
        let document = documents.iter().find(of_link).unwrap();
        document["Title"].as_str().unwrap().to_owned()
    };
    let links = rows(&office.lab, "ContentDocumentLink");
    let on_event = links
        .iter()
        .filter(|link| link["LinkedEntityId"] == event.as_str());
    on_event.map(title).collect()
}

fn titles(titles: &[&str]) -> BTreeSet<String> {
    titles.iter().map(|title| (*title).to_owned()).collect()
}

#[tokio::test]
async fn what_was_attached_to_a_meeting_that_becomes_private_comes_off_its_record_and_back_with_it() {
    let (office, row) = office().await;
    let id = meeting(&office).await;
    office.settle(&row).await;
    assert_eq!(hanging(&office), titles(&["figures.txt", "notes.txt"]));
    let own = json!({
        "Title": "mine.txt", "PathOnClient": "mine.txt", "VersionData": "bWluZQ==",
        "FirstPublishLocationId": event(&office),
    });
    sales::make(&office.lab, 0, "ContentVersion", own).await;

    becomes(&office, &id, "Private").await;
    office.settle(&row).await;
    assert_eq!(
        hanging(&office),
        titles(&["mine.txt"]),
        "what people hung there stays"
    );

    becomes(&office, &id, "Normal").await;
    office.settle(&row).await;
    assert_eq!(
        hanging(&office),
        titles(&["figures.txt", "mine.txt", "notes.txt"])
    );
    let stored = rows(&office.lab, "ContentDocument").len();
    assert_eq!(
        stored, 3,
        "the files had stayed with their owner, and are sent once"
    );
}

#[tokio::test]
async fn what_waits_to_be_carried_when_its_meeting_becomes_private_is_not_carried() {
    let (office, row) = office().await;
    let id = meeting(&office).await;
    // Every attempt to read an attachment fails: the meeting crosses, its files wait.
    let broken = json!({
        "side": "exchange", "operation": "GetAttachment", "kind": "cut", "after_bytes": 300, "times": 100
    });
    let broken = serde_json::from_value(broken).unwrap();
    office.lab.parts.faults.add(broken);
    office.try_sync(&row).await;
    assert!(hanging(&office).is_empty());
    becomes(&office, &id, "Private").await;
    office.settle(&row).await;
    assert!(hanging(&office).is_empty() && rows(&office.lab, "ContentDocument").is_empty());
}
