//! A stream with everything that is needed to look at its items: who, by which policy, with which keys,
//! through which connections. From here content goes in and [`Seen`] comes out.

mod open;

use super::anchors::Anchors;
use super::choice::model::Choices;
use super::error::SyncError;
use super::fence::Fence;
use super::fingerprint::{Print, Prints};
use super::forms::Forms;
use super::guests::{self, Guests, Takes};
use super::keeping::Keeping;
use super::keys::Keys;
use super::matching::{Matched, Places, matched};
use super::model::{Link, Reason, Scope, Seen, Side, StreamId};
use super::notes::Note;
use super::policy::{Common, Policy};
use super::rules::{self, Known, Marks, RuleContext, Ruling};
use super::store::directory::People;
use super::store::judged::PolicyVersion;
use super::store::mailboxes::MailboxRow;
use crate::attachments::model::Errand;
use crate::crm::model::{CrmCapabilities, CrmId, CrmRecord};
use crate::crm::port::Crm;
use crate::foundation::content::Content;
use crate::mailbox::model::{ItemRef, MailboxCapabilities, MailboxItem, Stamp};
use crate::mailbox::port::MailboxServer;
use crate::record::Record;
use crate::record::email::Email;
use crate::record::event::Event;
use crate::record::field::{Field, FieldSet};
use crate::record::kind::RecordKind;
use crate::record::normalise::{Bounds, fit};
use crate::record::person::{Person, address_key};
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// A stream, ready to be looked at.
pub struct Stream {
    /// Which.
    pub id: StreamId,
    /// Whose.
    pub row: MailboxRow,
    /// By which policy.
    pub policy: Policy,
    /// Which version of it.
    pub version: PolicyVersion,
    /// The policy before this one, while everything is judged anew.
    pub before: Option<Policy>,
    /// What the policy says of this record type.
    pub common: Common,
    /// The mail server.
    pub server: Arc<dyn MailboxServer>,
    /// The CRM.
    pub crm: Arc<dyn Crm>,
    /// What the CRM holds and lets the user write.
    pub capabilities: CrmCapabilities,
    /// Keys for prints, stamps and records.
    pub keys: Keys,
    /// Whom the CRM knows, as far as it was asked in this turn.
    pub known: Known,
    /// Where mails belong, as far as the CRM was asked in this turn.
    pub places: Places,
    /// The instant at which everything is judged.
    pub now: DateTime<Utc>,
    /// The lease under which it is written to; none where nothing is written.
    pub fence: Option<Fence>,
    /// By what the items of its links are known, while the mailbox's feed is read from its start.
    pub anchors: Option<Anchors>,
    forms: Forms,
    /// The CRM is another organisation than before: a stamp on an item is that of a record under another id.
    pub refreshed: bool,
    /// Both sides were read to their end before this turn, by the policy of now.
    pub live: bool,
    /// What waits for a person, and what he has said.
    pub choices: Choices,
    /// Meetings that are kept for others.
    pub keeping: Keeping,
    mailbox_capabilities: MailboxCapabilities,
    bounds: Bounds,
    fields: FieldSet,
    owner: Content<String>,
    people: Arc<People>,
}

/// An item of the mailbox, looked at.
pub struct LookedItem {
    /// Which, at which version.
    pub item: ItemRef,
    /// The stamp that it carries.
    pub stamp: Option<Stamp>,
    /// What the plan may know of it.
    pub seen: Seen,
    /// What goes to the CRM: in common form, masked where the policy says so.
    pub record: Record,
    /// What is to be done for its attachments.
    pub errand: Option<Errand>,
    /// What is to be said of it.
    pub notes: Vec<(Note, u32)>,
}

/// A record of the CRM, looked at.
pub struct LookedRecord {
    /// What the plan may know of it.
    pub seen: Seen,
    /// The record as it was read, in common form.
    pub record: CrmRecord,
}

impl Stream {
    /// The record type.
    pub fn kind(&self) -> RecordKind {
        self.id.kind
    }

    /// Asks the CRM about the people in these records, each address once in a turn.
    pub async fn ask_about(&mut self, records: &[&Record]) -> Result<(), SyncError> {
        let mut fresh: HashSet<Content<String>> = HashSet::new();
        for record in records {
            match record {
                Record::Email(email) => fresh.extend(rules::people_of(email).map(Person::key)),
                Record::Event(event) => fresh.extend(guests::people(event).map(Person::key)),
                Record::Contact(contact) => fresh.extend([address_key(contact.email.expose())]),
                Record::Task(_) => {}
            }
        }
        let fresh: Vec<Content<String>> = fresh
            .into_iter()
            .filter(|key| key.expose().contains('@') && *key != self.owner && !self.known.asked(key))
            .collect();
        if !fresh.is_empty() {
            let matches = self.crm.who_is(&self.row.user, &fresh).await?;
            self.known.add(matches);
        }
        Ok(())
    }

