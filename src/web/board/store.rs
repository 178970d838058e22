//! SQL of the board. One common table expression gives each stream its state; summaries and pages are made
//! of it by the database, so that what is carried here is what is shown.

use super::model::{Filter, KindSummary, MailboxLine, Order, Page, ROWS, StreamLine, Summary, Trouble};
use super::state::StreamState;
use crate::foundation::db::schema::{mailboxes, streams};
use crate::foundation::ids::MailboxId;
use crate::record::kind::RecordKind;
use chrono::{DateTime, Utc};
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Double, Int4, Nullable, SmallInt, Text, Timestamptz};
use std::collections::HashMap;

/// `$1` is the time before which a stream that nobody has taken is late, `$2` is now. The numbers are the
/// ranks of [`StreamState`].
const STANDING: &str = "
    WITH standing AS (
        SELECT s.mailbox_id, s.kind, s.read_done, s.read_total, s.first_read_done, s.lag_ms,
            coalesce(m.state_code, s.last_error_code) AS code,
            CASE
                WHEN m.state = 'paused' THEN 0
                WHEN m.state = 'refused' THEN 7
                WHEN s.last_error_code IN ('crm.limit_reached', 'sync.backfill_waits') THEN 4
                WHEN s.last_error_code IS NOT NULL AND s.attempts >= 3 THEN 6
                WHEN s.last_error_code IS NOT NULL THEN 5
                WHEN s.due_at < $1 AND coalesce(s.lease_expires, '-infinity') < $2 THEN 3
                WHEN NOT s.first_read_done THEN 2
                ELSE 1
            END AS rank
        FROM streams s JOIN mailboxes m ON m.id = s.mailbox_id
    )";

#[derive(QueryableByName)]
struct RankCount {
    #[diesel(sql_type = Int4)]
    rank: i32,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct KindRow {
    #[diesel(sql_type = SmallInt)]
    kind: i16,
    #[diesel(sql_type = BigInt)]
    in_step: i64,
    #[diesel(sql_type = BigInt)]
    streams: i64,
    #[diesel(sql_type = BigInt)]
    read: i64,
    #[diesel(sql_type = BigInt)]
    read_total: i64,
    #[diesel(sql_type = Nullable<Int4>)]
    slowest_ms: Option<i32>,
    #[diesel(sql_type = Nullable<Double>)]
    median_ms: Option<f64>,
}

#[derive(QueryableByName)]
struct TroubleRow {
    #[diesel(sql_type = Text)]
    code: String,
    #[diesel(sql_type = BigInt)]
    mailboxes: i64,
    #[diesel(sql_type = Int4)]
    rank: i32,
}

/// Everything summed up.
pub(super) fn summary(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    late: DateTime<Utc>,
) -> QueryResult<Summary> {
    let by_state = format!(
        "{STANDING} SELECT rank, count(*) AS count
         FROM (SELECT max(rank) AS rank FROM standing GROUP BY mailbox_id) AS worst GROUP BY rank"
    );
    let by_state: Vec<RankCount> = asked(&by_state, now, late).load(conn)?;
    let by_kind = format!(
        "{STANDING} SELECT kind, count(*) FILTER (WHERE rank = 1) AS in_step,
            count(*) FILTER (WHERE rank > 0) AS streams,
            coalesce(sum(read_done) FILTER (WHERE NOT first_read_done AND rank > 0), 0)::bigint AS read,
            coalesce(sum(read_total) FILTER (WHERE NOT first_read_done AND rank > 0), 0)::bigint AS read_total,
            max(lag_ms) FILTER (WHERE rank > 0) AS slowest_ms,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY lag_ms) FILTER (WHERE rank > 0) AS median_ms
         FROM standing GROUP BY kind ORDER BY kind"
    );
    let by_kind: Vec<KindRow> = asked(&by_kind, now, late).load(conn)?;
    let troubles = format!(
        "{STANDING} SELECT code, count(DISTINCT mailbox_id) AS mailboxes, max(rank) AS rank
         FROM standing WHERE rank >= 4 AND code IS NOT NULL
         GROUP BY code ORDER BY max(rank) DESC, count(DISTINCT mailbox_id) DESC, code LIMIT 20"
    );
    let troubles: Vec<TroubleRow> = asked(&troubles, now, late).load(conn)?;
    Ok(Summary {
        mailboxes: by_state
            .into_iter()
            .map(|row| (StreamState::from_rank(row.rank), row.count))
            .collect(),
        kinds: by_kind.into_iter().filter_map(kind).collect(),
        troubles: troubles
            .into_iter()
            .map(|row| Trouble {
                code: row.code,
                mailboxes: row.mailboxes,
                state: StreamState::from_rank(row.rank),
            })
            .collect(),
    })
}

