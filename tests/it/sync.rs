//! What a turn promises: both sides meet, nothing twice, nothing lost, nobody mailed.

// long: one promise of a turn after the other, in one office

use crate::harness::acts::{made_by_owner, made_by_user};
use crate::harness::office::subject;
use crate::harness::{Office, began};
use chrono::TimeDelta;
use holdfast::crm::model::CrmWrite;
use holdfast::mailbox::model::{ItemRef, ItemVersion, MailboxItem, MailboxWrite};
use holdfast::mailbox::series::{Series, Span};
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::event::{Event, Place, Sensitivity, ShowAs, When};
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::record::task::{Status, Task};
use holdfast::sync::engine::{Connections as _, Engine};
use holdfast::sync::error::SyncError;
use holdfast::sync::model::{Reason, StreamId};
use holdfast::sync::policy::{ConflictRule, Policy};
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast::sync::store::streams;
use holdfast::sync::store::totals;
use holdfast_lab::faults::Fault;

fn meeting(title: &str, in_days: i64) -> Event {
    let start = began() + TimeDelta::days(in_days);
    Event {
        meeting_id: None,
        place: Place::Single,
        subject: title.into(),
        body: "What to bring: nothing.".into(),
        location: "Room 5".into(),
        when: When::Timed {
            start,
            end: start + TimeDelta::minutes(30),
        },
        zone: Some(chrono_tz::Europe::Berlin),
        show_as: ShowAs::Busy,
        sensitivity: Sensitivity::Normal,
        reminder_minutes: Some(15),
        is_organizer: true,
        organizer: None,
        attendees: Vec::new(),
        groups: Vec::new(),
        cancelled: false,
    }
}

fn task(title: &str) -> Task {
    Task {
        subject: title.into(),
        body: "Soon.".into(),
        ..Task::default()
    }
}

fn card(family: &str, email: &str) -> Contact {
    Contact {
        given_name: "Ada".into(),
        family_name: family.into(),
        email: email.into(),
        ..Contact::default()
    }
}

fn titled<'a, T>(all: &'a [T], record: impl Fn(&'a T) -> &'a Record, title: &str) -> Vec<&'a T> {
    all.iter().filter(|one| subject(record(one)) == title).collect()
}

async fn linked(engine: &Engine, kind: RecordKind) -> i64 {
    let now = engine.clock.now();
    let rows = engine
        .db
        .run(move |conn| totals::streams(conn, now))
        .await
        .unwrap();
    rows.iter()
        .filter(|row| row.kind == kind)
        .map(|row| row.linked)
        .sum()
}

#[tokio::test]
async fn a_first_turn_meets_both_sides_and_a_second_one_has_nothing_to_do() {
    let office = Office::open(3, 60).await;
    let row = office.add(0).await;
    let first = office.sync(&row).await;
    assert!(first.values().all(|counts| counts.failed == 0), "{first:?}");
    assert!(first[&RecordKind::Calendar].created_in_crm > 0, "{first:?}");
    assert!(first[&RecordKind::Calendar].created_in_mailbox > 0, "{first:?}");
    assert!(first[&RecordKind::Contacts].matched > 0, "{first:?}");
    assert!(first[&RecordKind::Mail].created_in_crm > 0, "{first:?}");
    let second = office.sync(&row).await;
    let written: u64 = second.values().map(|counts| counts.written()).sum();
    assert_eq!(written, 0, "{second:?}");
}

fn is_series(record: &Record) -> bool {
    matches!(record, Record::Event(event) if event.place == Place::Master)
}

