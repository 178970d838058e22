//! Items that we made and that the mailbox's change feed has not shown yet.

use super::links::unpack_id;
use crate::foundation::db::schema::{links, unseen_items};
use crate::mailbox::model::ItemId;
use crate::sync::error::SyncError;
use crate::sync::model::{ItemKey, StreamId};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use std::collections::BTreeMap;

/// Those of a stream that are still linked, with their ids.
pub fn all(conn: &mut PgConnection, stream: StreamId) -> Result<BTreeMap<ItemKey, ItemId>, SyncError> {
    let rows: Vec<(i64, Option<Vec<u8>>)> = unseen_items::table
        .inner_join(
            links::table.on(links::mailbox_id
                .eq(unseen_items::mailbox_id)
                .and(links::kind.eq(unseen_items::kind))
                .and(links::item_key.eq(unseen_items::item_key))),
        )
        .filter(unseen_items::mailbox_id.eq(stream.mailbox.0))
        .filter(unseen_items::kind.eq(stream.kind.number()))
        .select((links::item_key, links::item_id))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(key, item)| Some((ItemKey(key), unpack_id(&item?)?)))
        .collect())
}

/// Adds items.
pub fn put(conn: &mut PgConnection, stream: StreamId, made: &[ItemKey]) -> Result<(), SyncError> {
    let rows: Vec<_> = made
        .iter()
        .map(|key| {
            (
                unseen_items::mailbox_id.eq(stream.mailbox.0),
                unseen_items::kind.eq(stream.kind.number()),
                unseen_items::item_key.eq(key.0),
            )
        })
        .collect();
    for chunk in rows.chunks(2_000) {
        diesel::insert_into(unseen_items::table)
            .values(chunk.to_vec())
            .on_conflict_do_nothing()
            .execute(conn)?;
    }
    Ok(())
}

/// Forgets items that the feed has shown, or that were looked for.
pub fn seen(conn: &mut PgConnection, stream: StreamId, seen: &[ItemKey]) -> Result<(), SyncError> {
    let keys: Vec<i64> = seen.iter().map(|key| key.0).collect();
    diesel::delete(
        unseen_items::table
            .filter(unseen_items::mailbox_id.eq(stream.mailbox.0))
            .filter(unseen_items::kind.eq(stream.kind.number()))
            .filter(unseen_items::item_key.eq_any(keys)),
    )
    .execute(conn)?;
    Ok(())
}
