//! Nothing is deleted by accident: what looks like one waits for a person, and what is no deletion is never
//! taken for one.

use crate::harness::Office;
use crate::harness::acts::{granted, made_by_owner, task};
use crate::harness::office::subject;
use diesel::prelude::*;
use holdfast::access::permission::{Explain, ManageMailboxes};
use holdfast::crm::model::{CrmId, CrmWrite};
use holdfast::foundation::db::schema::streams;
use holdfast::mailbox::model::{ItemId, ItemRef, ItemVersion, MailboxWrite};
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::sync::control as engine_control;
use holdfast::sync::error::SyncError;
use holdfast::sync::guard::control;
use holdfast::sync::guard::limits::{Limit, Limits};
use holdfast::sync::guard::store::{Choice, QuarantineRow};
use holdfast::sync::model::{Reason, Side};
use holdfast::sync::policy::Policy;
use holdfast::sync::report::Counts;
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast::sync::store::totals;
use holdfast_lab::faults::Fault;
use serde_json::{Value, json};

/// A policy that asks a person from the third deletion on.
fn strict() -> Policy {
    let limit = Limit {
        more_than: 2,
        percent: 10,
    };
    let limits = Limits {
        in_crm: limit,
        in_mailbox: limit,
    };
    let mut policy = Policy::default();
    policy.guard.tasks = limits;
    policy.guard.contacts = limits;
    policy.guard.calendar = limits;
    policy
}

async fn make_tasks(office: &Office, row: &MailboxRow, titles: &[&str]) -> Vec<ItemId> {
    let mut items = Vec::new();
    for title in titles {
        let write = made_by_owner(task(title));
        items.push(office.in_mailbox(row, RecordKind::Tasks, write).await);
    }
    items
}

async fn delete_items(office: &Office, row: &MailboxRow, items: &[ItemId]) {
    for item in items {
        let write = MailboxWrite::Delete { item: item.clone() };
        office.in_mailbox(row, RecordKind::Tasks, write).await;
    }
}

async fn in_mailbox(office: &Office, row: &MailboxRow) -> Vec<String> {
    let items = office.items(row, RecordKind::Tasks).await;
    let mut titles: Vec<String> = items
        .iter()
        .map(|item| subject(&item.record).to_owned())
        .collect();
    titles.sort();
    titles
}

async fn in_crm(office: &Office, row: &MailboxRow) -> Vec<String> {
    let records = office.records(row, RecordKind::Tasks).await;
    let mut titles: Vec<String> = records
        .iter()
        .map(|record| subject(&record.record).to_owned())
        .collect();
    titles.sort();
    titles
}

async fn record_ids(office: &Office, row: &MailboxRow, kind: RecordKind) -> Vec<CrmId> {
    let records = office.records(row, kind).await;
    records.into_iter().map(|record| record.id).collect()
}

async fn waiting(office: &Office, row: &MailboxRow) -> Vec<QuarantineRow> {
    control::list(&office.engine.db, &granted(Explain), row.mailbox.id)
        .await
        .unwrap()
}

async fn decide(office: &Office, row: &MailboxRow, approve: bool) -> usize {
    let (db, clock, id) = (&office.engine.db, &office.engine.clock, row.mailbox.id);
    let (may, all) = (granted(ManageMailboxes), Choice::default());
    match approve {
        true => control::approve(db, clock, &may, id, all).await.unwrap(),
        false => control::refuse(db, clock, &may, id, all).await.unwrap(),
    }
}

/// Has one side refuse its cursor at the next turn.
async fn lose_cursor(office: &Office, row: &MailboxRow, side: Side) {
    let id = row.mailbox.id;
    office
        .engine
        .db
        .run(move |conn| {
            let lost = Some(b"from another world".to_vec());
            diesel::update(streams::table.filter(streams::mailbox_id.eq(id.0)))
                .set(match side {
                    Side::Mailbox => (Some(streams::mailbox_cursor.eq(lost)), None),
                    Side::Crm => (None, Some(streams::crm_cursor.eq(lost))),
                })
                .execute(conn)?;
            Ok::<_, SyncError>(())
        })
        .await
        .unwrap();
}

async fn resync(office: &Office, row: &MailboxRow) {
    let (db, clock) = (&office.engine.db, &office.engine.clock);
    engine_control::resync(db, clock, &granted(ManageMailboxes), row.mailbox.id)
        .await
        .unwrap();
}

const TITLES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// An office with six tasks on both sides, and a strict policy.
async fn six_tasks() -> (Office, MailboxRow, Vec<ItemId>) {
    let office = Office::open(2, 0).await;
    office.policy("strict", strict()).await;
    let row = office.add_with(0, "strict").await;
    let items = make_tasks(&office, &row, &TITLES).await;
    office.settle(&row).await;
    assert_eq!(in_crm(&office, &row).await, TITLES);
    (office, row, items)
}

