//! What people do to things, over the wire like everybody; where a thing is now, the lab itself says.

use super::mails::CUSTOMER;
use super::policies::HOME;
use super::things::{KINDS, TITLE, Thing};
use super::way::field;
use super::world::World;
use chrono::{NaiveDate, TimeDelta};
use holdfast::crm::model::{CrmId, CrmWrite};
use holdfast::foundation::content::Content;
use holdfast::mailbox::model::{ItemId, ItemRef, ItemVersion, MailboxWrite};
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::event::{Attendance, Attendee, Event, Response, Sensitivity, When};
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::record::person::Person;
use holdfast::record::task::Task;
use holdfast::sync::model::Side;
use holdfast_lab::exchange::item::AttachmentContent;
use holdfast_lab::exchange::meeting::Answer;
use holdfast_lab::exchange::value::Binary;
use std::collections::BTreeSet;

use crate::harness::acts::{made_by_owner, made_by_user};
use crate::harness::office::subject;
use crate::harness::records::full;
use crate::harness::{began, outlook};

/// Files that people have to attach to things.
pub const PAPERS: usize = 6;

/// The name of one.
pub fn paper(file: usize) -> String {
    format!("paper {file}.txt")
}

/// The record that says these things.
pub fn record(thing: &Thing, values: &[String; 2]) -> Record {
    let [first, second] = values.clone().map(Content::from);
    let title = Content::from(thing.title.as_str());
    match full(thing.kind) {
        Record::Event(event) => {
            let start = began() + TimeDelta::days(10);
            Record::Event(Event {
                subject: title,
                location: first,
                body: second,
                attendees: thing.guest.iter().map(|guest| asked(guest)).collect(),
                when: When::Timed {
                    start,
                    end: start + TimeDelta::minutes(30),
                },
                sensitivity: match thing.hidden {
                    true => Sensitivity::Private,
                    false => Sensitivity::Normal,
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
            due: second.expose().parse().ok(),
            ..task
        }),
        other @ Record::Email(_) => other,
    }
}

fn asked(guest: &str) -> Attendee {
    Attendee {
        person: Person::at(guest),
        attendance: Attendance::Required,
        response: Response::None,
    }
}

/// What somebody answered, as far as he stands on a record.
pub fn answer(record: &Record, guest: &str) -> Option<Response> {
    let Record::Event(event) = record else { return None };
    let mut attendees = event.attendees.iter();
    let found = attendees.find(|attendee| attendee.person.key().expose() == guest)?;
    Some(found.response)
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
            (NaiveDate::MIN.max(began().date_naive()) + TimeDelta::days(number as i64 % 300)).to_string()
        }
        (RecordKind::Contacts, 1) => format!("+49 30 {number}"),
        _ => format!("value {number}"),
    }
}

impl World {
    /// A person makes a thing; its number among all.
    pub async fn make(&mut self, kind: RecordKind, row: usize, side: Side, hidden: bool) -> usize {
        let number = self.fresh();
        let values = [value(kind, 0, number), value(kind, 1, number)];
        let mut thing = Thing::new(format!("{TITLE}{number}"), kind, row, side, values.clone());
        thing.hidden = hidden;
        let asks = kind == RecordKind::Calendar && side == Side::Mailbox && !self.apart;
        thing.guest = asks.then(|| CUSTOMER.to_owned());
        let (who, record) = (&self.rows[row], record(&thing, &values));
        match side {
            Side::Mailbox => {
                self.office.in_mailbox(who, kind, made_by_owner(record)).await;
            }
            Side::Crm => {
                let key = format!("by-hand-{number}");
                self.office.in_crm(who, kind, made_by_user(&key, record)).await;
            }
        }
        let hidden = if hidden { ", private" } else { "" };
        self.note(format!(
            "{} is made in the {} of {row}: {kind:?}{hidden}",
            thing.title,
            side.word()
        ));
        self.acted(row, kind);
        self.things.push(thing);
        self.things.len() - 1
    }

    /// A person writes into a slot; false where the thing is not on that side.
    pub async fn write(&mut self, which: usize, side: Side, slot: usize) -> bool {
        let value = value(self.things[which].kind, slot, self.fresh());
        let mut thing = self.things[which].clone();
        let mut values = [String::new(), String::new()];
        values[slot].clone_from(&value);
        let fields = FieldSet::of(&[field(thing.kind, slot)]);
        if !self.update(&thing, side, fields, record(&thing, &values)).await {
            return false;
        }
        self.note(format!(
            "{}: slot {slot} is {value:?} in the {}",
            thing.title,
            side.word()
        ));
        self.acted(thing.row, thing.kind);
        thing.wrote(side, slot, value);
        self.things[which] = thing;
        true
    }

    async fn update(&self, thing: &Thing, side: Side, fields: FieldSet, record: Record) -> bool {
        let row = &self.rows[thing.row];
        match side {
            Side::Mailbox => {
                let Some(id) = self.item(thing) else { return false };
                let item = ItemRef {
                    id,
                    version: ItemVersion(String::new()),
                };
                let write = MailboxWrite::Update { item, fields, record };
                self.office.in_mailbox(row, thing.kind, write).await;
            }
            Side::Crm => {
                let Some(id) = self.record_of(thing).await else {
                    return false;
                };
                let write = CrmWrite::Update {
                    id,
                    fields,
                    record,
                    matches: Vec::new(),
                };
                self.office.in_crm(row, thing.kind, write).await;
            }
        }
        true
    }

