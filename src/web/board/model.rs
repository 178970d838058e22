//! What was read of the database, ready to be shown. Addresses, counts, codes and times; no content.

use super::state::StreamState;
use crate::foundation::ids::MailboxId;
use crate::record::kind::RecordKind;
use crate::sync::model::Reason;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// Mailboxes on one page.
pub const ROWS: i64 = 50;

/// How everything stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Mailboxes by state.
    pub mailboxes: Vec<(StreamState, i64)>,
    /// By record type.
    pub kinds: Vec<KindSummary>,
    /// Codes that keep whole mailboxes or streams from being in step.
    pub troubles: Vec<Trouble>,
}

impl Summary {
    /// Mailboxes in a state.
    pub fn count(&self, state: StreamState) -> i64 {
        self.mailboxes
            .iter()
            .find(|(of, _)| *of == state)
            .map_or(0, |(_, count)| *count)
    }

    /// All mailboxes.
    pub fn all(&self) -> i64 {
        self.mailboxes.iter().map(|(_, count)| count).sum()
    }

    /// The slowest stream's lag in milliseconds; `None` before the first turn.
    pub fn slowest_ms(&self) -> Option<i32> {
        self.kinds.iter().filter_map(|kind| kind.slowest_ms).max()
    }
}

/// How one record type stands over all mailboxes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KindSummary {
    /// The record type.
    pub kind: RecordKind,
    /// Streams that are in step.
    pub in_step: i64,
    /// Streams of mailboxes that are not paused.
    pub streams: i64,
    /// Items looked at by first readings that are under way or done.
    pub read: i64,
    /// Items that they will look at, as far as is known.
    pub read_total: i64,
    /// The slowest stream's lag in milliseconds.
    pub slowest_ms: Option<i32>,
    /// The median stream's lag in milliseconds.
    pub median_ms: Option<i32>,
}

/// Something that keeps whole streams from being in step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// The stable code.
    pub code: String,
    /// How many mailboxes.
    pub mailboxes: i64,
    /// The worst state that it leads to.
    pub state: StreamState,
}

/// Which mailboxes, in which order, which page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only mailboxes in this state.
    pub state: Option<StreamState>,
    /// Only addresses and CRM user names with this in them.
    pub text: String,
    /// Only mailboxes that this code keeps from being in step.
    pub code: Option<String>,
    /// In which order.
    pub order: Order,
    /// Counted from 1.
    pub page: i64,
}

/// In which order mailboxes are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// What needs somebody comes first, then by address.
    #[default]
    Worst,
    /// The longest lag first.
    Slowest,
    /// By address.
    Address,
}

impl Order {
    /// Every order.
    pub const ALL: [Self; 3] = [Self::Worst, Self::Slowest, Self::Address];

    /// The word in the address bar.
    pub fn word(self) -> &'static str {
        match self {
            Self::Worst => "worst",
            Self::Slowest => "slowest",
            Self::Address => "address",
        }
    }

    /// The inverse of [`word`](Self::word).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.word() == word)
    }
}

/// One page of mailboxes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Page {
    /// The mailboxes.
    pub rows: Vec<MailboxLine>,
    /// How many there are on all pages.
    pub total: i64,
}

/// One mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailboxLine {
    /// The appliance's number.
    pub id: MailboxId,
    /// The address that an administrator entered.
    pub address: String,
    /// The CRM's user name.
    pub crm_username: String,
    /// The policy's name.
    pub policy: String,
    /// The worst of its streams.
    pub state: StreamState,
    /// Why a counterpart does not let us in.
    pub state_code: Option<String>,
    /// Its streams, calendar first.
    pub streams: Vec<StreamLine>,
}

impl MailboxLine {
    /// The slowest of its streams, in milliseconds.
    pub fn slowest_ms(&self) -> Option<i32> {
        self.streams.iter().filter_map(|stream| stream.lag_ms).max()
    }

    /// The code of its worst trouble.
    pub fn code(&self) -> Option<&str> {
        let mut streams = self.streams.iter().filter_map(|stream| stream.error.as_deref());
        self.state_code.as_deref().or(streams.next_back())
    }
}

/// One stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StreamLine {
    /// The record type.
    pub kind: RecordKind,
    /// How it stands.
    pub state: StreamState,
    /// True while a turn runs.
    pub running: bool,
    /// Items looked at since it was last read from the start.
    pub read: i32,
    /// Items that the first reading will look at.
    pub read_total: Option<i32>,
    /// The first reading is done.
    pub first_read_done: bool,
    /// How long the slowest change took at the last turn that had a fresh one, in milliseconds.
    pub lag_ms: Option<i32>,
    /// The end of the last good turn.
    pub last_turn_at: Option<DateTime<Utc>>,
    /// When something was last written.
    pub last_change_at: Option<DateTime<Utc>>,
    /// When it is due next.
    pub due_at: DateTime<Utc>,
    /// The failure of the last turn.
    pub error: Option<String>,
}

impl StreamLine {
    /// How much of the first reading is done, in percent; `None` where nobody knows.
    pub fn percent(&self) -> Option<u8> {
        if self.first_read_done {
            return Some(100);
        }
        percent(self.read.into(), self.read_total?.into())
    }
}

/// `done` of `total` in percent, 99 at most unless it is all.
pub(super) fn percent(done: i64, total: i64) -> Option<u8> {
    if total <= 0 {
        return None;
    }
    // A mailbox grows while it is read: more may be done than was announced.
    let share = (done.max(0).saturating_mul(100) / total).min(99);
    u8::try_from(share).ok()
}

/// Items that failed with one code, over all mailboxes or in one stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailureGroup {
    /// The stable code.
    pub code: String,
    /// The record type; `None` where several are counted together.
    pub kind: Option<RecordKind>,
    /// How many items.
    pub items: i64,
    /// In how many mailboxes.
    pub mailboxes: i64,
    /// How many are tried again only when they change or when somebody asks.
    pub given_up: i64,
    /// When the first of them failed for the first time.
    pub first_at: DateTime<Utc>,
    /// When the last of them failed last.
    pub last_at: DateTime<Utc>,
    /// The next try of any of them.
    pub next_retry_at: Option<DateTime<Utc>>,
}

/// Items of one stream that were left alone for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SkipGroup {
    /// The record type.
    pub kind: RecordKind,
    /// Why.
    pub reason: Reason,
    /// How many items.
    pub items: i64,
}

/// A turn that wrote something or failed; idle turns leave no trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastTurn {
    /// The record type.
    pub kind: RecordKind,
    /// Its beginning.
    pub started_at: DateTime<Utc>,
    /// Its end.
    pub finished_at: DateTime<Utc>,
    /// `done`, or the code of what ended it.
    pub outcome: String,
    /// What was written on either side.
    pub written: u64,
    /// Items that failed.
    pub failed: u64,
}
