//! What the pages and the JSON tell: how mailboxes stand, counted and paged by the database.
//!
//! A page of ten thousand mailboxes costs as much as a page of fifty: the database sums up ([`Summary`]) and
//! hands out one page of rows ([`Page`]). Only the counts of links and skips need a walk over everything;
//! they are kept for a moment ([`totals`]), the longer the more they cost.
//!
//! * [`state`] the states of a stream, in order of concern
//! * [`model`] what was read
//! * `store` the SQL of mailboxes and streams
//! * `history` the SQL of failures, skips and past turns
//! * [`totals`] the counts that are kept
//! * [`words`] numbers, times and states in words

mod history;
pub mod model;
pub mod state;
mod store;
pub mod totals;
pub mod words;

pub use model::{
    FailureGroup, Filter, KindSummary, MailboxLine, Order, Page, PastTurn, ROWS, SkipGroup, StreamLine,
    Summary, Trouble,
};
pub use state::StreamState;
pub use totals::Totals;

use crate::access::Granted;
use crate::access::permission::ViewStatus;
use crate::foundation::clock::Clock;
use crate::foundation::db::Db;
use crate::foundation::db::DbError;
use crate::foundation::ids::MailboxId;
use crate::sync::error::SyncError;
use chrono::TimeDelta;

/// A stream that was due this long ago and that nobody has taken is late: no worker runs, or too few.
const LATE_AFTER: TimeDelta = TimeDelta::minutes(5);

/// How everything stands.
///
/// # Errors
/// The database's.
pub async fn summary(db: &Db, clock: &Clock, _: &Granted<ViewStatus>) -> Result<Summary, SyncError> {
    let now = clock.now();
    db.run(move |conn| Ok(store::summary(conn, now, now - LATE_AFTER)?))
        .await
}

/// One page of mailboxes.
///
/// # Errors
/// The database's.
pub async fn page(
    db: &Db,
    clock: &Clock,
    _: &Granted<ViewStatus>,
    filter: Filter,
) -> Result<Page, SyncError> {
    let now = clock.now();
    db.run(move |conn| Ok(store::page(conn, now, now - LATE_AFTER, &filter)?))
        .await
}

/// One mailbox with its streams; `None` where there is no such mailbox.
///
/// # Errors
/// The database's.
pub async fn mailbox(
    db: &Db,
    clock: &Clock,
    _: &Granted<ViewStatus>,
    id: MailboxId,
) -> Result<Option<MailboxLine>, SyncError> {
    let now = clock.now();
    db.run(move |conn| Ok(store::mailbox(conn, now, now - LATE_AFTER, id)?))
        .await
}

/// What failed, by code, the most frequent first.
///
/// # Errors
/// The database's.
pub async fn failures(db: &Db, _: &Granted<ViewStatus>) -> Result<Vec<FailureGroup>, SyncError> {
    db.run(|conn| Ok(history::store::failures(conn)?)).await
}

/// What one mailbox has behind it: failures by record type and code, what was left alone and why, and its
/// last turns that did something.
#[derive(Debug, Default)]
pub struct History {
    /// Failures.
    pub failures: Vec<FailureGroup>,
    /// Left alone.
    pub skips: Vec<SkipGroup>,
    /// Turns, the newest first.
    pub turns: Vec<PastTurn>,
}

/// The history of one mailbox.
///
/// # Errors
/// The database's.
pub async fn history(db: &Db, _: &Granted<ViewStatus>, id: MailboxId) -> Result<History, SyncError> {
    db.run_for(id, move |conn| {
        Ok(History {
            failures: history::store::failures_of(conn, id)?,
            skips: history::store::skips_of(conn, id)?,
            turns: history::store::turns_of(conn, id)?,
        })
    })
    .await
}

/// True where the database answers and takes writes; a standby answers as well.
///
/// # Errors
/// The database's.
pub async fn takes_writes(db: &Db) -> Result<bool, DbError> {
    db.run(|conn| Ok(store::takes_writes(conn)?)).await
}