type Asked<'a> = diesel::query_builder::BoxedSqlQuery<'a, Pg, diesel::query_builder::SqlQuery>;

fn asked(sql: &str, now: DateTime<Utc>, late: DateTime<Utc>) -> Asked<'_> {
    diesel::sql_query(sql)
        .into_boxed::<Pg>()
        .bind::<Timestamptz, _>(late)
        .bind::<Timestamptz, _>(now)
}

fn kind(row: KindRow) -> Option<KindSummary> {
    Some(KindSummary {
        kind: RecordKind::from_number(row.kind)?,
        in_step: row.in_step,
        streams: row.streams,
        read: row.read,
        read_total: row.read_total,
        slowest_ms: row.slowest_ms,
        median_ms: row.median_ms.map(|median| median as i32),
    })
}

#[derive(QueryableByName)]
struct Chosen {
    #[diesel(sql_type = Int4)]
    mailbox_id: i32,
    #[diesel(sql_type = BigInt)]
    total: i64,
}

#[derive(QueryableByName)]
struct Ranked {
    #[diesel(sql_type = Int4)]
    mailbox_id: i32,
    #[diesel(sql_type = SmallInt)]
    kind: i16,
    #[diesel(sql_type = Int4)]
    rank: i32,
}

/// One page of mailboxes.
pub(super) fn page(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    late: DateTime<Utc>,
    filter: &Filter,
) -> QueryResult<Page> {
    let order = match filter.order {
        Order::Worst => "w.rank DESC, m.address",
        Order::Slowest => "w.lag_ms DESC NULLS LAST, m.address",
        Order::Address => "m.address",
    };
    let sql = format!(
        "{STANDING} SELECT w.mailbox_id, count(*) OVER () AS total
         FROM (SELECT mailbox_id, max(rank) AS rank, max(lag_ms) AS lag_ms,
                      coalesce(bool_or(code = $5 AND rank >= 4), false) AS has_code
               FROM standing GROUP BY mailbox_id) w
         JOIN mailboxes m ON m.id = w.mailbox_id
         WHERE ($3 < 0 OR w.rank = $3)
           AND ($4 = '' OR strpos(lower(m.address), $4) > 0 OR strpos(lower(m.crm_username), $4) > 0)
           AND ($5 = '' OR w.has_code
                OR w.mailbox_id IN (SELECT f.mailbox_id FROM failure_list($7) f WHERE f.code = $5))
         ORDER BY {order} LIMIT {ROWS} OFFSET $6"
    );
    let chosen: Vec<Chosen> = asked(&sql, now, late)
        .bind::<Int4, _>(filter.state.map_or(-1, StreamState::rank))
        .bind::<Text, _>(filter.text.to_lowercase())
        .bind::<Text, _>(filter.code.clone().unwrap_or_default())
        .bind::<BigInt, _>((filter.page.max(1) - 1).saturating_mul(ROWS))
        .bind::<Int4, _>(i32::MAX)
        .load(conn)?;
    let total = chosen.first().map_or(0, |row| row.total);
    let ids: Vec<i32> = chosen.into_iter().map(|row| row.mailbox_id).collect();
    Ok(Page {
        rows: lines(conn, now, late, &ids)?,
        total,
    })
}

/// One mailbox.
pub(super) fn mailbox(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    late: DateTime<Utc>,
    id: MailboxId,
) -> QueryResult<Option<MailboxLine>> {
    Ok(lines(conn, now, late, &[id.0])?.pop())
}

