//! Links: which item is which record, and how both stood when they were last in step.

use crate::crm::model::CrmId;
use crate::crm::task_form::TaskForm;
use crate::foundation::db::schema::links;
use crate::mailbox::model::ItemId;
use crate::mailbox::series::DateId;
use crate::sync::error::SyncError;
use crate::sync::fingerprint::Prints;
use crate::sync::model::{ItemKey, Link, StreamId};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::upsert::excluded;
use std::collections::{BTreeMap, BTreeSet, HashSet};

type Row = (
    i64,
    i64,
    Option<Vec<u8>>,
    String,
    Option<DateTime<Utc>>,
    Option<DateTime<Utc>>,
    Vec<u8>,
    bool,
);

const COLUMNS: (
    links::item_key,
    links::item_version,
    links::item_id,
    links::crm_id,
    links::item_modified,
    links::crm_modified,
    links::prints,
    links::fixed,
) = (
    links::item_key,
    links::item_version,
    links::item_id,
    links::crm_id,
    links::item_modified,
    links::crm_modified,
    links::prints,
    links::fixed,
);

fn from_row((key, version, item, crm, item_modified, crm_modified, prints, fixed): Row) -> Link {
    Link {
        key: ItemKey(key),
        version,
        item: item.and_then(|bytes| unpack_id(&bytes)),
        crm: CrmId(crm),
        item_modified,
        crm_modified,
        base: Prints::from_bytes(&prints),
        fixed,
    }
}

/// The id of a date of a series is its day in four bytes, and the id of its series. Other
/// item ids are base64 text of 150 characters and more; kept as the bytes behind it they take a quarter
/// less. The first byte says which of the three follows.
pub fn pack_id(id: &ItemId) -> Vec<u8> {
    if let Some(DateId { series, day }) = DateId::of(id) {
        let day = day.num_days_from_ce().to_be_bytes();
        return [&[2], day.as_slice(), &pack_id(&series)].concat();
    }
    match STANDARD.decode(&id.0) {
        Ok(bytes) if STANDARD.encode(&bytes) == id.0 => [&[1], bytes.as_slice()].concat(),
        _ => [&[0], id.0.as_bytes()].concat(),
    }
}

/// The inverse of [`pack_id`].
pub fn unpack_id(packed: &[u8]) -> Option<ItemId> {
    match packed.split_first()? {
        (1, bytes) => Some(ItemId(STANDARD.encode(bytes))),
        (2, bytes) => {
            let (day, series) = bytes.split_first_chunk()?;
            let day = NaiveDate::from_num_days_from_ce_opt(i32::from_be_bytes(*day))?;
            let series = unpack_id(series)?;
            Some(DateId { series, day }.item())
        }
        (0, bytes) => String::from_utf8(bytes.to_vec()).ok().map(ItemId),
        _ => None,
    }
}

/// The links of these items.
pub fn by_keys(conn: &mut PgConnection, stream: StreamId, keys: &[ItemKey]) -> Result<Vec<Link>, SyncError> {
    let keys: Vec<i64> = keys.iter().map(|key| key.0).collect();
    let rows: Vec<Row> = links::table
        .filter(links::mailbox_id.eq(stream.mailbox.0))
        .filter(links::kind.eq(stream.kind.number()))
        .filter(links::item_key.eq_any(keys))
        .select(COLUMNS)
        .load(conn)?;
    Ok(rows.into_iter().map(from_row).collect())
}

/// The links of these records.
pub fn by_crm(conn: &mut PgConnection, stream: StreamId, ids: &[CrmId]) -> Result<Vec<Link>, SyncError> {
    let ids: Vec<&str> = ids.iter().map(|id| id.0.as_str()).collect();
    let rows: Vec<Row> = links::table
        .filter(links::mailbox_id.eq(stream.mailbox.0))
        .filter(links::kind.eq(stream.kind.number()))
        .filter(links::crm_id.eq_any(ids))
        .select(COLUMNS)
        .load(conn)?;
    Ok(rows.into_iter().map(from_row).collect())
}

/// The records of a stream's links that are in this form.
pub fn of_form(
    conn: &mut PgConnection,
    stream: StreamId,
    form: TaskForm,
) -> Result<HashSet<CrmId>, SyncError> {
    let ids = all_records(conn, stream)?.into_iter();
    Ok(ids.filter(|id| TaskForm::of(id) == form).collect())
}

/// Every link of a stream, by item: for the check of what a full read did not meet. Mail's links have no
/// item id and are left out.
pub fn all_items(conn: &mut PgConnection, stream: StreamId) -> Result<BTreeMap<ItemKey, ItemId>, SyncError> {
    let rows: Vec<(i64, Option<Vec<u8>>)> = links::table
        .filter(links::mailbox_id.eq(stream.mailbox.0))
        .filter(links::kind.eq(stream.kind.number()))
        .select((links::item_key, links::item_id))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(key, item)| Some((ItemKey(key), unpack_id(&item?)?)))
        .collect())
}

