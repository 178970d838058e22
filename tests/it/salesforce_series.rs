//! Series that people make in Salesforce: recurring events of Classic and event series of Lightning Experience.

use crate::harness::sales;
use crate::harness::{Office, began};
use chrono::{DateTime, TimeDelta, Utc};
use holdfast::crm::model::{CrmId, CrmWrite};
use holdfast::mailbox::model::{ItemRef, ItemVersion, MailboxItem, MailboxWrite};
use holdfast::record::Record;
use holdfast::record::event::{Event, Place, When};
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::sync::explain::explain;
use holdfast::sync::model::Reason;
use holdfast::sync::report::Counts;
use holdfast::sync::store::mailboxes::MailboxRow;
use serde_json::json;
use std::collections::BTreeMap;

/// A person whose calendar is empty but for what he made in Salesforce.
struct Calendar {
    office: Office,
    row: MailboxRow,
    /// Tomorrow at nine.
    first: DateTime<Utc>,
}

impl Calendar {
    async fn open() -> Self {
        let office = Office::open(2, 0).await;
        let row = office.add(0).await;
        let tomorrow = began().date_naive() + TimeDelta::days(1);
        let first = tomorrow.and_hms_opt(9, 0, 0).unwrap().and_utc();
        Self { office, row, first }
    }

    async fn make(&self, repeats: serde_json::Value) {
        let mut fields = json!({
            "Subject": "Round",
            "StartDateTime": self.first.to_rfc3339(),
            "DurationInMinutes": 60,
        });
        let fields = fields.as_object_mut().unwrap();
        fields.extend(repeats.as_object().unwrap().clone());
        sales::make(&self.office.lab, 0, "Event", json!(fields)).await;
    }

    /// Dates in the CRM, by begin; without the record that stands for the series.
    async fn dates(&self) -> BTreeMap<DateTime<Utc>, (CrmId, Event)> {
        let records = self.office.records(&self.row, RecordKind::Calendar).await;
        let dates = records.into_iter().filter_map(|record| match record.record {
            Record::Event(event) if event.place == Place::Single => Some((begin(&event), (record.id, event))),
            _ => None,
        });
        dates.collect()
    }

    async fn items(&self) -> BTreeMap<DateTime<Utc>, (MailboxItem, Event)> {
        let items = self.office.items(&self.row, RecordKind::Calendar).await;
        let events = items.into_iter().map(|item| match item.record.clone() {
            Record::Event(event) => (begin(&event), (item, event)),
            _ => panic!("the calendar holds events"),
        });
        events.collect()
    }

    async fn sync(&self) -> Counts {
        let mut all = self.office.sync(&self.row).await;
        all.remove(&RecordKind::Calendar).unwrap()
    }

    /// Its owner gives the item of this date another title.
    async fn rename(&self, at: DateTime<Utc>, title: &str) {
        let (item, mut event) = self.items().await.remove(&at).unwrap();
        event.subject = title.to_owned().into();
        let write = MailboxWrite::Update {
            item: unversioned(&item),
            fields: FieldSet::of(&[Field::Subject]),
            record: Record::Event(event),
        };
        self.in_mailbox(write).await;
    }

    async fn delete(&self, at: DateTime<Utc>) {
        let (item, _) = self.items().await.remove(&at).unwrap();
        let item = item.item.id;
        self.in_mailbox(MailboxWrite::Delete { item }).await;
    }

    async fn in_mailbox(&self, write: MailboxWrite) {
        self.office
            .in_mailbox(&self.row, RecordKind::Calendar, write)
            .await;
    }
}

fn unversioned(item: &MailboxItem) -> ItemRef {
    ItemRef {
        id: item.item.id.clone(),
        version: ItemVersion(String::new()),
    }
}

fn begin(event: &Event) -> DateTime<Utc> {
    match event.when {
        When::Timed { start, .. } => start,
        When::AllDay { .. } => panic!("a date of an hour"),
    }
}

fn titles(all: &BTreeMap<DateTime<Utc>, (CrmId, Event)>) -> Vec<&str> {
    all.values()
        .map(|(_, event)| event.subject.expose().as_str())
        .collect()
}