fn tasks_of(counts: &std::collections::BTreeMap<RecordKind, Counts>) -> &Counts {
    &counts[&RecordKind::Tasks]
}

#[tokio::test]
async fn a_mass_deletion_waits_for_a_person_and_the_rest_of_the_turn_goes_on() {
    let (office, row, items) = six_tasks().await;
    delete_items(&office, &row, &items[..5]).await;
    make_tasks(&office, &row, &["new"]).await;
    let counts = office.sync(&row).await;
    assert_eq!((tasks_of(&counts).held, tasks_of(&counts).deleted_in_crm), (5, 0));
    assert_eq!(in_crm(&office, &row).await, ["a", "b", "c", "d", "e", "f", "new"]);
    assert_eq!(waiting(&office, &row).await.len(), 5);
    let now = office.engine.clock.now();
    let status = office
        .engine
        .db
        .run(move |conn| totals::streams(conn, now))
        .await
        .unwrap();
    assert_eq!(status.iter().map(|stream| stream.held).sum::<i64>(), 5);
    // A reading from the start meets the same gaps and asks nobody a second time.
    resync(&office, &row).await;
    let again = office.sync(&row).await;
    assert_eq!((tasks_of(&again).held, tasks_of(&again).written()), (0, 0));
    assert_eq!(waiting(&office, &row).await.len(), 5);
}

#[tokio::test]
async fn deletions_below_the_thresholds_are_carried_out_at_once() {
    let (office, row, items) = six_tasks().await;
    delete_items(&office, &row, &items[..2]).await;
    let counts = office.sync(&row).await;
    assert_eq!((tasks_of(&counts).held, tasks_of(&counts).deleted_in_crm), (0, 2));
    // The third of the same day is one too many.
    delete_items(&office, &row, &items[2..3]).await;
    let counts = office.sync(&row).await;
    assert_eq!((tasks_of(&counts).held, tasks_of(&counts).deleted_in_crm), (1, 0));
    assert_eq!(in_crm(&office, &row).await, ["c", "d", "e", "f"]);
}

#[tokio::test]
async fn an_approved_deletion_is_carried_out_by_the_next_turn_even_if_that_is_cut_off() {
    let (office, row, items) = six_tasks().await;
    delete_items(&office, &row, &items[..5]).await;
    office.sync(&row).await;
    assert_eq!(decide(&office, &row, true).await, 5);
    office.crm_fails("collections_delete", Fault::ApplyThenCut, Some(3));
    let cut = office.try_sync(&row).await;
    assert!(cut.iter().any(|(_, result)| result.is_err()), "{cut:?}");
    office.lab.parts.faults.clear();
    office.settle(&row).await;
    assert_eq!(in_crm(&office, &row).await, ["f"]);
    assert!(waiting(&office, &row).await.is_empty());
    // What a person approved does not count: two more are nothing to ask about.
    let more = make_tasks(&office, &row, &["g", "h"]).await;
    office.settle(&row).await;
    delete_items(&office, &row, &more).await;
    let counts = office.sync(&row).await;
    assert_eq!((tasks_of(&counts).held, tasks_of(&counts).deleted_in_crm), (0, 2));
}

#[tokio::test]
async fn a_refused_deletion_makes_the_lost_items_again_and_doubles_none() {
    let (office, row, items) = six_tasks().await;
    delete_items(&office, &row, &items[..5]).await;
    office.sync(&row).await;
    assert_eq!(decide(&office, &row, false).await, 5);
    office.settle(&row).await;
    assert_eq!(in_mailbox(&office, &row).await, TITLES);
    assert_eq!(in_crm(&office, &row).await, TITLES);
    assert!(waiting(&office, &row).await.is_empty());
}

#[tokio::test]
async fn a_mass_deletion_in_the_crm_waits_too_and_a_refusal_makes_the_records_again() {
    let (office, row, _) = six_tasks().await;
    for id in record_ids(&office, &row, RecordKind::Tasks).await {
        office
            .in_crm(&row, RecordKind::Tasks, CrmWrite::Delete { id })
            .await;
    }
    let counts = office.sync(&row).await;
    assert_eq!(
        (tasks_of(&counts).held, tasks_of(&counts).deleted_in_mailbox),
        (6, 0)
    );
    assert_eq!(in_mailbox(&office, &row).await, TITLES);
    assert!(
        waiting(&office, &row)
            .await
            .iter()
            .all(|held| held.side == Side::Mailbox)
    );
    decide(&office, &row, false).await;
    office.settle(&row).await;
    assert_eq!(in_mailbox(&office, &row).await, TITLES);
    assert_eq!(in_crm(&office, &row).await, TITLES);
}

