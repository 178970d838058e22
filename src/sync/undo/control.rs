//! What an operator may ask of an undo: see it, start it, lift it.

use super::carry_out::carry_out;
use super::store::{self, Written};
use crate::access::Granted;
use crate::access::permission::{Explain, ManageMailboxes};
use crate::crm::model::CrmId;
use crate::foundation::db::Db;
use crate::foundation::ids::MailboxId;
use crate::record::kind::RecordKind;
use crate::sync::engine::Engine;
use crate::sync::error::SyncError;
use crate::sync::journal::{Act, Entry};
use crate::sync::model::{ItemKey, Link, Side, StreamId};
use crate::sync::store::links;
use crate::sync::store::mailboxes::MailboxRow;
use crate::sync::store::streams::{self, TurnEnd};
use crate::sync::stream::Stream;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// The most writes of one mailbox that one undo looks at; a second one takes the rest.
const MOST: i64 = 500_000;

/// What an undo would do with one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// Holdfast made it; it is removed.
    Remove,
    /// Holdfast made it, and another mailbox is linked to it as well; it stays.
    Shared,
    /// Holdfast changed it; no earlier value is kept to put back, so a person has to look.
    Look,
}

/// One line of the preview.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// The record type.
    pub kind: RecordKind,
    /// Where it was written.
    pub side: Side,
    /// What would be done.
    pub plan: Plan,
    /// The mailbox's item, where it is known.
    pub item: Option<String>,
    /// The CRM's record.
    pub crm: Option<String>,
    /// When it was written.
    pub at: DateTime<Utc>,
    #[serde(skip)]
    entry: Entry,
}

/// How an undo stands.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Standing {
    /// Removed by this call.
    pub removed: u64,
    /// Still to be removed, by the next turn.
    pub waiting: i64,
    /// Not removed, by code.
    pub failed: Vec<(String, i64)>,
}

/// What an undo since then would do to a mailbox. Changes nothing.
///
/// # Errors
/// The database's.
pub async fn preview(
    db: &Db,
    _: &Granted<Explain>,
    id: MailboxId,
    since: DateTime<Utc>,
) -> Result<Vec<Line>, SyncError> {
    db.run_for(id, move |conn| {
        let written = store::written(conn, id, since, MOST)?;
        let mut lines = Vec::new();
        for kind in RecordKind::ALL {
            let of_kind: Vec<&Written> = written.iter().filter(|one| one.kind == kind).collect();
            let stream = StreamId { mailbox: id, kind };
            let keys: Vec<ItemKey> = of_kind.iter().map(|one| one.entry.key).collect();
            let mut linked: HashMap<ItemKey, Link> = HashMap::new();
            for few in keys.chunks(10_000) {
                linked.extend(
                    links::by_keys(conn, stream, few)?
                        .into_iter()
                        .map(|link| (link.key, link)),
                );
            }
            let crm: Vec<CrmId> = of_kind.iter().filter_map(|one| one.entry.crm.clone()).collect();
            let shared = store::linked_elsewhere(conn, stream, &crm)?;
            lines.extend(of_stream(&of_kind, &linked, &shared));
        }
        Ok(lines)
    })
    .await
}