/// The records of every link of a stream.
pub fn all_records(conn: &mut PgConnection, stream: StreamId) -> Result<BTreeSet<CrmId>, SyncError> {
    let ids: Vec<String> = links::table
        .filter(links::mailbox_id.eq(stream.mailbox.0))
        .filter(links::kind.eq(stream.kind.number()))
        .select(links::crm_id)
        .load(conn)?;
    Ok(ids.into_iter().map(CrmId).collect())
}

/// Links of a stream behind this key, in the order of their keys.
pub fn behind(
    conn: &mut PgConnection,
    stream: StreamId,
    behind: Option<ItemKey>,
    most: i64,
) -> Result<Vec<Link>, SyncError> {
    let mut rows = links::table
        .filter(links::mailbox_id.eq(stream.mailbox.0))
        .filter(links::kind.eq(stream.kind.number()))
        .order(links::item_key)
        .limit(most)
        .select(COLUMNS)
        .into_boxed();
    if let Some(ItemKey(behind)) = behind {
        rows = rows.filter(links::item_key.gt(behind));
    }
    let rows: Vec<Row> = rows.load(conn)?;
    Ok(rows.into_iter().map(from_row).collect())
}

/// Stores links. A record belongs to one item: a link of the same record to another item is replaced.
pub fn put(conn: &mut PgConnection, stream: StreamId, new: &[Link]) -> Result<(), SyncError> {
    // One statement must not touch a row twice: of links to one item, or to one record, the last counts.
    let by_key: BTreeMap<ItemKey, &Link> = new.iter().map(|link| (link.key, link)).collect();
    let by_crm: BTreeMap<&CrmId, &Link> = by_key.into_values().map(|link| (&link.crm, link)).collect();
    let new: Vec<&Link> = by_crm.into_values().collect();
    let ids: Vec<&str> = new.iter().map(|link| link.crm.0.as_str()).collect();
    let keys: Vec<i64> = new.iter().map(|link| link.key.0).collect();
    diesel::delete(
        links::table
            .filter(links::mailbox_id.eq(stream.mailbox.0))
            .filter(links::kind.eq(stream.kind.number()))
            .filter(links::crm_id.eq_any(ids))
            .filter(links::item_key.ne_all(keys)),
    )
    .execute(conn)?;
    for chunk in new.chunks(1_000) {
        insert(conn, stream, chunk)?;
    }
    Ok(())
}

fn insert(conn: &mut PgConnection, stream: StreamId, chunk: &[&Link]) -> Result<(), SyncError> {
    let rows: Vec<_> = chunk
        .iter()
        .map(|link| {
            (
                links::mailbox_id.eq(stream.mailbox.0),
                links::kind.eq(stream.kind.number()),
                links::item_key.eq(link.key.0),
                links::item_version.eq(link.version),
                links::item_id.eq(link.item.as_ref().map(pack_id)),
                links::crm_id.eq(&link.crm.0),
                links::item_modified.eq(link.item_modified),
                links::crm_modified.eq(link.crm_modified),
                links::prints.eq(link.base.to_bytes()),
                links::fixed.eq(link.fixed),
            )
        })
        .collect();
    diesel::insert_into(links::table)
        .values(rows)
        .on_conflict((links::mailbox_id, links::kind, links::item_key))
        .do_update()
        .set((
            links::item_version.eq(excluded(links::item_version)),
            links::item_id.eq(excluded(links::item_id)),
            links::crm_id.eq(excluded(links::crm_id)),
            links::item_modified.eq(excluded(links::item_modified)),
            links::crm_modified.eq(excluded(links::crm_modified)),
            links::prints.eq(excluded(links::prints)),
            links::fixed.eq(excluded(links::fixed)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Forgets links.
pub fn remove(conn: &mut PgConnection, stream: StreamId, keys: &[ItemKey]) -> Result<(), SyncError> {
    let keys: Vec<i64> = keys.iter().map(|key| key.0).collect();
    diesel::delete(
        links::table
            .filter(links::mailbox_id.eq(stream.mailbox.0))
            .filter(links::kind.eq(stream.kind.number()))
            .filter(links::item_key.eq_any(keys)),
    )
    .execute(conn)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_id_comes_back_as_it_was_whatever_its_alphabet() {
        let dates = ["@20261124:AAMkADU2", "@20261124:no base64", "@00000000:AAMk"];
        for id in ["AAMkADU2", "not base64 at all!", "AAMkADU2=", "", "ÄÖ"]
            .iter()
            .chain(&dates)
        {
            assert_eq!(
                unpack_id(&pack_id(&ItemId((*id).to_owned()))),
                Some(ItemId((*id).to_owned()))
            );
        }
    }
}
