//! What was written, where and when: one entry a write, ids only. Kept for `sync.journal_keep_days`.
//!
//! The entries of a page are committed with it. A crash between a write and its commit leaves no entry; the
//! page is repeated then, its creates find their first copies by key or stamp, and are entered as [`Act::Found`].

use super::model::{ItemKey, Side};
use crate::crm::model::CrmId;
use crate::mailbox::model::ItemId;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Made.
    Created,
    /// A repeated create met what an earlier one had made.
    Found,
    /// Changed.
    Updated,
    /// Deleted, by the policy alone.
    Deleted,
    /// Deleted after a person had approved it; the guard does not count it.
    DeletedAsApproved,
}

impl Act {
    /// Every act.
    pub const ALL: [Self; 5] = [
        Self::Created,
        Self::Found,
        Self::Updated,
        Self::Deleted,
        Self::DeletedAsApproved,
    ];

    /// The number under which the database knows it.
    pub fn number(self) -> i16 {
        match self {
            Self::Created => 0,
            Self::Found => 1,
            Self::Updated => 2,
            Self::Deleted => 3,
            Self::DeletedAsApproved => 4,
        }
    }

    /// The inverse of [`number`](Self::number).
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.number() == number)
    }
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub side: Side,
    /// What.
    pub act: Act,
    /// The mailbox's item, shortened.
    pub key: ItemKey,
    /// The mailbox's item, where it was made there, and of a deletion: elsewhere the link has it.
    pub item: Option<ItemId>,
    /// The CRM's record.
    pub crm: Option<CrmId>,
}
