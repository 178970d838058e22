//! The engine's own types: what was seen, what is remembered, what is to be done. No content in any of them.

use super::fingerprint::Prints;
use crate::crm::model::CrmId;
use crate::foundation::ids::MailboxId;
use crate::mailbox::model::ItemId;
use crate::record::field::FieldSet;
use crate::record::kind::RecordKind;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One record type of one mailbox: the unit of scheduling, leasing and progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId {
    /// Whose.
    pub mailbox: MailboxId,
    /// What.
    pub kind: RecordKind,
}

impl fmt::Display for StreamId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.mailbox, self.kind.word())
    }
}

/// An item's id shortened to what the links are keyed by: the first eight bytes of its SHA-256. Within one
/// stream of a million items two ids share it with a chance of one in thirty million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ItemKey(pub i64);

/// One side's present state of an item, as far as the plan needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When it changed, by that side's clock.
    pub modified: Option<DateTime<Utc>>,
    /// The fingerprints of its fields in common form.
    pub prints: Prints,
    /// Fields that may be written *onto* this side's item.
    pub writable: FieldSet,
    /// In or out.
    pub scope: Scope,
    /// True for a change that an earlier turn saw already and could not carry out. What one side changed before
    /// is older than what the other side is found to have changed now, whatever their clocks say.
    pub earlier: bool,
    /// True where we made it, as a copy of the other side's.
    pub copy: bool,
    /// True where the policy holds a part of it back: then it is the other side that takes over, whoever else wins, or
    /// what is to be held back would stay there.
    pub masked: bool,
}

/// Whether an item takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// It does.
    In,
    /// It does not, for this reason.
    Out(Reason),
    /// It does not any more, for this reason: by the policy before this one it did.
    Left(Reason),
}

impl Scope {
    /// Why it does not take part; `None` where it does.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::In => None,
            Self::Out(reason) | Self::Left(reason) => Some(reason),
        }
    }
}

