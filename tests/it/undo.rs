//! What Holdfast made is taken back on request, that and nothing else, whatever comes in between.

use crate::harness::Office;
use crate::harness::acts::{granted, made_by_owner, made_by_user, task};
use crate::harness::office::subject;
use chrono::{DateTime, Utc};
use holdfast::access::permission::{Explain, ManageMailboxes};
use holdfast::mailbox::model::{ItemRef, ItemVersion, MailboxWrite};
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::sync::control as engine_control;
use holdfast::sync::model::Reason;
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast::sync::undo::control::{self, Line, Plan};
use holdfast_lab::faults::Fault;
use serde_json::json;

async fn make_in_mailbox(office: &Office, row: &MailboxRow, title: &str) {
    let write = made_by_owner(task(title));
    office.in_mailbox(row, RecordKind::Tasks, write).await;
}

async fn make_in_crm(office: &Office, row: &MailboxRow, title: &str) {
    let write = made_by_user(&format!("made-by-hand-{title}"), task(title));
    office.in_crm(row, RecordKind::Tasks, write).await;
}

/// Titles in the mailbox, and in the CRM.
async fn titles(office: &Office, row: &MailboxRow) -> (Vec<String>, Vec<String>) {
    let items = office.items(row, RecordKind::Tasks).await;
    let records = office.records(row, RecordKind::Tasks).await;
    let sorted = |mut titles: Vec<String>| {
        titles.sort();
        titles
    };
    (
        sorted(
            items
                .iter()
                .map(|item| subject(&item.record).to_owned())
                .collect(),
        ),
        sorted(
            records
                .iter()
                .map(|record| subject(&record.record).to_owned())
                .collect(),
        ),
    )
}

async fn lines(office: &Office, row: &MailboxRow, since: DateTime<Utc>) -> Vec<Line> {
    control::preview(&office.engine.db, &granted(Explain), row.mailbox.id, since)
        .await
        .unwrap()
}

fn count(lines: &[Line], plan: Plan) -> usize {
    lines.iter().filter(|line| line.plan == plan).count()
}

/// Two tasks of the mailbox's own and two of the CRM's, on both sides.
async fn four_tasks() -> (Office, MailboxRow, DateTime<Utc>) {
    let office = Office::open(2, 0).await;
    let row = office.add(0).await;
    // The office's own contacts are on both sides before.
    office.settle(&row).await;
    let since = office.engine.clock.now();
    for title in ["mine 1", "mine 2"] {
        make_in_mailbox(&office, &row, title).await;
    }
    for title in ["theirs 1", "theirs 2"] {
        make_in_crm(&office, &row, title).await;
    }
    office.settle(&row).await;
    assert_eq!(titles(&office, &row).await.0.len(), 4);
    (office, row, since)
}

const MINE: [&str; 2] = ["mine 1", "mine 2"];
const THEIRS: [&str; 2] = ["theirs 1", "theirs 2"];

#[tokio::test]
async fn what_holdfast_made_is_removed_on_both_sides_and_nothing_else_is() {
    let (office, row, since) = four_tasks().await;
    let shown = lines(&office, &row, since).await;
    assert_eq!((shown.len(), count(&shown, Plan::Remove)), (4, 4), "{shown:?}");
    let before = titles(&office, &row).await;
    assert_eq!(
        (before.0.len(), before.1.len()),
        (4, 4),
        "a preview changes nothing"
    );
    let standing = control::apply(&office.engine, &granted(ManageMailboxes), &row, &shown)
        .await
        .unwrap();
    assert_eq!((standing.removed, standing.waiting), (4, 0), "{standing:?}");
    let (mailbox, crm) = titles(&office, &row).await;
    assert_eq!(
        (mailbox, crm),
        (MINE.map(String::from).to_vec(), THEIRS.map(String::from).to_vec())
    );
    assert!(lines(&office, &row, since).await.is_empty());
}

#[tokio::test]
async fn what_was_undone_is_not_made_again_until_somebody_lifts_that() {
    let (office, row, since) = four_tasks().await;
    let shown = lines(&office, &row, since).await;
    let may = granted(ManageMailboxes);
    control::apply(&office.engine, &may, &row, &shown).await.unwrap();
    let (db, clock, id) = (&office.engine.db, &office.engine.clock, row.mailbox.id);
    engine_control::resync(db, clock, &may, id).await.unwrap();
    let counts = office.sync(&row).await;
    let tasks = &counts[&RecordKind::Tasks];
    assert_eq!(tasks.written(), 0, "{tasks:?}");
    assert_eq!(tasks.skipped.get(&Reason::Undone), Some(&4), "{tasks:?}");
    assert_eq!(control::lift(&office.engine, &may, id).await.unwrap(), 4);
    engine_control::resync(db, clock, &may, id).await.unwrap();
    office.settle(&row).await;
    let (mailbox, crm) = titles(&office, &row).await;
    assert_eq!((mailbox.len(), crm.len()), (4, 4));
}

