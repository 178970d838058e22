//! Pairs of which one side takes part no more: which of the two is our copy, and what the CRM has of those of which it
//! told no news.

use super::pending::Pending;
use super::read::{links_of, look_at_change, split};
use super::work::{Gathered, Work};
use crate::crm::model::{CrmId, ExternalKey};
use crate::foundation::db::Db;
use crate::mailbox::model::{ItemId, ItemRef, ItemVersion, Stamp};
use crate::mailbox::series::DateId;
use crate::record::field::FieldSet;
use crate::sync::error::SyncError;
use crate::sync::keys::item_key;
use crate::sync::leaving;
use crate::sync::model::{Change, Link, Pair, Reason, Scope, Seen, Side};
use crate::sync::policy::OutOfScope;
use crate::sync::stream::Stream;

/// Notes which side of a linked pair we made: the record by the item's key on it, the item by the record's stamp.
pub(super) fn mark_copies(stream: &Stream, work: &mut Work, stamp: Option<&Stamp>) {
    let (Some(item), Some(said), Some(crm)) = (&work.item, &work.item_record, &work.crm) else {
        return;
    };
    if let Some(Change::Upserted(seen)) = &mut work.pair.mailbox {
        seen.copy = stamp == Some(&stream.keys.stamp(stream.kind(), crm));
    }
    let key = work.crm_record.as_ref().and_then(|record| record.key.as_ref());
    if let (Some(Change::Upserted(seen)), Some(key)) = (&mut work.pair.crm, key) {
        seen.copy = *key == stream.keys.external(said, &item.id);
    }
}

/// Reads the records of works whose item left, where the policy wants something done about them: as long as the record
/// was not looked at, nobody knows whether it is a copy.
///
/// # Errors
/// The CRM's.
pub(super) async fn with_records(stream: &Stream, works: &mut [Work]) -> Result<(), SyncError> {
    if stream.common.out_of_scope == OutOfScope::Keep {
        return Ok(());
    }
    let (mut unread, ids): (Vec<&mut Work>, Vec<CrmId>) = works
        .iter_mut()
        .filter(|work| work.crm_record.is_none() && leaves(work))
        .filter_map(|work| {
            let id = work.link.as_ref()?.crm.clone();
            Some((work, id))
        })
        .unzip();
    if ids.is_empty() {
        return Ok(());
    }
    let records = stream.crm.read(&stream.row.user, stream.kind(), &ids).await?;
    for (work, record) in unread.iter_mut().zip(records) {
        // One that is not shown stays quiet, and is nobody's copy as far as we know.
        let Some(record) = record else { continue };
        let looked = stream.look_at_record(record);
        let key = looked.record.key.clone();
        work.pair.crm = Some(Change::Upserted(looked.seen));
        work.crm_record = Some(looked.record);
        let (Some(item), Some(said)) = (&work.item, &work.item_record) else {
            // A date of a series that is not asked for any more.
            let named = work.item.as_ref().zip(key);
            let ours = named.is_some_and(|(item, key)| is_date_of(&key, &item.id));
            copied(&mut work.pair, ours);
            continue;
        };
        let ours = key == Some(stream.keys.external(said, &item.id));
        copied(&mut work.pair, ours);
    }
    Ok(())
}

fn copied(pair: &mut Pair, ours: bool) {
    if let Some(Change::Upserted(seen)) = &mut pair.crm {
        seen.copy = ours;
    }
}

fn leaves(work: &Work) -> bool {
    match (&work.pair.base, &work.pair.mailbox, &work.pair.crm) {
        (Some(base), Some(Change::Upserted(item)), Some(Change::Upserted(_))) => {
            leaving::reason(base, item).is_some()
        }
        _ => false,
    }
}

/// The works of dates of a series that stand where they stood and are not asked for any more.
///
/// # Errors
/// Those of the database and the CRM.
pub async fn left_alone(
    db: &Db,
    stream: &Stream,
    dates: Vec<ItemId>,
    reason: Reason,
    pending: &mut Pending,
    gathered: &mut Gathered,
) -> Result<(), SyncError> {
    if stream.common.out_of_scope == OutOfScope::Keep {
        return Ok(());
    }
    let mut known = links_of(db, stream, dates.iter().map(item_key).collect()).await?;
    let linked = dates
        .into_iter()
        .filter_map(|id| Some((known.remove(&item_key(&id))?, id)));
    let mut works: Vec<Work> = linked
        .map(|(link, id)| quiet_work(stream, link, id, reason, pending))
        .collect();
    with_records(stream, &mut works).await?;
    let looked_at = works.iter().filter_map(|work| Some(work.link.as_ref()?.key));
    gathered.met.extend(looked_at);
    gathered.works.append(&mut works);
    Ok(())
}

fn quiet_work(stream: &Stream, link: Link, id: ItemId, reason: Reason, pending: &mut Pending) -> Work {
    let news = pending.take(&link.crm);
    let (crm, _) = split(news.map(|change| look_at_change(stream, change)));
    let quiet = || Change::Upserted(stream.quiet_record(&link));
    let seen = Seen {
        modified: link.item_modified,
        prints: link.base.clone(),
        writable: FieldSet::NONE,
        scope: Scope::Left(reason),
        earlier: false,
        copy: false,
        masked: false,
    };
    Work {
        pair: Pair {
            base: Some(link.base.clone()),
            mailbox: Some(Change::Upserted(seen)),
            crm: Some(crm.unwrap_or_else(quiet)),
        },
        item: Some(ItemRef {
            id,
            version: ItemVersion(String::new()),
        }),
        item_record: None,
        crm: Some(link.crm.clone()),
        crm_record: None,
        link: Some(link),
        origin: Side::Mailbox,
        ours: None,
    }
}

/// True for the key that the record of this date bears: its series' and the day.
fn is_date_of(key: &ExternalKey, item: &ItemId) -> bool {
    let Some(date) = DateId::of(item) else {
        return false;
    };
    let day = date.day.format("%Y%m%d").to_string();
    let parts = key.0.split_once('-');
    parts.is_some_and(|(series, of)| series.len() == 32 && of == day)
}