    /// From now on everything is judged by the policy before as well. Where either of the two names folders, it matters
    /// in which one an item lies.
    pub fn judge_anew(&mut self, before: Policy) {
        let named = before
            .folders(self.id.kind)
            .is_some_and(|rules| !rules.choice().is_default_alone());
        if named {
            self.tell_folders();
        }
        self.before = Some(before);
    }

    /// From now on each item says in which folder it lies.
    pub fn tell_folders(&mut self) {
        if let Some(choice) = self.row.mailbox.folders.of_mut(self.id.kind) {
            choice.told = true;
        }
    }

    /// True while every item is to be looked at, whatever its version says. A mail that was saved stays saved.
    pub fn judges_anew(&self) -> bool {
        self.before.is_some() && self.id.kind != RecordKind::Mail
    }

    /// What every rule says of a record of the CRM, or of a mail.
    pub fn rulings(&self, record: &Record, side: Side) -> Vec<Ruling> {
        rules::rulings(record, side, &self.rule_context(&self.policy, Marks::default()))
    }

    /// What every rule says of a record as it was read.
    pub fn rulings_of_record(&self, record: &CrmRecord) -> Vec<Ruling> {
        let context = self.rule_context(&self.policy, marks_of(record));
        rules::rulings(&record.record, Side::Crm, &context)
    }

    /// What every rule says of an item of the mailbox that says this.
    pub fn rulings_of(&self, item: &MailboxItem, record: &Record) -> Vec<Ruling> {
        let context = self.rule_context(&self.policy, marks(item));
        rules::rulings(record, Side::Mailbox, &context)
    }

    fn scope(&self, record: &Record, side: Side, marks: Marks<'_>) -> Scope {
        let by = |policy| rules::scope(record, side, &self.rule_context(policy, marks));
        match (by(&self.policy), &self.before) {
            (Scope::Out(reason), Some(before)) if by(before) == Scope::In => Scope::Left(reason),
            (scope, _) => scope,
        }
    }

    /// With what of the CRM a mail belongs together.
    pub fn matched(&self, email: &Email) -> Matched {
        let who = |key: &_| self.known.get(key);
        matched(email, &self.policy.mail.matching, &self.owner, who, &self.places)
    }

    /// The mailbox's own address, in comparable form.
    pub fn owner(&self) -> &Content<String> {
        &self.owner
    }

    /// True for the mailbox's own address, in comparable form.
    pub fn is_owner(&self, key: &Content<String>) -> bool {
        *key == self.owner
    }

