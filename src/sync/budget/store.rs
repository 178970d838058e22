//! What all nodes know of a CRM's calls, and what is in their purses. One row for each CRM is locked when a node
//! fetches a chunk, and none when it spends a call.

use super::share;
use crate::foundation::db::schema::{crm_budgets, crm_purses};
use crate::sync::error::SyncError;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use serde::Serialize;
use uuid::Uuid;

/// A purse of which its node did not tell for so long is empty: the node is dead, or has spent it.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::seconds(60);

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
}

/// What a node gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// Calls.
    pub calls: u64,
    /// Used and allowed, as the last node heard it.
    pub known: Option<(u64, u64)>,
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
    Ok(Fetched { calls, known })
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
    /// Streams that wait for calls.
    pub waiting: i64,
    /// When the CRM said so.
    pub heard_at: Option<DateTime<Utc>>,
}

/// Every CRM that has said something.
pub fn list(conn: &mut PgConnection) -> Result<Vec<BudgetStatus>, SyncError> {
    type Row = (String, Option<i64>, Option<i64>, i16, Option<DateTime<Utc>>);
    let rows: Vec<Row> = crm_budgets::table
        .order(crm_budgets::crm)
        .select((
            crm_budgets::crm,
            crm_budgets::used,
            crm_budgets::allowed,
            crm_budgets::reserve_percent,
            crm_budgets::heard_at,
        ))
        .load(conn)?;
    let mut all = Vec::with_capacity(rows.len());
    for (crm, used, allowed, reserve, heard_at) in rows {
        let Some((used, allowed)) = used.zip(allowed).map(|(used, all)| (natural(used), natural(all))) else {
            continue;
        };
        let waiting = waiting(conn, &crm)?;
        let ours = share::ours(allowed, u64::from(reserve.unsigned_abs()));
        all.push(BudgetStatus {
            crm,
            used,
            allowed,
            ours,
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
        .filter(streams::last_error_code.eq("crm.limit_reached"))
        .count()
        .get_result(conn)?)
}

fn natural(number: i64) -> u64 {
    number.max(0).unsigned_abs()
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
