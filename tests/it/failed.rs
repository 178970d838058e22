//! Items that failed: found by their ids and, for some days, by their names; tried again one by one.

use crate::harness::acts::{granted, made_by_owner, task};
use crate::harness::office::{Ground, subject};
use crate::harness::{Office, Site, began};
use chrono::{TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Binary, Int4, Nullable};
use holdfast::access::authorize;
use holdfast::access::permission::{ManageMailboxes, ReadNames, ViewStatus};
use holdfast::access::principal::Principal;
use holdfast::access::resource::Resource;
use holdfast::crm::model::{CrmId, CrmWrite};
use holdfast::foundation::clock::Clock;
use holdfast::foundation::egress::MemoryLedger;
use holdfast::foundation::ids::MailboxId;
use holdfast::mailbox::model::{ItemRef, MailboxRef, MailboxWrite, Notify};
use holdfast::mailbox::port::MailboxServer as _;
use holdfast::record::Record;
use holdfast::record::event::When;
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::record::task::{Priority, Task};
use holdfast::sync::control as engine_control;
use holdfast::sync::failed::control::{self, Replayed};
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast::sync::store::totals::FailureStatus;
use holdfast_lab::Options;
use holdfast_lab::faults::{Fault, Told};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

const DAY: u64 = 86_400;
const RULE: Fault = Fault::Refused {
    code: Told("FIELD_CUSTOM_VALIDATION_EXCEPTION"),
};

/// An office on whose database the test can look, its clock in the test's hand, and a person in it.
pub async fn office() -> (Office, Ground, MailboxRow) {
    let ground = Ground::new().await;
    let options = Options {
        people: 1,
        items_per_person: 0,
        seed: 7,
        ..Options::default()
    };
    let mut office = Office::open_on(ground.clone(), options).await;
    office.engine.clock = Clock::manual(Utc::now());
    let row = office.add(0).await;
    office.settle(&row).await;
    (office, ground, row)
}

/// The owner makes tasks, and a rule of the CRM refuses them.
async fn refused(office: &Office, row: &MailboxRow, titles: &[&str]) {
    for title in titles {
        office
            .in_mailbox(row, RecordKind::Tasks, made_by_owner(task(title)))
            .await;
    }
    office.crm_fails("collections_create", RULE, None);
    assert_eq!(
        office.sync(row).await[&RecordKind::Tasks].failed,
        titles.len() as u64
    );
}

async fn failures(office: &Office) -> Vec<FailureStatus> {
    let mut all = engine_control::failures(&office.engine.db, &granted(ViewStatus), 100)
        .await
        .unwrap();
    all.sort_by_key(|failure| failure.id);
    all
}

/// The names that can be read, and how many cannot.
async fn names(office: &Office, row: &MailboxRow) -> (BTreeSet<String>, usize) {
    let read = control::names(&office.engine, &granted(ReadNames), row.mailbox.id)
        .await
        .unwrap();
    let shut = read.values().filter(|name| name.is_none()).count();
    let open = read.into_values().flatten().map(|name| name.expose().clone());
    (open.collect(), shut)
}

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = Nullable<Binary>)]
    name: Option<Vec<u8>>,
}

fn stored(ground: &Ground) -> Vec<Option<Vec<u8>>> {
    let rows: Vec<Stored> = diesel::sql_query("SELECT name FROM failures ORDER BY id")
        .load(&mut ground.test.superuser())
        .unwrap();
    rows.into_iter().map(|row| row.name).collect()
}

