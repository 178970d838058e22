//! What people do in a world, and what they may expect of it afterwards.
//!
//! Every thing has a title that is its own, which nobody changes, and two slots that people write into. For
//! each the world remembers which values may stand there: one where it is certain, several where both sides
//! wrote since they were last in step and the conflict rule decides.

use super::world::World;
use chrono::{NaiveDate, TimeDelta, Utc};
use holdfast::crm::model::{CrmId, CrmWrite};
use holdfast::foundation::content::Content;
use holdfast::mailbox::model::{ItemId, ItemRef, ItemVersion, MailboxWrite};
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::event::{Event, When};
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::record::task::Task;
use holdfast::sync::model::Side;
use holdfast::sync::policy::ConflictRule;
use std::collections::BTreeSet;

use crate::harness::acts::{made_by_owner, made_by_user};
use crate::harness::records::full;

/// The record types that go both ways.
pub const KINDS: [RecordKind; 3] = [RecordKind::Calendar, RecordKind::Contacts, RecordKind::Tasks];

/// How every thing's title begins.
pub const TITLE: &str = "thing ";

/// A thing that somebody made.
#[derive(Clone, Debug)]
pub struct Thing {
    pub title: String,
    pub kind: RecordKind,
    /// Whose it is.
    pub row: usize,
    slots: [Slot; 2],
    /// Where a person removed it.
    removed: BTreeSet<&'static str>,
    /// Where people wrote since both sides were last in step.
    touched: BTreeSet<&'static str>,
    /// False until both sides were in step once.
    met: bool,
    /// True once a removal met an edit, or a thing that was not in step yet: it may be there or not.
    unsure: bool,
}

#[derive(Clone, Debug)]
struct Slot {
    /// What may stand there.
    may: BTreeSet<String>,
    /// Written since both sides were last in step: where, what, in order.
    written: Vec<(&'static str, String)>,
}

impl Thing {
    /// A thing with first values in its slots.
    pub fn new(title: String, kind: RecordKind, row: usize, values: [String; 2]) -> Self {
        Self {
            title,
            kind,
            row,
            slots: values.map(|value| Slot {
                may: BTreeSet::from([value]),
                written: Vec::new(),
            }),
            removed: BTreeSet::new(),
            touched: BTreeSet::new(),
            met: false,
            unsure: false,
        }
    }

    /// Must it be there (`Some(true)`), gone, or is either right?
    pub fn due(&self) -> Option<bool> {
        match (self.removed.len(), self.unsure) {
            (0, _) => Some(true),
            (2, _) | (_, false) => Some(false),
            _ => None,
        }
    }

    /// Whether this value may stand in this slot.
    pub fn allows(&self, slot: usize, value: &str) -> bool {
        let slot = &self.slots[slot];
        slot.may.contains(value) || slot.written.iter().any(|(_, written)| written == value)
    }

    /// What may stand in a slot.
    pub fn allowed(&self, slot: usize) -> Vec<String> {
        let slot = &self.slots[slot];
        let written = slot.written.iter().map(|(_, value)| value);
        slot.may.iter().chain(written).cloned().collect()
    }

    fn wrote(&mut self, side: Side, slot: usize, value: String) {
        self.touched.insert(side.word());
        self.slots[slot].written.push((side.word(), value));
        self.unsure |= !self.removed.is_empty();
    }

    fn removed_on(&mut self, side: Side) {
        self.removed.insert(side.word());
        self.unsure |= !self.met || self.touched.iter().any(|touched| *touched != side.word());
    }

