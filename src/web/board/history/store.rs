//! SQL of what lies behind: failures, items that were left alone, turns that did something. Codes and counts;
//! which item it was is nobody's business here.

use crate::foundation::db::schema::turns;
use crate::foundation::ids::MailboxId;
use crate::record::kind::RecordKind;
use crate::sync::model::Reason;
use crate::web::board::model::{FailureGroup, PastTurn, SkipGroup};
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Int4, Nullable, SmallInt, Text, Timestamptz};

/// Turns of a mailbox that are shown.
const TURNS: i64 = 20;

const GROUPED: &str = "count(*) AS items, count(DISTINCT mailbox_id) AS mailboxes,
    count(*) FILTER (WHERE next_retry_at IS NULL) AS given_up,
    min(first_at) AS first_at, max(last_at) AS last_at, min(next_retry_at) AS next_retry_at";

#[derive(QueryableByName)]
struct GroupRow {
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = Nullable<SmallInt>)]
    kind: Option<i16>,
    #[diesel(sql_type = BigInt)]
    items: i64,
    #[diesel(sql_type = BigInt)]
    mailboxes: i64,
    #[diesel(sql_type = BigInt)]
    given_up: i64,
    #[diesel(sql_type = Timestamptz)]
    first_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    last_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    next_retry_at: Option<DateTime<Utc>>,
}

impl From<GroupRow> for FailureGroup {
    fn from(row: GroupRow) -> Self {
        Self {
            code: row.code,
            kind: row.kind.and_then(RecordKind::from_number),
            items: row.items,
            mailboxes: row.mailboxes,
            given_up: row.given_up,
            first_at: row.first_at,
            last_at: row.last_at,
            next_retry_at: row.next_retry_at,
        }
    }
}

/// Over all mailboxes, through the function that gives codes and never an item.
pub(in crate::web::board) fn failures(conn: &mut PgConnection) -> QueryResult<Vec<FailureGroup>> {
    let sql = format!(
        "SELECT code, NULL::smallint AS kind, {GROUPED} FROM failure_list($1)
         GROUP BY code ORDER BY count(*) DESC, code"
    );
    let rows: Vec<GroupRow> = diesel::sql_query(sql).bind::<Int4, _>(i32::MAX).load(conn)?;
    Ok(rows.into_iter().map(FailureGroup::from).collect())
}

/// Of one mailbox.
pub(in crate::web::board) fn failures_of(
    conn: &mut PgConnection,
    id: MailboxId,
) -> QueryResult<Vec<FailureGroup>> {
    let sql = format!(
        "SELECT code, kind, {GROUPED} FROM failures WHERE mailbox_id = $1
         GROUP BY code, kind ORDER BY count(*) DESC, code, kind"
    );
    let rows: Vec<GroupRow> = diesel::sql_query(sql).bind::<Int4, _>(id.0).load(conn)?;
    Ok(rows.into_iter().map(FailureGroup::from).collect())
}

#[derive(QueryableByName)]
struct SkipRow {
    #[diesel(sql_type = SmallInt)]
    kind: i16,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = BigInt)]
    items: i64,
}

/// What one mailbox's streams left alone.
pub(in crate::web::board) fn skips_of(conn: &mut PgConnection, id: MailboxId) -> QueryResult<Vec<SkipGroup>> {
    let sql = "SELECT kind, reason, count(*) AS items FROM skips WHERE mailbox_id = $1
         GROUP BY kind, reason ORDER BY count(*) DESC, reason, kind";
    let rows: Vec<SkipRow> = diesel::sql_query(sql).bind::<Int4, _>(id.0).load(conn)?;
    let group = |row: SkipRow| {
        Some(SkipGroup {
            kind: RecordKind::from_number(row.kind)?,
            reason: Reason::from_word(&row.reason)?,
            items: row.items,
        })
    };
    Ok(rows.into_iter().filter_map(group).collect())
}

type TurnRow = (i16, DateTime<Utc>, DateTime<Utc>, String, serde_json::Value);

/// One mailbox's last turns, the newest first.
pub(in crate::web::board) fn turns_of(conn: &mut PgConnection, id: MailboxId) -> QueryResult<Vec<PastTurn>> {
    let rows: Vec<TurnRow> = turns::table
        .filter(turns::mailbox_id.eq(id.0))
        .order(turns::id.desc())
        .limit(TURNS)
        .select((
            turns::kind,
            turns::started_at,
            turns::finished_at,
            turns::outcome,
            turns::counts,
        ))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(past_turn).collect())
}

fn past_turn((kind, started_at, finished_at, outcome, counts): TurnRow) -> Option<PastTurn> {
    let count = |name: &str| counts.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
    let written = [
        "created_in_crm",
        "updated_in_crm",
        "deleted_in_crm",
        "created_in_mailbox",
        "updated_in_mailbox",
        "deleted_in_mailbox",
    ];
    Some(PastTurn {
        kind: RecordKind::from_number(kind)?,
        started_at,
        finished_at,
        outcome,
        written: written.into_iter().map(count).sum(),
        failed: count("failed"),
    })
}
