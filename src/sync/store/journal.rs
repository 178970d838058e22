//! The journal's SQL.

use super::links::pack_id;
use crate::foundation::db::schema::journal;
use crate::sync::error::SyncError;
use crate::sync::journal::{Act, Entry};
use crate::sync::model::{ItemKey, StreamId};
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz};
use std::collections::HashSet;

/// Enters what a page wrote. A create that was found again and is in the journal already is not entered
/// twice: its first entry has the true time.
pub fn put(
    conn: &mut PgConnection,
    stream: StreamId,
    entries: &[Entry],
    approved: &HashSet<ItemKey>,
    now: DateTime<Utc>,
) -> Result<(), SyncError> {
    let known = known_creates(conn, stream, entries)?;
    let rows: Vec<_> = entries
        .iter()
        .filter(|entry| entry.act != Act::Found || !known.contains(&entry.key.0))
        .map(|entry| {
            let act = match entry.act {
                Act::Deleted if approved.contains(&entry.key) => Act::DeletedAsApproved,
                act => act,
            };
            (
                journal::mailbox_id.eq(stream.mailbox.0),
                journal::kind.eq(stream.kind.number()),
                journal::side.eq(entry.side.number()),
                journal::act.eq(act.number()),
                journal::item_key.eq(entry.key.0),
                journal::at.eq(now),
                journal::item_id.eq(entry.item.as_ref().map(pack_id)),
                journal::crm_id.eq(entry.crm.as_ref().map(|id| id.0.as_str())),
            )
        })
        .collect();
    for chunk in rows.chunks(2_000) {
        diesel::insert_into(journal::table)
            .values(chunk.to_vec())
            .execute(conn)?;
    }
    Ok(())
}

fn known_creates(
    conn: &mut PgConnection,
    stream: StreamId,
    entries: &[Entry],
) -> Result<HashSet<i64>, SyncError> {
    let found: Vec<i64> = entries
        .iter()
        .filter(|entry| entry.act == Act::Found)
        .map(|entry| entry.key.0)
        .collect();
    if found.is_empty() {
        return Ok(HashSet::new());
    }
    let known: Vec<i64> = journal::table
        .filter(journal::mailbox_id.eq(stream.mailbox.0))
        .filter(journal::kind.eq(stream.kind.number()))
        .filter(journal::act.eq_any([Act::Created.number(), Act::Found.number()]))
        .filter(journal::item_key.eq_any(found))
        .select(journal::item_key)
        .load(conn)?;
    Ok(known.into_iter().collect())
}

/// Forgets entries of all mailboxes that are older; how many.
pub fn forget(conn: &mut PgConnection, before: DateTime<Utc>) -> Result<i64, SyncError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        forgotten: i64,
    }
    let row: Row = diesel::sql_query("SELECT forget_journal($1) AS forgotten")
        .bind::<Timestamptz, _>(before)
        .get_result(conn)?;
    Ok(row.forgotten)
}
