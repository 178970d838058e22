//! What passes through the port: who, which records, what became of them.

use super::filing::PlaceId;
use crate::foundation::content::Content;
use crate::record::Record;
use crate::record::field::{Field, FieldSet};
use crate::record::kind::RecordKind;
use crate::record::normalise::Bounds;
use crate::record::places::Places;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The CRM user as whom a call acts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CrmUser {
    /// The user name with which the connector signs in as the user.
    pub username: String,
    /// The user's record id; `None` until it was looked up.
    pub id: Option<CrmId>,
    /// The list of the CRM that says which of his contacts take part; `None` for all of them.
    pub list: Option<ListId>,
}

/// A list of records that somebody made in the CRM, as the CRM spells it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListId(pub String);

/// A record's identifier as the CRM spells it; for a task, see [`TaskForm`](super::task_form::TaskForm).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CrmId(pub String);

/// What a person is to the CRM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WhoKind {
    /// A contact.
    Contact,
    /// A lead: not a contact yet.
    Lead,
    /// A user of the CRM: a colleague.
    User,
}

/// A person whom the CRM knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Who {
    /// As what.
    pub kind: WhoKind,
    /// The record.
    pub id: CrmId,
    /// The organisation it belongs to (a Salesforce account), where there is one.
    pub account: Option<CrmId>,
}

/// An address and whom the CRM knows by it. The list is empty for a stranger; it is in the order of
/// preference: contacts first, then leads, then users, each oldest first.
#[derive(Clone)]
pub struct Match {
    /// The address in its comparable form ([`crate::record::person::address_key`]).
    pub address: Content<String>,
    /// Who it is.
    pub who: Vec<Who>,
}

/// The deterministic key that a created record carries, so that a repeated create finds its first copy. A
/// keyed hash in lower-case hexadecimal, for a date of a series with a hyphen and the day behind it, 64
/// characters at most; says nothing of the record's content.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExternalKey(pub String);

/// Where a stream stands in the CRM's change feed; opaque bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrmCursor(pub Vec<u8>);

/// One entry of the change feed.
#[derive(Clone)]
pub enum CrmChange {
    /// A record that is new or was changed, as it is now.
    Upserted(Box<CrmRecord>),
    /// A record that was deleted. (One that its user merely lost sight of is not in the feed.)
    Deleted(CrmId),
}

impl CrmChange {
    /// Which record.
    pub fn id(&self) -> &CrmId {
        match self {
            Self::Upserted(record) => &record.id,
            Self::Deleted(id) => id,
        }
    }
}

/// One page of the change feed.
pub struct CrmPage {
    /// The changes, oldest first.
    pub changes: Vec<CrmChange>,
    /// The cursor after this page.
    pub cursor: CrmCursor,
    /// True where the next page is ready now.
    pub more: bool,
}

/// What became of a record that is asked for by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is there, and the user's own as far as the CRM says.
    Alive,
    /// It is there and belongs to this user.
    Elsewhere {
        /// The owner.
        owner: CrmId,
    },
    /// The CRM says that it was deleted.
    Deleted,
    /// It was merged into this one, which lives on.
    Merged {
        /// The record that has taken its place.
        into: CrmId,
    },
    /// The CRM does not show it: gone from the recycle bin as well, or not for this user to see. No proof of
    /// anything.
    Unknown,
}

/// A record as read.
#[derive(Clone)]
pub struct CrmRecord {
    /// Which record.
    pub id: CrmId,
    /// When it was last changed, by the CRM's clock.
    pub modified: DateTime<Utc>,
    /// Our key on it, where it carries one.
    pub key: Option<ExternalKey>,
    /// The user whose record it is.
    pub owner: Option<CrmId>,
    /// What it says. The attendees of an event carry the addresses that the CRM knows them by.
    pub record: Record,
    /// True where a change of it would change others as well, as with one date of a series that the CRM keeps as one
    /// thing: it may be read and deleted, and not written.
    pub fixed: bool,
    /// False where the user has a list ([`CrmUser::list`]) and the record is not in it.
    pub listed: bool,
}

/// One write.
#[derive(Clone)]
pub enum CrmWrite {
    /// Make a new record with this key. Where the key is taken, nothing is written and the answer names the
    /// record that has it, with [`CrmWritten::existed`] set.
    Create {
        /// The key to leave on it.
        key: ExternalKey,
        /// What it says.
        record: Record,
        /// Who the people in it are to the CRM (the strangers among them are not listed).
        matches: Vec<Match>,
    },
    /// Make the record of a mail, as `Create` does, and file it under this record and no other, where the CRM files
    /// mail under records at all. `Create` leaves it to the connector.
    File {
        /// The key to leave on it.
        key: ExternalKey,
        /// The mail.
        record: Record,
        /// As in `Create`.
        matches: Vec<Match>,
        /// Under which record; `None` for none but its people's.
        under: Option<PlaceId>,
    },
    /// Set these fields of a record; other fields stay as they are.
    Update {
        /// Which record.
        id: CrmId,
        /// Which fields.
        fields: FieldSet,
        /// Their values; other fields of it are not looked at.
        record: Record,
        /// As in `Create`; needed where the attendees or their answers are among the fields.
        matches: Vec<Match>,
    },
    /// Delete a record into the CRM's recycle bin, or its archive; for good where it has neither.
    Delete {
        /// Which record.
        id: CrmId,
    },
}

