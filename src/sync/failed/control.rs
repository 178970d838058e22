//! What an operator may ask of single failures.

use super::name;
use super::store::{self, FailedItem};
use crate::access::Granted;
use crate::access::permission::{Explain, ManageMailboxes, ReadNames};
use crate::foundation::content::Content;
use crate::foundation::db::Db;
use crate::foundation::ids::MailboxId;
use crate::sync::engine::Engine;
use crate::sync::error::SyncError;
use crate::sync::pass;
use crate::sync::report::Quiet;
use crate::sync::store::{mailboxes, streams};
use std::collections::HashMap;

/// The failures of a mailbox, by their ids on both sides.
///
/// # Errors
/// The database's.
pub async fn items(db: &Db, _: &Granted<Explain>, mailbox: MailboxId) -> Result<Vec<FailedItem>, SyncError> {
    db.run_for(mailbox, move |conn| store::items(conn, mailbox)).await
}

/// The names that are still kept of a mailbox's failures, by the failures' numbers; `None` for one that does not open
/// any more.
///
/// # Errors
/// The database's, or the keyring's.
pub async fn names(
    engine: &Engine,
    granted: &Granted<ReadNames>,
    mailbox: MailboxId,
) -> Result<HashMap<i64, Option<Content<String>>>, SyncError> {
    // One whose time has come is read no more, whether or not it was erased already.
    let after = engine.clock.now() - engine.settings.names_keep;
    let sealed = engine
        .db
        .run_for(mailbox, move |conn| store::names(conn, mailbox, after))
        .await?;
    if sealed.is_empty() {
        return Ok(HashMap::new());
    }
    let key = engine.keyring.mailbox_key(mailbox).await?;
    tracing::info!(
        by = granted.holder(),
        %mailbox,
        count = sealed.len(),
        "names of failed items were read"
    );
    Ok(sealed
        .into_iter()
        .map(|one| {
            (
                one.id,
                name::open(&key, one.stream, one.side, one.key, &one.sealed),
            )
        })
        .collect())
}

/// Erases the names whose time has come; how many. For the node's hourly tidying.
///
/// # Errors
/// The database's.
pub async fn sweep(engine: &Engine) -> Result<i64, SyncError> {
    let before = engine.clock.now() - engine.settings.names_keep;
    engine.db.run(move |conn| store::forget_names(conn, before)).await
}

/// What became of a failure that was tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// It is none any more.
    Well,
    /// It failed again, with this code.
    Failed(String),
    /// Its stream is at work elsewhere; it is due, and the next turn tries it.
    Due,
}

/// Tries one failure again now, and no other before its time: a turn of its stream.
///
/// # Errors
/// [`SyncError::UnknownFailure`], [`SyncError::Paused`], and what stops a turn.
pub async fn replay(
    engine: &Engine,
    granted: &Granted<ManageMailboxes>,
    id: i64,
) -> Result<Replayed, SyncError> {
    let (stream, row) = engine
        .db
        .run(move |conn| {
            let stream = store::place(conn, id)?.ok_or(SyncError::UnknownFailure)?;
            let row = mailboxes::get(conn, stream.mailbox)?.ok_or(SyncError::UnknownMailbox)?;
            Ok::<_, SyncError>((stream, row))
        })
        .await?;
    if row.state == "paused" {
        return Err(SyncError::Paused);
    }
    // The lease before the time: else a node that happens to look takes the stream, and the outcome is not ours to tell.
    let lease = engine.lease(stream).await?;
    let (now, elsewhere) = (engine.clock.now(), lease.is_none());
    engine
        .db
        .run_for(stream.mailbox, move |conn| {
            store::make_due(conn, stream, id, now)?;
            match elsewhere {
                true => streams::make_due(conn, stream.mailbox, now),
                false => Ok(()),
            }
        })
        .await?;
    tracing::info!(by = granted.holder(), %stream, failure = id, "a failure is tried again");
    let Some(lease) = lease else {
        return Ok(Replayed::Due);
    };
    pass::run_turn(engine, lease, &Quiet).await?;
    let left = engine
        .db
        .run_for(stream.mailbox, move |conn| store::code(conn, stream, id))
        .await?;
    Ok(left.map_or(Replayed::Well, Replayed::Failed))
}
