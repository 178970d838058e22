//! Counterparts of items that are not linked.

use super::pending::Pending;
use crate::crm::model::{CrmChange, CrmId, CrmRecord, WhoKind};
use crate::foundation::db::Db;
use crate::record::Record;
use crate::record::kind::RecordKind;
use crate::record::person::address_key;
use crate::sync::error::SyncError;
use crate::sync::keys::item_key;
use crate::sync::model::{ItemKey, Link, Scope};
use crate::sync::store::links;
use crate::sync::stream::{LookedItem, Stream};
use std::collections::{HashMap, HashSet};

/// Finds the CRM's counterparts of items that are not linked: the record whose stamp an item carries (we
/// made the item and crashed before we could remember it), the record that carries the item's key (we made the
/// record, likewise), the contact with the same address, or a record that was there before us and is alike.
///
/// A keyed record must not wait for the create to meet it: where that create fails, the record would be taken for
/// one that the mailbox does not have yet, and where it meets it, the feed's view of it is the older one.
pub(super) async fn find_counterparts(
    db: &Db,
    stream: &Stream,
    looked: &[LookedItem],
    known: &HashMap<ItemKey, Link>,
    pending: &mut Pending,
) -> Result<HashMap<ItemKey, CrmRecord>, SyncError> {
    let unlinked = || {
        looked
            .iter()
            .filter(|item| !known.contains_key(&item_key(&item.item.id)))
    };
    let mut found = made_by_us(db, stream, unlinked(), pending).await?;
    if stream.kind() == RecordKind::Contacts {
        let by_address = unlinked().filter(|item| !found.contains_key(&item_key(&item.item.id)));
        let wanted = contacts_by_address(stream, by_address);
        first_free(db, stream, wanted, pending, &mut found).await?;
    }
    let rest: Vec<&LookedItem> = unlinked()
        .filter(|item| !found.contains_key(&item_key(&item.item.id)))
        .collect();
    look_alikes(db, stream, &rest, pending, &mut found).await?;
    Ok(found)
}

/// Finds the records of these unlinked items among those that we made, or that we made the items of.
pub(super) async fn made_by_us(
    db: &Db,
    stream: &Stream,
    unlinked: impl Iterator<Item = &LookedItem>,
    pending: &mut Pending,
) -> Result<HashMap<ItemKey, CrmRecord>, SyncError> {
    let mut found = HashMap::new();
    let mut ours = Vec::new();
    for item in unlinked {
        let by_stamp = item.stamp.as_ref().and_then(|stamp| pending.take_stamped(stamp));
        let own_key = || stream.keys.external(&item.record, &item.item.id);
        if let Some(record) = by_stamp.or_else(|| pending.take_keyed(&own_key())) {
            ours.push((item_key(&item.item.id), record));
        }
    }
    let ids: Vec<CrmId> = ours.iter().map(|(_, record)| record.id.clone()).collect();
    let mut taken = linked_records(db, stream, ids).await?;
    for (key, record) in ours {
        // A copy that a person made of a stamped item carries the stamp too; it is a new item.
        if taken.insert(record.id.clone()) {
            found.insert(key, record);
        } else {
            pending.add(stream, CrmChange::Upserted(Box::new(record)));
        }
    }
    Ok(found)
}

/// Finds the records that were there before us and are like these unlinked items.
pub(super) async fn look_alikes(
    db: &Db,
    stream: &Stream,
    items: &[&LookedItem],
    pending: &mut Pending,
    found: &mut HashMap<ItemKey, CrmRecord>,
) -> Result<(), SyncError> {
    let ours = |item: &LookedItem| item.stamp.as_ref().is_some_and(|stamp| !stamp.0.is_empty());
    let wanted: Vec<(ItemKey, Vec<CrmId>)> = items
        .iter()
        .filter(|item| item.seen.scope == Scope::In && !ours(item))
        .map(|item| (item_key(&item.item.id), pending.alike(&item.record)))
        .filter(|(_, records)| !records.is_empty())
        .collect();
    first_free(db, stream, wanted, pending, found).await
}

/// For each item the CRM's contacts with its address, oldest first.
pub(super) fn contacts_by_address<'a>(
    stream: &Stream,
    items: impl Iterator<Item = &'a LookedItem>,
) -> Vec<(ItemKey, Vec<CrmId>)> {
    items
        .filter_map(|item| {
            let Record::Contact(contact) = &item.record else {
                return None;
            };
            let found = stream.known.get(&address_key(contact.email.expose()))?;
            let contacts = found.who.iter().filter(|who| who.kind == WhoKind::Contact);
            Some((
                item_key(&item.item.id),
                contacts.map(|who| who.id.clone()).collect(),
            ))
        })
        .collect()
}

/// Gives each item the first of its records that no other item has.
pub(super) async fn first_free(
    db: &Db,
    stream: &Stream,
    wanted: Vec<(ItemKey, Vec<CrmId>)>,
    pending: &mut Pending,
    found: &mut HashMap<ItemKey, CrmRecord>,
) -> Result<(), SyncError> {
    let ids: Vec<CrmId> = wanted.iter().flat_map(|(_, ids)| ids.iter().cloned()).collect();
    let mut taken = linked_records(db, stream, ids).await?;
    taken.extend(found.values().map(|record| record.id.clone()));
    let mut chosen = Vec::new();
    for (key, ids) in wanted {
        if let Some(id) = ids.into_iter().find(|id| !taken.contains(id)) {
            taken.insert(id.clone());
            chosen.push((key, id));
        }
    }
    let (here, elsewhere): (Vec<_>, Vec<_>) = chosen.into_iter().partition(|(_, id)| pending.has(id));
    for (key, id) in here {
        if let Some(CrmChange::Upserted(record)) = pending.take(&id) {
            found.insert(key, *record);
        }
    }
    if !elsewhere.is_empty() {
        let ids: Vec<CrmId> = elsewhere.iter().map(|(_, id)| id.clone()).collect();
        let records = stream.crm.read(&stream.row.user, stream.kind(), &ids).await?;
        found.extend(
            elsewhere
                .into_iter()
                .zip(records)
                .filter_map(|((key, _), record)| Some((key, record?))),
        );
    }
    Ok(())
}

pub(super) async fn linked_records(
    db: &Db,
    stream: &Stream,
    ids: Vec<CrmId>,
) -> Result<HashSet<CrmId>, SyncError> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let id = stream.id;
    let links = db
        .run_for(id.mailbox, move |conn| links::by_crm(conn, id, &ids))
        .await?;
    Ok(links.into_iter().map(|link| link.crm).collect())
}
