//! Removes what an undo asked for, batch by batch, each batch committed with what it leaves behind.

use super::store::{self, Removal};
use crate::crm::model::CrmWrite;
use crate::foundation::explain::Explain as _;
use crate::foundation::failure::Class;
use crate::mailbox::model::{MailboxWrite, Notify};
use crate::sync::apply::write::{CRM_BATCH, MAILBOX_BATCH, chunks, write_crm, write_mailbox};
use crate::sync::engine::Engine;
use crate::sync::error::SyncError;
use crate::sync::journal::{Act, Entry};
use crate::sync::keys::record_key;
use crate::sync::model::{Reason, Side};
use crate::sync::store::outcome::{self, PageOutcome};
use crate::sync::store::streams::{self, Advance, Lease};
use crate::sync::stream::Stream;

/// Removals a batch: what one call to the CRM takes.
const BATCH: i64 = CRM_BATCH as i64;

type Fate = Result<(), (Class, &'static str)>;

/// Carries out the stream's removals that wait; how many were done. One that fails for a passing reason waits
/// for the next turn.
///
/// # Errors
/// What stops a turn.
pub async fn carry_out(engine: &Engine, lease: Lease, stream: &Stream) -> Result<u64, SyncError> {
    let (id, mut behind, mut removed) = (stream.id, 0, 0);
    loop {
        let batch = engine
            .db
            .run_for(id.mailbox, move |conn| store::waiting(conn, id, behind, BATCH))
            .await?;
        let Some(last) = batch.last() else {
            return Ok(removed);
        };
        behind = last.id;
        let fates = remove(stream, &batch).await?;
        removed += commit(engine, lease, batch, fates).await?;
    }
}

/// One fate for each removal, in order.
async fn remove(stream: &Stream, batch: &[Removal]) -> Result<Vec<Fate>, SyncError> {
    let in_crm: Vec<CrmWrite> = batch
        .iter()
        .filter(|one| one.side == Side::Crm)
        .map(|one| CrmWrite::Delete { id: one.crm.clone() })
        .collect();
    let in_mailbox: Vec<(MailboxWrite, Notify)> = batch
        .iter()
        .filter(|one| one.side == Side::Mailbox)
        .filter_map(|one| {
            let item = one.item.clone()?;
            Some((MailboxWrite::Delete { item }, Notify::Nobody))
        })
        .collect();
    let of_crm = write_crm(stream, &in_crm).await?;
    let mut of_mailbox = Vec::with_capacity(in_mailbox.len());
    for few in chunks(in_mailbox, MAILBOX_BATCH) {
        of_mailbox.extend(write_mailbox(stream, few).await?);
    }
    let mut of_crm = of_crm
        .into_iter()
        .map(|answer| answer.map(drop).map_err(|error| (error.class(), error.code())));
    let mut of_mailbox = of_mailbox
        .into_iter()
        .map(|answer| answer.map(drop).map_err(|error| (error.class(), error.code())));
    let fate = |one: &Removal| match (one.side, &one.item) {
        (Side::Crm, _) => of_crm.next(),
        (Side::Mailbox, Some(_)) => of_mailbox.next(),
        // Without its id there is nothing to remove it by.
        (Side::Mailbox, None) => Some(Err((Class::Gone, "mailbox.gone"))),
    };
    // Both ports answer each write, so none is without a fate.
    Ok(batch
        .iter()
        .map(fate)
        .map(|fate| fate.unwrap_or(Ok(())))
        .collect())
}

async fn commit(
    engine: &Engine,
    lease: Lease,
    batch: Vec<Removal>,
    fates: Vec<Fate>,
) -> Result<u64, SyncError> {
    let (mut page, mut done, mut failed) = (PageOutcome::default(), Vec::new(), Vec::new());
    for (one, fate) in batch.into_iter().zip(fates) {
        match fate {
            // What is gone already needs no removing: a kill may have come between.
            Ok(()) | Err((Class::Gone, _)) => {
                done.push(one.id);
                forget(one, &mut page);
            }
            Err((Class::Again | Class::Conflict, _)) => {}
            Err((_, code)) => failed.push((one.id, code)),
        }
    }
    let (now, removed) = (engine.clock.now(), done.len() as u64);
    let until = now + engine.settings.lease;
    engine
        .db
        .run_for(lease.stream.mailbox, move |conn| {
            let step = Advance {
                changed_at: (!done.is_empty()).then_some(now),
                ..Advance::default()
            };
            streams::renew(conn, lease, until)?;
            outcome::commit_page(conn, lease, &page, &step, now)?;
            store::done(conn, &done)?;
            for (id, code) in failed {
                store::failed(conn, id, code)?;
            }
            Ok::<_, SyncError>(removed)
        })
        .await
}

/// The link goes, and what the removed one was made from is left alone from now on.
fn forget(one: Removal, page: &mut PageOutcome) {
    let source = match one.side {
        Side::Crm => (Side::Mailbox, one.key),
        Side::Mailbox => (Side::Crm, record_key(&one.crm)),
    };
    page.unlinked.push(one.key);
    page.settled.push(source);
    page.skipped.push((source.0, source.1, Reason::Undone));
    page.journal.push(Entry {
        side: one.side,
        act: Act::DeletedAsApproved,
        key: one.key,
        item: None,
        crm: Some(one.crm),
    });
}
