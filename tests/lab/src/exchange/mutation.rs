//! The few ways in which a mailbox changes. Everything a mutation needs, times and numbers
//! included, is inside it, so that the journal of mutations replayed gives the same world, the same
//! ids, the same change keys.

use super::folder::{FolderInfo, FolderKey};
use super::item::Item;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One change of one mailbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mutation {
    /// Index of the mailbox.
    pub mailbox: usize,
    /// The change's number: grows by one with each change of a mailbox.
    pub change: u64,
    /// When, whole seconds.
    pub at: DateTime<Utc>,
    /// Display name of who did it.
    pub by: String,
    /// Whether the synchronising account did it in that name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub syncs: bool,
    /// What.
    pub what: Change,
}

/// What changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Change {
    /// A new item.
    Create {
        /// Its number.
        serial: u64,
        /// Where.
        folder: FolderKey,
        /// Whether it arrived as mail, which announces itself by NewMailEvent too.
        delivered: bool,
        /// Whether it is a copy, which announces itself by CopiedEvent.
        copied_from: Option<u64>,
        /// The item.
        item: Box<Item>,
    },
    /// Another version of an item.
    Update {
        /// Its number.
        serial: u64,
        /// Whether the read flag alone changed.
        read_flag_only: bool,
        /// The item as it is now.
        item: Box<Item>,
    },
    /// An item taken to another folder of the mailbox.
    Move {
        /// Its number so far.
        serial: u64,
        /// Its number from now on.
        new_serial: u64,
        /// Where to.
        folder: FolderKey,
    },
    /// The mailbox comes back from a backup: every item has another number, and nobody's place in it counts any more.
    Restore {
        /// The first of the new numbers.
        first_serial: u64,
    },
    /// An item gone for good.
    Delete {
        /// Its number.
        serial: u64,
    },
    /// A new folder, or new names and classes of an old one.
    PutFolder {
        /// Its number.
        folder: FolderKey,
        /// Name, class and place.
        info: FolderInfo,
    },
    /// A folder gone with all that it held.
    DeleteFolder {
        /// Its number.
        folder: FolderKey,
    },
}
