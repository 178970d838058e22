//! Reading items, and looking at what was read.

use crate::crm::model::{CrmChange, CrmRecord};
use crate::foundation::db::Db;
use crate::foundation::failure::Class;
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::{ItemId, MailboxItem};
use crate::sync::error::SyncError;
use crate::sync::model::{Change, ItemKey, Link};
use crate::sync::store::links;
use crate::sync::stream::{LookedRecord, Stream};
use futures_util::stream;
use futures_util::stream::StreamExt as _;
use std::collections::HashMap;

/// Items read in one call, and calls at the same time. Small enough that one slow item does not hold up a
/// page, large enough that a thousand items take few calls.
pub(super) const READ_BATCH: usize = 100;
pub(super) const READS_AT_ONCE: usize = 3;

pub(super) fn look_at_change(stream: &Stream, change: CrmChange) -> Option<LookedRecord> {
    match change {
        CrmChange::Upserted(record) => Some(stream.look_at_record(*record)),
        CrmChange::Deleted(_) => None,
    }
}

/// From "there is news" and "the news is a record" to what the pair and the work want.
pub(super) fn split(looked: Option<Option<LookedRecord>>) -> (Option<Change>, Option<CrmRecord>) {
    match looked {
        None => (None, None),
        Some(None) => (Some(Change::Deleted), None),
        Some(Some(looked)) => (Some(Change::Upserted(looked.seen)), Some(looked.record)),
    }
}

pub(super) type Answer = (ItemId, Result<MailboxItem, MailboxError>);

pub(in crate::sync) async fn read_items(stream: &Stream, ids: Vec<ItemId>) -> Result<Vec<Answer>, SyncError> {
    let batches: Vec<Vec<ItemId>> = ids.chunks(READ_BATCH).map(<[ItemId]>::to_vec).collect();
    let reads = batches.into_iter().map(|batch| async move {
        let answers = stream
            .server
            .read(&stream.row.mailbox, stream.kind(), &batch)
            .await?;
        Ok::<Vec<Answer>, MailboxError>(batch.into_iter().zip(answers).collect())
    });
    let mut all = Vec::new();
    let mut running = stream::iter(reads).buffered(READS_AT_ONCE);
    while let Some(batch) = running.next().await {
        for (id, answer) in batch? {
            match answer {
                // What concerns the whole mailbox ends the turn, though it came with one item.
                Err(error) if error.class().stops_the_turn() => return Err(error.into()),
                answer => all.push((id, answer)),
            }
        }
    }
    Ok(all)
}

/// The links of these items.
pub(super) async fn links_of(
    db: &Db,
    stream: &Stream,
    keys: Vec<ItemKey>,
) -> Result<HashMap<ItemKey, Link>, SyncError> {
    let id = stream.id;
    let links = db
        .run_for(id.mailbox, move |conn| links::by_keys(conn, id, &keys))
        .await?;
    Ok(links.into_iter().map(|link| (link.key, link)).collect())
}

/// Those of these links whose items the server does not have any more.
///
/// # Errors
/// Those of a read as a whole.
pub(super) async fn whose_item_is_gone(stream: &Stream, links: Vec<Link>) -> Result<Vec<Link>, SyncError> {
    let mut by_item: HashMap<ItemId, Link> = links
        .into_iter()
        .filter_map(|link| Some((link.item.clone()?, link)))
        .collect();
    let mut gone = Vec::new();
    for (item, answer) in read_items(stream, by_item.keys().cloned().collect()).await? {
        if answer.is_err_and(|error| error.class() == Class::Gone) {
            gone.extend(by_item.remove(&item));
        }
    }
    Ok(gone)
}
