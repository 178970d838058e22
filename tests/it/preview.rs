//! What a preview says is what the next turn then does: over a first reading, over what people do on both sides, over
//! merges, over what failed before and over a policy that changes.

use crate::failed;
use crate::harness::Office;
use crate::harness::acts::{made_by_owner, task};
use crate::harness::office::subject;
use crate::harness::sales;
use chrono::Utc;
use holdfast::crm::model::CrmWrite;
use holdfast::foundation::clock::Clock;
use holdfast::mailbox::model::{ItemRef, ItemVersion, MailboxWrite};
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::sync::policy::Policy;
use holdfast::sync::preview::preview;
use holdfast::sync::report::{Counts, Preview, Quiet};
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast_lab::faults::{Fault, Told};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

const CONTACTS: RecordKind = RecordKind::Contacts;

/// A preview's totals in the words of a turn's counts.
fn foretold(preview: &Preview) -> BTreeMap<&'static str, u64> {
    let mut said: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut add = |word, count| *said.entry(word).or_default() += count;
    for (action, count) in &preview.totals {
        match *action {
            "create in CRM" => add("created_in_crm", *count),
            "create in mailbox" => add("created_in_mailbox", *count),
            "update in CRM" => add("updated_in_crm", *count),
            "update in mailbox" => add("updated_in_mailbox", *count),
            "update both" => {
                add("updated_in_crm", *count);
                add("updated_in_mailbox", *count);
            }
            "delete in CRM" => add("deleted_in_crm", *count),
            "delete in mailbox" => add("deleted_in_mailbox", *count),
            "hold deletion in CRM" | "hold deletion in mailbox" => add("held", *count),
            "skip" => add("skipped", *count),
            "fail" => add("failed", *count),
            _ => {}
        }
    }
    // What stays on the other side of a deletion with a reason is left alone from then on, and the turn counts it so.
    let deleted = preview
        .rows
        .iter()
        .filter(|row| row.action.starts_with("delete in"));
    let left = deleted.filter(|row| !row.detail.is_empty()).count() as u64;
    if left > 0 {
        *said.entry("skipped").or_default() += left;
    }
    said
}

fn done(all: &BTreeMap<RecordKind, Counts>) -> BTreeMap<&'static str, u64> {
    let mut total = Counts::default();
    all.values().for_each(|counts| total.add(counts));
    let said = [
        ("created_in_crm", total.created_in_crm),
        ("created_in_mailbox", total.created_in_mailbox),
        ("updated_in_crm", total.updated_in_crm),
        ("updated_in_mailbox", total.updated_in_mailbox),
        ("deleted_in_crm", total.deleted_in_crm),
        ("deleted_in_mailbox", total.deleted_in_mailbox),
        ("held", total.held),
        ("skipped", total.skipped.values().sum()),
        ("failed", total.failed),
    ];
    said.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// Looks ahead, lets the turn come, and compares.
pub async fn as_foretold(office: &Office, row: &MailboxRow) -> (Preview, BTreeMap<&'static str, u64>) {
    let said = preview(&office.engine, row, &Quiet).await.unwrap();
    let did = done(&office.sync(row).await);
    assert_eq!(foretold(&said), did, "{:#?}", said.rows);
    (said, did)
}

fn card(family: &str, change: impl FnOnce(&mut Contact)) -> Record {
    let mut contact = Contact {
        family_name: family.into(),
        email: format!("{}@elsewhere.example", family.to_lowercase()).into(),
        ..Contact::default()
    };
    change(&mut contact);
    Record::Contact(contact)
}

async fn edit(office: &Office, row: &MailboxRow, kind: RecordKind, name: &str, field: Field, to: Record) {
    let items = office.items(row, kind).await;
    let item = items.iter().find(|item| subject(&item.record) == name).unwrap();
    let write = MailboxWrite::Update {
        item: ItemRef {
            id: item.item.id.clone(),
            version: ItemVersion(String::new()),
        },
        fields: FieldSet::of(&[field]),
        record: to,
    };
    office.in_mailbox(row, kind, write).await;
}

