//! What passes through the port: who, which items, what became of them.

use super::folders::{FolderChoices, ItemFolder};
use crate::foundation::content::Content;
use crate::foundation::ids::MailboxId;
use crate::record::Record;
use crate::record::field::FieldSet;
use crate::record::kind::RecordKind;
use chrono::{DateTime, Utc};

/// The mailbox that a call acts in. Its address is a setting, not content: an administrator typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxRef {
    /// The appliance's number; used in logs.
    pub id: MailboxId,
    /// The primary SMTP address.
    pub address: String,
    /// How the directory knows its owner's account.
    pub account: AccountNames,
    /// Names of folders, in any case, that the mail stream reads wherever they are: mail that lies in one is
    /// [dropped](crate::record::email::Email::dropped).
    pub drop_folders: Vec<String>,
    /// Which folders the other streams read.
    pub folders: FolderChoices,
}

impl MailboxRef {
    /// A mailbox of which only the address is known.
    pub fn new(id: MailboxId, address: impl Into<String>) -> Self {
        Self {
            id,
            address: address.into(),
            account: AccountNames::default(),
            drop_folders: Vec::new(),
            folders: FolderChoices::default(),
        }
    }
}

/// Names of a mailbox's account in the directory, where an administrator gave them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountNames {
    /// The user principal name, as `ada@corp.example`.
    pub upn: Option<String>,
    /// The security identifier, as `S-1-5-21-…`.
    pub sid: Option<String>,
}

/// A name that no directory gives to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountNameError {
    /// A user principal name is a prefix, an at sign and a suffix.
    #[error("this is no user principal name")]
    Upn,
    /// A security identifier is `S-1-` and numbers between hyphens.
    #[error("this is no security identifier")]
    Sid,
}

impl AccountNames {
    /// Takes names as typed; empty ones count as not given.
    ///
    /// # Errors
    /// A name that cannot be one of its kind: the server would refuse every request with it.
    pub fn parse(upn: Option<String>, sid: Option<String>) -> Result<Self, AccountNameError> {
        let given = |name: Option<String>| {
            name.map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
        };
        let (upn, sid) = (given(upn), given(sid));
        match (&upn, &sid) {
            (Some(name), _) if !is_upn(name) => Err(AccountNameError::Upn),
            (_, Some(name)) if !is_sid(name) => Err(AccountNameError::Sid),
            _ => Ok(Self { upn, sid }),
        }
    }
}

fn is_upn(name: &str) -> bool {
    let parts = name.rsplit_once('@');
    parts.is_some_and(|(prefix, suffix)| !prefix.is_empty() && !suffix.is_empty())
        && !name.contains(char::is_whitespace)
}

/// Revision 1, an authority, one to fifteen sub-authorities (\[MS-DTYP\] 2.4.2.1, "SID String Format Syntax").
fn is_sid(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("S-1-") else {
        return false;
    };
    let numbers: Vec<&str> = rest.split('-').collect();
    (2..=16).contains(&numbers.len())
        && numbers
            .iter()
            .all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
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
    /// In which folder it lies; `None` where nothing but the default folder is read and nobody wants to know.
    pub folder: Option<ItemFolder>,
    /// True where the server could not give everything (a body that cannot be converted, say).
    pub degraded: bool,
    /// True where something is attached to it, pictures of the body included.
    pub has_attachments: bool,
}

/// An attachment's identifier as the server spells it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttachmentId(pub String);

/// Something attached to an item, as the server lists it.
#[derive(Clone)]
pub struct Attachment {
    /// Which.
    pub id: AttachmentId,
    /// What it is.
    pub body: AttachmentBody,
    /// Its file name, or the attached item's title.
    pub name: Content<String>,
    /// Its size, as far as the server says; Exchange counts more than the bytes of the file.
    pub size: Option<u64>,
    /// True for what the item's body shows in its text, such as a picture in a signature.
    pub inline: bool,
}

/// What an attachment is.
#[derive(Clone)]
pub enum AttachmentBody {
    /// A file.
    File,
    /// Another item, such as a mail that was forwarded as an attachment.
    Item,
    /// A link to a file that lies elsewhere; there are no bytes to be had.
    Link(Content<String>),
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
    pub items: Vec<(RecordKind, Option<u32>)>,
}

impl MailboxProbe {
    /// How many items a stream's folders hold now, where the server says.
    pub fn count(&self, kind: RecordKind) -> Option<u32> {
        self.items
            .iter()
            .find(|(of, _)| *of == kind)
            .and_then(|(_, count)| *count)
    }
}
