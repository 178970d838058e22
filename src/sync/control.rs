//! What an operator may ask of the engine. Each function takes the grant of its right: without the question
//! whether the caller may, it cannot be called.

use super::budget::{self, store::BudgetStatus};
use super::error::SyncError;
use super::policy::{Flow, FolderRules, Policy};
use super::rejudge;
use super::store::kept;
use super::store::mailboxes::{self, MailboxRow, NewMailbox};
use super::store::nodes::{self, NodeStatus};
use super::store::outcome;
use super::store::streams::{self, Lost, TurnEnd};
use super::store::totals::{self, FailureStatus, StreamStatus};
use super::store::watches::{self, WatchStatus};
use crate::access::Granted;
use crate::access::permission::{ManageMailboxes, ManagePolicies, ViewStatus};
use crate::foundation::clock::Clock;
use crate::foundation::db::Db;
use crate::foundation::ids::MailboxId;
use crate::mailbox::model::AccountNames;
use crate::record::kind::RecordKind;
use crate::sync::model::{Reason, StreamId};
use chrono::TimeDelta;
use uuid::Uuid;

/// What became of a request to add mailboxes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Added {
    /// New ones, by address.
    pub added: Vec<String>,
    /// Ones that were there already and were left as they are.
    pub known: Vec<String>,
}

/// Adds mailboxes; all of them or, on an error, none. Their streams are due at once.
///
/// # Errors
/// [`SyncError::UnknownPolicy`], or the database's.
pub async fn add_mailboxes(
    db: &Db,
    clock: &Clock,
    granted: &Granted<ManageMailboxes>,
    new: Vec<NewMailbox>,
) -> Result<Added, SyncError> {
    let now = clock.now();
    let added = db
        .run(move |conn| {
            let mut added = Added::default();
            for one in &new {
                mailboxes::policy(conn, &one.policy)?;
                // Addresses are compared without regard to case, as mail servers do.
                let known = mailboxes::find(conn, &one.address)?;
                match known {
                    Some(row) if row.state == "paused" && row.is_gone() => {
                        kept::come_back(conn, row.mailbox.id, now)?;
                        added.added.push(one.address.clone());
                    }
                    None if mailboxes::add(conn, one, now)?.is_some() => {
                        added.added.push(one.address.clone());
                    }
                    _ => added.known.push(one.address.clone()),
                }
            }
            Ok::<_, SyncError>(added)
        })
        .await?;
    tracing::info!(
        by = granted.holder(),
        count = added.added.len(),
        "mailboxes were added"
    );
    Ok(added)
}

/// All mailboxes, by address.
///
/// # Errors
/// The database's.
pub async fn list_mailboxes(db: &Db, _: &Granted<ViewStatus>) -> Result<Vec<MailboxRow>, SyncError> {
    db.run(mailboxes::list).await
}

/// One mailbox, by address in any case.
///
/// # Errors
/// [`SyncError::UnknownMailbox`], or the database's.
pub async fn find_mailbox(db: &Db, _: &Granted<ViewStatus>, address: &str) -> Result<MailboxRow, SyncError> {
    let address = address.to_owned();
    db.run(move |conn| mailboxes::find(conn, &address)?.ok_or(SyncError::UnknownMailbox))
        .await
}

/// Sets how the directory knows the account of a mailbox; holds from the next turn on.
///
/// # Errors
/// The database's.
pub async fn set_account(
    db: &Db,
    granted: &Granted<ManageMailboxes>,
    id: MailboxId,
    account: AccountNames,
) -> Result<(), SyncError> {
    db.run(move |conn| mailboxes::set_account(conn, id, &account))
        .await?;
    tracing::info!(by = granted.holder(), mailbox = %id, "the account's names were set");
    Ok(())
}

