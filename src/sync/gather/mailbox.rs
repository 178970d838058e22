//! One page of the mailbox's changes.

use super::counterparts::find_counterparts;
use super::pending::Pending;
use super::read::{look_at_change, read_items, split};
use super::work::{Gathered, Work};
use crate::crm::model::CrmRecord;
use crate::foundation::db::Db;
use crate::foundation::explain::Explain as _;
use crate::foundation::failure::Class;
use crate::mailbox::model::{ItemChange, ItemId, ItemRef, ItemVersion};
use crate::sync::error::SyncError;
use crate::sync::keys::{item_key, version};
use crate::sync::model::{Change, ItemKey, Link, Pair, Side};
use crate::sync::store::links;
use crate::sync::stream::{LookedItem, Stream};
use std::collections::{HashMap, HashSet};

/// Gathers one page of the mailbox's changes. `again` are items to read whatever their version says.
pub async fn mailbox_page(
    db: &Db,
    stream: &mut Stream,
    changes: Vec<ItemChange>,
    again: &HashSet<ItemKey>,
    pending: &mut Pending,
) -> Result<Gathered, SyncError> {
    let mut gathered = Gathered::default();
    let mut known = links_of_items(db, stream, &changes).await?;
    let mut to_read = Vec::new();
    for change in changes {
        match change {
            ItemChange::Deleted(id) => gone(&id, &mut known, pending, stream, &mut gathered),
            ItemChange::Upserted(item) => {
                let key = item_key(&item.id);
                let ours = known
                    .get(&key)
                    .is_some_and(|link| link.version == version(&item.version) && !pending.has(&link.crm));
                if !ours || again.contains(&key) {
                    to_read.push(item.id);
                }
            }
        }
    }
    let mut items = Vec::with_capacity(to_read.len());
    for (id, answer) in read_items(stream, to_read).await? {
        match answer {
            Ok(item) => items.push(item),
            Err(error) if error.class() == Class::Gone => {
                gone(&id, &mut known, pending, stream, &mut gathered);
            }
            Err(error) => gathered.unreadable.push((id, error.code(), error.class())),
        }
    }
    stream
        .ask_about(&items.iter().map(|item| &item.record).collect::<Vec<_>>())
        .await?;
    let looked: Vec<LookedItem> = items.into_iter().map(|item| stream.look_at_item(item)).collect();
    let mut counterparts = find_counterparts(db, stream, &looked, &known, pending).await?;
    for item in looked {
        let key = item_key(&item.item.id);
        gathered
            .carrying
            .extend(item.carries.then(|| item.item.id.clone()));
        let work = match known.remove(&key) {
            Some(link) => linked_work(stream, item, link, pending),
            None => unlinked_work(stream, item, counterparts.remove(&key)),
        };
        gathered.works.push(work);
    }
    Ok(gathered)
}

async fn links_of_items(
    db: &Db,
    stream: &Stream,
    changes: &[ItemChange],
) -> Result<HashMap<ItemKey, Link>, SyncError> {
    let keys: Vec<ItemKey> = changes
        .iter()
        .map(|change| match change {
            ItemChange::Upserted(item) => item_key(&item.id),
            ItemChange::Deleted(id) => item_key(id),
        })
        .collect();
    let id = stream.id;
    let links = db
        .run_for(id.mailbox, move |conn| links::by_keys(conn, id, &keys))
        .await?;
    Ok(links.into_iter().map(|link| (link.key, link)).collect())
}

fn gone(
    id: &ItemId,
    known: &mut HashMap<ItemKey, Link>,
    pending: &mut Pending,
    stream: &Stream,
    gathered: &mut Gathered,
) {
    let key = item_key(id);
    let Some(link) = known.remove(&key) else {
        gathered.settled.push((Side::Mailbox, key));
        return;
    };
    let looked = pending
        .take(&link.crm)
        .map(|change| look_at_change(stream, change));
    let (crm_change, crm_record) = split(looked);
    gathered.works.push(Work {
        pair: Pair {
            base: Some(link.base.clone()),
            mailbox: Some(Change::Deleted),
            crm: crm_change,
        },
        item: Some(ItemRef {
            id: id.clone(),
            version: ItemVersion(String::new()),
        }),
        item_record: None,
        crm: Some(link.crm.clone()),
        crm_record,
        link: Some(link),
        origin: Side::Mailbox,
    });
}

fn linked_work(stream: &Stream, item: LookedItem, link: Link, pending: &mut Pending) -> Work {
    let looked = pending
        .take(&link.crm)
        .map(|change| look_at_change(stream, change));
    let (crm_change, crm_record) = split(looked);
    let crm_change =
        crm_change.unwrap_or_else(|| Change::Upserted(stream.quiet_record(&link.base, link.crm_modified)));
    Work {
        pair: Pair {
            base: Some(link.base.clone()),
            mailbox: Some(Change::Upserted(item.seen)),
            crm: Some(crm_change),
        },
        item: Some(item.item),
        item_record: Some(item.record),
        crm: Some(link.crm.clone()),
        crm_record,
        link: Some(link),
        origin: Side::Mailbox,
    }
}

/// The work of an unlinked item, with the counterpart that was found for it.
pub fn unlinked_work(stream: &Stream, item: LookedItem, counterpart: Option<CrmRecord>) -> Work {
    let looked = counterpart.map(|record| stream.look_at_record(record));
    let (crm_change, crm_record) = split(looked.map(Some));
    Work {
        pair: Pair {
            base: None,
            mailbox: Some(Change::Upserted(item.seen)),
            crm: crm_change,
        },
        link: None,
        item: Some(item.item),
        item_record: Some(item.record),
        crm: crm_record.as_ref().map(|record| record.id.clone()),
        crm_record,
        origin: Side::Mailbox,
    }
}
