//! What is looked at though neither feed tells of it: failures whose time has come or whose counterpart is deleted, and
//! what lay beyond the window.

use super::ahead::{items_ahead, records_ahead};
use super::pending::Pending;
use crate::crm::model::CrmId;
use crate::mailbox::model::{ItemChange, ItemId, ItemRef, ItemVersion};
use crate::sync::error::SyncError;
use crate::sync::keys::item_key;
use crate::sync::model::{ItemKey, Side};
use crate::sync::store::ahead::Ahead;
use crate::sync::store::outcome::Due;
use crate::sync::stream::Stream;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Reads the records of which the CRM's feed tells nothing and whose time has come.
///
/// # Errors
/// The CRM's.
pub async fn read_due(
    stream: &Stream,
    failures: &[Due],
    ahead: &[Ahead],
    pending: &mut Pending,
) -> Result<(), SyncError> {
    let mut due = due_records(failures);
    due.extend(records_ahead(ahead));
    pending.read(stream, &due).await
}

/// The items to look at whatever the mailbox's feed tells of them. The CRM's changes are known by then.
pub fn due_items(failures: &[Due], ahead: &[Ahead], pending: &Pending) -> Vec<ItemId> {
    let due = failures.iter().filter(|failure| failure.due);
    let due = due.filter(|failure| failure.side == Side::Mailbox);
    let mut items: Vec<ItemId> = due.filter_map(|failure| failure.item.clone()).collect();
    items.extend(items_of_deleted(failures, pending));
    items.extend(items_ahead(ahead));
    items
}

/// A page of the mailbox's feed as it is looked at: with these items as well, and with the records of what failed and is
/// deleted now.
///
/// # Errors
/// The CRM's.
pub async fn page_with_due(
    stream: &Stream,
    failures: &[Due],
    changes: Vec<ItemChange>,
    again: Vec<ItemId>,
    pending: &mut Pending,
) -> Result<(Vec<ItemChange>, HashSet<ItemKey>), SyncError> {
    let orphans = records_of_deleted(failures, &changes);
    pending.read(stream, &orphans).await?;
    Ok(with_retries(changes, again))
}

/// The CRM's records among failures that are due. Those of items too: where an item was to be joined with a record and is
/// gone by now, nobody else would tell of the record again.
fn due_records(failures: &[Due]) -> Vec<CrmId> {
    let due = failures.iter().filter(|failure| failure.due);
    let records: BTreeSet<&CrmId> = due.filter_map(|failure| failure.crm.as_ref()).collect();
    records.into_iter().cloned().collect()
}

/// The records of pairs that failed and whose items are deleted now. What the CRM's feed told of them was for the attempt
/// that failed.
fn records_of_deleted(failures: &[Due], changes: &[ItemChange]) -> Vec<CrmId> {
    let deleted = changes.iter().filter_map(|change| match change {
        ItemChange::Deleted(id) => Some(id),
        ItemChange::Upserted(_) => None,
    });
    let deleted: HashSet<&ItemId> = deleted.collect();
    let is_deleted = |failure: &&Due| failure.item.as_ref().is_some_and(|id| deleted.contains(id));
    let records = failures.iter().filter(is_deleted);
    records.filter_map(|failure| failure.crm.clone()).collect()
}

/// The items of pairs that failed and whose records are deleted now: the edit that failed is still in them.
fn items_of_deleted(failures: &[Due], pending: &Pending) -> Vec<ItemId> {
    let is_deleted = |failure: &&Due| failure.crm.as_ref().is_some_and(|id| pending.says_deleted(id));
    let items = failures.iter().filter(is_deleted);
    items.filter_map(|failure| failure.item.clone()).collect()
}

/// Which item a change is about.
pub fn key_of(change: &ItemChange) -> ItemKey {
    let (ItemChange::Upserted(ItemRef { id, .. }) | ItemChange::Deleted(id)) = change;
    item_key(id)
}

/// Adds items that failed before to a page, unless the page has news of them anyway.
fn with_retries(mut changes: Vec<ItemChange>, again: Vec<ItemId>) -> (Vec<ItemChange>, HashSet<ItemKey>) {
    let present: HashSet<ItemKey> = changes.iter().map(key_of).collect();
    let forced: HashSet<ItemKey> = again.iter().map(item_key).collect();
    let fresh: HashMap<ItemKey, ItemId> = again
        .into_iter()
        .map(|id| (item_key(&id), id))
        .filter(|(key, _)| !present.contains(key))
        .collect();
    changes.extend(fresh.into_values().map(|id| {
        ItemChange::Upserted(ItemRef {
            id,
            version: ItemVersion(String::new()),
        })
    }));
    (changes, forced)
}