#[tokio::test]
async fn an_undo_that_is_cut_off_is_finished_by_the_next_turn() {
    let (office, row, since) = four_tasks().await;
    let shown = lines(&office, &row, since).await;
    office.crm_fails("collections_delete", Fault::ApplyThenCut, Some(3));
    let cut = control::apply(&office.engine, &granted(ManageMailboxes), &row, &shown).await;
    assert!(cut.is_err(), "{cut:?}");
    office.lab.parts.faults.clear();
    office.sync(&row).await;
    let (mailbox, crm) = titles(&office, &row).await;
    assert_eq!(
        (mailbox, crm),
        (MINE.map(String::from).to_vec(), THEIRS.map(String::from).to_vec())
    );
    let counts = office.sync(&row).await;
    assert_eq!(counts[&RecordKind::Tasks].written(), 0);
}

#[tokio::test]
async fn a_record_whose_creation_was_cut_off_is_in_the_journal_all_the_same() {
    let office = Office::open(2, 0).await;
    let row = office.add(0).await;
    office.settle(&row).await;
    let since = office.engine.clock.now();
    make_in_mailbox(&office, &row, "mine").await;
    office.crm_fails("collections_create", Fault::ApplyThenCut, Some(3));
    let cut = office.try_sync(&row).await;
    assert!(cut.iter().any(|(_, result)| result.is_err()), "{cut:?}");
    office.lab.parts.faults.clear();
    office.settle(&row).await;
    let shown = lines(&office, &row, since).await;
    assert_eq!(count(&shown, Plan::Remove), 1, "{shown:?}");
    control::apply(&office.engine, &granted(ManageMailboxes), &row, &shown)
        .await
        .unwrap();
    assert!(office.records(&row, RecordKind::Tasks).await.is_empty());
}

#[tokio::test]
async fn what_was_changed_is_listed_with_both_records_and_left_as_it_is() {
    let (office, row, _) = four_tasks().await;
    let since = office.engine.clock.now();
    let items = office.items(&row, RecordKind::Tasks).await;
    let item = items
        .iter()
        .find(|item| subject(&item.record) == "theirs 1")
        .unwrap();
    let write = MailboxWrite::Update {
        item: ItemRef {
            id: item.item.id.clone(),
            version: ItemVersion(String::new()),
        },
        fields: FieldSet::of(&[Field::Subject]),
        record: task("theirs 1, edited"),
    };
    office.in_mailbox(&row, RecordKind::Tasks, write).await;
    office.settle(&row).await;
    let shown = lines(&office, &row, since).await;
    assert_eq!((shown.len(), count(&shown, Plan::Look)), (1, 1), "{shown:?}");
    assert_eq!(shown[0].item.as_deref(), Some(item.item.id.0.as_str()));
    let records = office.records(&row, RecordKind::Tasks).await;
    let record = records
        .iter()
        .find(|record| subject(&record.record) == "theirs 1, edited")
        .unwrap();
    assert_eq!(shown[0].crm.as_deref(), Some(record.id.0.as_str()));
    let standing = control::apply(&office.engine, &granted(ManageMailboxes), &row, &shown)
        .await
        .unwrap();
    assert_eq!(standing.removed, 0);
}

#[tokio::test]
async fn a_mail_that_another_mailbox_shares_stays() {
    let office = Office::open(2, 60).await;
    let (ada, bob) = (office.add(0).await, office.add(1).await);
    let since = office.engine.clock.now();
    office.settle(&ada).await;
    office.settle(&bob).await;
    let shown = lines(&office, &ada, since).await;
    let shared: Vec<&Line> = shown.iter().filter(|line| line.plan == Plan::Shared).collect();
    assert!(
        shared.iter().all(|line| line.kind == RecordKind::Mail),
        "{shared:?}"
    );
    let mails = |world: &serde_json::Value| {
        let rows = world["EmailMessage"].as_array().unwrap();
        let living = rows.iter().filter(|row| row["IsDeleted"] != json!(true));
        living
            .map(|row| row["Id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    control::apply(&office.engine, &granted(ManageMailboxes), &ada, &shown)
        .await
        .unwrap();
    let left = mails(&office.lab.parts.salesforce.content());
    for line in &shared {
        assert!(left.contains(line.crm.as_ref().unwrap()), "{line:?}");
    }
    assert!(
        !shared.is_empty(),
        "the world has mails between its people and outsiders"
    );
}