/// Stops a mailbox until it is resumed. A turn that runs comes to its end.
///
/// # Errors
/// The database's.
pub async fn pause(db: &Db, granted: &Granted<ManageMailboxes>, id: MailboxId) -> Result<(), SyncError> {
    db.run(move |conn| mailboxes::set_state(conn, id, "paused", None))
        .await?;
    tracing::info!(by = granted.holder(), mailbox = %id, "the mailbox was paused");
    Ok(())
}

/// Stops a mailbox for good: its owner has left. What it is linked with stays, on both sides and here, so that it may
/// come back; its meetings are kept up to date by the copies of colleagues from now on.
///
/// # Errors
/// The database's.
pub async fn retire(
    db: &Db,
    clock: &Clock,
    granted: &Granted<ManageMailboxes>,
    id: MailboxId,
) -> Result<(), SyncError> {
    let now = clock.now();
    let colleagues = db
        .run(move |conn| {
            mailboxes::set_state(conn, id, "paused", Some(mailboxes::RETIRED))?;
            kept::look_again(conn, now)
        })
        .await?;
    tracing::info!(by = granted.holder(), mailbox = %id, colleagues, "the mailbox was retired");
    Ok(())
}

/// Lets a paused or refused mailbox go on, at once.
///
/// # Errors
/// The database's.
pub async fn resume(
    db: &Db,
    clock: &Clock,
    granted: &Granted<ManageMailboxes>,
    id: MailboxId,
) -> Result<(), SyncError> {
    let now = clock.now();
    db.run(move |conn| kept::come_back(conn, id, now)).await?;
    tracing::info!(by = granted.holder(), mailbox = %id, "the mailbox was resumed");
    Ok(())
}

/// Makes every failure of a mailbox due now; the number of failures.
///
/// # Errors
/// The database's.
pub async fn retry_failures(
    db: &Db,
    clock: &Clock,
    granted: &Granted<ManageMailboxes>,
    id: MailboxId,
) -> Result<usize, SyncError> {
    let now = clock.now();
    let count = db
        .run_for(id, move |conn| {
            let mut count = 0;
            for kind in RecordKind::ALL {
                count += outcome::retry_all(conn, StreamId { mailbox: id, kind }, now)?;
            }
            streams::make_due(conn, id, now)?;
            Ok::<_, SyncError>(count)
        })
        .await?;
    tracing::info!(by = granted.holder(), mailbox = %id, count, "failures will be tried again");
    Ok(count)
}

/// Has a mailbox read again from the start. Links stay, so nothing is doubled.
///
/// # Errors
/// [`SyncError::Leased`] while a turn of it runs, or the database's.
pub async fn resync(
    db: &Db,
    clock: &Clock,
    granted: &Granted<ManageMailboxes>,
    id: MailboxId,
) -> Result<(), SyncError> {
    let now = clock.now();
    db.run_for(id, move |conn| {
        for kind in RecordKind::ALL {
            let stream = StreamId { mailbox: id, kind };
            // The lease is taken and given back within this transaction: nobody else ever sees it.
            let until = now + TimeDelta::seconds(60);
            let lease =
                streams::lease_one(conn, stream, Uuid::nil(), now, until)?.ok_or(SyncError::Leased)?;
            streams::forget_cursor(conn, lease, Lost::Mailbox)?;
            streams::forget_cursor(conn, lease, Lost::Crm)?;
            streams::release(conn, lease, &TurnEnd::due_at_once(now))?;
        }
        Ok::<_, SyncError>(())
    })
    .await?;
    tracing::info!(by = granted.holder(), mailbox = %id, "the mailbox will be read from the start");
    Ok(())
}

/// Every policy's name and newest version.
///
/// # Errors
/// The database's.
pub async fn list_policies(db: &Db, _: &Granted<ManagePolicies>) -> Result<Vec<(String, i32)>, SyncError> {
    db.run(mailboxes::policy_names).await
}

