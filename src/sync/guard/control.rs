//! What an operator may ask of the quarantine.

use super::plan::Decision;
use super::store::{self, Choice, HeldTotal, QuarantineRow};
use crate::access::Granted;
use crate::access::permission::{Explain, ManageMailboxes, ViewStatus};
use crate::foundation::clock::Clock;
use crate::foundation::db::Db;
use crate::foundation::ids::MailboxId;
use crate::sync::error::SyncError;
use crate::sync::store::streams;

/// The most rows of one mailbox that are listed.
const LISTED: i64 = 10_000;

/// How many deletions wait, by stream and side.
///
/// # Errors
/// The database's.
pub async fn totals(db: &Db, _: &Granted<ViewStatus>) -> Result<Vec<HeldTotal>, SyncError> {
    db.run(store::totals).await
}

/// What waits in a mailbox, by ids.
///
/// # Errors
/// The database's.
pub async fn list(db: &Db, _: &Granted<Explain>, id: MailboxId) -> Result<Vec<QuarantineRow>, SyncError> {
    db.run_for(id, move |conn| store::list(conn, id, LISTED)).await
}

/// Lets held deletions be carried out at the next turn, which is due at once; how many.
///
/// # Errors
/// The database's.
pub async fn approve(
    db: &Db,
    clock: &Clock,
    granted: &Granted<ManageMailboxes>,
    id: MailboxId,
    choice: Choice,
) -> Result<usize, SyncError> {
    decide(db, clock, granted, id, choice, Decision::Approved).await
}

/// Lets the next turn make good what was deleted, at once; how many.
///
/// # Errors
/// The database's.
pub async fn refuse(
    db: &Db,
    clock: &Clock,
    granted: &Granted<ManageMailboxes>,
    id: MailboxId,
    choice: Choice,
) -> Result<usize, SyncError> {
    decide(db, clock, granted, id, choice, Decision::Refused).await
}

async fn decide(
    db: &Db,
    clock: &Clock,
    granted: &Granted<ManageMailboxes>,
    id: MailboxId,
    choice: Choice,
    decision: Decision,
) -> Result<usize, SyncError> {
    let now = clock.now();
    let count = db
        .run_for(id, move |conn| {
            let count = store::decide(conn, id, &choice, decision, now)?;
            streams::make_due(conn, id, now)?;
            Ok::<_, SyncError>(count)
        })
        .await?;
    tracing::info!(
        by = granted.holder(),
        mailbox = %id,
        count,
        ?decision,
        "held deletions were decided about"
    );
    Ok(count)
}
