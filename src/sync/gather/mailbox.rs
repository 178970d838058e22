//! One page of the mailbox's changes.

use super::counterparts::{Counterparts, find_counterparts};
use super::kept::as_kept;
use super::left::{mark_copies, with_records};
use super::lost::take_over_lost;
use super::moved::{forget_replaced, take_over, take_over_ahead};
use super::occurrence::goes_along;
use super::pending::Pending;
use super::read::{look_at_change, read_items, split};
use super::work::{ChangedSeries, EndedSeries, Gathered, Work};
use crate::crm::model::{CrmId, CrmRecord};
use crate::foundation::db::Db;
use crate::foundation::explain::Explain as _;
use crate::foundation::failure::Class;
use crate::mailbox::model::{ItemChange, ItemId, ItemRef, ItemVersion, MailboxItem};
use crate::record::Record;
use crate::record::event::{Place, When};
use crate::record::kind::RecordKind;
use crate::sync::conflict::base_of_copy;
use crate::sync::error::SyncError;
use crate::sync::filing;
use crate::sync::keys::{item_key, version};
use crate::sync::model::{Change, ItemKey, Link, Pair, Side};
use crate::sync::store::series::SeriesRow;
use crate::sync::store::{links, series};
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
    let (mut known, mut rows) = remembered(db, stream, &changes).await?;
    meet_again(stream, &known, again, pending).await?;
    let (mut to_read, mut deleted) = (Vec::new(), Vec::new());
    let anew = stream.judges_anew();
    for change in changes {
        match change {
            ItemChange::Deleted(id) => {
                if let Some(row) = rows.remove(&item_key(&id)) {
                    gathered.series.ended.push(EndedSeries { row, kept: None });
                }
                deleted.push(id);
            }
            ItemChange::Upserted(item) => {
                let key = item_key(&item.id);
                let forced = anew || again.contains(&key);
                if is_judged(rows.get(&key), &item.version) && !forced {
                    continue;
                }
                let ours = known
                    .get(&key)
                    .is_some_and(|link| link.version == version(&item.version) && !pending.has(&link.crm));
                if !ours || forced {
                    to_read.push(item.id);
                }
            }
        }
    }
    let mut items = Vec::with_capacity(to_read.len());
    for (id, answer) in read_items(stream, to_read).await? {
        match answer {
            Ok(item) if is_series(&item.record) => {
                let key = item_key(&item.item.id);
                gathered.series.changed.push(ChangedSeries {
                    row: rows.remove(&key),
                    was_single: known.remove(&key),
                    forced: anew || again.contains(&key),
                    item: item.item.id,
                });
            }
            Ok(item) => items.push(item),
            Err(error) if error.class() == Class::Gone => deleted.push(id),
            Err(error) => gathered.unreadable.push((id, error.code(), error.class())),
        }
    }
    single_again(db, stream, &items, rows, &mut known, &mut gathered).await?;
    let records: Vec<&Record> = items.iter().map(|item| &item.record).collect();
    stream.ask_about(&records).await?;
    filing::ask(stream, &records).await?;
    let looked: Vec<LookedItem> = items.into_iter().map(|item| stream.look_at_item(item)).collect();
    take_over(stream, &looked, &deleted, &mut known);
    take_over_ahead(db, stream, &looked, &mut known, pending).await?;
    take_over_lost(db, stream, &looked, &mut known).await?;
    for id in &deleted {
        gone(id, &mut known, pending, stream, &mut gathered);
    }
    works(db, stream, looked, known, pending, &mut gathered).await?;
    Ok(gathered)
}

/// Reads the records of linked items that are tried again. The CRM's feed told of their news when the first attempt
/// failed, and will not do so twice: without them one side's edit would be taken for the only one, and the policy's
/// conflict rule never asked.
async fn meet_again(
    stream: &Stream,
    known: &HashMap<ItemKey, Link>,
    again: &HashSet<ItemKey>,
    pending: &mut Pending,
) -> Result<(), SyncError> {
    let links = again.iter().filter_map(|key| known.get(key));
    let ids: Vec<CrmId> = links
        .map(|link| link.crm.clone())
        .filter(|id| !pending.has(id))
        .collect();
    pending.read(stream, &ids).await
}

/// The works of items that were read.
async fn works(
    db: &Db,
    stream: &Stream,
    looked: Vec<LookedItem>,
    mut known: HashMap<ItemKey, Link>,
    pending: &mut Pending,
    gathered: &mut Gathered,
) -> Result<(), SyncError> {
    forget_replaced(stream, &looked, &mut known, pending);
    let Counterparts { mut found, open } = find_counterparts(db, stream, &looked, &known, pending).await?;
    gathered.candidates.extend(open);
    for item in looked {
        let key = item_key(&item.item.id);
        gathered.note(&item);
        gathered
            .errands
            .extend(item.errand.map(|errand| (item.item.id.clone(), errand)));
        let work = match known.remove(&key) {
            Some(link) => linked_work(stream, item, link, pending),
            None => unlinked_work(stream, item, found.remove(&key)),
        };
        gathered.works.push(work);
    }
    with_records(stream, &mut gathered.works).await
}

