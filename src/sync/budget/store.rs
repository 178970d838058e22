//! What all nodes know of a CRM's calls, and what is in their purses. One row for each CRM is locked when a node
//! fetches a chunk, and none when it spends a call.

use super::share;
use crate::foundation::db::schema::{crm_backfill, crm_budgets, crm_purses};
use crate::sync::error::SyncError;
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use serde::Serialize;
use uuid::Uuid;

/// A purse of which its node did not tell for so long is empty: the node is dead, or has spent it.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::seconds(60);

/// What first readings took is counted by the hour and forgotten after a day, as the CRM's own window does.
const WINDOW: TimeDelta = TimeDelta::hours(24);

/// What a node tells when it fetches.
#[derive(Debug, Clone)]
pub struct Report {
    /// Which CRM.
    pub crm: String,
    /// Which node.
    pub node: Uuid,
    /// Left in its purse.
    pub left: u64,
    /// Used and allowed, where the CRM said so since.
    pub heard: Option<(u64, u64)>,
    /// What is left to others.
    pub reserve_percent: u64,
    /// Spent for first readings since the last report.
    pub backfill: u64,
    /// The share of what is ours that they may take.
    pub backfill_percent: u64,
}

/// What a node gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// Calls.
    pub calls: u64,
    /// Used and allowed, as the last node heard it.
    pub known: Option<(u64, u64)>,
    /// What the first readings of all nodes took within a day.
    pub backfill: u64,
}

/// Fetches a chunk.
pub fn fetch(conn: &mut PgConnection, report: &Report, now: DateTime<Utc>) -> Result<Fetched, SyncError> {
    diesel::insert_into(crm_budgets::table)
        .values(crm_budgets::crm.eq(&report.crm))
        .on_conflict_do_nothing()
        .execute(conn)?;
    let row: (Option<i64>, Option<i64>) = crm_budgets::table
        .find(&report.crm)
        .select((crm_budgets::used, crm_budgets::allowed))
        .for_update()
        .first(conn)?;
    let stored = row
        .0
        .zip(row.1)
        .map(|(used, allowed)| (natural(used), natural(allowed)));
    if let Some((used, allowed)) = report.heard {
        diesel::update(crm_budgets::table.find(&report.crm))
            .set((
                crm_budgets::used.eq(signed(used)),
                crm_budgets::allowed.eq(signed(allowed)),
                crm_budgets::heard_at.eq(now),
                crm_budgets::reserve_percent.eq(i16::try_from(report.reserve_percent).unwrap_or(100)),
                crm_budgets::backfill_percent.eq(i16::try_from(report.backfill_percent).unwrap_or(100)),
            ))
            .execute(conn)?;
    }
    let known = report.heard.or(stored);
    let others: Vec<i64> = crm_purses::table
        .filter(crm_purses::crm.eq(&report.crm))
        .filter(crm_purses::node.ne(report.node))
        .filter(crm_purses::told_at.gt(now - FORGOTTEN_AFTER))
        .select(crm_purses::calls)
        .load(conn)?;
    let out = others.into_iter().map(natural).sum::<u64>() + report.left;
    let calls = share::grant(known, out, report.left, report.reserve_percent);
    let purse = signed(report.left + calls);
    diesel::insert_into(crm_purses::table)
        .values((
            crm_purses::crm.eq(&report.crm),
            crm_purses::node.eq(report.node),
            crm_purses::calls.eq(purse),
            crm_purses::told_at.eq(now),
        ))
        .on_conflict((crm_purses::crm, crm_purses::node))
        .do_update()
        .set((crm_purses::calls.eq(purse), crm_purses::told_at.eq(now)))
        .execute(conn)?;
    note_backfill(conn, report, now)?;
    let backfill = backfill(conn, &report.crm, now)?;
    Ok(Fetched {
        calls,
        known,
        backfill,
    })
}

fn note_backfill(conn: &mut PgConnection, report: &Report, now: DateTime<Utc>) -> Result<(), SyncError> {
    if report.backfill == 0 {
        return Ok(());
    }
    let hour = now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now);
    let calls = signed(report.backfill);
    diesel::delete(
        crm_backfill::table
            .filter(crm_backfill::crm.eq(&report.crm))
            .filter(crm_backfill::hour.le(now - WINDOW)),
    )
    .execute(conn)?;
    diesel::insert_into(crm_backfill::table)
        .values((
            crm_backfill::crm.eq(&report.crm),
            crm_backfill::hour.eq(hour),
            crm_backfill::calls.eq(calls),
        ))
        .on_conflict((crm_backfill::crm, crm_backfill::hour))
        .do_update()
        .set(crm_backfill::calls.eq(crm_backfill::calls + calls))
        .execute(conn)?;
    Ok(())
}

/// What first readings took within a day.
fn backfill(conn: &mut PgConnection, crm: &str, now: DateTime<Utc>) -> Result<u64, SyncError> {
    let hours: Vec<i64> = crm_backfill::table
        .filter(crm_backfill::crm.eq(crm))
        .filter(crm_backfill::hour.gt(now - WINDOW))
        .select(crm_backfill::calls)
        .load(conn)?;
    Ok(hours.into_iter().map(natural).sum())
}

/// How a CRM's calls stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BudgetStatus {
    /// The section `crm.NAME` of the settings.
    pub crm: String,
    /// Used in the CRM's window, by everybody.
    pub used: u64,
    /// Allowed in it.
    pub allowed: u64,
    /// Of which Holdfast takes no more than these.
    pub ours: u64,
    /// Taken by first readings within a day.
    pub backfill: u64,
    /// Of which they take no more than these.
    pub backfill_share: u64,
    /// Streams that wait for calls.
    pub waiting: i64,
    /// When the CRM said so.
    pub heard_at: Option<DateTime<Utc>>,
}

/// Every CRM that has said something.
pub fn list(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<BudgetStatus>, SyncError> {
    type Row = (
        String,
        Option<i64>,
        Option<i64>,
        (i16, i16),
        Option<DateTime<Utc>>,
    );
    let rows: Vec<Row> = crm_budgets::table
        .order(crm_budgets::crm)
        .select((
            crm_budgets::crm,
            crm_budgets::used,
            crm_budgets::allowed,
            (crm_budgets::reserve_percent, crm_budgets::backfill_percent),
            crm_budgets::heard_at,
        ))
        .load(conn)?;
    let mut all = Vec::with_capacity(rows.len());
    for (crm, used, allowed, (reserve, percent), heard_at) in rows {
        let Some((used, allowed)) = used.zip(allowed).map(|(used, all)| (natural(used), natural(all))) else {
            continue;
        };
        let waiting = waiting(conn, &crm)?;
        let (reserve, percent) = (reserve.unsigned_abs().into(), percent.unsigned_abs().into());
        let backfill = backfill(conn, &crm, now)?;
        all.push(BudgetStatus {
            crm,
            used,
            allowed,
            ours: share::ours(allowed, reserve),
            backfill,
            backfill_share: share::backfill(allowed, reserve, percent),
            waiting,
            heard_at,
        });
    }
    Ok(all)
}

fn waiting(conn: &mut PgConnection, crm: &str) -> Result<i64, SyncError> {
    use crate::foundation::db::schema::{mailboxes, streams};
    Ok(streams::table
        .inner_join(mailboxes::table)
        .filter(mailboxes::crm.eq(crm))
        .filter(mailboxes::state.eq("active"))
        .filter(streams::last_error_code.eq_any(["crm.limit_reached", "sync.backfill_waits"]))
        .count()
        .get_result(conn)?)
}

fn natural(number: i64) -> u64 {
    number.max(0).unsigned_abs()
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
