//! Contacts that somebody merges in the CRM: the mailbox ends with one card of each person, and that is never one that
//! was deleted and made anew.

use crate::harness::Office;
use crate::harness::acts::made_by_owner;
use crate::harness::office::subject;
use crate::harness::sales;
use holdfast::mailbox::model::{ItemId, ItemRef, ItemVersion, MailboxWrite};
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::sync::model::Reason;
use holdfast::sync::report::Counts;
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast_lab::faults::{Fault, Rule, Side};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const CONTACTS: RecordKind = RecordKind::Contacts;

fn card(family: &str) -> Record {
    Record::Contact(Contact {
        family_name: family.into(),
        email: format!("{}@elsewhere.example", family.to_lowercase()).into(),
        ..Contact::default()
    })
}

/// An office with these people on both sides, known by their family names.
async fn people(names: &[&str]) -> (Office, MailboxRow) {
    let office = Office::open(2, 0).await;
    let row = office.add(0).await;
    for name in names {
        office.in_mailbox(&row, CONTACTS, made_by_owner(card(name))).await;
    }
    office.settle(&row).await;
    assert_eq!(records(&office, &row).await.len(), names.len());
    (office, row)
}

/// The lab's org has people of its own.
fn is_ours(record: &Record) -> bool {
    let Record::Contact(contact) = record else {
        return false;
    };
    let email = contact.email.expose();
    email.ends_with("@elsewhere.example") || email.ends_with("@king.example")
}

async fn items(office: &Office, row: &MailboxRow) -> BTreeMap<String, ItemId> {
    let mut items = office.items(row, CONTACTS).await;
    items.retain(|item| is_ours(&item.record));
    let named =
        |item: holdfast::mailbox::model::MailboxItem| (subject(&item.record).to_owned(), item.item.id);
    items.into_iter().map(named).collect()
}

async fn records(office: &Office, row: &MailboxRow) -> BTreeMap<String, String> {
    let mut records = office.records(row, CONTACTS).await;
    records.retain(|record| is_ours(&record.record));
    let named = |record: holdfast::crm::model::CrmRecord| (subject(&record.record).to_owned(), record.id.0);
    records.into_iter().map(named).collect()
}

fn merge(office: &Office, master: &str, losers: &[&str], fields: Value) {
    let wanted = json!({"master": master, "losers": losers, "fields": fields});
    office.administrate("POST", "/salesforce/merge", &wanted);
}

/// A turn; what it did to the contacts: made on both sides, deleted on both sides.
async fn turn(office: &Office, row: &MailboxRow) -> (Counts, [u64; 2]) {
    let counts = office.sync(row).await.remove(&CONTACTS).unwrap();
    let made = counts.created_in_crm + counts.created_in_mailbox;
    let deleted = counts.deleted_in_crm + counts.deleted_in_mailbox;
    (counts, [made, deleted])
}

#[tokio::test]
async fn of_two_cards_whose_contacts_were_merged_the_winners_is_changed_and_the_losers_goes() {
    let (office, row) = people(&["Lovelace", "Byron"]).await;
    let (before, ids) = (items(&office, &row).await, records(&office, &row).await);
    merge(
        &office,
        &ids["Lovelace"],
        &[&ids["Byron"]],
        json!({"LastName": "King"}),
    );
    let (counts, [made, deleted]) = turn(&office, &row).await;
    assert_eq!(
        (made, deleted, counts.deleted_in_mailbox),
        (0, 1, 1),
        "{counts:?}"
    );
    let after = items(&office, &row).await;
    assert_eq!(
        after,
        BTreeMap::from([("King".to_owned(), before["Lovelace"].clone())])
    );
    assert_eq!(turn(&office, &row).await.1, [0, 0]);
    assert_eq!(
        records(&office, &row).await,
        BTreeMap::from([("King".to_owned(), ids["Lovelace"].clone())])
    );
}

#[tokio::test]
async fn a_card_follows_to_a_contact_that_the_mailbox_did_not_have_and_is_not_made_anew() {
    let (office, row) = people(&["Lovelace"]).await;
    let (before, ids) = (items(&office, &row).await, records(&office, &row).await);
    let master = sales::make(
        &office.lab,
        0,
        "Contact",
        json!({"LastName": "King", "Email": "ada@king.example", "Title": "Countess"}),
    )
    .await;
    merge(&office, &master, &[&ids["Lovelace"]], json!({}));
    let (counts, written) = turn(&office, &row).await;
    assert_eq!((written, counts.updated_in_mailbox), ([0, 0], 1), "{counts:?}");
    let after = items(&office, &row).await;
    assert_eq!(
        after,
        BTreeMap::from([("King".to_owned(), before["Lovelace"].clone())])
    );
    // And it goes on with it.
    let write = MailboxWrite::Update {
        item: ItemRef {
            id: after["King"].clone(),
            version: ItemVersion(String::new()),
        },
        fields: FieldSet::of(&[Field::FamilyName]),
        record: card("Noel"),
    };
    office.in_mailbox(&row, CONTACTS, write).await;
    office.settle(&row).await;
    assert_eq!(
        records(&office, &row).await,
        BTreeMap::from([("Noel".to_owned(), master)])
    );
}