/// The lines of one stream: what still stands of what was made, and what was changed that was there before.
fn of_stream(written: &[&Written], linked: &HashMap<ItemKey, Link>, shared: &HashSet<CrmId>) -> Vec<Line> {
    let place = |entry: &Entry| (entry.side, entry.key, entry.crm.clone());
    let deleted = |act| matches!(act, Act::Deleted | Act::DeletedAsApproved);
    let made = |act| matches!(act, Act::Created | Act::Found);
    let gone: HashSet<_> = written
        .iter()
        .filter(|one| deleted(one.entry.act))
        .map(|one| place(&one.entry))
        .collect();
    let new: HashSet<_> = written
        .iter()
        .filter(|one| made(one.entry.act))
        .map(|one| place(&one.entry))
        .collect();
    let mut told = HashSet::new();
    let mut lines = Vec::new();
    for one in written {
        let place = place(&one.entry);
        let plan = match one.entry.act {
            act if deleted(act) => continue,
            _ if gone.contains(&place) => continue,
            Act::Updated if new.contains(&place) => continue,
            Act::Updated => Plan::Look,
            _ if one.entry.side == Side::Crm
                && one.entry.crm.as_ref().is_some_and(|id| shared.contains(id)) =>
            {
                Plan::Shared
            }
            _ => Plan::Remove,
        };
        if !told.insert(place) {
            continue;
        }
        let known = linked.get(&one.entry.key).and_then(|link| link.item.clone());
        lines.push(Line {
            kind: one.kind,
            side: one.entry.side,
            plan,
            item: one.entry.item.clone().or(known).map(|id| id.0),
            crm: one.entry.crm.clone().map(|id| id.0),
            at: one.at,
            entry: one.entry.clone(),
        });
    }
    lines
}

/// Stores what the preview showed, then removes it. What cannot be reached now (another process has a stream)
/// is removed by the next turn.
///
/// # Errors
/// The database's, or what stops a turn; what was stored is gone on with by the next turn.
pub async fn apply(
    engine: &Engine,
    granted: &Granted<ManageMailboxes>,
    row: &MailboxRow,
    lines: &[Line],
) -> Result<Standing, SyncError> {
    let (id, now) = (row.mailbox.id, engine.clock.now());
    let by_kind: Vec<(RecordKind, Vec<Entry>)> = RecordKind::ALL
        .into_iter()
        .map(|kind| {
            let lines = lines
                .iter()
                .filter(|line| line.kind == kind && line.plan == Plan::Remove);
            (kind, lines.map(|line| line.entry.clone()).collect())
        })
        .collect();
    engine
        .db
        .run_for(id, move |conn| {
            for (kind, entries) in &by_kind {
                store::ask(
                    conn,
                    StreamId {
                        mailbox: id,
                        kind: *kind,
                    },
                    entries,
                    now,
                )?;
            }
            streams::make_due(conn, id, now)
        })
        .await?;
    tracing::info!(by = granted.holder(), mailbox = %id, "an undo was asked for");
    let mut standing = Standing::default();
    for kind in RecordKind::ALL {
        standing.removed += one_stream(engine, row, kind).await?;
    }
    (standing.waiting, standing.failed) = engine.db.run_for(id, move |conn| store::left(conn, id)).await?;
    Ok(standing)
}

/// Carries out one stream's removals under its lease; none where another process holds it.
async fn one_stream(engine: &Engine, row: &MailboxRow, kind: RecordKind) -> Result<u64, SyncError> {
    let id = StreamId {
        mailbox: row.mailbox.id,
        kind,
    };
    let none = engine
        .db
        .run_for(id.mailbox, move |conn| {
            Ok::<_, SyncError>(store::waiting(conn, id, 0, 1)?.is_empty())
        })
        .await?;
    if none {
        return Ok(0);
    }
    let Some(lease) = engine.lease(id).await? else {
        return Ok(0);
    };
    let removed = match Stream::open(engine, row.clone(), kind).await {
        Ok(stream) => carry_out(engine, lease, &stream).await,
        Err(error) => Err(error),
    };
    let end = TurnEnd::due_at_once(engine.clock.now());
    engine
        .db
        .run(move |conn| streams::release(conn, lease, &end))
        .await?;
    removed
}

/// Lifts the bar from everything that was undone in a mailbox; how many. The next turns, which read the mailbox
/// from the start, make it again.
///
/// # Errors
/// The database's.
pub async fn lift(
    engine: &Engine,
    granted: &Granted<ManageMailboxes>,
    id: MailboxId,
) -> Result<usize, SyncError> {
    let lifted = engine.db.run_for(id, move |conn| store::lift(conn, id)).await?;
    tracing::info!(by = granted.holder(), mailbox = %id, lifted, "an undo was lifted");
    Ok(lifted)
}
