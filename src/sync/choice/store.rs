//! The SQL of choices.

use super::model::{Candidates, Choice, Stage, State};
use crate::crm::model::CrmId;
use crate::foundation::db::schema::{choices, skips};
use crate::foundation::ids::MailboxId;
use crate::record::kind::RecordKind;
use crate::sync::error::SyncError;
use crate::sync::model::{ItemKey, Reason, Side, StreamId};
use crate::sync::store::links::{pack_id, unpack_id};
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::upsert::excluded;

type Row = (
    (i64, i16, i16, i64),
    (Option<Vec<u8>>, Option<String>),
    (String, Vec<String>),
    (String, Option<String>, DateTime<Utc>),
);

fn from_row(row: Row) -> Option<Choice> {
    let ((id, kind, side, key), (item, crm), (stage, records), (state, chosen, held_at)) = row;
    Some(Choice {
        id,
        kind: RecordKind::from_number(kind)?,
        side: Side::from_number(side),
        key: ItemKey(key),
        item: item.and_then(|bytes| unpack_id(&bytes)),
        crm: crm.map(CrmId),
        candidates: Candidates {
            stage: Stage::from_word(&stage)?,
            records: records.into_iter().map(CrmId).collect(),
        },
        state: State::from_word(&state)?,
        chosen: chosen.map(CrmId),
        held_at,
    })
}

/// Every choice of a mailbox, in the order of their numbers.
pub fn of_mailbox(conn: &mut PgConnection, mailbox: MailboxId) -> Result<Vec<Choice>, SyncError> {
    let rows: Vec<Row> = choices::table
        .filter(choices::mailbox_id.eq(mailbox.0))
        .order(choices::id)
        .select((
            (choices::id, choices::kind, choices::side, choices::item_key),
            (choices::item_id, choices::crm_id),
            (choices::stage, choices::candidates),
            (choices::state, choices::chosen, choices::held_at),
        ))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(from_row).collect())
}

/// Every choice of a stream.
pub fn all(conn: &mut PgConnection, stream: StreamId) -> Result<Vec<Choice>, SyncError> {
    let mut rows = of_mailbox(conn, stream.mailbox)?;
    rows.retain(|row| row.kind == stream.kind);
    Ok(rows)
}

/// Stores choices; one of which there is a row takes its place.
pub fn put(conn: &mut PgConnection, mailbox: MailboxId, rows: &[Choice]) -> Result<(), SyncError> {
    for row in rows {
        let records: Vec<&str> = row.candidates.records.iter().map(|id| id.0.as_str()).collect();
        diesel::insert_into(choices::table)
            .values((
                choices::mailbox_id.eq(mailbox.0),
                choices::kind.eq(row.kind.number()),
                choices::side.eq(row.side.number()),
                choices::item_key.eq(row.key.0),
                choices::item_id.eq(row.item.as_ref().map(pack_id)),
                choices::crm_id.eq(row.crm.as_ref().map(|id| id.0.as_str())),
                choices::stage.eq(row.candidates.stage.word()),
                choices::candidates.eq(records),
                choices::state.eq(row.state.word()),
                choices::chosen.eq(row.chosen.as_ref().map(|id| id.0.as_str())),
                choices::held_at.eq(row.held_at),
            ))
            .on_conflict((
                choices::mailbox_id,
                choices::kind,
                choices::side,
                choices::item_key,
            ))
            .do_update()
            .set((
                choices::stage.eq(excluded(choices::stage)),
                choices::candidates.eq(excluded(choices::candidates)),
                choices::state.eq(excluded(choices::state)),
                choices::chosen.eq(excluded(choices::chosen)),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Forgets choices that there is nothing to decide about any more.
pub fn forget(conn: &mut PgConnection, stream: StreamId, over: &[(Side, ItemKey)]) -> Result<(), SyncError> {
    for side in [Side::Mailbox, Side::Crm] {
        let keys = over.iter().filter(|(of, _)| *of == side);
        let keys: Vec<i64> = keys.map(|(_, key)| key.0).collect();
        if keys.is_empty() {
            continue;
        }
        diesel::delete(
            choices::table
                .filter(choices::mailbox_id.eq(stream.mailbox.0))
                .filter(choices::kind.eq(stream.kind.number()))
                .filter(choices::side.eq(side.number()))
                .filter(choices::item_key.eq_any(keys)),
        )
        .execute(conn)?;
    }
    Ok(())
}

/// Stores what a decision changes. What was listed as waiting is listed as left alone at once: no turn will look at it.
pub fn decide(conn: &mut PgConnection, mailbox: MailboxId, rows: &[Choice]) -> Result<(), SyncError> {
    put(conn, mailbox, rows)?;
    for row in rows.iter().filter(|row| row.state == State::Never) {
        diesel::update(skips::table.find((mailbox.0, row.kind.number(), row.side.number(), row.key.0)))
            .set(skips::reason.eq(Reason::LeftAlone.word()))
            .execute(conn)?;
    }
    Ok(())
}