/// How many dates of these series lie within the window of the default policy; a private series counts as one.
async fn dates(office: &Office, row: &MailboxRow, series: &[&MailboxItem]) -> usize {
    let today = office.engine.clock.now().date_naive();
    let span = Span {
        from: today - TimeDelta::days(90),
        to: today + TimeDelta::days(364),
        endless_to: today + TimeDelta::days(180),
        most: 400,
    };
    let ids: Vec<_> = series.iter().map(|item| item.item.id.clone()).collect();
    let server = office.hands.mail_server("main").unwrap();
    let answers = server.dates(&row.mailbox, &ids, &span).await.unwrap();
    let count = |series: Series| match &series.master.record {
        Record::Event(event) if event.sensitivity.is_private() => 1,
        _ => series.days().len(),
    };
    answers.into_iter().map(|answer| count(answer.unwrap())).sum()
}

#[tokio::test]
async fn every_item_of_a_first_turn_is_linked_left_alone_with_a_reason_or_failed() {
    let office = Office::open(3, 60).await;
    let row = office.add(1).await;
    office.sync(&row).await;
    let now = office.engine.clock.now();
    let rows = office
        .engine
        .db
        .run(move |conn| totals::streams(conn, now))
        .await
        .unwrap();
    for stream in rows.iter().filter(|stream| stream.kind != RecordKind::Mail) {
        let items = office.items(&row, stream.kind).await;
        let (series, single): (Vec<_>, Vec<_>) = items.iter().partition(|item| is_series(&item.record));
        let items = single.len() + dates(&office, &row, &series).await;
        let records = office.records(&row, stream.kind).await.len();
        let accounted = usize::try_from(2 * stream.linked + stream.skipped + stream.failed).unwrap();
        assert_eq!(accounted, items + records, "{stream:?}");
    }
}