/// These mailboxes with their streams, in this order.
fn lines(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    late: DateTime<Utc>,
    ids: &[i32],
) -> QueryResult<Vec<MailboxLine>> {
    let sql = format!("{STANDING} SELECT mailbox_id, kind, rank FROM standing WHERE mailbox_id = ANY($3)");
    let ranks: HashMap<(i32, i16), StreamState> = asked(&sql, now, late)
        .bind::<diesel::sql_types::Array<Int4>, _>(ids)
        .load::<Ranked>(conn)?
        .into_iter()
        .map(|row| ((row.mailbox_id, row.kind), StreamState::from_rank(row.rank)))
        .collect();
    let mut of: HashMap<i32, Vec<StreamLine>> = HashMap::new();
    for row in stream_rows(conn, ids)? {
        let Some(state) = ranks.get(&(row.mailbox_id, row.kind)) else {
            continue;
        };
        let mailbox = row.mailbox_id;
        of.entry(mailbox).or_default().extend(row.line(*state, now));
    }
    type Row = (i32, String, String, String, Option<String>);
    let mut rows: HashMap<i32, Row> = mailboxes::table
        .filter(mailboxes::id.eq_any(ids))
        .select((
            mailboxes::id,
            mailboxes::address,
            mailboxes::crm_username,
            mailboxes::policy,
            mailboxes::state_code,
        ))
        .load::<Row>(conn)?
        .into_iter()
        .map(|row| (row.0, row))
        .collect();
    let line = |id: &i32| {
        let (_, address, crm_username, policy, state_code) = rows.remove(id)?;
        let streams = of.remove(id).unwrap_or_default();
        let worst = streams.iter().map(|stream| stream.state).max();
        Some(MailboxLine {
            id: MailboxId(*id),
            address,
            crm_username,
            policy,
            state: worst.unwrap_or(StreamState::Paused),
            state_code,
            streams,
        })
    };
    Ok(ids.iter().filter_map(line).collect())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = streams)]
struct StreamRow {
    mailbox_id: i32,
    kind: i16,
    lease_expires: Option<DateTime<Utc>>,
    read_done: i32,
    read_total: Option<i32>,
    first_read_done: bool,
    lag_ms: Option<i32>,
    last_turn_at: Option<DateTime<Utc>>,
    last_change_at: Option<DateTime<Utc>>,
    due_at: DateTime<Utc>,
    last_error_code: Option<String>,
}

impl StreamRow {
    fn line(self, state: StreamState, now: DateTime<Utc>) -> Option<StreamLine> {
        Some(StreamLine {
            kind: RecordKind::from_number(self.kind)?,
            state,
            running: self.lease_expires.is_some_and(|expires| expires > now),
            read: self.read_done,
            read_total: self.read_total,
            first_read_done: self.first_read_done,
            lag_ms: self.lag_ms,
            last_turn_at: self.last_turn_at,
            last_change_at: self.last_change_at,
            due_at: self.due_at,
            error: self.last_error_code,
        })
    }
}

fn stream_rows(conn: &mut PgConnection, ids: &[i32]) -> QueryResult<Vec<StreamRow>> {
    streams::table
        .filter(streams::mailbox_id.eq_any(ids))
        .order((streams::mailbox_id, streams::kind))
        .select(StreamRow::as_select())
        .load(conn)
}

/// One row of `stream_totals()`.
#[derive(QueryableByName)]
pub(super) struct TotalRow {
    #[diesel(sql_type = Int4)]
    pub(super) mailbox_id: i32,
    #[diesel(sql_type = SmallInt)]
    pub(super) kind: i16,
    #[diesel(sql_type = BigInt)]
    pub(super) linked: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) skipped: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) failed: i64,
}

/// The counts of every stream; a walk over all links and skips.
pub(super) fn totals(conn: &mut PgConnection) -> QueryResult<Vec<TotalRow>> {
    diesel::sql_query("SELECT * FROM stream_totals()").load(conn)
}

/// Does the database take writes? For the readiness probe.
pub(super) fn takes_writes(conn: &mut PgConnection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Standby {
        #[diesel(sql_type = Bool)]
        standby: bool,
    }
    let row: Standby = diesel::sql_query("SELECT pg_is_in_recovery() AS standby").get_result(conn)?;
    Ok(!row.standby)
}