/// Why an item is not synchronised. The words are stored and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The record type is switched off, or does not go this way.
    Direction,
    /// Private, and the policy leaves private items alone.
    Private,
    /// Outside the policy's window of time.
    Window,
    /// Its categories keep it out.
    Category,
    /// It is not in the list of the CRM that the policy takes contacts from.
    List,
    /// It lies in a folder that takes no part.
    Folder,
    /// A series, or part of one, that the policy or the CRM keeps whole.
    Series,
    /// A series of which the policy takes no more dates for now.
    SeriesCap,
    /// A meeting that was called off.
    Cancelled,
    /// The organiser's copy is synchronised from the organiser's own mailbox.
    OrganizersCopy,
    /// Another synchronised mailbox already keeps this meeting in the CRM.
    ColleaguesCopy,
    /// Nothing of the mail is known to the CRM: neither its people nor its thread.
    NobodyKnown,
    /// Only colleagues in the mail.
    Internal,
    /// An address in the mail is on the block list.
    Blocked,
    /// No address in the mail is on the allow list.
    NotAllowed,
    /// Only marked mail is saved, and this one is not.
    NotMarked,
    /// A draft.
    Draft,
    /// Not a mail between people: a meeting message, a report.
    Report,
    /// Protected by rights management or S/MIME encryption.
    Protected,
    /// Without a Message-ID one copy cannot be told from another.
    NoMessageId,
    /// The CRM needs a name, an address or a title, and the item has none.
    NothingToShow,
    /// The user may not write this record type in the CRM.
    NoRight,
    /// An undo took its counterpart away.
    Undone,
    /// The CRM's record belongs to somebody else now.
    HandedOver,
    /// Its counterpart was deleted, and the policy keeps this one.
    Parted,
    /// Its counterpart, or it, left the policy's scope, and the policy let the two go.
    LeftScope,
    /// A task in the form that the policy does not name.
    OtherForm,
    /// A person is to say what becomes of it.
    AwaitsChoice,
    /// A person said to leave it alone.
    LeftAlone,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 29] = [
        Self::Direction,
        Self::Private,
        Self::Window,
        Self::Category,
        Self::List,
        Self::Folder,
        Self::Series,
        Self::SeriesCap,
        Self::Cancelled,
        Self::OrganizersCopy,
        Self::ColleaguesCopy,
        Self::NobodyKnown,
        Self::Internal,
        Self::Blocked,
        Self::NotAllowed,
        Self::NotMarked,
        Self::Draft,
        Self::Report,
        Self::Protected,
        Self::NoMessageId,
        Self::NothingToShow,
        Self::NoRight,
        Self::Undone,
        Self::HandedOver,
        Self::Parted,
        Self::LeftScope,
        Self::OtherForm,
        Self::AwaitsChoice,
        Self::LeftAlone,
    ];

    /// The stored word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Direction => "direction",
            Self::Private => "private",
            Self::Window => "window",
            Self::Category => "category",
            Self::List => "list",
            Self::Folder => "folder",
            Self::Series => "series",
            Self::SeriesCap => "series_cap",
            Self::Cancelled => "cancelled",
            Self::OrganizersCopy => "organizers_copy",
            Self::ColleaguesCopy => "colleagues_copy",
            Self::NobodyKnown => "nobody_known",
            Self::Internal => "internal",
            Self::Blocked => "blocked",
            Self::NotAllowed => "not_allowed",
            Self::NotMarked => "not_marked",
            Self::Draft => "draft",
            Self::Report => "report",
            Self::Protected => "protected",
            Self::NoMessageId => "no_message_id",
            Self::NothingToShow => "nothing_to_show",
            Self::NoRight => "no_right",
            Self::Undone => "undone",
            Self::HandedOver => "handed_over",
            Self::Parted => "parted",
            Self::LeftScope => "left_scope",
            Self::OtherForm => "other_form",
            Self::AwaitsChoice => "awaits_choice",
            Self::LeftAlone => "left_alone",
        }
    }

    /// The inverse of [`word`](Self::word).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }

    /// The reason as a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Direction => "The policy does not synchronise this record type in this direction.",
            Self::Private => "It is private, and the policy leaves private items in the mailbox.",
            Self::Window => "It lies outside the window of time that the policy sets.",
            Self::Category => "Its categories keep it out, by the policy.",
            Self::List => "It is not in the list of the CRM that the policy takes contacts from.",
            Self::Folder => "It lies in a folder that takes no part, by the policy.",
            Self::Series => "It is a series, or a date of one, that is not synchronised date by date.",
            Self::SeriesCap => {
                "The series has more dates than the policy takes of one series at a time; the later ones follow as time passes."
            }
            Self::Cancelled => "The organiser called the meeting off.",
            Self::OrganizersCopy => "The organiser's own copy is synchronised; one meeting is one record.",
            Self::ColleaguesCopy => "A colleague's copy of this meeting is already in the CRM.",
            Self::NobodyKnown => "No rule of the policy finds the mail's people or thread in the CRM.",
            Self::Internal => "Only people of the organisation are in the mail.",
            Self::Blocked => "An address in the mail is on the policy's block list.",
            Self::NotAllowed => "No address in the mail is on the policy's allow list.",
            Self::NotMarked => "The policy saves mail on demand, and nobody marked this one.",
            Self::Draft => "It is a draft.",
            Self::Report => "It is a meeting message or a report, not a mail between people.",
            Self::Protected => "It is protected; its content is not ours to copy.",
            Self::NoMessageId => "It has no Message-ID, so one copy could not be told from another.",
            Self::NothingToShow => "It has neither a name, an address nor a title.",
            Self::NoRight => "The user's permissions in the CRM do not allow this record type.",
            Self::Undone => {
                "An undo removed its counterpart; it is not made again until somebody lifts that."
            }
            Self::HandedOver => "Its record has another owner in the CRM now and goes on with that person.",
            Self::Parted => {
                "Its counterpart was deleted, and the policy keeps it; the counterpart is not made again."
            }
            Self::AwaitsChoice => {
                "It waits until a person has said what is to become of it: `holdfast matching list MAILBOX` shows it."
            }
            Self::LeftAlone => {
                "A person said to leave it alone. `holdfast matching list MAILBOX --decided` shows it; `accept` or `new` with its number takes that back."
            }
            Self::LeftScope => {
                "One of the two took part no more, and the policy let them go their own ways. A reading from the start joins them again where both take part and are still alike."
            }
            Self::OtherForm => "The policy takes tasks in the CRM's other form, and it is linked to nothing.",
        }
    }
}

