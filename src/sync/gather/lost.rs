//! A mailbox that was restored, moved or made anew: every item in it has another id. The server does not accept the
//! cursor any more, the feed is read from its start, and shows nothing but items that nobody knows; to take them for new
//! ones would double every record, and the old ones would look deleted.
//!
//! So as long as a feed is read from its start, an item that is not linked takes over the link of one that is gone and was
//! the same: we made it and its stamp says of which record, or every field is as it was when both sides were last in step,
//! or it is the card of a person whom the CRM knows by that address. Whether the other is gone is asked of the server, so
//! that a copy that a person made takes nothing over.

use super::counterparts::contacts_by_address;
use super::read::whose_item_is_gone;
use crate::foundation::db::Db;
use crate::record::kind::RecordKind;
use crate::sync::anchors::Anchors;
use crate::sync::error::SyncError;
use crate::sync::keys::item_key;
use crate::sync::model::{ItemKey, Link, Scope};
use crate::sync::store::links;
use crate::sync::stream::{LookedItem, Stream};
use std::collections::{HashMap, HashSet};

/// Links loaded at once.
const BATCH: i64 = 2_000;

/// Loads what the items of a stream are known by.
///
/// # Errors
/// The database's.
pub async fn anchors(db: &Db, stream: &Stream) -> Result<Option<Anchors>, SyncError> {
    // Mail is found again by its Message-ID, and is never written anyway.
    if stream.kind() == RecordKind::Mail {
        return Ok(None);
    }
    let mut anchors = Anchors::default();
    let (id, mut behind) = (stream.id, None);
    loop {
        let links = db
            .run_for(id.mailbox, move |conn| links::behind(conn, id, behind, BATCH))
            .await?;
        let Some(last) = links.last() else {
            return Ok((!anchors.is_empty()).then_some(anchors));
        };
        behind = Some(last.key);
        for link in &links {
            anchors.add(link, stream.keys.stamp(stream.kind(), &link.crm));
        }
    }
}

/// Gives links of items that are gone to items of this page that are the same.
///
/// # Errors
/// The database's, and those of a read of the items in question as a whole.
pub(super) async fn take_over_lost(
    db: &Db,
    stream: &Stream,
    looked: &[LookedItem],
    known: &mut HashMap<ItemKey, Link>,
) -> Result<(), SyncError> {
    let Some(anchors) = &stream.anchors else {
        return Ok(());
    };
    let unlinked: Vec<&LookedItem> = looked
        .iter()
        .filter(|item| item.seen.scope == Scope::In && !known.contains_key(&item_key(&item.item.id)))
        .collect();
    let mut wanted: Vec<(ItemKey, Vec<ItemKey>)> = unlinked
        .iter()
        .map(|item| {
            let candidates = anchors.candidates(item.stamp.as_ref(), &item.seen.prints);
            (item_key(&item.item.id), candidates)
        })
        .collect();
    add_by_address(db, stream, &unlinked, &mut wanted).await?;
    let mut lost = lost(db, stream, &wanted).await?;
    for (key, candidates) in wanted {
        let found = candidates.iter().find_map(|candidate| lost.remove(candidate));
        if let Some(link) = found {
            known.insert(key, link);
        }
    }
    Ok(())
}

/// Cards of people whom the CRM knows by an address, after what is surer.
async fn add_by_address(
    db: &Db,
    stream: &Stream,
    unlinked: &[&LookedItem],
    wanted: &mut [(ItemKey, Vec<ItemKey>)],
) -> Result<(), SyncError> {
    let people = contacts_by_address(stream, unlinked.iter().copied());
    let ids: Vec<_> = people.iter().flat_map(|(_, ids)| ids.iter().cloned()).collect();
    if stream.kind() != RecordKind::Contacts || ids.is_empty() {
        return Ok(());
    }
    let id = stream.id;
    let linked = db
        .run_for(id.mailbox, move |conn| links::by_crm(conn, id, &ids))
        .await?;
    let by_crm: HashMap<_, ItemKey> = linked.into_iter().map(|link| (link.crm, link.key)).collect();
    for (key, ids) in people {
        let found = ids.iter().filter_map(|id| by_crm.get(id)).copied();
        if let Some((_, candidates)) = wanted.iter_mut().find(|(item, _)| *item == key) {
            candidates.extend(found);
        }
    }
    Ok(())
}

/// Those of the candidates' links whose items are gone.
async fn lost(
    db: &Db,
    stream: &Stream,
    wanted: &[(ItemKey, Vec<ItemKey>)],
) -> Result<HashMap<ItemKey, Link>, SyncError> {
    let keys: HashSet<ItemKey> = wanted.iter().flat_map(|(_, keys)| keys.iter().copied()).collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let (id, keys) = (stream.id, keys.into_iter().collect::<Vec<_>>());
    let found = db
        .run_for(id.mailbox, move |conn| links::by_keys(conn, id, &keys))
        .await?;
    let gone = whose_item_is_gone(stream, found).await?;
    Ok(gone.into_iter().map(|link| (link.key, link)).collect())
}