fn is_series(record: &Record) -> bool {
    matches!(record, Record::Event(event) if event.place == Place::Master)
}

/// True for a series at the version at which all of its dates were judged.
fn is_judged(row: Option<&SeriesRow>, now: &ItemVersion) -> bool {
    row.is_some_and(|row| row.version != 0 && row.version == version(now))
}

/// A series that became a single meeting takes over the link of its date of the same day; the others end.
async fn single_again(
    db: &Db,
    stream: &Stream,
    items: &[MailboxItem],
    mut rows: HashMap<ItemKey, SeriesRow>,
    known: &mut HashMap<ItemKey, Link>,
    gathered: &mut Gathered,
) -> Result<(), SyncError> {
    for item in items {
        let key = item_key(&item.item.id);
        let (Some(row), Record::Event(event)) = (rows.remove(&key), &item.record) else {
            continue;
        };
        let day = match &event.when {
            When::AllDay { first, .. } => *first,
            When::Timed { start, .. } => match event.zone {
                Some(zone) => start.with_timezone(&zone).date_naive(),
                None => start.date_naive(),
            },
        };
        let (id, date) = (stream.id, item_key(&row.date(day)));
        let link = db
            .run_for(id.mailbox, move |conn| links::by_keys(conn, id, &[date]))
            .await?
            .pop();
        let kept = link.is_some().then_some(day);
        if let Some(link) = link {
            known.entry(key).or_insert(link);
        }
        gathered.series.ended.push(EndedSeries { row, kept });
    }
    Ok(())
}

/// The links of a page's items, and what is remembered of those that are series.
async fn remembered(
    db: &Db,
    stream: &Stream,
    changes: &[ItemChange],
) -> Result<(HashMap<ItemKey, Link>, HashMap<ItemKey, SeriesRow>), SyncError> {
    let keys: Vec<ItemKey> = changes
        .iter()
        .map(|change| match change {
            ItemChange::Upserted(item) => item_key(&item.id),
            ItemChange::Deleted(id) => item_key(id),
        })
        .collect();
    let id = stream.id;
    let (links, rows) = db
        .run_for(id.mailbox, move |conn| {
            let rows = match id.kind {
                RecordKind::Calendar => series::by_keys(conn, id, &keys)?,
                _ => Vec::new(),
            };
            Ok::<_, SyncError>((links::by_keys(conn, id, &keys)?, rows))
        })
        .await?;
    Ok((
        links.into_iter().map(|link| (link.key, link)).collect(),
        rows.into_iter().map(|row| (row.key(), row)).collect(),
    ))
}

pub(super) fn gone(
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
        ours: None,
    });
}

pub(super) fn linked_work(stream: &Stream, item: LookedItem, link: Link, pending: &mut Pending) -> Work {
    let looked = pending
        .take(&link.crm)
        .map(|change| look_at_change(stream, change));
    let (crm_change, crm_record) = split(looked);
    let crm_change = crm_change.unwrap_or_else(|| Change::Upserted(stream.quiet_record(&link)));
    let stamp = item.stamp;
    let mut work = Work {
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
        ours: None,
    };
    mark_copies(stream, &mut work, stamp.as_ref());
    goes_along(&mut work);
    as_kept(stream, &mut work);
    work
}

/// The work of an unlinked item, with the counterpart that was found for it.
pub fn unlinked_work(stream: &Stream, item: LookedItem, counterpart: Option<CrmRecord>) -> Work {
    let looked = counterpart.map(|record| stream.look_at_record(record));
    let ours = looked.as_ref().and_then(|record| {
        let stamp = stream.keys.stamp(stream.kind(), &record.record.id);
        if item.stamp.as_ref() == Some(&stamp) {
            return Some(Side::Mailbox);
        }
        let key = stream.keys.external(&item.record, &item.item.id);
        (record.record.key.as_ref() == Some(&key)).then_some(Side::Crm)
    });
    let base = looked.as_ref().zip(ours).and_then(|(record, side)| match side {
        Side::Mailbox => base_of_copy(&record.seen, &item.seen, stream.mailbox_creatable()),
        Side::Crm => base_of_copy(&item.seen, &record.seen, stream.crm_writable()),
    });
    let (crm_change, crm_record) = split(looked.map(Some));
    Work {
        pair: Pair {
            base,
            mailbox: Some(Change::Upserted(item.seen)),
            crm: crm_change,
        },
        link: None,
        item: Some(item.item),
        item_record: Some(item.record),
        crm: crm_record.as_ref().map(|record| record.id.clone()),
        crm_record,
        origin: Side::Mailbox,
        ours,
    }
}