/// What one side reports of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is now like this.
    Upserted(Seen),
    /// It is gone.
    Deleted,
}

/// Both sides of one item, as the plan sees them. `None` means: no news from this side. Without a link,
/// two present sides are a match that was found (by key, stamp or address).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The fingerprints at which both sides were last in step; `None` where they are not linked.
    pub base: Option<Prints>,
    /// The mailbox's news.
    pub mailbox: Option<Change>,
    /// The CRM's news.
    pub crm: Option<Change>,
}

/// What to do about one pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing to write. The link remembers these prints.
    InStep {
        /// New base.
        base: Prints,
    },
    /// Write these fields to each side (either may be empty, not both), then remember the prints.
    Update {
        /// From the mailbox to the CRM.
        to_crm: FieldSet,
        /// From the CRM to the mailbox.
        to_mailbox: FieldSet,
        /// New base.
        base: Prints,
        /// Fields that both sides had changed.
        conflicted: FieldSet,
    },
    /// Make the CRM's record.
    CreateInCrm,
    /// Make the mailbox's item.
    CreateInMailbox,
    /// Delete the CRM's record, then forget the link.
    DeleteInCrm {
        /// Recorded as the reason where the item still exists in the mailbox.
        because: Option<Reason>,
    },
    /// Delete the mailbox's item, then forget the link.
    DeleteInMailbox {
        /// Recorded as the reason where the record still exists in the CRM.
        because: Option<Reason>,
    },
    /// Forget the link; write nothing.
    Unlink,
    /// Forget the link, because one side takes part no more; both stay.
    LetGo(Reason),
    /// Leave it alone, for this reason.
    Skip(Reason),
    /// Nothing is known of it and nothing is to be done.
    Ignore,
}

/// What is remembered of two counterparts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The mailbox's item, shortened.
    pub key: ItemKey,
    /// The item's version when both were last in step, shortened; lets us know our own write.
    pub version: i64,
    /// The mailbox's item; not kept for mail, which is never written again.
    pub item: Option<ItemId>,
    /// The CRM's record.
    pub crm: CrmId,
    /// When the item changed, by the mail server's clock.
    pub item_modified: Option<DateTime<Utc>>,
    /// When the record changed, by the CRM's clock.
    pub crm_modified: Option<DateTime<Utc>>,
    /// The fingerprints at which they were in step.
    pub base: Prints,
    /// The record must not be written: see [`crate::crm::model::CrmRecord::fixed`].
    pub fixed: bool,
}

/// Which side an item that failed or was left alone came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The mailbox.
    Mailbox,
    /// The CRM.
    Crm,
}

impl Side {
    /// The number under which the database knows it.
    pub fn number(self) -> i16 {
        match self {
            Self::Mailbox => 0,
            Self::Crm => 1,
        }
    }

    /// The inverse of [`number`](Self::number); every column of it is checked to hold one of the two.
    pub fn from_number(number: i16) -> Self {
        match number {
            0 => Self::Mailbox,
            _ => Self::Crm,
        }
    }

    /// The word that is shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mailbox => "mailbox",
            Self::Crm => "crm",
        }
    }
}
