//! One turn of one stream: pull, read, plan, apply, commit; page by page.
//!
//! The CRM's changes are pulled first and kept in memory while the mailbox's pages go by, so that a record
//! that both sides changed is decided once, with both sides in view. What no page of the mailbox met is dealt
//! with after the last page. The mailbox's cursor moves with each page; the CRM's cursor moves at the very
//! end, because until then its changes are only in memory. A crash in the middle repeats them, and what was
//! already done shows as "in step".

use super::engine::Engine;
use super::error::SyncError;
use super::model::{ItemKey, StreamId};
use super::pace::{Situation, stretched};
use super::report::{Counts, Progress};
use super::retry;
use super::store::mailboxes::MailboxRow;
use super::store::streams::{Lease, Position, TurnEnd};
use super::store::{listeners, mailboxes, outcome, streams, watches};
use super::turn::stage::stage;
use super::turn::turn;
use crate::foundation::explain::Explain as _;
use crate::record::kind::RecordKind;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// After a turn during which a hint came; what comes in a burst is seen together.
const SETTLE: TimeDelta = TimeDelta::milliseconds(300);

/// Runs one turn under a lease, and gives the lease back however it ends.
///
/// # Errors
/// What stopped the turn. Pages that were committed before stay committed; the stream is due again after
/// a wait that fits the failure.
pub async fn run_turn(engine: &Engine, lease: Lease, progress: &dyn Progress) -> Result<Counts, SyncError> {
    let started = engine.clock.now();
    let heartbeat = Heartbeat::start(engine, lease);
    let mut counts = Counts::default();
    let result = stage(|| turn(engine, lease, progress, &mut counts)).await;
    drop(heartbeat);
    finish(engine, lease, started, &counts, result.as_ref().err()).await?;
    result.map(|()| counts)
}

/// Runs a turn of each of a mailbox's four streams, one after the other.
///
/// # Errors
/// [`SyncError::Paused`], and a database that cannot be asked; a stream's own failure is in its entry.
pub async fn sync_mailbox(
    engine: &Engine,
    row: &MailboxRow,
    progress: &dyn Progress,
) -> Result<Vec<(RecordKind, Result<Counts, SyncError>)>, SyncError> {
    if row.state == "paused" {
        return Err(SyncError::Paused);
    }
    let mut results = Vec::new();
    for kind in RecordKind::ALL {
        let stream = StreamId {
            mailbox: row.mailbox.id,
            kind,
        };
        let result = match engine.lease(stream).await? {
            Some(lease) => run_turn(engine, lease, progress).await,
            None => Err(SyncError::Leased),
        };
        results.push((kind, result));
    }
    Ok(results)
}

async fn finish(
    engine: &Engine,
    lease: Lease,
    started: DateTime<Utc>,
    counts: &Counts,
    error: Option<&SyncError>,
) -> Result<(), SyncError> {
    let now = engine.clock.now();
    let outcome = error.map_or("done", |error| error.code());
    let kind = lease.stream.kind.word();
    engine.metrics.turn(kind, outcome);
    if let Some(lag) = counts.lag_ms {
        engine
            .metrics
            .lag(kind, Duration::from_millis(lag.unsigned_abs()));
    }
    counts.tell(&engine.metrics, kind);
    // Idle turns leave no row: ten thousand mailboxes have many.
    let tell = counts.written() + counts.attachments_stored > 0 || counts.failed > 0 || error.is_some();
    let lag_ms = counts.lag_ms.map(|lag| i32::try_from(lag).unwrap_or(i32::MAX));
    let waits = counts.attachments_wait;
    let failed = error.map(|error| (error.class(), error.code()));
    let told = serde_json::to_value(counts).unwrap_or_default();
    let (db, engine) = (&engine.db, engine.clone());
    db.run_for(lease.stream.mailbox, move |conn| {
        let crm = mailboxes::get(conn, lease.stream.mailbox)?.map(|row| row.crm);
        let is_asked = lease.stream.kind != RecordKind::Mail;
        let crm_must_be_asked = match &crm {
            Some(crm) if is_asked => !watches::is_watched(conn, crm, now)?,
            _ => is_asked,
        };
        let stands = Stands {
            position: streams::position(conn, lease.stream)?,
            heard: listeners::is_heard(conn, lease.stream.mailbox, now)?,
            crm_must_be_asked,
            crm,
            retry_at: outcome::next_retry(conn, lease.stream)?,
        };
        let due_at = match failed {
            None if waits => now,
            None => stands.due_at(&engine, lease, now),
            Some((class, _)) => {
                let (attempts, chance) = (
                    stands.position.attempts + 1,
                    retry::chance(ItemKey(lease.fence), 1),
                );
                retry::stream_due(class, attempts, now, engine.settings.patience, chance)
            }
        };
        if tell {
            outcome::put_turn(conn, lease.stream, (started, now), outcome, told)?;
            outcome::forget_turns(conn, lease.stream, now - engine.settings.journal_keep)?;
        }
        let end = TurnEnd {
            at: now,
            due_at,
            hinted_due_at: due_at.min(now + SETTLE),
            error: failed.map(|(_, code)| code),
            lag_ms,
        };
        streams::release(conn, lease, &end)
    })
    .await
}

/// What the next turn's time depends on.
struct Stands {
    position: Position,
    heard: bool,
    crm_must_be_asked: bool,
    crm: Option<String>,
    retry_at: Option<DateTime<Utc>>,
}

impl Stands {
    /// When the stream is due after a good turn: after its rest, or when a failed item is to be tried again. A stream
    /// of which we hear by itself may rest for long, and nobody would tell of that.
    fn due_at(&self, engine: &Engine, lease: Lease, now: DateTime<Utc>) -> DateTime<Utc> {
        let settings = &engine.settings;
        let rest = settings.pace.rest(Situation {
            heard: self.heard,
            crm_must_be_asked: self.crm_must_be_asked,
            quiet_for: self.position.last_change_at.map(|at| now - at),
        });
        let crm = self.crm.as_ref().and_then(|name| engine.crm(name).ok());
        let rested = match crm.filter(|_| lease.stream.kind != RecordKind::Mail) {
            Some(crm) => now + stretched(rest, crm.pressure()),
            None => now + rest,
        };
        let retry_at = self.retry_at.map(|at| at.max(now + settings.patience.first));
        retry_at.map_or(rested, |at| at.min(rested))
    }
}

/// Keeps a lease alive while its turn runs; stops when dropped.
struct Heartbeat(tokio::task::JoinHandle<()>);

impl Heartbeat {
    fn start(engine: &Engine, lease: Lease) -> Self {
        let engine = engine.clone();
        Self(tokio::spawn(async move {
            let length = engine.settings.lease;
            let pause = (length / 3).max(TimeDelta::milliseconds(100));
            loop {
                engine.clock.sleep(pause.to_std().unwrap_or_default()).await;
                let until = engine.clock.now() + length;
                match engine
                    .db
                    .run(move |conn| streams::renew(conn, lease, until))
                    .await
                {
                    Err(SyncError::LeaseLost) => {
                        tracing::warn!(stream = %lease.stream, "lease lost; the turn's commits will be refused");
                        return;
                    }
                    Err(error) => {
                        tracing::warn!(stream = %lease.stream, code = error.code(), "heartbeat failed");
                    }
                    Ok(()) => {}
                }
            }
        }))
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.0.abort();
    }
}
