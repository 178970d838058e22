//! What lies beyond the window, until the day on which the window reaches it.

use super::links::{pack_id, unpack_id};
use crate::crm::model::CrmId;
use crate::foundation::db::schema::ahead;
use crate::mailbox::model::ItemId;
use crate::sync::error::SyncError;
use crate::sync::model::{ItemKey, Side, StreamId};
use chrono::NaiveDate;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::upsert::excluded;
use std::collections::BTreeMap;

/// Something that lies beyond the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// Where it is.
    pub side: Side,
    /// Which, shortened.
    pub key: ItemKey,
    /// Which, where it is in the mailbox.
    pub item: Option<ItemId>,
    /// Which, where it is in the CRM.
    pub crm: Option<CrmId>,
    /// The first day on which the window holds it.
    pub look_at: NaiveDate,
}

/// Those of a stream whose day has come.
pub fn due(conn: &mut PgConnection, stream: StreamId, today: NaiveDate) -> Result<Vec<Ahead>, SyncError> {
    type Row = (i16, i64, Option<Vec<u8>>, Option<String>, NaiveDate);
    let rows: Vec<Row> = ahead::table
        .filter(ahead::mailbox_id.eq(stream.mailbox.0))
        .filter(ahead::kind.eq(stream.kind.number()))
        .filter(ahead::look_at.le(today))
        .select((
            ahead::side,
            ahead::item_key,
            ahead::item_id,
            ahead::crm_id,
            ahead::look_at,
        ))
        .order((ahead::look_at, ahead::side, ahead::item_key))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(side, key, item, crm, look_at)| Ahead {
            side: Side::from_number(side),
            key: ItemKey(key),
            item: item.and_then(|bytes| unpack_id(&bytes)),
            crm: crm.map(CrmId),
            look_at,
        })
        .collect())
}

/// Remembers some, each with the latest day that was said of it.
pub fn put(conn: &mut PgConnection, stream: StreamId, some: &[Ahead]) -> Result<(), SyncError> {
    let unique: BTreeMap<(i16, i64), &Ahead> = some
        .iter()
        .map(|one| ((one.side.number(), one.key.0), one))
        .collect();
    let rows: Vec<_> = unique
        .into_iter()
        .map(|((side, key), one)| {
            (
                ahead::mailbox_id.eq(stream.mailbox.0),
                ahead::look_at.eq(one.look_at),
                ahead::kind.eq(stream.kind.number()),
                ahead::side.eq(side),
                ahead::item_key.eq(key),
                ahead::item_id.eq(one.item.as_ref().map(pack_id)),
                ahead::crm_id.eq(one.crm.as_ref().map(|id| id.0.as_str())),
            )
        })
        .collect();
    for chunk in rows.chunks(2_000) {
        diesel::insert_into(ahead::table)
            .values(chunk.to_vec())
            .on_conflict((ahead::mailbox_id, ahead::kind, ahead::side, ahead::item_key))
            .do_update()
            .set(ahead::look_at.eq(excluded(ahead::look_at)))
            .execute(conn)?;
    }
    Ok(())
}

/// Forgets those whose day had come by `today`: they were looked at. One that still lies ahead has a later day by now.
pub fn looked_at(conn: &mut PgConnection, stream: StreamId, today: NaiveDate) -> Result<(), SyncError> {
    diesel::delete(
        ahead::table
            .filter(ahead::mailbox_id.eq(stream.mailbox.0))
            .filter(ahead::kind.eq(stream.kind.number()))
            .filter(ahead::look_at.le(today)),
    )
    .execute(conn)?;
    Ok(())
}