#[tokio::test]
async fn merges_into_what_is_merged_in_turn_lead_to_the_one_that_lives_on_and_to_one_card() {
    let (office, row) = people(&["Lovelace", "Byron"]).await;
    let (before, ids) = (items(&office, &row).await, records(&office, &row).await);
    let king = json!({"LastName": "King", "Email": "ada@king.example"});
    let master = sales::make(&office.lab, 0, "Contact", king).await;
    merge(&office, &ids["Byron"], &[&ids["Lovelace"]], json!({}));
    merge(&office, &master, &[&ids["Byron"]], json!({}));
    // A turn that is cut off behind the commit of the link that follows is finished by the next one.
    office.lab.parts.faults.add(Rule {
        side: Side::Exchange,
        operation: Some("UpdateItem".to_owned()),
        mailbox: None,
        fault: Fault::ApplyThenCut,
        times: Some(3),
        skip: 0,
        probability: None,
        seed: 1,
    });
    let cut = office.try_sync(&row).await;
    assert!(cut.iter().any(|(_, result)| result.is_err()), "{cut:?}");
    office.lab.parts.faults.clear();
    office.settle(&row).await;
    let after = items(&office, &row).await;
    assert_eq!(after.len(), 1, "{after:?}");
    assert!(before.values().any(|id| *id == after["King"]));
    assert_eq!(
        records(&office, &row).await,
        BTreeMap::from([("King".to_owned(), master)])
    );
}

#[tokio::test]
async fn the_card_of_a_merged_contact_that_its_owner_edited_stays_and_undoes_no_merge() {
    let (office, row) = people(&["Lovelace", "Byron"]).await;
    let (before, ids) = (items(&office, &row).await, records(&office, &row).await);
    merge(&office, &ids["Lovelace"], &[&ids["Byron"]], json!({}));
    let write = MailboxWrite::Update {
        item: ItemRef {
            id: before["Byron"].clone(),
            version: ItemVersion(String::new()),
        },
        fields: FieldSet::of(&[Field::FamilyName]),
        record: card("Gordon"),
    };
    office.in_mailbox(&row, CONTACTS, write).await;
    let (counts, written) = turn(&office, &row).await;
    assert_eq!(written, [0, 0], "{counts:?}");
    office.settle(&row).await;
    let names: Vec<String> = items(&office, &row).await.into_keys().collect();
    assert_eq!(names, ["Gordon", "Lovelace"]);
    assert_eq!(
        records(&office, &row).await.into_keys().collect::<Vec<_>>(),
        ["Lovelace"]
    );
}

#[tokio::test]
async fn a_card_whose_contact_was_merged_into_somebody_elses_is_let_go_and_not_deleted() {
    let (office, row) = people(&["Lovelace"]).await;
    let (before, ids) = (items(&office, &row).await, records(&office, &row).await);
    let king = json!({"LastName": "King", "Email": "ada@king.example"});
    let master = sales::make(&office.lab, 1, "Contact", king).await;
    merge(&office, &master, &[&ids["Lovelace"]], json!({}));
    let (counts, written) = turn(&office, &row).await;
    assert_eq!(written, [0, 0], "{counts:?}");
    assert_eq!(counts.skipped.get(&Reason::HandedOver), Some(&1), "{counts:?}");
    office.settle(&row).await;
    assert_eq!(items(&office, &row).await, before);
    assert!(records(&office, &row).await.is_empty());
}

#[tokio::test]
async fn the_lab_merges_as_the_vendor_does_and_what_hung_on_the_loser_hangs_on_the_winner() {
    let (office, row) = people(&["Lovelace", "Byron"]).await;
    let ids = records(&office, &row).await;
    let on_loser = json!({"Subject": "Call", "WhoId": ids["Byron"]});
    let call = sales::make(&office.lab, 0, "Task", on_loser).await;
    merge(&office, &ids["Lovelace"], &[&ids["Byron"]], json!({}));
    let world = office.lab.parts.salesforce.content();
    let row_of = |object: &str, id: &str| {
        let rows = world[object].as_array().unwrap();
        rows.iter().find(|row| row["Id"] == id).cloned().unwrap()
    };
    let loser = row_of("Contact", &ids["Byron"]);
    assert_eq!(
        (&loser["IsDeleted"], &loser["MasterRecordId"]),
        (&json!(true), &json!(ids["Lovelace"]))
    );
    assert_eq!(row_of("Contact", &ids["Lovelace"])["IsDeleted"], json!(false));
    assert_eq!(row_of("Task", &call)["WhoId"], json!(ids["Lovelace"]));
}