fn set(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn what_a_failed_item_is_called_is_stored_sealed_and_read_by_a_right_of_its_own() {
    let (office, ground, row) = office().await;
    refused(&office, &row, &["Angebot an Lovelace"]).await;
    let sealed = stored(&ground).pop().unwrap().expect("a sealed name");
    let plain = b"Angebot an Lovelace";
    assert!(sealed.len() > plain.len());
    assert!(
        !sealed
            .windows(5)
            .any(|window| plain.windows(5).any(|part| part == window))
    );
    assert_eq!(names(&office, &row).await, (set(&["Angebot an Lovelace"]), 0));
    // Who may only look at how things stand may not read it.
    assert!(authorize(&Principal::ConsoleSession, ReadNames, Resource::Appliance).is_err());
}

#[tokio::test]
async fn a_name_is_gone_some_days_after_the_failure_began_though_the_item_fails_on() {
    let (office, ground, row) = office().await;
    refused(&office, &row, &["Angebot"]).await;
    office.engine.clock.advance(Duration::from_secs(6 * DAY));
    assert_eq!(office.sync(&row).await[&RecordKind::Tasks].failed, 1);
    assert_eq!(names(&office, &row).await.0, set(&["Angebot"]));
    assert_eq!(control::sweep(&office.engine).await.unwrap(), 0);
    office.engine.clock.advance(Duration::from_secs(DAY));
    // Read no more, even before anybody erases it.
    assert!(stored(&ground)[0].is_some());
    assert_eq!(names(&office, &row).await.0, set(&[]));
    assert_eq!(control::sweep(&office.engine).await.unwrap(), 1);
    assert_eq!(stored(&ground), [None]);
    assert_eq!(office.sync(&row).await[&RecordKind::Tasks].failed, 1);
    assert_eq!(stored(&ground), [None]);
    assert_eq!(failures(&office).await[0].attempts, 3);
}

#[tokio::test]
async fn where_no_names_are_to_be_kept_none_is_stored_and_those_of_before_go() {
    let (mut office, ground, row) = office().await;
    refused(&office, &row, &["before"]).await;
    office.engine.settings.names_keep = TimeDelta::zero();
    office
        .in_mailbox(&row, RecordKind::Tasks, made_by_owner(task("after")))
        .await;
    office.sync(&row).await;
    let kept: Vec<bool> = stored(&ground).iter().map(Option::is_some).collect();
    assert_eq!(kept, [true, false]);
    control::sweep(&office.engine).await.unwrap();
    assert_eq!(stored(&ground), [None, None]);
}

#[tokio::test]
async fn a_name_opens_in_its_own_row_and_with_its_mailboxs_own_key_alone() {
    let (mut office, ground, row) = office().await;
    refused(&office, &row, &["one", "two"]).await;
    assert_eq!(names(&office, &row).await, (set(&["one", "two"]), 0));
    let sealed = stored(&ground);
    let mut conn = ground.test.superuser();
    let put = |conn: &mut PgConnection, names: [&Option<Vec<u8>>; 2]| {
        for (failure, name) in ["min", "max"].into_iter().zip(names) {
            diesel::sql_query(format!(
                "UPDATE failures SET name = $1 WHERE id = (SELECT {failure}(id) FROM failures)"
            ))
            .bind::<Nullable<Binary>, _>(name)
            .execute(conn)
            .unwrap();
        }
    };
    put(&mut conn, [&sealed[1], &sealed[0]]);
    assert_eq!(names(&office, &row).await, (set(&[]), 2));
    put(&mut conn, [&sealed[0], &sealed[1]]);
    assert_eq!(names(&office, &row).await.1, 0);
    diesel::sql_query("DELETE FROM mailbox_keys WHERE mailbox_id = $1")
        .bind::<Int4, _>(row.mailbox.id.0)
        .execute(&mut conn)
        .unwrap();
    office.engine.keyring = Arc::new(office.keyring_anew().await);
    assert_eq!(names(&office, &row).await, (set(&[]), 2));
}

#[tokio::test]
async fn one_failure_is_tried_again_at_once_and_the_others_wait_for_their_time() {
    let (office, _ground, row) = office().await;
    refused(&office, &row, &["one", "two"]).await;
    let before = failures(&office).await;
    let id = before[0].id;
    let replay = async |id| {
        control::replay(&office.engine, &granted(ManageMailboxes), id)
            .await
            .unwrap()
    };
    assert_eq!(replay(id).await, Replayed::Failed("crm.rule_refused".to_owned()));
    let attempts: Vec<i32> = failures(&office).await.iter().map(|one| one.attempts).collect();
    assert_eq!(attempts, [2, 1]);
    office.lab.parts.faults.clear();
    assert_eq!(replay(id).await, Replayed::Well);
    let left = failures(&office).await;
    assert_eq!(left.len(), 1);
    assert_eq!(
        (left[0].id, left[0].next_retry_at),
        (before[1].id, before[1].next_retry_at)
    );
    let records = office.records(&row, RecordKind::Tasks).await;
    let made = records
        .iter()
        .filter(|record| ["one", "two"].contains(&subject(&record.record)));
    assert_eq!(made.count(), 1);
}

/// Events that go over days, which this org does not allow.
async fn long_events(site: &Site, titles: &[&str]) {
    let (server, _) = site.outside().connect(Arc::new(MemoryLedger::default()));
    let address = site.people()[0]["smtp"].as_str().unwrap().to_owned();
    let mailbox = MailboxRef::new(MailboxId(1), address);
    let start = began() + TimeDelta::days(2);
    for title in titles {
        let when = When::Timed {
            start,
            end: start + TimeDelta::days(3),
        };
        let write = made_by_owner(Record::Event(crate::harness::acts::event(title, when)));
        let done = server
            .write(&mailbox, RecordKind::Calendar, &[write], Notify::Nobody)
            .await;
        done.unwrap().pop().unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_lists_failures_by_ids_by_names_where_it_is_asked_to_and_retries_one() {
    let site = Site::open(1, 0);
    // So that nothing is tried again by itself while the test looks.
    fs::create_dir(site.file("conf.d")).unwrap();
    fs::write(
        site.file("conf.d/patient.toml"),
        "[sync]\nretry_first_s = 80000\nretry_last_s = 600000\n",
    )
    .unwrap();
    site.control("PATCH", "/salesforce/settings", br#"{"multiday_events": false}"#);
    long_events(&site, &["Klausur am See", "Messe in Lyon"]).await;
    site.run(&["sync", "--all"]);
    let json = |arguments: &[&str]| -> Value {
        serde_json::from_slice(&site.run(&[&["--json"], arguments].concat()).stdout).unwrap()
    };
    let listed = site.run(&["failures"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    let bare = json(&["failures"]);
    for said in [&listed, &bare.to_string()] {
        assert!(!said.contains("Klausur") && !said.contains("Messe"), "{said}");
    }
    assert!(
        bare[0]["item"].is_string() && bare[0]["next"].is_string(),
        "{bare}"
    );
    let named = json(&["failures", "--names"]);
    let mut found: Vec<(&str, i64)> = named
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["name"].as_str().unwrap(), row["id"].as_i64().unwrap()))
        .collect();
    found.sort_unstable();
    let [("Klausur am See", one), ("Messe in Lyon", other)] = found[..] else {
        panic!("{named}");
    };
    let one = one.to_string();
    let again = site.run(&["failures", "retry", &one]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stdout).contains("crm.rule_refused"));
    site.control("PATCH", "/salesforce/settings", br#"{"multiday_events": true}"#);
    assert_eq!(json(&["failures", "retry", &one])["outcome"], "well");
    let left = json(&["failures"]);
    assert_eq!(
        (left.as_array().unwrap().len(), left[0]["id"].as_i64()),
        (1, Some(other))
    );
    let unknown = site.run(&["failures", "retry", &one]);
    assert_eq!(unknown.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("sync.unknown_failure"));
}

/// A task on both sides, urgent in the mailbox since a moment.
pub async fn edited(office: &Office, row: &MailboxRow) -> (ItemRef, CrmId) {
    let tasks = RecordKind::Tasks;
    office
        .in_mailbox(row, tasks, made_by_owner(task("Angebot")))
        .await;
    office.settle(row).await;
    let item = office.items(row, tasks).await.remove(0).item;
    let record = office.records(row, tasks).await.remove(0).id;
    let write = MailboxWrite::Update {
        item: item.clone(),
        fields: FieldSet::of(&[Field::Priority]),
        record: Record::Task(Task {
            priority: Priority::High,
            ..Task::default()
        }),
    };
    office.in_mailbox(row, tasks, write).await;
    (item, record)
}

/// Somebody writes a note on the task's record.
pub async fn noted(office: &Office, row: &MailboxRow, id: CrmId) {
    let write = CrmWrite::Update {
        id,
        fields: FieldSet::of(&[Field::Body]),
        record: Record::Task(Task {
            body: "By telephone".into(),
            ..Task::default()
        }),
        matches: Vec::new(),
    };
    office.in_crm(row, RecordKind::Tasks, write).await;
}

/// The CRM refuses every change, until its feed repeats nothing of what was changed before.
pub async fn goes_by(office: &Office, row: &MailboxRow) {
    office.crm_fails("collections_update", RULE, None);
    for _ in 0..4 {
        let counts = &office.sync(row).await[&RecordKind::Tasks];
        assert_eq!(counts.deleted_in_crm + counts.deleted_in_mailbox, 0);
        office.lab.parts.clock.advance(Duration::from_secs(1_200));
    }
    office.lab.parts.faults.clear();
}

/// Notes and urgency of the tasks on both sides.
async fn tasks(office: &Office, row: &MailboxRow) -> [Vec<(String, Priority)>; 2] {
    let said = |record: &Record| match record {
        Record::Task(task) => (task.body.expose().clone(), task.priority),
        _ => panic!("a task"),
    };
    let items = office.items(row, RecordKind::Tasks).await;
    let records = office.records(row, RecordKind::Tasks).await;
    [
        items.iter().map(|item| said(&item.record)).collect(),
        records.iter().map(|record| said(&record.record)).collect(),
    ]
}

#[tokio::test]
async fn an_edit_in_the_crm_beats_the_deletion_of_an_item_whose_own_edit_was_refused_there() {
    let (office, _ground, row) = office().await;
    let (item, record) = edited(&office, &row).await;
    noted(&office, &row, record).await;
    goes_by(&office, &row).await;
    let write = MailboxWrite::Delete { item: item.id };
    office.in_mailbox(&row, RecordKind::Tasks, write).await;
    office.settle(&row).await;
    let kept = vec![("By telephone".to_owned(), Priority::Normal)];
    assert_eq!(tasks(&office, &row).await, [kept.clone(), kept]);
}

#[tokio::test]
async fn an_edit_that_the_crm_refused_beats_the_deletion_of_its_record() {
    let (office, _ground, row) = office().await;
    let (_, id) = edited(&office, &row).await;
    goes_by(&office, &row).await;
    office
        .in_crm(&row, RecordKind::Tasks, CrmWrite::Delete { id })
        .await;
    office.settle(&row).await;
    let kept = vec![(String::new(), Priority::High)];
    assert_eq!(tasks(&office, &row).await, [kept.clone(), kept]);
}
