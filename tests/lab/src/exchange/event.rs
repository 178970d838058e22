//! What subscribers are told: the last changes of a mailbox, in order.
//!
//! Source: "Notification subscriptions, mailbox events, and EWS in Exchange".

use super::folder::FolderKey;
use chrono::{DateTime, Utc};
use std::collections::VecDeque;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the event of that name in the schema")]
pub enum EventKind {
    Created,
    Copied { old_serial: u64 },
    Modified,
    Moved { old_serial: u64, old_folder: FolderKey },
    Deleted,
    NewMail,
    FolderCreated,
    FolderModified,
    FolderDeleted,
}

impl EventKind {
    /// The event's name without its suffix `Event`.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::Created | EventKind::FolderCreated => "Created",
            EventKind::Copied { .. } => "Copied",
            EventKind::Modified | EventKind::FolderModified => "Modified",
            EventKind::Moved { .. } => "Moved",
            EventKind::Deleted | EventKind::FolderDeleted => "Deleted",
            EventKind::NewMail => "NewMail",
        }
    }

    /// Whether it is about a folder, not an item.
    pub fn is_folder(self) -> bool {
        matches!(
            self,
            EventKind::FolderCreated | EventKind::FolderModified | EventKind::FolderDeleted
        )
    }
}

/// One event.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// The change it tells of.
    pub change: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// The folder it happened in.
    pub folder: FolderKey,
    /// The item's number, or the folder's.
    pub serial: u64,
    /// What happened.
    pub kind: EventKind,
}

/// The last events of a mailbox.
#[derive(Clone, Debug, Default)]
pub struct EventLog {
    events: VecDeque<Event>,
    forgotten: u64,
}

/// How many events are kept; a subscriber further behind has missed some.
const KEPT: usize = 10_000;

impl EventLog {
    /// Adds an event.
    pub fn push(&mut self, event: Event) {
        if self.events.len() == KEPT
            && let Some(old) = self.events.pop_front()
        {
            self.forgotten = old.change;
        }
        self.events.push_back(event);
    }

    /// The events after a change; none when some of them are no longer kept.
    pub fn after(&self, change: u64) -> Option<impl Iterator<Item = &Event>> {
        if change < self.forgotten {
            return None;
        }
        let from = self.events.partition_point(|event| event.change <= change);
        Some(self.events.range(from..))
    }
}