#[tokio::test]
async fn what_is_made_in_the_mailbox_appears_in_the_crm() {
    let office = Office::open(2, 0).await;
    let row = office.add(0).await;
    office.settle(&row).await;
    office
        .in_mailbox(
            &row,
            RecordKind::Calendar,
            made_by_owner(Record::Event(meeting("Roof", 3))),
        )
        .await;
    office
        .in_mailbox(&row, RecordKind::Tasks, made_by_owner(Record::Task(task("Call"))))
        .await;
    let ada = Record::Contact(card("Lovelace", "ada@elsewhere.example"));
    office
        .in_mailbox(&row, RecordKind::Contacts, made_by_owner(ada))
        .await;
    office.sync(&row).await;
    for (kind, title) in [
        (RecordKind::Calendar, "Roof"),
        (RecordKind::Tasks, "Call"),
        (RecordKind::Contacts, "Lovelace"),
    ] {
        let records = office.records(&row, kind).await;
        assert_eq!(
            titled(&records, |record| &record.record, title).len(),
            1,
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn what_is_made_in_the_crm_appears_in_the_mailbox_and_mails_nobody() {
    let office = Office::open(2, 0).await;
    let row = office.add(0).await;
    office.settle(&row).await;
    office
        .in_crm(
            &row,
            RecordKind::Calendar,
            made_by_user("k1", Record::Event(meeting("Roof", 3))),
        )
        .await;
    office
        .in_crm(
            &row,
            RecordKind::Tasks,
            made_by_user("k2", Record::Task(task("Call"))),
        )
        .await;
    let ada = Record::Contact(card("Lovelace", "ada@elsewhere.example"));
    office
        .in_crm(&row, RecordKind::Contacts, made_by_user("k3", ada))
        .await;
    office.sync(&row).await;
    for (kind, title) in [
        (RecordKind::Calendar, "Roof"),
        (RecordKind::Tasks, "Call"),
        (RecordKind::Contacts, "Lovelace"),
    ] {
        let items = office.items(&row, kind).await;
        assert_eq!(titled(&items, |item| &item.record, title).len(), 1, "{kind:?}");
    }
    assert!(
        office.lab.parts.ledger.entries().is_empty(),
        "{}",
        office.noticed()
    );
}

#[tokio::test]
async fn fields_that_the_two_sides_changed_apart_are_merged() {
    let office = Office::open(2, 0).await;
    let row = office.add(0).await;
    let item = office
        .in_mailbox(
            &row,
            RecordKind::Calendar,
            made_by_owner(Record::Event(meeting("Roof", 3))),
        )
        .await;
    office.settle(&row).await;
    let records = office.records(&row, RecordKind::Calendar).await;
    let record = titled(&records, |record| &record.record, "Roof")[0].id.clone();
    let changed = Event {
        location: "Cellar".into(),
        ..meeting("Roof", 3)
    };
    office
        .in_mailbox(
            &row,
            RecordKind::Calendar,
            MailboxWrite::Update {
                item: ItemRef {
                    id: item,
                    version: ItemVersion(String::new()),
                },
                fields: FieldSet::of(&[Field::Location]),
                record: Record::Event(changed),
            },
        )
        .await;
    office
        .in_crm(
            &row,
            RecordKind::Calendar,
            CrmWrite::Update {
                id: record,
                fields: FieldSet::of(&[Field::Subject]),
                record: Record::Event(meeting("Roof garden", 3)),
                matches: Vec::new(),
            },
        )
        .await;
    office.settle(&row).await;
    let items = office.items(&row, RecordKind::Calendar).await;
    let records = office.records(&row, RecordKind::Calendar).await;
    let merged = |record: &Record| match record {
        Record::Event(event) => {
            event.subject.expose() == "Roof garden" && event.location.expose() == "Cellar"
        }
        _ => false,
    };
    assert_eq!(items.iter().filter(|item| merged(&item.record)).count(), 1);
    assert_eq!(records.iter().filter(|record| merged(&record.record)).count(), 1);
}

#[tokio::test]
async fn a_deletion_follows_in_either_direction() {
    let office = Office::open(2, 0).await;
    let row = office.add(0).await;
    let mine = office
        .in_mailbox(&row, RecordKind::Tasks, made_by_owner(Record::Task(task("Mine"))))
        .await;
    let theirs = office
        .in_crm(
            &row,
            RecordKind::Tasks,
            made_by_user("k", Record::Task(task("Theirs"))),
        )
        .await;
    office.settle(&row).await;
    office
        .in_mailbox(&row, RecordKind::Tasks, MailboxWrite::Delete { item: mine })
        .await;
    office
        .in_crm(&row, RecordKind::Tasks, CrmWrite::Delete { id: theirs })
        .await;
    office.settle(&row).await;
    let items = office.items(&row, RecordKind::Tasks).await;
    let records = office.records(&row, RecordKind::Tasks).await;
    for title in ["Mine", "Theirs"] {
        assert!(
            titled(&items, |item| &item.record, title).is_empty(),
            "{title} is still in the mailbox"
        );
        assert!(
            titled(&records, |record| &record.record, title).is_empty(),
            "{title} is still in the CRM"
        );
    }
}

/// The feed never tells of it: it does not know that we know the item.
#[tokio::test]
async fn what_we_made_in_the_mailbox_and_its_owner_removed_at_once_goes_from_the_crm_too() {
    let office = Office::open(2, 0).await;
    let row = office.add(0).await;
    let task = Record::Task(task("Short-lived"));
    office
        .in_crm(&row, RecordKind::Tasks, made_by_user("k", task))
        .await;
    office.sync(&row).await;
    let items = office.items(&row, RecordKind::Tasks).await;
    let item = items[0].item.id.clone();
    office
        .in_mailbox(&row, RecordKind::Tasks, MailboxWrite::Delete { item })
        .await;
    office.settle(&row).await;
    assert!(office.records(&row, RecordKind::Tasks).await.is_empty());
}

#[tokio::test]
async fn where_both_changed_one_field_the_policy_decides_who_wins() {
    let office = Office::open(2, 0).await;
    for (name, rule, winner) in [
        ("mailbox", ConflictRule::MailboxWins, "Ours"),
        ("crm", ConflictRule::CrmWins, "Theirs"),
    ] {
        let mut policy = Policy::default();
        policy.tasks.common.conflict = rule;
        office.policy(name, policy).await;
        let row = office.add_with(usize::from(name == "crm"), name).await;
        let item = office
            .in_mailbox(&row, RecordKind::Tasks, made_by_owner(Record::Task(task("Both"))))
            .await;
        office.settle(&row).await;
        let records = office.records(&row, RecordKind::Tasks).await;
        let id = titled(&records, |record| &record.record, "Both")[0].id.clone();
        let fields = FieldSet::of(&[Field::Subject]);
        let item = ItemRef {
            id: item,
            version: ItemVersion(String::new()),
        };
        let ours = MailboxWrite::Update {
            item,
            fields,
            record: Record::Task(task("Ours")),
        };
        office.in_mailbox(&row, RecordKind::Tasks, ours).await;
        let theirs = CrmWrite::Update {
            id,
            fields,
            record: Record::Task(task("Theirs")),
            matches: Vec::new(),
        };
        office.in_crm(&row, RecordKind::Tasks, theirs).await;
        office.settle(&row).await;
        let items = office.items(&row, RecordKind::Tasks).await;
        let records = office.records(&row, RecordKind::Tasks).await;
        assert_eq!(titled(&items, |item| &item.record, winner).len(), 1, "{name}");
        assert_eq!(
            titled(&records, |record| &record.record, winner).len(),
            1,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_task_that_is_done_on_one_side_is_done_on_the_other() {
    let office = Office::open(2, 0).await;
    let row = office.add(0).await;
    office
        .in_mailbox(&row, RecordKind::Tasks, made_by_owner(Record::Task(task("Pay"))))
        .await;
    office.settle(&row).await;
    let records = office.records(&row, RecordKind::Tasks).await;
    let id = titled(&records, |record| &record.record, "Pay")[0].id.clone();
    let done = Task {
        status: Status::Completed,
        ..task("Pay")
    };
    let fields = FieldSet::of(&[Field::Status]);
    let write = CrmWrite::Update {
        id,
        fields,
        record: Record::Task(done),
        matches: Vec::new(),
    };
    office.in_crm(&row, RecordKind::Tasks, write).await;
    office.settle(&row).await;
    let items = office.items(&row, RecordKind::Tasks).await;
    let status = match &titled(&items, |item| &item.record, "Pay")[0].record {
        Record::Task(task) => Some(task.status),
        _ => None,
    };
    assert_eq!(status, Some(Status::Completed));
}

#[tokio::test]
async fn a_private_meeting_stays_in_the_mailbox_and_one_made_private_leaves_the_crm() {
    let office = Office::open(2, 0).await;
    let row = office.add(0).await;
    let secret = Event {
        sensitivity: Sensitivity::Private,
        ..meeting("Doctor", 2)
    };
    office
        .in_mailbox(&row, RecordKind::Calendar, made_by_owner(Record::Event(secret)))
        .await;
    let open = Record::Event(meeting("Open", 3));
    let item = office
        .in_mailbox(&row, RecordKind::Calendar, made_by_owner(open))
        .await;
    let counts = office.sync(&row).await;
    assert_eq!(
        counts[&RecordKind::Calendar].skipped.get(&Reason::Private),
        Some(&1)
    );
    let hidden = Event {
        sensitivity: Sensitivity::Private,
        ..meeting("Open", 3)
    };
    let item = ItemRef {
        id: item,
        version: ItemVersion(String::new()),
    };
    let fields = FieldSet::of(&[Field::Privacy]);
    let write = MailboxWrite::Update {
        item,
        fields,
        record: Record::Event(hidden),
    };
    office.in_mailbox(&row, RecordKind::Calendar, write).await;
    office.settle(&row).await;
    let records = office.records(&row, RecordKind::Calendar).await;
    for title in ["Doctor", "Open"] {
        assert!(
            titled(&records, |record| &record.record, title).is_empty(),
            "{title}"
        );
    }
    let items = office.items(&row, RecordKind::Calendar).await;
    assert_eq!(titled(&items, |item| &item.record, "Open").len(), 1);
}

#[tokio::test]
async fn a_stream_that_somebody_else_holds_is_left_to_him() {
    let office = Office::open(1, 0).await;
    let row = office.add(0).await;
    let stream = StreamId {
        mailbox: row.mailbox.id,
        kind: RecordKind::Tasks,
    };
    let now = office.engine.clock.now();
    let owner = uuid::Uuid::new_v4();
    let lease = office
        .engine
        .db
        .run(move |conn| streams::lease_one(conn, stream, owner, now, now + TimeDelta::seconds(60)))
        .await
        .unwrap();
    assert!(lease.is_some());
    let results = office.try_sync(&row).await;
    for (kind, result) in results {
        assert_eq!(
            matches!(result, Err(SyncError::Leased)),
            kind == RecordKind::Tasks,
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn a_turn_that_lost_its_lease_writes_nothing() {
    let office = Office::open(1, 0).await;
    let row = office.add(0).await;
    let stream = StreamId {
        mailbox: row.mailbox.id,
        kind: RecordKind::Tasks,
    };
    let (now, owner) = (office.engine.clock.now(), uuid::Uuid::new_v4());
    let take = move |conn: &mut diesel::PgConnection| {
        let later = now + TimeDelta::seconds(120);
        Ok::<_, SyncError>(streams::lease_one(conn, stream, owner, later, later)?.unwrap())
    };
    let slept = office.engine.db.run(take).await.unwrap();
    let later = now + TimeDelta::seconds(300);
    office
        .engine
        .db
        .run(move |conn| streams::lease_one(conn, stream, uuid::Uuid::new_v4(), later, later))
        .await
        .unwrap()
        .unwrap();
    let step = streams::Advance {
        read: 1,
        ..streams::Advance::default()
    };
    let late = office
        .engine
        .db
        .run(move |conn| streams::advance(conn, slept, &step))
        .await;
    assert!(matches!(late, Err(SyncError::LeaseLost)), "{late:?}");
    assert_eq!(linked(&office.engine, RecordKind::Tasks).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connection_of_a_turn_goes_through_the_gate_and_into_its_ledger() {
    let office = Office::open(2, 20).await;
    let row = office.add(0).await;
    office.sync(&row).await;
    let asked = office
        .lab
        .parts
        .stats
        .side(holdfast_lab::faults::Side::Exchange)
        .connections
        + office
            .lab
            .parts
            .stats
            .side(holdfast_lab::faults::Side::Salesforce)
            .connections;
    let egress = std::sync::Arc::clone(&office.egress);
    // A connection's row is complete when it ends; the connectors end theirs.
    drop(office.engine);
    drop(office.hands);
    drop(office.pages);
    crate::harness::eventually(
        "every connection is in the ledger",
        std::time::Duration::from_secs(10),
        || (egress.rows().len() as u64 == asked).then_some(()),
    );
    assert!(asked > 1);
}

#[tokio::test]
async fn a_record_that_was_made_before_a_crash_is_no_second_item_while_its_create_cannot_be_repeated() {
    let office = Office::open(1, 0).await;
    let row = office.add(0).await;
    office.settle(&row).await;
    let write = made_by_owner(Record::Task(task("made once")));
    office.in_mailbox(&row, RecordKind::Tasks, write).await;
    office.crm_fails("collections_create", Fault::ApplyThenCut, None);
    office.try_sync(&row).await;
    office.lab.parts.faults.clear();
    office.crm_fails("collections_create", Fault::LockedRow, None);
    office.try_sync(&row).await;
    office.lab.parts.faults.clear();
    office.settle(&row).await;
    let items = office.items(&row, RecordKind::Tasks).await;
    let records = office.records(&row, RecordKind::Tasks).await;
    assert_eq!(titled(&items, |item| &item.record, "made once").len(), 1);
    assert_eq!(titled(&records, |record| &record.record, "made once").len(), 1);
}
