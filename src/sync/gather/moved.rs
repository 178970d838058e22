//! Items that got another id: thrown away and taken back, or moved out of their folder and in again. The feed tells
//! of a deletion and of a new item. To follow it to the letter would delete a record, with all that hangs on it in
//! the CRM, and make it anew; so the new item takes over the link.

use super::pending::Pending;
use super::read::whose_item_is_gone;
use crate::crm::model::CrmId;
use crate::foundation::db::Db;
use crate::mailbox::model::ItemId;
use crate::record::field::FieldSet;
use crate::sync::error::SyncError;
use crate::sync::keys::item_key;
use crate::sync::model::{ItemKey, Link, Scope};
use crate::sync::store::links;
use crate::sync::stream::{LookedItem, Stream};
use std::collections::{HashMap, HashSet};

/// Gives the links of items that are gone to new items that are the same. An item that we made says so by its stamp,
/// one that its owner made by having every field as it was when both sides were last in step.
pub(super) fn take_over(
    stream: &Stream,
    looked: &[LookedItem],
    deleted: &[ItemId],
    known: &mut HashMap<ItemKey, Link>,
) {
    let mut free: Vec<ItemKey> = deleted
        .iter()
        .map(item_key)
        .filter(|key| known.contains_key(key))
        .collect();
    let new: HashSet<ItemKey> = looked.iter().map(|item| item_key(&item.item.id)).collect();
    free.retain(|key| !new.contains(key));
    for item in looked.iter().filter(|item| item.seen.scope == Scope::In) {
        let key = item_key(&item.item.id);
        if free.is_empty() || known.contains_key(&key) {
            continue;
        }
        let same = |old: &&ItemKey| {
            known
                .get(*old)
                .is_some_and(|link| is_the_same(stream, item, link))
        };
        let Some(old) = free.iter().find(same).copied() else {
            continue;
        };
        free.retain(|key| *key != old);
        if let Some(link) = known.remove(&old) {
            known.insert(key, link);
        }
    }
}

/// Gives the link of an item that is gone to the new item that carries its record's stamp, where the feed tells of the
/// new one a page before it tells of the deletion: made again for a record that was edited, say, and cut off before we
/// could remember it. Else it would be taken for a copy that a person made, which is a new item.
///
/// # Errors
/// The database's, and those of a read of the items in question as a whole.
pub(super) async fn take_over_ahead(
    db: &Db,
    stream: &Stream,
    looked: &[LookedItem],
    known: &mut HashMap<ItemKey, Link>,
    pending: &Pending,
) -> Result<(), SyncError> {
    let unlinked = looked.iter().filter(|item| item.seen.scope == Scope::In);
    let mut stamped: HashMap<CrmId, ItemKey> = unlinked
        .map(|item| (item_key(&item.item.id), item))
        .filter(|(key, _)| !known.contains_key(key))
        .filter_map(|(key, item)| Some((pending.stamped(item.stamp.as_ref()?)?.clone(), key)))
        .collect();
    if stamped.is_empty() {
        return Ok(());
    }
    let (id, records) = (stream.id, stamped.keys().cloned().collect::<Vec<_>>());
    let linked = db
        .run_for(id.mailbox, move |conn| links::by_crm(conn, id, &records))
        .await?;
    for link in whose_item_is_gone(stream, linked).await? {
        if let Some(key) = stamped.remove(&link.crm) {
            known.insert(key, link);
        }
    }
    Ok(())
}

/// Forgets the link of an item whose record was deleted, where another record carries the item's own key: made again for
/// an item that was edited, and cut off before we could remember it. The item is met by that one then; else that one
/// would be taken for a record that the mailbox does not have yet.
pub(super) fn forget_replaced(
    stream: &Stream,
    looked: &[LookedItem],
    known: &mut HashMap<ItemKey, Link>,
    pending: &mut Pending,
) {
    for item in looked {
        let key = item_key(&item.item.id);
        let Some(link) = known.get(&key).filter(|link| pending.says_deleted(&link.crm)) else {
            continue;
        };
        if pending.keyed(&stream.keys.external(&item.record, &item.item.id)) {
            pending.take(&link.crm);
            known.remove(&key);
        }
    }
}

fn is_the_same(stream: &Stream, item: &LookedItem, link: &Link) -> bool {
    match item.stamp.as_ref().filter(|stamp| !stamp.0.is_empty()) {
        Some(stamp) => *stamp == stream.keys.stamp(stream.kind(), &link.crm),
        None => {
            link.base.fields() != FieldSet::NONE && link.base.differing(&item.seen.prints) == FieldSet::NONE
        }
    }
}
