//! What lies beyond the window comes when the days have brought it within, though no feed tells of that.

use crate::harness::acts::{event, made_by_owner, made_by_user};
use crate::harness::{Office, began};
use crate::scope::{DAY, foreseen, hour, titles, with};
use chrono::{TimeDelta, Utc};
use holdfast::crm::model::CrmWrite;
use holdfast::foundation::clock::Clock;
use holdfast::mailbox::model::{ItemRef, ItemVersion, MailboxWrite};
use holdfast::record::Record;
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::sync::explain::explain;
use holdfast::sync::model::StreamId;
use holdfast::sync::policy::{OutOfScope, Policy};
use holdfast::sync::store::ahead;
use holdfast::sync::store::mailboxes::MailboxRow;
use std::collections::BTreeMap;
use std::time::Duration;

/// What `explain` notes of an item or a record.
async fn notes_of(office: &Office, row: &MailboxRow, id: &str) -> Vec<String> {
    let said = explain(&office.engine, row, id).await.unwrap();
    said.expect("an item that a side knows").notes
}

#[tokio::test]
async fn a_meeting_far_ahead_crosses_when_the_days_have_brought_it_within_the_window_though_nobody_edits_it()
{
    let mut office = Office::open(2, 0).await;
    office.engine.clock = Clock::manual(Utc::now());
    office.policy("house", Policy::default()).await;
    let row = office.add_with(0, "house").await;
    let when = hour(began() + TimeDelta::days(400));
    let mine = made_by_owner(Record::Event(event("mine", when.clone())));
    let item = office.in_mailbox(&row, RecordKind::Calendar, mine).await;
    let theirs = made_by_user("key", Record::Event(event("theirs", when)));
    let record = office.in_crm(&row, RecordKind::Calendar, theirs).await;
    office.settle(&row).await;
    assert_eq!(
        titles(&office, &row, RecordKind::Calendar).await,
        [["mine"], ["theirs"]]
    );
    let day = (began() + TimeDelta::days(36)).date_naive();
    let said = format!("The window reaches it on {day}; it is looked at again then.");
    assert!(notes_of(&office, &row, &item.0).await.contains(&said));
    assert!(notes_of(&office, &row, &record.0).await.contains(&said));
    office.engine.clock.advance(Duration::from_secs(34 * DAY));
    office.settle(&row).await;
    assert_eq!(
        titles(&office, &row, RecordKind::Calendar).await,
        [["mine"], ["theirs"]]
    );
    office.engine.clock.advance(Duration::from_secs(2 * DAY));
    let expected = BTreeMap::from([("create in CRM", 1), ("create in mailbox", 1)]);
    assert_eq!(foreseen(&office, &row).await, expected);
    office.settle(&row).await;
    let both = ["mine", "theirs"];
    assert_eq!(titles(&office, &row, RecordKind::Calendar).await, [both, both]);
    // And is looked at no more.
    let (id, today) = (row.mailbox.id, office.engine.clock.now().date_naive());
    let kind = RecordKind::Calendar;
    let stream = StreamId { mailbox: id, kind };
    let left = move |conn: &mut _| ahead::due(conn, stream, today + TimeDelta::days(900));
    assert_eq!(office.engine.db.run_for(id, left).await.unwrap(), []);
}

#[tokio::test]
async fn a_meeting_that_was_moved_far_ahead_is_stopped_before_the_window_and_catches_up_with_both_sides_edits()
 {
    let mut office = Office::open(2, 0).await;
    office.engine.clock = Clock::manual(Utc::now());
    office.policy("house", with(OutOfScope::Keep)).await;
    let row = office.add_with(0, "house").await;
    let near = event("plan", hour(began() + TimeDelta::days(5)));
    let write = made_by_owner(Record::Event(near.clone()));
    let item = office.in_mailbox(&row, RecordKind::Calendar, write).await;
    office.settle(&row).await;
    let mut far = near.clone();
    far.when = hour(began() + TimeDelta::days(400));
    let write = MailboxWrite::Update {
        item: ItemRef {
            id: item,
            version: ItemVersion(String::new()),
        },
        fields: FieldSet::of(&[Field::When]),
        record: Record::Event(far.clone()),
    };
    office.in_mailbox(&row, RecordKind::Calendar, write).await;
    office.settle(&row).await;
    let mut placed = near.clone();
    placed.location = "upstairs".into();
    let id = office.records(&row, RecordKind::Calendar).await.remove(0).id;
    let write = CrmWrite::Update {
        id,
        fields: FieldSet::of(&[Field::Location]),
        record: Record::Event(placed),
        matches: Vec::new(),
    };
    office.in_crm(&row, RecordKind::Calendar, write).await;
    office.settle(&row).await;
    office.engine.clock.advance(Duration::from_secs(40 * DAY));
    office.settle(&row).await;
    let items = office.items(&row, RecordKind::Calendar).await;
    let records = office.records(&row, RecordKind::Calendar).await;
    assert_eq!((items.len(), records.len()), (1, 1));
    for record in [&items[0].record, &records[0].record] {
        let Record::Event(event) = record else {
            panic!("the calendar holds events");
        };
        assert_eq!(event.location.expose(), "upstairs");
        assert!(event.when == far.when);
    }
}
