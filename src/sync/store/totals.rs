//! Counts for people: the status page, the command line, the metrics. They cross mailboxes and therefore
//! come from functions of the database that give counts and codes, never an item.

use crate::foundation::db::schema::{mailboxes, streams};
use crate::foundation::ids::MailboxId;
use crate::record::kind::RecordKind;
use crate::sync::error::SyncError;
use crate::sync::guard::store as quarantine;
use crate::sync::model::{Reason, Side, StreamId};
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Int4, Nullable, SmallInt, Text, Timestamptz};
use serde::Serialize;
use std::collections::HashMap;

/// How a stream stands.
#[derive(Debug, Clone, Serialize)]
pub struct StreamStatus {
    /// Whose; an address that an administrator entered.
    pub mailbox: String,
    /// The appliance's number of the mailbox.
    pub mailbox_id: MailboxId,
    /// `active`, `paused` or `refused`.
    pub state: String,
    /// What.
    pub kind: RecordKind,
    /// Items that are linked.
    pub linked: i64,
    /// Items that were left alone with a reason.
    pub skipped: i64,
    /// Items that failed.
    pub failed: i64,
    /// Deletions that wait for a person.
    pub held: i64,
    /// Items looked at since the stream was last read from the start.
    pub read: i32,
    /// Items that the first read will look at; `None` before it began.
    pub read_total: Option<i32>,
    /// True once the mailbox was read to its end.
    pub first_read_done: bool,
    /// The end of the last good turn.
    pub last_turn_at: Option<DateTime<Utc>>,
    /// When something was last written.
    pub last_change_at: Option<DateTime<Utc>>,
    /// When it is due next.
    pub due_at: DateTime<Utc>,
    /// True while a turn runs.
    pub running: bool,
    /// How long the slowest change took at the last turn that had a fresh one, in milliseconds.
    pub lag_ms: Option<i32>,
    /// The failure of the last turn; `None` after a good one.
    pub error: Option<String>,
}

#[derive(QueryableByName)]
struct TotalRow {
    #[diesel(sql_type = Int4)]
    mailbox_id: i32,
    #[diesel(sql_type = SmallInt)]
    kind: i16,
    #[diesel(sql_type = BigInt)]
    linked: i64,
    #[diesel(sql_type = BigInt)]
    skipped: i64,
    #[diesel(sql_type = BigInt)]
    failed: i64,
}

/// Every stream, by address and record type.
pub fn streams(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<StreamStatus>, SyncError> {
    let totals: Vec<TotalRow> = diesel::sql_query("SELECT * FROM stream_totals()").load(conn)?;
    let totals: HashMap<(i32, i16), TotalRow> = totals
        .into_iter()
        .map(|row| ((row.mailbox_id, row.kind), row))
        .collect();
    let mut held: HashMap<(MailboxId, RecordKind), i64> = HashMap::new();
    for total in quarantine::totals(conn)? {
        *held.entry((total.mailbox, total.kind)).or_default() += total.held;
    }
    type Row = (
        (i32, String, String, i16),
        (i32, Option<i32>, bool, DateTime<Utc>),
        (
            Option<DateTime<Utc>>,
            Option<DateTime<Utc>>,
            Option<DateTime<Utc>>,
        ),
        (Option<i32>, Option<String>),
    );
    let rows: Vec<Row> = streams::table
        .inner_join(mailboxes::table)
        .order((mailboxes::address, streams::kind))
        .select((
            (mailboxes::id, mailboxes::address, mailboxes::state, streams::kind),
            (
                streams::read_done,
                streams::read_total,
                streams::first_read_done,
                streams::due_at,
            ),
            (
                streams::last_turn_at,
                streams::last_change_at,
                streams::lease_expires,
            ),
            (streams::lag_ms, streams::last_error_code),
        ))
        .load(conn)?;
    let status = |row: Row| {
        let ((id, mailbox, state, kind), (read, read_total, first_read_done, due_at), times, rest) = row;
        let total = totals.get(&(id, kind));
        Some(StreamStatus {
            mailbox,
            mailbox_id: MailboxId(id),
            state,
            kind: RecordKind::from_number(kind)?,
            linked: total.map_or(0, |total| total.linked),
            skipped: total.map_or(0, |total| total.skipped),
            failed: total.map_or(0, |total| total.failed),
            held: held
                .get(&(MailboxId(id), RecordKind::from_number(kind)?))
                .copied()
                .unwrap_or(0),
            read,
            read_total,
            first_read_done,
            last_turn_at: times.0,
            last_change_at: times.1,
            due_at,
            running: times.2.is_some_and(|expires| expires > now),
            lag_ms: rest.0,
            error: rest.1,
        })
    };
    Ok(rows.into_iter().filter_map(status).collect())
}

/// A failure as people see it: ids and codes.
#[derive(Debug, Clone, Serialize)]
pub struct FailureStatus {
    /// The failure's number.
    pub id: i64,
    /// Whose; `None` where the mailbox was removed meanwhile.
    pub mailbox: Option<String>,
    /// What.
    pub kind: RecordKind,
    /// Where the item is.
    pub side: Side,
    /// The stable code; docs/failures.md explains each.
    pub code: String,
    /// The word of its class.
    pub class: String,
    /// How often it failed.
    pub attempts: i32,
    /// First time.
    pub first_at: DateTime<Utc>,
    /// Last time.
    pub last_at: DateTime<Utc>,
    /// Next try; `None`: when the item changes or a person asks.
    pub next_retry_at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct FailureRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Int4)]
    mailbox_id: i32,
    #[diesel(sql_type = SmallInt)]
    kind: i16,
    #[diesel(sql_type = SmallInt)]
    side: i16,
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Text)]
    class: String,
    #[diesel(sql_type = Int4)]
    attempts: i32,
    #[diesel(sql_type = Timestamptz)]
    first_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    last_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    next_retry_at: Option<DateTime<Utc>>,
}

/// The newest failures.
pub fn failures(conn: &mut PgConnection, most: i32) -> Result<Vec<FailureStatus>, SyncError> {
    let rows: Vec<FailureRow> = diesel::sql_query("SELECT * FROM failure_list($1)")
        .bind::<Int4, _>(most)
        .load(conn)?;
    let addresses: HashMap<i32, String> = mailboxes::table
        .select((mailboxes::id, mailboxes::address))
        .load(conn)?
        .into_iter()
        .collect();
    let status = |row: FailureRow| {
        Some(FailureStatus {
            id: row.id,
            mailbox: addresses.get(&row.mailbox_id).cloned(),
            kind: RecordKind::from_number(row.kind)?,
            side: Side::from_number(row.side),
            code: row.code,
            class: row.class,
            attempts: row.attempts,
            first_at: row.first_at,
            last_at: row.last_at,
            next_retry_at: row.next_retry_at,
        })
    };
    Ok(rows.into_iter().filter_map(status).collect())
}

#[derive(QueryableByName)]
struct SkipRow {
    #[diesel(sql_type = Int4)]
    mailbox_id: i32,
    #[diesel(sql_type = SmallInt)]
    kind: i16,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many items of each stream were left alone, by reason.
pub fn skips(conn: &mut PgConnection) -> Result<Vec<(StreamId, Reason, i64)>, SyncError> {
    let rows: Vec<SkipRow> = diesel::sql_query("SELECT * FROM skip_totals()").load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let stream = StreamId {
                mailbox: MailboxId(row.mailbox_id),
                kind: RecordKind::from_number(row.kind)?,
            };
            Some((stream, Reason::from_word(&row.reason)?, row.count))
        })
        .collect())
}
