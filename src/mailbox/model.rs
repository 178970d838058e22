//! What passes through the port: who, which items, what became of them.

use crate::foundation::content::Content;
use crate::foundation::ids::MailboxId;
use crate::record::Record;
use crate::record::field::FieldSet;
use chrono::{DateTime, Utc};

/// The mailbox that a call acts in. Its address is a setting, not content: an administrator typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxRef {
    /// The appliance's number; used in logs.
    pub id: MailboxId,
    /// The primary SMTP address.
    pub address: String,
}

/// An item's identifier as the server spells it: opaque, case-sensitive, up to 512 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemId(pub String);

/// An item's version as the server spells it (a change key); differs after every change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ItemVersion(pub String);

/// An item at a version. An empty version means: whatever it is now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ItemRef {
    /// Which item.
    pub id: ItemId,
    /// Which version of it.
    pub version: ItemVersion,
}

/// Where a stream stands in the server's change feed; opaque bytes, up to some hundred kilobytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxCursor(pub Vec<u8>);

/// One entry of the change feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemChange {
    /// It is new or was changed; read it to learn how.
    Upserted(ItemRef),
    /// It is not in the stream's folders any more.
    Deleted(ItemId),
}

/// One page of the change feed.
#[derive(Clone, Debug)]
pub struct ChangePage {
    /// The changes; an item occurs once.
    pub changes: Vec<ItemChange>,
    /// The cursor after this page; to be stored together with what was made of the page.
    pub cursor: MailboxCursor,
    /// True where the next page is ready now.
    pub more: bool,
}

/// An item as read.
#[derive(Clone)]
pub struct MailboxItem {
    /// Which item, at which version.
    pub item: ItemRef,
    /// When it was last changed, by the server's clock.
    pub modified: Option<DateTime<Utc>>,
    /// The stamp that we left on it when we created it.
    pub stamp: Option<Stamp>,
    /// What it says.
    pub record: Record,
    /// Categories that its owner gave it.
    pub categories: Vec<Content<String>>,
    /// True where the server could not give everything (a body that cannot be converted, say).
    pub degraded: bool,
}

/// What we write on an item that we create: the key by which a repeated create finds its first copy. It is
/// a keyed hash in hexadecimal and says nothing of the item.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stamp(pub String);

/// Whether people are told of a calendar write. A value, never a default: promise P7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notify {
    /// Nobody is mailed.
    Nobody,
    /// The attendees are invited or told, because the policy says so.
    Attendees,
}

/// One write.
#[derive(Clone)]
pub enum MailboxWrite {
    /// Make a new item, carrying the stamp.
    Create {
        /// The stamp to leave on it.
        stamp: Stamp,
        /// What it says.
        record: Record,
    },
    /// Set these fields of an item; other fields stay as they are.
    Update {
        /// Which item, at which version; a newer version on the server is a [`Class::Conflict`](crate::foundation::failure::Class).
        item: ItemRef,
        /// Which fields.
        fields: FieldSet,
        /// Their values; other fields of it are not looked at.
        record: Record,
    },
    /// Move an item to the deleted items, where its owner can find it.
    Delete {
        /// Which item.
        item: ItemId,
    },
}

/// What became of a write that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxWritten {
    /// The item at its version after the write; the last known one after a deletion.
    pub item: ItemRef,
}

/// What a server can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailboxCapabilities {
    /// Fields of an event that can be set on the organiser's copy or an appointment.
    pub event: FieldSet,
    /// Fields of an event that can be set on an attendee's copy: what is the attendee's own business.
    pub attendee_copy: FieldSet,
    /// Fields of a contact.
    pub contact: FieldSet,
    /// Fields of a task.
    pub task: FieldSet,
}

/// What `mailbox probe` found out.
#[derive(Clone, Debug)]
pub struct MailboxProbe {
    /// The server's product and build in words.
    pub server: String,
    /// How many items each stream's folders hold now, where the server says.
    pub items: Vec<(crate::record::kind::RecordKind, Option<u32>)>,
}