async fn remove(office: &Office, row: &MailboxRow, kind: RecordKind, name: &str) {
    let items = office.items(row, kind).await;
    let item = items.iter().find(|item| subject(&item.record) == name).unwrap();
    let item = item.item.id.clone();
    office.in_mailbox(row, kind, MailboxWrite::Delete { item }).await;
}

async fn record(office: &Office, row: &MailboxRow, kind: RecordKind, name: &str) -> String {
    let records = office.records(row, kind).await;
    let found = records.into_iter().find(|record| subject(&record.record) == name);
    found.unwrap().id.0
}

#[tokio::test]
async fn a_first_reading_does_what_was_foretold_and_then_there_is_nothing_to_tell() {
    let office = Office::open(3, 60).await;
    let row = office.add(0).await;
    let (_, did) = as_foretold(&office, &row).await;
    assert!(did["created_in_crm"] > 10 && did["skipped"] > 0, "{did:?}");
    office.settle(&row).await;
    let (said, _) = as_foretold(&office, &row).await;
    assert!(said.rows.is_empty(), "{:#?}", said.rows);
    // A colleague got many of the same mails.
    let colleague = office.add(1).await;
    let said = preview(&office.engine, &colleague, &Quiet).await.unwrap();
    let mails = said.rows.iter().filter(|row| row.kind == "mail");
    let made = mails.filter(|row| row.action == "create in CRM").count() as u64;
    let did = office.sync(&colleague).await;
    assert_eq!(
        made,
        did[&RecordKind::Mail].created_in_crm,
        "{:?}",
        did[&RecordKind::Mail]
    );
}

#[tokio::test]
async fn what_people_do_on_both_sides_is_foretold_as_it_is_then_done() {
    let office = Office::open(2, 0).await;
    let row = office.add(0).await;
    for name in ["Ada", "Bob", "Cleo", "Dora", "Emil", "Fred", "Gina"] {
        office
            .in_mailbox(&row, CONTACTS, made_by_owner(card(name, |_| {})))
            .await;
    }
    office.settle(&row).await;
    // Changed here, there, and on both sides; deleted here and there; new here and there.
    let phone = |name: &str| card(name, |card| card.mobile_phone = "+49 30 1234".into());
    edit(&office, &row, CONTACTS, "Ada", Field::MobilePhone, phone("Ada")).await;
    edit(&office, &row, CONTACTS, "Bob", Field::MobilePhone, phone("Bob")).await;
    for name in ["Bob", "Cleo"] {
        let id = record(&office, &row, CONTACTS, name).await;
        sales::set(&office.lab, &id, json!({"Title": "Countess"}));
    }
    remove(&office, &row, CONTACTS, "Dora").await;
    office
        .in_mailbox(&row, RecordKind::Tasks, made_by_owner(task("Call")))
        .await;
    sales::make(&office.lab, 0, "Task", json!({"Subject": "Write"})).await;
    // Handed to a colleague.
    let fred = record(&office, &row, CONTACTS, "Fred").await;
    let colleague = office.add(1).await;
    office.sync(&colleague).await;
    let owner = office.records(&colleague, CONTACTS).await;
    let owner = owner.into_iter().find_map(|record| record.owner);
    if let Some(owner) = owner {
        sales::set(&office.lab, &fred, json!({"OwnerId": owner.0}));
    }
    let (_, did) = as_foretold(&office, &row).await;
    assert!(
        did["updated_in_crm"] >= 2 && did["updated_in_mailbox"] >= 2,
        "{did:?}"
    );
    assert_eq!(
        (
            did["deleted_in_crm"],
            did["created_in_crm"],
            did["created_in_mailbox"]
        ),
        (1, 1, 1)
    );
    office.settle(&row).await;
}