#[tokio::test]
async fn an_approved_deletion_spares_what_was_changed_while_it_waited() {
    let (office, row, _) = six_tasks().await;
    let ids = record_ids(&office, &row, RecordKind::Tasks).await;
    for id in ids {
        office
            .in_crm(&row, RecordKind::Tasks, CrmWrite::Delete { id })
            .await;
    }
    office.sync(&row).await;
    let items = office.items(&row, RecordKind::Tasks).await;
    let changed = items.iter().find(|item| subject(&item.record) == "a").unwrap();
    let write = MailboxWrite::Update {
        item: ItemRef {
            id: changed.item.id.clone(),
            version: ItemVersion(String::new()),
        },
        fields: FieldSet::of(&[Field::Subject]),
        record: task("a, still wanted"),
    };
    office.in_mailbox(&row, RecordKind::Tasks, write).await;
    decide(&office, &row, true).await;
    office.settle(&row).await;
    assert_eq!(in_mailbox(&office, &row).await, ["a, still wanted"]);
    assert_eq!(in_crm(&office, &row).await, ["a, still wanted"]);
    assert!(waiting(&office, &row).await.is_empty());
}

#[tokio::test]
async fn a_record_that_got_another_owner_is_let_go_and_not_deleted_in_the_mailbox() {
    let (office, row, _) = six_tasks().await;
    let other = office.add_with(1, "strict").await;
    office.settle(&other).await;
    let owner = office.lab.cast.people[1].sf_user_id.clone();
    for id in record_ids(&office, &row, RecordKind::Tasks).await {
        office.administrate(
            "PATCH",
            &format!("/salesforce/records/{}", id.0),
            &json!({"OwnerId": owner}),
        );
    }
    lose_cursor(&office, &row, Side::Crm).await;
    let counts = office.sync(&row).await;
    assert_eq!(
        tasks_of(&counts).skipped.get(&Reason::HandedOver),
        Some(&6),
        "{counts:?}"
    );
    assert_eq!(tasks_of(&counts).written(), 0);
    assert_eq!(in_mailbox(&office, &row).await, TITLES);
    assert!(waiting(&office, &row).await.is_empty());
    // The new owner's mailbox takes them over, once.
    office.settle(&other).await;
    assert_eq!(in_mailbox(&office, &other).await, TITLES);
    // What the former owner does with his copies makes no second record.
    let items = office.items(&row, RecordKind::Tasks).await;
    let write = MailboxWrite::Update {
        item: items[0].item.clone(),
        fields: FieldSet::of(&[Field::Subject]),
        record: task("mine now"),
    };
    office.in_mailbox(&row, RecordKind::Tasks, write).await;
    office.settle(&row).await;
    assert!(in_crm(&office, &row).await.is_empty());
    assert_eq!(in_crm(&office, &other).await, TITLES);
}

#[tokio::test]
async fn a_user_who_lost_sight_of_his_records_loses_nothing_in_his_mailbox() {
    let office = Office::open(2, 0).await;
    office.policy("strict", strict()).await;
    let row = office.add_with(0, "strict").await;
    for (family, email) in [
        ("Lovelace", "ada@elsewhere.example"),
        ("Hopper", "grace@elsewhere.example"),
    ] {
        let write = made_by_owner(Record::Contact(Contact {
            family_name: family.into(),
            email: email.into(),
            ..Contact::default()
        }));
        office.in_mailbox(&row, RecordKind::Contacts, write).await;
    }
    office.settle(&row).await;
    let before = office.items(&row, RecordKind::Contacts).await.len();
    // They belong to somebody else, in an org where only owners see theirs: nothing shows them any more.
    let owner = office.lab.cast.people[1].sf_user_id.clone();
    office.administrate("PATCH", "/salesforce/settings", &json!({"sharing": "private"}));
    for id in record_ids(&office, &row, RecordKind::Contacts).await {
        office.administrate(
            "PATCH",
            &format!("/salesforce/records/{}", id.0),
            &json!({"OwnerId": owner}),
        );
    }
    lose_cursor(&office, &row, Side::Crm).await;
    for _ in 0..2 {
        office.sync(&row).await;
    }
    assert_eq!(office.items(&row, RecordKind::Contacts).await.len(), before);
    assert!(waiting(&office, &row).await.is_empty());
}

