//! Notes on items.

use crate::foundation::db::schema::{links, notes};
use crate::mailbox::model::ItemId;
use crate::sync::error::SyncError;
use crate::sync::model::{ItemKey, StreamId};
use crate::sync::notes::Note;
use crate::sync::store::links::unpack_id;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::upsert::excluded;
use std::collections::BTreeMap;

/// What a look at items said of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noted {
    /// Items that were looked at, or are forgotten: what was said of them before does not hold any more.
    pub looked: Vec<ItemKey>,
    /// What is said of them now; of one that occurs twice the last number counts.
    pub notes: Vec<(ItemKey, Note, u32)>,
}

/// Replaces what is said of items.
pub fn change(conn: &mut PgConnection, stream: StreamId, noted: &Noted) -> Result<(), SyncError> {
    if !noted.looked.is_empty() {
        let keys: Vec<i64> = noted.looked.iter().map(|key| key.0).collect();
        diesel::delete(
            notes::table
                .filter(notes::mailbox_id.eq(stream.mailbox.0))
                .filter(notes::kind.eq(stream.kind.number()))
                .filter(notes::item_key.eq_any(keys)),
        )
        .execute(conn)?;
    }
    let unique: BTreeMap<(i64, Note), u32> = noted
        .notes
        .iter()
        .map(|(key, note, count)| ((key.0, *note), *count))
        .collect();
    let rows: Vec<_> = unique
        .into_iter()
        .map(|((key, note), count)| {
            (
                notes::mailbox_id.eq(stream.mailbox.0),
                notes::kind.eq(stream.kind.number()),
                notes::item_key.eq(key),
                notes::note.eq(note.word()),
                notes::people.eq(i32::try_from(count).unwrap_or(i32::MAX)),
            )
        })
        .collect();
    for chunk in rows.chunks(2_000) {
        diesel::insert_into(notes::table)
            .values(chunk.to_vec())
            .on_conflict((notes::mailbox_id, notes::kind, notes::item_key, notes::note))
            .do_update()
            .set(notes::people.eq(excluded(notes::people)))
            .execute(conn)?;
    }
    Ok(())
}

/// What is said of an item.
pub fn of_item(
    conn: &mut PgConnection,
    stream: StreamId,
    key: ItemKey,
) -> Result<Vec<(Note, i32)>, SyncError> {
    let rows: Vec<(String, i32)> = notes::table
        .filter(notes::mailbox_id.eq(stream.mailbox.0))
        .filter(notes::kind.eq(stream.kind.number()))
        .filter(notes::item_key.eq(key.0))
        .order(notes::note)
        .select((notes::note, notes::people))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(word, people)| Some((Note::from_word(&word)?, people)))
        .collect())
}

/// What is said of the linked items of a stream, with their ids.
pub fn of_stream(
    conn: &mut PgConnection,
    stream: StreamId,
) -> Result<Vec<(Note, i32, Option<ItemId>)>, SyncError> {
    let rows: Vec<(String, i32, Option<Vec<u8>>)> = notes::table
        .inner_join(
            links::table.on(links::mailbox_id
                .eq(notes::mailbox_id)
                .and(links::kind.eq(notes::kind))
                .and(links::item_key.eq(notes::item_key))),
        )
        .filter(notes::mailbox_id.eq(stream.mailbox.0))
        .filter(notes::kind.eq(stream.kind.number()))
        .order((notes::note, notes::item_key))
        .select((notes::note, notes::people, links::item_id))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(word, people, item)| {
            let item = item.and_then(|bytes| unpack_id(&bytes));
            Some((Note::from_word(&word)?, people, item))
        })
        .collect())
}
