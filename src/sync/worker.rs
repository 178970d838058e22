//! The loop of a node: takes leases of streams that are due, runs their turns, until it is told to stop.
//!
//! It only asks the database which streams are due. Whatever learns of news earlier (a notification, a person
//! at the console) makes the stream due and need not know who works where.

use super::engine::Engine;
use super::error::SyncError;
use super::failed;
use super::pass::run_turn;
use super::report::{Counts, Quiet};
use super::store::streams::{self, Lane, Lease};
use super::store::{journal, mailboxes};
use crate::foundation::explain::Explain as _;
use crate::foundation::failure::Class;
use crate::mailbox::error::MailboxError;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Between two looks at the database when nothing is due; short, because a look is one indexed query.
const LOOK: Duration = Duration::from_millis(500);
/// After a database that did not answer.
const PAUSE: Duration = Duration::from_secs(2);
/// Between two forgettings.
const TIDY: TimeDelta = TimeDelta::hours(1);

/// Works until `shutdown` turns true, then lets running turns end at their next page.
pub async fn run(engine: Engine, mut shutdown: watch::Receiver<bool>) {
    let mut turns: JoinSet<()> = JoinSet::new();
    // Each first reading holds it for as long as it runs, however it ends: the count is in the handles.
    let first_reading = Arc::new(());
    let node = engine.node;
    if let Err(error) = engine.db.run(move |conn| streams::reclaim(conn, node)).await {
        tracing::warn!(
            code = error.code(),
            "leases of an earlier run expire by themselves"
        );
    }
    let mut tidied = None;
    let mut tried = engine.clock.now();
    while !*shutdown.borrow() {
        while turns.try_join_next().is_some() {}
        tidy(&engine, &mut tidied).await;
        try_refused(&engine, &mut tried).await;
        let free = engine.settings.workers.saturating_sub(turns.len());
        let first_reads = Arc::strong_count(&first_reading) - 1;
        let wait = match lease(&engine, free, first_reads).await {
            Ok(leases) if leases.is_empty() => LOOK,
            Ok(leases) => {
                for (lease, lane) in leases {
                    let engine = engine.clone();
                    let held = (lane == Lane::FirstRead).then(|| Arc::clone(&first_reading));
                    turns.spawn(async move {
                        one(engine, lease).await;
                        drop(held);
                    });
                }
                Duration::ZERO
            }
            Err(error) => {
                tracing::warn!(code = error.code(), "{}", error.sentence());
                PAUSE
            }
        };
        tokio::select! {
            () = engine.clock.sleep(wait) => {}
            Some(_) = turns.join_next(), if !turns.is_empty() => {}
            _ = shutdown.changed() => {}
        }
    }
    // A turn that is cut off is repeated from its last commit; nothing is lost by not waiting for it.
    turns.shutdown().await;
}

/// Gives mailboxes that a counterpart refused another try, once an hour: a right that was given back must not wait
/// for somebody to say so here as well. One that is refused again is shown as refused again.
async fn try_refused(engine: &Engine, last: &mut DateTime<Utc>) {
    let now = engine.clock.now();
    if now - *last < TIDY {
        return;
    }
    *last = now;
    if let Err(error) = engine
        .db
        .run(move |conn| mailboxes::resume_refused(conn, now))
        .await
    {
        tracing::warn!(code = error.code(), "refused mailboxes were not tried again");
    }
}

/// Forgets what has been kept long enough, once an hour.
async fn tidy(engine: &Engine, last: &mut Option<DateTime<Utc>>) {
    let now = engine.clock.now();
    if last.is_some_and(|last| now - last < TIDY) {
        return;
    }
    *last = Some(now);
    let before = now - engine.settings.journal_keep;
    if let Err(error) = engine.db.run(move |conn| journal::forget(conn, before)).await {
        tracing::warn!(
            code = error.code(),
            "the journal was not shortened; it is tried again"
        );
    }
    if let Err(error) = failed::control::sweep(engine).await {
        tracing::warn!(
            code = error.code(),
            "names of failed items were not erased; it is tried again"
        );
    }
}

/// Live work first. First readings take hours, so some workers are kept from them: whoever works must not wait for
/// a mailbox that is read for the first time.
async fn lease(engine: &Engine, free: usize, first_reads: usize) -> Result<Vec<(Lease, Lane)>, SyncError> {
    if free == 0 {
        return Ok(Vec::new());
    }
    let (now, owner, length) = (engine.clock.now(), engine.node, engine.settings.lease);
    let workers = engine.settings.workers;
    let most = workers.saturating_sub(workers / 4).max(1);
    engine
        .db
        .run(move |conn| {
            let take = |conn: &mut _, lane, limit: usize| {
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                streams::lease_due(conn, owner, now, now + length, lane, limit)
            };
            let live = take(conn, Lane::Live, free)?;
            let room = (free - live.len()).min(most.saturating_sub(first_reads));
            let first = take(conn, Lane::FirstRead, room)?;
            let live = live.into_iter().map(|lease| (lease, Lane::Live));
            Ok(live
                .chain(first.into_iter().map(|lease| (lease, Lane::FirstRead)))
                .collect())
        })
        .await
}

async fn one(engine: Engine, lease: Lease) {
    match run_turn(&engine, lease, &Quiet).await {
        Ok(counts) if counts.written() > 0 || counts.failed > 0 => tell(lease, &counts),
        Ok(_) => {}
        Err(error) => {
            tracing::warn!(stream = %lease.stream, code = error.code(), "turn ended early");
            refuse(&engine, lease, &error).await;
        }
    }
}

fn tell(lease: Lease, counts: &Counts) {
    tracing::info!(
        stream = %lease.stream,
        written = counts.written(),
        failed = counts.failed,
        read_in_mailbox = counts.read_in_mailbox,
        read_in_crm = counts.read_in_crm,
        "turn done"
    );
}

/// A mailbox that a counterpart refuses for good is shown as refused, so that a person sees it first and the
/// service account is not locked by endless tries. A passing refusal (the whole service account, the CRM's
/// sign-in) only waits.
async fn refuse(engine: &Engine, lease: Lease, error: &SyncError) {
    let own = matches!(
        error,
        SyncError::Mailbox(MailboxError::OutsideScope | MailboxError::NoSuchMailbox)
    ) || matches!(error, SyncError::Crm(error) if error.class() == Class::SignInExpired && error.code() == "crm.user_refused");
    if !own {
        return;
    }
    let (id, code) = (lease.stream.mailbox, error.code());
    let stored = engine
        .db
        .run(move |conn| mailboxes::set_state(conn, id, "refused", Some(code)))
        .await;
    if let Err(error) = stored {
        tracing::warn!(mailbox = %id, code = error.code(), "could not mark the mailbox as refused");
    }
}
