//! The undo's SQL.

use crate::crm::model::CrmId;
use crate::foundation::db::schema::{journal, skips, undo_items};
use crate::foundation::ids::MailboxId;
use crate::mailbox::model::ItemId;
use crate::record::kind::RecordKind;
use crate::sync::error::SyncError;
use crate::sync::journal::{Act, Entry};
use crate::sync::model::{ItemKey, Reason, Side, StreamId};
use crate::sync::store::links::{pack_id, unpack_id};
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Int4, SmallInt, Text};
use std::collections::HashSet;

/// An entry of the journal with its stream and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The record type.
    pub kind: RecordKind,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub entry: Entry,
}

/// Something that is to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The row's number.
    pub id: i64,
    /// Where it is removed.
    pub side: Side,
    /// The mailbox's item, shortened.
    pub key: ItemKey,
    /// The mailbox's item, where it is removed there.
    pub item: Option<ItemId>,
    /// The CRM's record.
    pub crm: CrmId,
}

/// What was written for a mailbox since then, the oldest first; at most `most` entries.
pub fn written(
    conn: &mut PgConnection,
    mailbox: MailboxId,
    since: DateTime<Utc>,
    most: i64,
) -> Result<Vec<Written>, SyncError> {
    type Row = (
        (i16, i16, i16),
        (i64, DateTime<Utc>),
        (Option<Vec<u8>>, Option<String>),
    );
    let rows: Vec<Row> = journal::table
        .filter(journal::mailbox_id.eq(mailbox.0))
        .filter(journal::at.ge(since))
        .order(journal::id)
        .limit(most)
        .select((
            (journal::kind, journal::side, journal::act),
            (journal::item_key, journal::at),
            (journal::item_id, journal::crm_id),
        ))
        .load(conn)?;
    let written = |((kind, number, act), (key, at), (item, crm)): Row| {
        Some(Written {
            kind: RecordKind::from_number(kind)?,
            at,
            entry: Entry {
                side: Side::from_number(number),
                act: Act::from_number(act)?,
                key: ItemKey(key),
                item: item.and_then(|bytes: Vec<u8>| unpack_id(&bytes)),
                crm: crm.map(CrmId),
            },
        })
    };
    Ok(rows.into_iter().filter_map(written).collect())
}

/// Which of these records other mailboxes are linked to as well.
pub fn linked_elsewhere(
    conn: &mut PgConnection,
    stream: StreamId,
    ids: &[CrmId],
) -> Result<HashSet<CrmId>, SyncError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        id: String,
    }
    let ids: Vec<&str> = ids.iter().map(|id| id.0.as_str()).collect();
    let rows: Vec<Row> = diesel::sql_query("SELECT id FROM linked_elsewhere($1, $2, $3) AS found (id)")
        .bind::<Int4, _>(stream.mailbox.0)
        .bind::<SmallInt, _>(stream.kind.number())
        .bind::<Array<Text>, _>(ids)
        .load(conn)?;
    Ok(rows.into_iter().map(|row| CrmId(row.id)).collect())
}

/// Asks for removals; those that are asked for already are not doubled, and failed ones are tried again.
pub fn ask(
    conn: &mut PgConnection,
    stream: StreamId,
    entries: &[Entry],
    now: DateTime<Utc>,
) -> Result<(), SyncError> {
    let rows: Vec<_> = entries
        .iter()
        .filter_map(|entry| {
            Some((
                undo_items::mailbox_id.eq(stream.mailbox.0),
                undo_items::kind.eq(stream.kind.number()),
                undo_items::side.eq(entry.side.number()),
                undo_items::item_key.eq(entry.key.0),
                undo_items::item_id.eq(entry.item.as_ref().map(pack_id)),
                undo_items::crm_id.eq(entry.crm.as_ref()?.0.as_str()),
                undo_items::asked_at.eq(now),
            ))
        })
        .collect();
    for chunk in rows.chunks(2_000) {
        diesel::insert_into(undo_items::table)
            .values(chunk.to_vec())
            .on_conflict((
                undo_items::mailbox_id,
                undo_items::kind,
                undo_items::side,
                undo_items::item_key,
            ))
            .do_update()
            .set((undo_items::code.eq(None::<String>), undo_items::asked_at.eq(now)))
            .execute(conn)?;
    }
    Ok(())
}

/// Removals of a stream that wait, behind this number.
pub fn waiting(
    conn: &mut PgConnection,
    stream: StreamId,
    behind: i64,
    most: i64,
) -> Result<Vec<Removal>, SyncError> {
    type Row = (i64, i16, i64, Option<Vec<u8>>, String);
    let rows: Vec<Row> = undo_items::table
        .filter(undo_items::mailbox_id.eq(stream.mailbox.0))
        .filter(undo_items::kind.eq(stream.kind.number()))
        .filter(undo_items::code.is_null())
        .filter(undo_items::id.gt(behind))
        .order(undo_items::id)
        .limit(most)
        .select((
            undo_items::id,
            undo_items::side,
            undo_items::item_key,
            undo_items::item_id,
            undo_items::crm_id,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, number, key, item, crm)| Removal {
            id,
            side: Side::from_number(number),
            key: ItemKey(key),
            item: item.and_then(|bytes| unpack_id(&bytes)),
            crm: CrmId(crm),
        })
        .collect())
}

/// Forgets removals that are done.
pub fn done(conn: &mut PgConnection, ids: &[i64]) -> Result<(), SyncError> {
    diesel::delete(undo_items::table.filter(undo_items::id.eq_any(ids))).execute(conn)?;
    Ok(())
}

/// Notes why a removal could not be done. It is not tried again until a person asks.
pub fn failed(conn: &mut PgConnection, id: i64, code: &str) -> Result<(), SyncError> {
    diesel::update(undo_items::table.find(id))
        .set(undo_items::code.eq(code))
        .execute(conn)?;
    Ok(())
}

/// How many removals of a mailbox wait, and how many failed with which code.
pub fn left(conn: &mut PgConnection, mailbox: MailboxId) -> Result<(i64, Vec<(String, i64)>), SyncError> {
    let rows: Vec<(Option<String>, i64)> = undo_items::table
        .filter(undo_items::mailbox_id.eq(mailbox.0))
        .group_by(undo_items::code)
        .order(undo_items::code)
        .select((undo_items::code, diesel::dsl::count_star()))
        .load(conn)?;
    let waiting = rows.iter().find(|(code, _)| code.is_none());
    Ok((
        waiting.map_or(0, |(_, count)| *count),
        rows.iter()
            .filter_map(|(code, count)| Some((code.clone()?, *count)))
            .collect(),
    ))
}

/// Lifts the bar from everything that was undone in a mailbox; how many.
pub fn lift(conn: &mut PgConnection, mailbox: MailboxId) -> Result<usize, SyncError> {
    diesel::delete(undo_items::table.filter(undo_items::mailbox_id.eq(mailbox.0))).execute(conn)?;
    Ok(diesel::delete(
        skips::table
            .filter(skips::mailbox_id.eq(mailbox.0))
            .filter(skips::reason.eq(Reason::Undone.word())),
    )
    .execute(conn)?)
}
