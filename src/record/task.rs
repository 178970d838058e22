//! Something to do.

use crate::foundation::content::Content;
use chrono::{DateTime, NaiveDate, Utc};

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Status {
    /// Not begun.
    #[default]
    NotStarted,
    /// Begun.
    InProgress,
    /// Done.
    Completed,
    /// Somebody else must act first.
    Waiting,
    /// Put off.
    Deferred,
}

/// How urgent it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Priority {
    /// Can wait.
    Low,
    /// As usual.
    #[default]
    Normal,
    /// Soon.
    High,
}

/// Something to do.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Task {
    /// Title.
    pub subject: Content<String>,
    /// Description as plain text.
    pub body: Content<String>,
    /// The day by which it is due.
    pub due: Option<NaiveDate>,
    /// How far it is.
    pub status: Status,
    /// How urgent it is.
    pub priority: Priority,
    /// When to remind.
    pub reminder: Option<DateTime<Utc>>,
    /// True for a task that its owner marked private.
    pub is_private: bool,
    /// True where the task recurs. In a mailbox it stands for the occurrence whose turn it is, and moves on to the next
    /// when that is completed; in a CRM it is the rule behind occurrences that are records of their own.
    pub is_recurring: bool,
}