#[tokio::test]
async fn a_recurring_event_of_classic_comes_date_by_date_and_each_date_goes_its_own_way() {
    let calendar = Calendar::open().await;
    let last = calendar.first.date_naive() + TimeDelta::days(3);
    let repeats = json!({
        "IsRecurrence": true,
        "RecurrenceType": "RecursDaily",
        "RecurrenceInterval": 1,
        "RecurrenceStartDateTime": calendar.first.to_rfc3339(),
        "RecurrenceEndDateOnly": last.to_string(),
        "RecurrenceTimeZoneSidKey": "UTC",
    });
    calendar.make(repeats).await;
    let counts = calendar.sync().await;
    assert_eq!(counts.created_in_mailbox, 4, "{counts:?}");
    assert_eq!(counts.skipped[&Reason::Series], 1, "the main record");
    let day = |number: i64| calendar.first + TimeDelta::days(number);
    let items = calendar.items().await;
    assert_eq!(
        items.keys().copied().collect::<Vec<_>>(),
        (0..4).map(day).collect::<Vec<_>>()
    );
    calendar.rename(day(1), "Longer round").await;
    calendar.delete(day(2)).await;
    let counts = calendar.sync().await;
    assert_eq!(
        (counts.updated_in_crm, counts.deleted_in_crm),
        (1, 1),
        "{counts:?}"
    );
    assert_eq!(
        titles(&calendar.dates().await),
        ["Round", "Longer round", "Round"]
    );
    let counts = calendar.sync().await;
    assert_eq!(counts.written() + counts.failed, 0, "{counts:?}");
}

#[tokio::test]
async fn a_lightning_series_comes_date_by_date_and_no_edit_of_one_date_in_the_mailbox_rewrites_the_others() {
    let calendar = Calendar::open().await;
    let repeats = json!({ "Recurrence2PatternText": "RRULE:FREQ=DAILY;INTERVAL=7;COUNT=4" });
    calendar.make(repeats).await;
    let counts = calendar.sync().await;
    assert_eq!(counts.created_in_mailbox, 4, "{counts:?}");
    assert_eq!(counts.skipped[&Reason::Series], 1, "the pattern's record");
    let week = |number: i64| calendar.first + TimeDelta::days(7 * number);

    calendar.rename(week(1), "Longer round").await;
    let counts = calendar.sync().await;
    assert_eq!((counts.written(), counts.failed), (0, 0), "{counts:?}");
    assert_eq!(titles(&calendar.dates().await), ["Round"; 4]);
    let id = calendar.items().await[&week(1)].0.item.id.0.clone();
    let said = explain(&calendar.office.engine, &calendar.row, &id)
        .await
        .unwrap()
        .unwrap();
    let note = "The record is a date of a series that the CRM changes as a whole: what is edited in the mailbox is not \
        written to it.";
    assert!(said.notes.iter().any(|said| said == note), "{:?}", said.notes);

    // A change of one date there is one of all.
    let (record, mut event) = calendar.dates().await.remove(&week(2)).unwrap();
    event.location = "upstairs".into();
    let write = CrmWrite::Update {
        id: record,
        fields: FieldSet::of(&[Field::Location]),
        record: Record::Event(event),
        matches: Vec::new(),
    };
    let office = &calendar.office;
    office.in_crm(&calendar.row, RecordKind::Calendar, write).await;
    calendar.sync().await;
    let places = calendar.items().await;
    let places: Vec<&str> = places
        .values()
        .map(|(_, event)| event.location.expose().as_str())
        .collect();
    assert_eq!(places, ["upstairs"; 4]);
    assert_eq!(
        calendar.items().await[&week(1)].1.subject.expose(),
        "Longer round"
    );

    calendar.delete(week(3)).await;
    let counts = calendar.sync().await;
    assert_eq!(counts.deleted_in_crm, 1, "{counts:?}");
    let left = calendar.dates().await;
    assert_eq!(
        left.into_keys().collect::<Vec<_>>(),
        (0..3).map(week).collect::<Vec<_>>()
    );
    let counts = calendar.sync().await;
    assert_eq!(counts.written() + counts.failed, 0, "{counts:?}");
}