    /// The owner of a meeting keeps it from the CRM from now on.
    pub async fn hide(&mut self, which: usize) {
        let mut thing = self.things[which].clone();
        thing.hidden = true;
        let record = record(&thing, &Default::default());
        let fields = FieldSet::of(&[Field::Privacy]);
        if self.update(&thing, Side::Mailbox, fields, record).await {
            self.note(format!("{} is private from now on", thing.title));
            self.acted(thing.row, thing.kind);
            self.things[which] = thing;
        }
    }

    /// Its owner gives it the category that keeps it at home, or takes it away again.
    pub async fn categorise(&mut self, which: usize, home: bool) {
        let mut thing = self.things[which].clone();
        let Some(item) = self.item(&thing) else { return };
        let category = if home { HOME } else { "Blue" };
        let (element, quietly) = match thing.kind {
            RecordKind::Calendar => (
                "CalendarItem",
                " SendMeetingInvitationsOrCancellations=\"SendToNone\"",
            ),
            RecordKind::Contacts => ("Contact", ""),
            _ => ("Task", ""),
        };
        let change = format!(
            "<m:UpdateItem ConflictResolution=\"AlwaysOverwrite\" MessageDisposition=\"SaveOnly\"{quietly}>\
             <m:ItemChanges><t:ItemChange>{}<t:Updates><t:SetItemField><t:FieldURI FieldURI=\"item:Categories\"/>\
             <t:{element}><t:Categories><t:String>{category}</t:String></t:Categories></t:{element}></t:SetItemField>\
             </t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>",
            outlook::item(&item.0)
        );
        self.outlook(thing.row).ask(&change).await;
        self.note(format!("{} is {category} from now on", thing.title));
        self.acted(thing.row, thing.kind);
        thing.categorised(home);
        self.things[which] = thing;
    }

    /// Its owner attaches a file to it.
    pub fn attach(&mut self, which: usize, file: usize) {
        let mut thing = self.things[which].clone();
        let Some(item) = self.item(&thing) else { return };
        if self.papers_on(&item).contains(&file) {
            return;
        }
        let content = AttachmentContent::File(Binary(format!("figures of paper {file}").into()));
        let exchange = &self.office.lab.parts.exchange;
        exchange.attach_file(&item.0, &paper(file), content).unwrap();
        self.note(format!("{} gets {}", thing.title, paper(file)));
        self.acted(thing.row, thing.kind);
        thing.was_attached(file);
        self.things[which] = thing;
    }

    /// Whoever was asked to a meeting answers.
    pub fn answer(&mut self, which: usize, answer: Answer) {
        let mut thing = self.things[which].clone();
        let (Some(item), Some(guest)) = (self.item(&thing), &thing.guest) else {
            return;
        };
        let exchange = &self.office.lab.parts.exchange;
        exchange.answer(&item.0, guest, answer).unwrap();
        self.note(format!("{} is answered: {answer:?}", thing.title));
        self.acted(thing.row, thing.kind);
        thing.was_answered();
        self.things[which] = thing;
    }

    /// What is attached to an item now.
    pub fn papers_on(&self, item: &ItemId) -> BTreeSet<usize> {
        let files = self.office.lab.parts.exchange.files_on(&item.0);
        (0..PAPERS).filter(|file| files.contains(&paper(*file))).collect()
    }

    /// A person removes the thing; false where it is not on that side.
    pub async fn remove(&mut self, which: usize, side: Side) -> bool {
        let thing = self.things[which].clone();
        let row = &self.rows[thing.row];
        match side {
            Side::Mailbox => {
                let Some(item) = self.item(&thing) else {
                    return false;
                };
                let write = MailboxWrite::Delete { item };
                self.office.in_mailbox(row, thing.kind, write).await;
            }
            Side::Crm => {
                let Some(id) = self.record_of(&thing).await else {
                    return false;
                };
                let write = CrmWrite::Delete { id };
                self.office.in_crm(row, thing.kind, write).await;
            }
        }
        self.note(format!("{} is removed in the {}", thing.title, side.word()));
        self.acted(thing.row, thing.kind);
        self.things[which].removed_on(side);
        true
    }

    pub fn item(&self, thing: &Thing) -> Option<ItemId> {
        let address = &self.rows[thing.row].mailbox.address;
        let called = self.office.lab.parts.exchange.titled(address, &thing.title);
        called.into_iter().next().map(ItemId)
    }

    pub async fn record_of(&self, thing: &Thing) -> Option<CrmId> {
        if self.apart {
            let records = self.office.records(&self.rows[thing.row], thing.kind).await;
            let mut named = records.into_iter();
            return named
                .find(|record| subject(&record.record) == thing.title)
                .map(|record| record.id);
        }
        let (object, title) = match thing.kind {
            RecordKind::Calendar => ("Event", "Subject"),
            RecordKind::Contacts => ("Contact", "LastName"),
            _ => ("Task", "Subject"),
        };
        let salesforce = &self.office.lab.parts.salesforce;
        let called = salesforce.living(object, title, &thing.title);
        let row = called.first()?;
        Some(CrmId(row["Id"].as_str()?.to_owned()))
    }

    /// Things that somebody may do something with, by stream.
    pub fn things_of(&self, row: usize, kind: RecordKind) -> Vec<usize> {
        let here = self.things.iter().enumerate();
        here.filter(|(_, thing)| thing.row == row && thing.kind == kind)
            .map(|(which, _)| which)
            .collect()
    }

    /// Every stream of things that go both ways.
    pub fn streams(&self) -> Vec<(usize, RecordKind)> {
        let rows = 0..self.rows.len();
        rows.flat_map(|row| KINDS.map(|kind| (row, kind))).collect()
    }
}
