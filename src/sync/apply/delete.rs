//! Deletions, on either side.

use super::applied::{Applied, Failed, called, remains, unlink, wrote};
use super::tell;
use super::write::{CRM_BATCH, MAILBOX_BATCH, chunks, write_crm, write_mailbox};
use crate::crm::model::{CrmId, CrmWrite};
use crate::foundation::explain::Explain as _;
use crate::foundation::failure::Class;
use crate::mailbox::model::{ItemId, MailboxWrite, Notify};
use crate::sync::error::SyncError;
use crate::sync::gather::Work;
use crate::sync::journal::Act;
use crate::sync::model::{Reason, Side};
use crate::sync::stream::Stream;
use std::collections::HashSet;

pub(super) struct Deletion {
    pub(super) work: Work,
    pub(super) side: Side,
    pub(super) because: Option<Reason>,
}

pub(super) async fn delete(
    stream: &Stream,
    deletions: Vec<Deletion>,
    applied: &mut Applied,
) -> Result<(), SyncError> {
    // A record that was linked to another item in this page is in use: only the old link goes.
    let mut in_use: HashSet<CrmId> = applied.page.links.iter().map(|link| link.crm.clone()).collect();
    in_use.extend(applied.again.iter().filter_map(|work| work.crm.clone()));
    let (used, deletions): (Vec<Deletion>, Vec<Deletion>) = deletions
        .into_iter()
        .partition(|deletion| deletion.work.crm.as_ref().is_some_and(|id| in_use.contains(id)));
    used.iter().for_each(|deletion| unlink(&deletion.work, applied));
    let (in_crm, in_mailbox): (Vec<Deletion>, Vec<Deletion>) = deletions
        .into_iter()
        .partition(|deletion| deletion.side == Side::Crm);

    for batch in chunks(in_crm, CRM_BATCH) {
        let writes: Vec<CrmWrite> = batch
            .iter()
            .filter_map(|deletion| {
                Some(CrmWrite::Delete {
                    id: deletion.work.crm.clone()?,
                })
            })
            .collect();
        let answers = write_crm(stream, &writes).await?;
        for (deletion, answer) in batch.into_iter().zip(answers) {
            let answer = answer.map(drop).map_err(|error| (error.class(), error.code()));
            applied.counts.deleted_in_crm += u64::from(answer.is_ok());
            deleted(deletion, answer, applied);
        }
    }
    for batch in chunks(in_mailbox, MAILBOX_BATCH) {
        let items = batch
            .iter()
            .map(|deletion| of_somebody(&deletion.work, deletion.because));
        let news = tell::of_deletions(stream, items.collect()).await?;
        let (writes, batch): (Vec<(MailboxWrite, Notify)>, Vec<Deletion>) = batch
            .into_iter()
            .zip(news)
            .filter_map(|(deletion, news)| {
                let item = deletion.work.item.clone()?.id;
                Some(((MailboxWrite::Delete { item }, news.notify()), deletion))
            })
            .unzip();
        let answers = write_mailbox(stream, writes).await?;
        for (deletion, answer) in batch.into_iter().zip(answers) {
            let answer = answer.map(drop).map_err(|error| (error.class(), error.code()));
            applied.counts.deleted_in_mailbox += u64::from(answer.is_ok());
            deleted(deletion, answer, applied);
        }
    }
    Ok(())
}

/// The item that somebody deleted on the other side. What our own copy is taken away for is no deletion of anybody's.
pub(super) fn of_somebody(work: &Work, because: Option<Reason>) -> Option<ItemId> {
    let item = work.item.as_ref().filter(|_| because.is_none())?;
    Some(item.id.clone())
}

pub(super) fn deleted(deletion: Deletion, answer: Result<(), (Class, &'static str)>, applied: &mut Applied) {
    let Deletion { work, because, side } = deletion;
    // One that was gone already counts too: before a crash it was we who deleted it.
    if let (Ok(()) | Err((Class::Gone, _)), Some(crm)) = (&answer, &work.crm) {
        wrote(&work, side, Act::Deleted, crm, applied);
    }
    match answer {
        // What is gone already needs no deleting.
        Ok(()) | Err((Class::Gone, _)) => {
            unlink(&work, applied);
            if let Some(reason) = because {
                remains(&work, side, reason, applied);
            }
        }
        Err((class, code)) => {
            applied.counts.failed += 1;
            let name = called(&work);
            let Work {
                origin, item, crm, ..
            } = work;
            applied.failed.push(Failed {
                origin,
                item,
                crm,
                code,
                class,
                name,
            });
        }
    }
}