    /// Both sides are in step now: what only one side wrote stands.
    pub fn in_step(&mut self, conflict: ConflictRule) {
        let whole = conflict != ConflictRule::MergeByField && self.touched.len() > 1;
        for slot in &mut self.slots {
            let sides: BTreeSet<_> = slot.written.iter().map(|(side, _)| *side).collect();
            if whole || sides.len() > 1 {
                slot.may.extend(slot.written.drain(..).map(|(_, value)| value));
            } else if let Some((_, last)) = slot.written.pop() {
                slot.may = BTreeSet::from([last]);
            }
            slot.written.clear();
        }
        self.touched.clear();
        self.met = true;
    }
}

/// The record that says these things.
pub fn record(thing: &Thing, values: &[String; 2]) -> Record {
    let [first, second] = values.clone().map(Content::from);
    let title = Content::from(thing.title.as_str());
    match full(thing.kind) {
        Record::Event(event) => {
            let start = Utc::now() + TimeDelta::days(10);
            Record::Event(Event {
                subject: title,
                location: first,
                body: second,
                attendees: Vec::new(),
                when: When::Timed {
                    start,
                    end: start + TimeDelta::minutes(30),
                },
                ..event
            })
        }
        Record::Contact(contact) => Record::Contact(Contact {
            email: Content::from(format!("{}@outside.example", thing.title.replace(' ', "-"))),
            family_name: title,
            job_title: first,
            business_phone: second,
            ..contact
        }),
        Record::Task(task) => Record::Task(Task {
            subject: title,
            body: first,
            due: day(second.expose()),
            ..task
        }),
        other @ Record::Email(_) => other,
    }
}

/// The values in the two slots of a record.
pub fn values(record: &Record) -> [String; 2] {
    let text = |content: &Content<String>| content.expose().trim_end().to_owned();
    match record {
        Record::Event(event) => [text(&event.location), text(&event.body)],
        Record::Contact(contact) => [text(&contact.job_title), text(&contact.business_phone)],
        Record::Task(task) => [
            text(&task.body),
            task.due.map_or_else(String::new, |day| day.to_string()),
        ],
        Record::Email(_) => Default::default(),
    }
}

/// The `number`-th value of a slot.
pub fn value(kind: RecordKind, slot: usize, number: u64) -> String {
    match (kind, slot) {
        (RecordKind::Tasks, 1) => {
            (NaiveDate::MIN.max(Utc::now().date_naive()) + TimeDelta::days(number as i64 % 300)).to_string()
        }
        (RecordKind::Contacts, 1) => format!("+49 30 {number}"),
        _ => format!("value {number}"),
    }
}

fn day(text: &str) -> Option<NaiveDate> {
    text.parse().ok()
}

fn field(kind: RecordKind, slot: usize) -> Field {
    match (kind, slot) {
        (RecordKind::Calendar, 0) => Field::Location,
        (RecordKind::Tasks, 1) => Field::Due,
        (RecordKind::Contacts, 0) => Field::JobTitle,
        (RecordKind::Contacts, _) => Field::BusinessPhone,
        _ => Field::Body,
    }
}

/// Where a thing is on one side, if it is there.
pub enum Place {
    Item(ItemId),
    Record(CrmId),
}

impl World {
    /// A person makes the thing on this side.
    pub async fn make(&mut self, thing: &Thing, side: Side, values: &[String; 2]) {
        let (row, record) = (&self.rows[thing.row], record(thing, values));
        match side {
            Side::Mailbox => {
                let write = made_by_owner(record);
                self.office.in_mailbox(row, thing.kind, write).await;
            }
            Side::Crm => {
                let key = format!("by-hand-{}", thing.title.replace(' ', "-"));
                let write = made_by_user(&key, record);
                self.office.in_crm(row, thing.kind, write).await;
            }
        }
    }

    /// A person writes into a slot; false where the thing is not on that side.
    pub async fn write(&mut self, thing: &mut Thing, side: Side, slot: usize, value: String) -> bool {
        let Some((place, now)) = self.find(thing, side).await else {
            return false;
        };
        let mut all = now;
        all[slot].clone_from(&value);
        let fields = FieldSet::of(&[field(thing.kind, slot)]);
        let (row, record) = (&self.rows[thing.row], record(thing, &all));
        match place {
            Place::Item(id) => {
                let item = ItemRef {
                    id,
                    version: ItemVersion(String::new()),
                };
                let write = MailboxWrite::Update { item, fields, record };
                self.office.in_mailbox(row, thing.kind, write).await;
            }
            Place::Record(id) => {
                let write = CrmWrite::Update {
                    id,
                    fields,
                    record,
                    matches: Vec::new(),
                };
                self.office.in_crm(row, thing.kind, write).await;
            }
        }
        thing.wrote(side, slot, value);
        true
    }

    /// A person removes the thing; false where it is not on that side.
    pub async fn remove(&mut self, thing: &mut Thing, side: Side) -> bool {
        let Some((place, _)) = self.find(thing, side).await else {
            return false;
        };
        let row = &self.rows[thing.row];
        match place {
            Place::Item(item) => {
                self.office
                    .in_mailbox(row, thing.kind, MailboxWrite::Delete { item })
                    .await;
            }
            Place::Record(id) => {
                self.office.in_crm(row, thing.kind, CrmWrite::Delete { id }).await;
            }
        }
        thing.removed_on(side);
        true
    }

    async fn find(&self, thing: &Thing, side: Side) -> Option<(Place, [String; 2])> {
        let row = &self.rows[thing.row];
        match side {
            Side::Mailbox => {
                let items = self.office.items(row, thing.kind).await;
                let item = items
                    .into_iter()
                    .find(|item| title(&item.record) == thing.title)?;
                Some((Place::Item(item.item.id), values(&item.record)))
            }
            Side::Crm => {
                let records = self.office.records(row, thing.kind).await;
                let record = records
                    .into_iter()
                    .find(|record| title(&record.record) == thing.title)?;
                Some((Place::Record(record.id), values(&record.record)))
            }
        }
    }
}

/// The title of a record.
pub fn title(record: &Record) -> &str {
    crate::harness::office::subject(record)
}
