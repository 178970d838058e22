//! Counterparts of items that are not linked.

use super::pending::Pending;
use crate::crm::model::{CrmChange, CrmId, CrmRecord, WhoKind};
use crate::foundation::db::Db;
use crate::record::Record;
use crate::record::kind::RecordKind;
use crate::record::person::address_key;
use crate::sync::choice::model::{Candidates, Stage, State};
use crate::sync::error::SyncError;
use crate::sync::keys::item_key;
use crate::sync::model::{ItemKey, Link, Scope, Side};
use crate::sync::store::links;
use crate::sync::stream::{LookedItem, Stream};
use std::collections::{HashMap, HashSet};

/// What was found for the items of a page.
#[derive(Default)]
pub(super) struct Counterparts {
    /// The counterpart of each item that has one.
    pub(super) found: HashMap<ItemKey, CrmRecord>,
    /// What others may be the same as; a person is to say.
    pub(super) open: HashMap<ItemKey, Candidates>,
}

/// Finds the CRM's counterparts of items that are not linked: the record whose stamp an item carries (we
/// made the item and crashed before we could remember it), the record that carries the item's key (we made the
/// record, likewise), the one that a person chose, the contact with the same address, or a record that was there before
/// us and is alike. Where the policy asks, only what is certain counts.
///
/// A keyed record must not wait for the create to meet it: where that create fails, the record would be taken for
/// one that the mailbox does not have yet, and where it meets it, the feed's view of it is the older one.
pub(super) async fn find_counterparts(
    db: &Db,
    stream: &Stream,
    looked: &[LookedItem],
    known: &HashMap<ItemKey, Link>,
    pending: &mut Pending,
) -> Result<Counterparts, SyncError> {
    let unlinked: Vec<&LookedItem> = looked
        .iter()
        .filter(|item| !known.contains_key(&item_key(&item.item.id)))
        .collect();
    let mut found = made_by_us(db, stream, unlinked.iter().copied(), pending).await?;
    let mut open = HashMap::new();
    let state = |item: &LookedItem| stream.choices.state(item_key(&item.item.id));
    let accepted = unlinked.iter().filter_map(|item| {
        let key = item_key(&item.item.id);
        let chosen = stream.choices.get(Side::Mailbox, key)?.chosen.clone()?;
        Some((key, vec![chosen]))
    });
    let accepted: Vec<_> = accepted.filter(|(key, _)| !found.contains_key(key)).collect();
    first_free(db, stream, accepted, pending, &mut found).await?;
    if stream.kind() == RecordKind::Contacts {
        let by_address = unlinked.iter().copied().filter(|item| {
            let undecided = matches!(state(item), None | Some(State::Held));
            undecided && !found.contains_key(&item_key(&item.item.id))
        });
        let wanted = contacts_by_address(stream, by_address);
        let wanted = only_sure(db, stream, wanted, &mut open).await?;
        first_free(db, stream, wanted, pending, &mut found).await?;
    }
    let rest: Vec<&LookedItem> = unlinked
        .into_iter()
        .filter(|item| {
            let key = item_key(&item.item.id);
            state(item).is_none() && !found.contains_key(&key) && !open.contains_key(&key)
        })
        .collect();
    match stream.choices.asks {
        true => candidates(db, stream, &rest, pending, &mut open).await?,
        false => look_alikes(db, stream, &rest, pending, &mut found).await?,
    }
    Ok(Counterparts { found, open })
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

/// Where a person is asked, an address is certain as long as one record has it, and one item of the page; of the others
/// the person says which is meant.
async fn only_sure(
    db: &Db,
    stream: &Stream,
    wanted: Vec<(ItemKey, Vec<CrmId>)>,
    open: &mut HashMap<ItemKey, Candidates>,
) -> Result<Vec<(ItemKey, Vec<CrmId>)>, SyncError> {
    if stream.choices.is_empty() {
        return Ok(wanted);
    }
    let ids: Vec<CrmId> = wanted.iter().flat_map(|(_, ids)| ids.iter().cloned()).collect();
    let taken = linked_records(db, stream, ids.clone()).await?;
    let mut claims: HashMap<CrmId, usize> = HashMap::new();
    for id in ids {
        *claims.entry(id).or_default() += 1;
    }
    let mut sure = Vec::new();
    for (key, ids) in wanted {
        if !stream.choices.asks && stream.choices.state(key).is_none() {
            sure.push((key, ids));
            continue;
        }
        let free: Vec<CrmId> = ids.into_iter().filter(|id| !taken.contains(id)).collect();
        match free.as_slice() {
            [] => {}
            [only] if claims.get(only) == Some(&1) => sure.push((key, free)),
            _ => {
                let stage = Stage::Address;
                open.insert(key, Candidates { stage, records: free });
            }
        }
    }
    Ok(sure)
}

/// What items may be the same as, for a person to say.
async fn candidates(
    db: &Db,
    stream: &Stream,
    items: &[&LookedItem],
    pending: &Pending,
    open: &mut HashMap<ItemKey, Candidates>,
) -> Result<(), SyncError> {
    let found: Vec<(ItemKey, Vec<(Stage, CrmId)>)> = strangers(stream, items)
        .map(|item| (item_key(&item.item.id), pending.alike(&item.record)))
        .filter(|(_, alike)| !alike.is_empty())
        .collect();
    let ids: Vec<CrmId> = found
        .iter()
        .flat_map(|(_, alike)| alike.iter().map(|(_, id)| id.clone()))
        .collect();
    let taken = linked_records(db, stream, ids).await?;
    for (key, alike) in found {
        let mut records: Vec<CrmId> = Vec::new();
        let mut stage = None;
        for (by, id) in alike.into_iter().filter(|(_, id)| !taken.contains(id)) {
            stage.get_or_insert(by);
            if !records.contains(&id) {
                records.push(id);
            }
        }
        open.extend(stage.map(|stage| (key, Candidates { stage, records })));
    }
    Ok(())
}

/// Of what carries our stamp we know what it is, as long as the CRM is the same; what takes no part is like nothing.
fn strangers<'a>(stream: &Stream, items: &'a [&'a LookedItem]) -> impl Iterator<Item = &'a LookedItem> {
    let ours = |item: &LookedItem| item.stamp.as_ref().is_some_and(|stamp| !stamp.0.is_empty());
    let items = items.iter().copied();
    let refreshed = stream.refreshed;
    items.filter(move |item| item.seen.scope == Scope::In && (refreshed || !ours(item)))
}

/// Finds the records that were there before us and are like these unlinked items. What waits for a person as somebody's
/// counterpart is nobody else's.
pub(super) async fn look_alikes(
    db: &Db,
    stream: &Stream,
    items: &[&LookedItem],
    pending: &mut Pending,
    found: &mut HashMap<ItemKey, CrmRecord>,
) -> Result<(), SyncError> {
    let free = |(_, id): (Stage, CrmId)| (!stream.choices.is_claimed(&id)).then_some(id);
    let wanted: Vec<(ItemKey, Vec<CrmId>)> = strangers(stream, items)
        .map(|item| {
            let alike = pending.alike(&item.record).into_iter();
            (
                item_key(&item.item.id),
                alike.filter_map(free).collect::<Vec<_>>(),
            )
        })
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