/// A policy's newest version.
///
/// # Errors
/// [`SyncError::UnknownPolicy`], [`SyncError::PolicyUnreadable`], or the database's.
pub async fn show_policy(
    db: &Db,
    _: &Granted<ManagePolicies>,
    name: &str,
) -> Result<(i32, Policy), SyncError> {
    let name = name.to_owned();
    db.run(move |conn| mailboxes::policy(conn, &name)).await
}

/// Stores a new version of a policy; it holds from the next turn on. Where it says differently of who takes part,
/// that turn is due at once and reads from the start. Returns the version's number.
///
/// # Errors
/// [`SyncError::NoFolders`], or the database's.
pub async fn set_policy(
    db: &Db,
    clock: &Clock,
    granted: &Granted<ManagePolicies>,
    name: &str,
    policy: Policy,
) -> Result<i32, SyncError> {
    let none = |kind: &RecordKind| {
        let on = policy.common(*kind).flow != Flow::Off;
        on && policy.folders(*kind).is_some_and(FolderRules::choose_none)
    };
    if let Some(kind) = RecordKind::ALL.into_iter().find(none) {
        return Err(SyncError::NoFolders { kind });
    }
    let (stored, now) = (name.to_owned(), clock.now());
    let version = db
        .run(move |conn| {
            let before = match mailboxes::policy(conn, &stored) {
                Ok((_, before)) => Some(before),
                Err(SyncError::UnknownPolicy | SyncError::PolicyUnreadable(_)) => None,
                Err(error) => return Err(error),
            };
            let version = mailboxes::put_policy(conn, &stored, &policy, now)?;
            if let Some(before) = before {
                let kinds = RecordKind::ALL.into_iter();
                let kinds: Vec<RecordKind> = kinds
                    .filter(|kind| rejudge::differ(*kind, &before, &policy))
                    .collect();
                streams::make_due_under(conn, &stored, &kinds, now)?;
            }
            Ok::<_, SyncError>(version)
        })
        .await?;
    tracing::info!(
        by = granted.holder(),
        policy = name,
        version,
        "the policy was set"
    );
    Ok(version)
}

/// How every stream stands.
///
/// # Errors
/// The database's.
pub async fn status(db: &Db, clock: &Clock, _: &Granted<ViewStatus>) -> Result<Vec<StreamStatus>, SyncError> {
    let now = clock.now();
    db.run(move |conn| totals::streams(conn, now)).await
}

/// How the calls of every CRM stand.
///
/// # Errors
/// The database's.
pub async fn budgets(
    db: &Db,
    clock: &Clock,
    _: &Granted<ViewStatus>,
) -> Result<Vec<BudgetStatus>, SyncError> {
    let now = clock.now();
    db.run(move |conn| budget::store::list(conn, now)).await
}

/// How it stands with each CRM that tells whose records changed.
///
/// # Errors
/// The database's.
pub async fn watches(db: &Db, clock: &Clock, _: &Granted<ViewStatus>) -> Result<Vec<WatchStatus>, SyncError> {
    let now = clock.now();
    db.run(move |conn| watches::list(conn, now)).await
}

/// Every node that shares this database.
///
/// # Errors
/// The database's.
pub async fn nodes(db: &Db, clock: &Clock, _: &Granted<ViewStatus>) -> Result<Vec<NodeStatus>, SyncError> {
    let now = clock.now();
    db.run(move |conn| nodes::statuses(conn, now)).await
}

/// The newest failures, at most `most`.
///
/// # Errors
/// The database's.
pub async fn failures(db: &Db, _: &Granted<ViewStatus>, most: i32) -> Result<Vec<FailureStatus>, SyncError> {
    db.run(move |conn| totals::failures(conn, most)).await
}

/// How many items of each stream were left alone, by reason.
///
/// # Errors
/// The database's.
pub async fn skips(db: &Db, _: &Granted<ViewStatus>) -> Result<Vec<(StreamId, Reason, i64)>, SyncError> {
    db.run(totals::skips).await
}