    fn rule_context<'a>(&'a self, policy: &'a Policy, marks: Marks<'a>) -> RuleContext<'a> {
        RuleContext {
            marks,
            policy,
            now: self.now,
            owner: &self.owner,
            synchronised: &self.people.synchronised,
            known: &self.known,
            places: &self.places,
            mail_needs_record: self.capabilities.mail_needs_record,
        }
    }

    /// Looks at an item of the mailbox. [`ask_about`](Self::ask_about) it first.
    pub fn look_at_item(&self, item: MailboxItem) -> LookedItem {
        let scope = self.scope(&item.record, Side::Mailbox, marks(&item));
        let MailboxItem {
            item,
            modified,
            stamp,
            mut record,
            has_attachments,
            ..
        } = item;
        let held_back = rules::mask(&mut record, &self.policy);
        let cut = fit(&mut record, &self.bounds);
        let guests = self.guests(&record);
        let mut writable = match &record {
            Record::Event(event) if event.is_organizer => self.mailbox_capabilities.event,
            Record::Event(_) => self.mailbox_capabilities.attendee_copy,
            Record::Contact(_) => self.mailbox_capabilities.contact,
            Record::Task(_) => self.mailbox_capabilities.task,
            Record::Email(_) => FieldSet::NONE,
        }
        .minus(cut);
        if held_back {
            writable = FieldSet::NONE;
        }
        let prints = Prints::of(&record, self.told_by(&record), self.keys.prints(), &guests.linked);
        let errand = self.errand(has_attachments, held_back, scope);
        LookedItem {
            notes: Note::of(&guests),
            errand,
            item,
            stamp,
            seen: Seen {
                modified,
                prints,
                writable,
                scope,
                earlier: false,
                copy: false,
                masked: held_back,
            },
            record,
        }
    }

    /// Looks at a record of the CRM.
    pub fn look_at_record(&self, mut record: CrmRecord) -> LookedRecord {
        let scope = match self.forms.keep_out(&record) {
            true => Scope::Out(Reason::OtherForm),
            false => self.scope(&record.record, Side::Crm, marks_of(&record)),
        };
        fit(&mut record.record, &self.bounds);
        let attendees = self.listed(&record.record);
        let fields = match self.forms.is_other(&record.id) {
            true => self.fields.and(self.capabilities.other_form),
            false => self.fields.minus(FieldSet::ONE_WAY),
        };
        let prints = Prints::of(&record.record, fields, self.keys.prints(), &attendees);
        let seen = Seen {
            modified: Some(record.modified),
            prints,
            writable: self.writable_of(record.fixed),
            scope,
            earlier: false,
            copy: false,
            masked: false,
        };
        LookedRecord { seen, record }
    }

    /// The fields of which an item tells. Who answered what stands in the organiser's copy alone.
    fn told_by(&self, record: &Record) -> FieldSet {
        match record {
            Record::Event(event) if !event.is_organizer => self.fields.without(Field::Responses),
            _ => self.fields,
        }
    }

    /// True for a record of the CRM that no item is to be taken for.
    pub fn keeps_out(&self, record: &CrmRecord) -> bool {
        self.forms.keep_out(record)
    }

    /// The CRM's side of a link that has no news: as it was when both were last in step.
    pub fn quiet_record(&self, link: &Link) -> Seen {
        Seen {
            modified: link.crm_modified,
            prints: link.base.clone(),
            writable: self.writable_of(link.fixed),
            scope: Scope::In,
            earlier: false,
            copy: false,
            masked: false,
        }
    }

    fn writable_of(&self, fixed: bool) -> FieldSet {
        match fixed {
            true => FieldSet::NONE,
            false => self.crm_writable(),
        }
    }

    /// Fields that the user may set in the CRM.
    pub fn crm_writable(&self) -> FieldSet {
        self.capabilities.writable(self.id.kind)
    }

    /// Fields that a new item of the mailbox takes.
    pub fn mailbox_creatable(&self) -> FieldSet {
        match self.id.kind {
            RecordKind::Calendar => self.mailbox_capabilities.event,
            RecordKind::Contacts => self.mailbox_capabilities.contact,
            RecordKind::Tasks => self.mailbox_capabilities.task,
            RecordKind::Mail => FieldSet::NONE,
        }
    }

    /// True where attachments of this stream go to the CRM.
    pub fn carries_attachments(&self) -> bool {
        self.policy.attachments.takes(self.id.kind) && self.files_go()
    }

    /// True where attachments of this stream may have to come off their records: meetings become private.
    pub fn takes_off_attachments(&self) -> bool {
        self.id.kind == RecordKind::Calendar && self.files_go()
    }

    fn files_go(&self) -> bool {
        self.common.flow.to_crm() && self.crm.largest_file().is_some()
    }

    /// What is to be done for the attachments of an item. What is held back of it is held back of them.
    fn errand(&self, has_attachments: bool, held_back: bool, scope: Scope) -> Option<Errand> {
        if scope != Scope::In {
            return None;
        }
        match held_back {
            true => self.takes_off_attachments().then_some(Errand::TakeOff),
            false => (has_attachments && self.carries_attachments()).then_some(Errand::Carry),
        }
    }

    /// Fields that are compared.
    pub fn fields(&self) -> FieldSet {
        self.fields
    }

    /// What becomes of the people of an item of the mailbox.
    pub fn guests(&self, record: &Record) -> Guests {
        match record {
            Record::Event(event) => Guests::of(event, &self.takes()),
            _ => Guests::default(),
        }
    }

    /// What the CRM links to a meeting.
    pub fn takes(&self) -> Takes<'_> {
        Takes {
            owner: &self.owner,
            known: &self.known,
            kinds: self.capabilities.attendee_kinds,
            most: self.capabilities.max_attendees,
        }
    }

    /// The print of the attendees that remain where the CRM refused some of those in the record.
    pub fn print_without(&self, record: &Record, refused: &[CrmId]) -> Print {
        let mut linked = self.guests(record).linked;
        linked.retain(|key| {
            let found = self.known.get(key);
            !found.is_some_and(|found| found.who.iter().any(|who| refused.contains(&who.id)))
        });
        Prints::of(record, self.fields, self.keys.prints(), &linked).get(Field::Attendees)
    }

    /// The guests of a record, as the CRM lists them.
    fn listed(&self, record: &Record) -> Vec<Content<String>> {
        let Record::Event(Event { attendees, .. }) = record else {
            return Vec::new();
        };
        let keys = attendees.iter().map(|attendee| attendee.person.key());
        let keys: BTreeSet<Content<String>> = keys.filter(|key| *key != self.owner).collect();
        keys.into_iter().collect()
    }
}

/// An item that bears a stamp was made by us.
fn marks(item: &MailboxItem) -> Marks<'_> {
    Marks {
        categories: &item.categories,
        folder: item.folder.as_ref(),
        copy: item.stamp.as_ref().is_some_and(|stamp| !stamp.0.is_empty()),
        listed: true,
    }
}

/// A record that bears a key was made by us, of an item: nobody could put it into a list before it was there.
fn marks_of(record: &CrmRecord) -> Marks<'_> {
    Marks {
        categories: &[],
        folder: None,
        copy: record.key.is_some(),
        listed: record.listed,
    }
}
