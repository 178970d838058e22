//! What was decided comes back into a turn, as it is now on both sides: neither feed will tell of it again.

use super::model::{Choice, Choices, State};
use super::store;
use crate::crm::model::{CrmChange, CrmId};
use crate::foundation::db::Db;
use crate::mailbox::model::ItemId;
use crate::record::kind::RecordKind;
use crate::sync::error::SyncError;
use crate::sync::gather::Pending;
use crate::sync::model::{ItemKey, Side};
use crate::sync::store::streams::Position;
use crate::sync::stream::Stream;
use std::collections::HashSet;

/// Decided choices that one turn deals with; the others are dealt with by the next ones.
const DECIDED_A_TURN: usize = 1_000;

/// Loads what is known of a stream's choices. `position` is where it stood before anything was read.
///
/// # Errors
/// The database's.
pub async fn load(db: &Db, stream: &Stream, position: &Position) -> Result<Choices, SyncError> {
    if !matches!(stream.kind(), RecordKind::Contacts | RecordKind::Tasks) {
        return Ok(Choices::default());
    }
    let id = stream.id;
    let rows = db.run_for(id.mailbox, move |conn| store::all(conn, id)).await?;
    let asks = stream.policy.asks(stream.kind());
    // The CRM's cursor moves last: until then a first reading that was cut off has not looked at everything.
    let from_the_start = !position.first_read_done || position.crm.is_none();
    Ok(Choices::of(rows, asks && from_the_start, !asks))
}

/// What a turn is to look at whatever the feeds say.
#[derive(Default)]
pub struct Decided {
    /// Items of the mailbox.
    pub items: Vec<ItemId>,
    /// Records that are gone: there is nothing to decide any more.
    pub gone: Vec<(Side, ItemKey)>,
}

/// Brings back what was decided, or let go by the policy. What has failed and is not due yet waits for its time.
///
/// # Errors
/// The CRM's.
pub async fn bring_back(
    stream: &Stream,
    waiting: &HashSet<(Side, ItemKey)>,
    pending: &mut Pending,
) -> Result<Decided, SyncError> {
    let mut decided = Decided::default();
    let choices = &stream.choices;
    let is_due = |row: &&Choice| match row.state {
        State::Accepted | State::New => true,
        State::Held => choices.released,
        State::Never => false,
    };
    let mut rows: Vec<&Choice> = choices
        .rows()
        .filter(is_due)
        .filter(|row| !waiting.contains(&(row.side, row.key)))
        .collect();
    rows.sort_by_key(|row| row.id);
    rows.truncate(DECIDED_A_TURN);
    let mut ids: Vec<(CrmId, Option<ItemKey>)> = Vec::new();
    for row in rows {
        match row.side {
            Side::Mailbox => {
                decided.items.extend(row.item.clone());
                let wanted = match row.state {
                    State::Accepted => row.chosen.as_slice(),
                    State::Held => row.candidates.records.as_slice(),
                    State::New | State::Never => &[],
                };
                ids.extend(wanted.iter().map(|id| (id.clone(), None)));
            }
            Side::Crm => ids.extend(row.crm.clone().map(|id| (id, Some(row.key)))),
        }
    }
    ids.retain(|(id, _)| !pending.has(id));
    if ids.is_empty() {
        return Ok(decided);
    }
    let asked: Vec<CrmId> = ids.iter().map(|(id, _)| id.clone()).collect();
    let records = stream.crm.read(&stream.row.user, stream.kind(), &asked).await?;
    for ((_, own), record) in ids.into_iter().zip(records) {
        match record {
            Some(record) => pending.add(stream, CrmChange::Upserted(Box::new(record))),
            None => decided.gone.extend(own.map(|key| (Side::Crm, key))),
        }
    }
    Ok(decided)
}