#[tokio::test]
async fn a_merge_is_foretold_as_the_join_that_it_is_and_not_as_a_deletion_and_a_new_card() {
    let office = Office::open(2, 0).await;
    let row = office.add(0).await;
    for name in ["Lovelace", "Byron", "Noel"] {
        office
            .in_mailbox(&row, CONTACTS, made_by_owner(card(name, |_| {})))
            .await;
    }
    office.settle(&row).await;
    // Lovelace goes on as somebody whom the mailbox does not have; Noel into Byron, who has a card.
    let king = json!({"LastName": "King", "Email": "ada@king.example", "Title": "Countess"});
    let master = sales::make(&office.lab, 0, "Contact", king).await;
    let ids = [
        record(&office, &row, CONTACTS, "Lovelace").await,
        record(&office, &row, CONTACTS, "Byron").await,
        record(&office, &row, CONTACTS, "Noel").await,
    ];
    for (master, loser) in [(&master, &ids[0]), (&ids[1], &ids[2])] {
        let wanted = json!({"master": master, "losers": [loser], "fields": {}});
        office.administrate("POST", "/salesforce/merge", &wanted);
    }
    let (said, did) = as_foretold(&office, &row).await;
    let join = said.rows.iter().find(|row| row.action == "join").unwrap();
    assert!(
        join.detail.contains(&format!("joined with {master}")),
        "{}",
        join.detail
    );
    let expected = BTreeMap::from([("deleted_in_mailbox", 1), ("updated_in_mailbox", 1)]);
    assert_eq!(did, expected, "{:#?}", said.rows);
}

#[tokio::test]
async fn what_failed_and_is_due_is_foretold_and_what_the_user_may_not_make_is_no_create() {
    let mut office = Office::open(2, 0).await;
    office.engine.clock = Clock::manual(Utc::now());
    let row = office.add(0).await;
    office.settle(&row).await;
    office
        .in_mailbox(&row, RecordKind::Tasks, made_by_owner(task("Call")))
        .await;
    let rule = Fault::Refused {
        code: Told("FIELD_CUSTOM_VALIDATION_EXCEPTION"),
    };
    office.crm_fails("collections_create", rule, None);
    office.sync(&row).await;
    office.lab.parts.faults.clear();
    as_foretold(&office, &row).await;
    office.engine.clock.advance(Duration::from_secs(86_400));
    let (_, did) = as_foretold(&office, &row).await;
    assert_eq!(did["created_in_crm"], 1);
}

#[tokio::test]
async fn an_edit_in_the_crm_is_foretold_to_beat_the_deletion_of_an_item_whose_own_edit_was_refused_there() {
    let (office, _ground, row) = failed::office().await;
    let (item, id) = failed::edited(&office, &row).await;
    failed::noted(&office, &row, id).await;
    failed::goes_by(&office, &row).await;
    let write = MailboxWrite::Delete { item: item.id };
    office.in_mailbox(&row, RecordKind::Tasks, write).await;
    let (_, did) = as_foretold(&office, &row).await;
    assert_eq!(did, BTreeMap::from([("created_in_mailbox", 1)]));
}

#[tokio::test]
async fn an_edit_that_the_crm_refused_is_foretold_to_beat_the_deletion_of_its_record() {
    let (office, _ground, row) = failed::office().await;
    let (_, id) = failed::edited(&office, &row).await;
    failed::goes_by(&office, &row).await;
    let write = CrmWrite::Delete { id };
    office.in_crm(&row, RecordKind::Tasks, write).await;
    let (_, did) = as_foretold(&office, &row).await;
    assert_eq!(did, BTreeMap::from([("created_in_crm", 1)]));
}

#[tokio::test]
async fn a_changed_policy_is_foretold_as_it_is_then_carried_out() {
    let office = Office::open(2, 40).await;
    office.policy("house", Policy::default()).await;
    let row = office.add_with(0, "house").await;
    office.settle(&row).await;
    let mut narrow = Policy::default();
    narrow.calendar.past_days = 1;
    narrow.calendar.future_days = 7;
    narrow.calendar.common.out_of_scope = holdfast::sync::policy::OutOfScope::Remove;
    office.policy("house", narrow).await;
    let (_, did) = as_foretold(&office, &row).await;
    assert!(
        did.contains_key("deleted_in_crm") || did.contains_key("held"),
        "{did:?}"
    );
}