#[tokio::test]
async fn a_user_who_may_read_the_object_no_more_loses_nothing_in_his_mailbox() {
    let (office, row, _) = six_tasks().await;
    let user = office.lab.cast.people[0].sf_username.clone();
    let rights = json!({"users": {user: {"objects": {"Task": {"read": false}}}}});
    office.administrate("PATCH", "/salesforce/settings", &rights);
    lose_cursor(&office, &row, Side::Crm).await;
    for _ in 0..2 {
        office.try_sync(&row).await;
    }
    assert_eq!(in_mailbox(&office, &row).await, TITLES);
    assert!(waiting(&office, &row).await.is_empty());
}

#[tokio::test]
async fn deletions_that_a_lost_cursor_of_the_crm_hid_are_noticed_afterwards() {
    let (office, row, _) = six_tasks().await;
    let ids = record_ids(&office, &row, RecordKind::Tasks).await;
    for id in &ids[..2] {
        let write = CrmWrite::Delete { id: id.clone() };
        office.in_crm(&row, RecordKind::Tasks, write).await;
    }
    // The feed is read from a beginning behind the deletions.
    lose_cursor(&office, &row, Side::Crm).await;
    office.settle(&row).await;
    assert_eq!(in_mailbox(&office, &row).await.len(), 4);
    assert_eq!(in_mailbox(&office, &row).await, in_crm(&office, &row).await);
}

#[tokio::test]
async fn a_record_that_is_gone_without_a_trace_is_no_proof_of_a_deletion() {
    let (office, row, _) = six_tasks().await;
    for id in record_ids(&office, &row, RecordKind::Tasks).await {
        let write = CrmWrite::Delete { id: id.clone() };
        office.in_crm(&row, RecordKind::Tasks, write).await;
        office.administrate("POST", "/salesforce/purge", &json!({"id": id.0}));
    }
    lose_cursor(&office, &row, Side::Crm).await;
    for _ in 0..2 {
        let counts = office.sync(&row).await;
        assert_eq!(tasks_of(&counts).deleted_in_mailbox + tasks_of(&counts).held, 0);
    }
    assert_eq!(in_mailbox(&office, &row).await, TITLES);
}

#[tokio::test]
async fn a_mailbox_that_suddenly_answers_an_empty_folder_empties_nothing() {
    let office = Office::open(2, 0).await;
    // Thresholds that would let it pass by numbers alone.
    let row = office.add(0).await;
    let items = make_tasks(&office, &row, &TITLES).await;
    office.settle(&row).await;
    delete_items(&office, &row, &items).await;
    lose_cursor(&office, &row, Side::Mailbox).await;
    let counts = office.sync(&row).await;
    assert_eq!((tasks_of(&counts).held, tasks_of(&counts).deleted_in_crm), (6, 0));
    assert_eq!(in_crm(&office, &row).await, TITLES);
}

#[tokio::test]
async fn a_narrower_window_of_time_deletes_nothing() {
    let office = Office::open(2, 40).await;
    let row = office.add_with(0, "default").await;
    office.settle(&row).await;
    let before = (
        office.items(&row, RecordKind::Calendar).await.len(),
        office.records(&row, RecordKind::Calendar).await.len(),
    );
    let mut narrow = Policy::default();
    narrow.calendar.past_days = 0;
    narrow.calendar.future_days = 0;
    office.policy("default", narrow).await;
    resync(&office, &row).await;
    for _ in 0..2 {
        let counts = office.sync(&row).await;
        assert_eq!(counts[&RecordKind::Calendar].written(), 0, "{counts:?}");
    }
    let after = (
        office.items(&row, RecordKind::Calendar).await.len(),
        office.records(&row, RecordKind::Calendar).await.len(),
    );
    assert_eq!(after, before);
    assert!(before.0 > 0 && before.1 > 0);
}

#[tokio::test]
async fn a_mail_that_is_deleted_in_the_mailbox_stays_in_the_crm() {
    let office = Office::open(2, 40).await;
    let row = office.add(0).await;
    office.settle(&row).await;
    let world = || office.lab.parts.salesforce.content();
    let saved = |world: &Value| {
        let rows = world["EmailMessage"].as_array().unwrap();
        rows.iter().filter(|row| row["IsDeleted"] != json!(true)).count()
    };
    let before = saved(&world());
    assert!(before > 0);
    for item in office.items(&row, RecordKind::Mail).await {
        let write = MailboxWrite::Delete { item: item.item.id };
        // The engine writes no mail; its owner deletes it like anything else.
        office.in_mailbox(&row, RecordKind::Contacts, write).await;
    }
    assert!(office.items(&row, RecordKind::Mail).await.is_empty());
    office.settle(&row).await;
    assert_eq!(saved(&world()), before);
}