/// What became of a write that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrmWritten {
    /// The record.
    pub id: CrmId,
    /// True where a create found its key taken: the record was there before.
    pub existed: bool,
    /// People whom the CRM refused to link to the record; without them it was written all the same.
    pub refused: Vec<CrmId>,
}

/// What the CRM can hold, for the user who asks: what his permissions let him write (promise P4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrmCapabilities {
    /// Kinds that the user may create, each with the fields that he may set.
    pub writable: Vec<(RecordKind, FieldSet)>,
    /// Kinds that the user may read, each with the fields that the CRM has at all.
    pub readable: Vec<(RecordKind, FieldSet)>,
    /// The longest text, in characters, of a field. What is not listed has no limit.
    pub lengths: Vec<(RecordKind, Field, usize)>,
    /// The most attendees that it links to one event.
    pub max_attendees: usize,
    /// As what somebody must be known to be linked to an event. The others stay in the mailbox's meeting.
    pub attendee_kinds: &'static [WhoKind],
    /// Degrees of free and busy that it knows; the engine folds the others into the nearest.
    pub tentative: bool,
    /// True where an event can show as "out of office".
    pub out_of_office: bool,
    /// True where an attendee can have answered "perhaps".
    pub perhaps: bool,
    /// True where a task can be waiting, and put off.
    pub waiting: bool,
    /// True where a task that was begun differs from one that was not.
    pub started: bool,
    /// True where a task can be less urgent than usual.
    pub low_priority: bool,
    /// True where a task may be without a day by which it is due.
    pub undated: bool,
    /// Of a CRM that has tasks in two forms: the fields of those in the form that new ones do not take.
    pub other_form: FieldSet,
    /// The countries and states that it knows; `None` where an address takes any text.
    pub places: Option<Arc<Places>>,
    /// True where a mail must be filed under a record: a contact, a lead, or one that a rule of the policy names. One
    /// for which there is none stays in the mailbox.
    pub mail_needs_record: bool,
    /// True where the feed shows deleted records. Where it does not, the engine asks at each turn what became of
    /// those that it knows ([`Crm::fates`](super::port::Crm::fates)).
    pub deletions_in_feed: bool,
}

impl CrmCapabilities {
    /// Fields of a kind that the user may set; empty where he may not write the kind.
    pub fn writable(&self, kind: RecordKind) -> FieldSet {
        self.writable
            .iter()
            .find(|(of, _)| *of == kind)
            .map(|(_, fields)| *fields)
            .unwrap_or_default()
    }

    /// Fields of a kind that the CRM has; empty where the user may not see the kind.
    pub fn readable(&self, kind: RecordKind) -> FieldSet {
        self.readable
            .iter()
            .find(|(of, _)| *of == kind)
            .map(|(_, fields)| *fields)
            .unwrap_or_default()
    }

    /// May the user create records of this kind?
    pub fn may_create(&self, kind: RecordKind) -> bool {
        self.writable.iter().any(|(of, _)| *of == kind)
    }

    /// What a record of this kind must be cut to before it is compared or written.
    pub fn bounds(&self, kind: RecordKind) -> Bounds {
        let lengths = self.lengths.iter().filter(|(of, _, _)| *of == kind);
        Bounds {
            lengths: lengths.map(|(_, field, length)| (*field, *length)).collect(),
            tentative: self.tentative,
            out_of_office: self.out_of_office,
            perhaps: self.perhaps,
            waiting: self.waiting,
            started: self.started,
            low_priority: self.low_priority,
            undated: self.undated,
            places: self.places.clone(),
        }
    }

    /// The longest text of a field in characters.
    pub fn length(&self, kind: RecordKind, field: Field) -> Option<usize> {
        self.lengths
            .iter()
            .find(|(of, at, _)| *of == kind && *at == field)
            .map(|(_, _, length)| *length)
    }
}

/// What a CRM says to somebody who names no user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrmGreeting {
    /// The product and version in words.
    pub server: String,
    /// True where we signed in; false where each user signs in by himself.
    pub signed_in: bool,
}

/// What a probe of the CRM found out.
#[derive(Clone, Debug)]
pub struct CrmProbe {
    /// The product and version in words.
    pub server: String,
    /// The user's record.
    pub user: CrmId,
    /// Calls used and allowed in the CRM's own window, where it says.
    pub calls: Option<(u64, u64)>,
}

/// A file's id as the CRM spells it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileId(pub String);

/// A file that is to be stored.
pub struct NewFile {
    /// By which it is found again.
    pub key: ExternalKey,
    /// Its name.
    pub name: Content<String>,
    /// What it is.
    pub body: NewFileBody,
}

/// What a new file is.
pub enum NewFileBody {
    /// So many bytes, no more and no fewer.
    Bytes(u64),
    /// A link to where it lies.
    Link(Content<String>),
}
