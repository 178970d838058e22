//! What is remembered of each entry of a list.

use crate::crm::model::CrmId;
use crate::foundation::db::schema::{failures, links, quarantine, series, skips};
use crate::record::kind::RecordKind;
use crate::sync::error::SyncError;
use crate::sync::model::{ItemKey, Reason, Side, StreamId};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use std::collections::HashMap;

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Account {
    /// It is on both sides.
    Written,
    /// It was left alone.
    Skipped(Reason),
    /// It failed.
    Failed,
}

/// Of items of the mailbox.
pub(super) fn of_items(
    conn: &mut PgConnection,
    stream: StreamId,
    keys: &[ItemKey],
) -> Result<HashMap<ItemKey, Account>, SyncError> {
    let mut accounts = skipped(conn, stream, Side::Mailbox, keys)?;
    let wanted: Vec<i64> = keys.iter().map(|key| key.0).collect();
    let linked: Vec<i64> = links::table
        .filter(links::mailbox_id.eq(stream.mailbox.0))
        .filter(links::kind.eq(stream.kind.number()))
        .filter(links::item_key.eq_any(&wanted))
        .select(links::item_key)
        .load(conn)?;
    // A series is listed as one item and linked date by date; that all its dates were looked at is remembered.
    let whole: Vec<i64> = match stream.kind {
        RecordKind::Calendar => series::table
            .filter(series::mailbox_id.eq(stream.mailbox.0))
            .filter(series::item_key.eq_any(&wanted))
            .select(series::item_key)
            .load(conn)?,
        _ => Vec::new(),
    };
    accounts.extend(whole.into_iter().map(|key| (ItemKey(key), Account::Written)));
    accounts.extend(linked.into_iter().map(|key| (ItemKey(key), Account::Written)));
    accounts.extend(failed(conn, stream, Side::Mailbox, keys)?);
    Ok(accounts)
}

/// Of records of the CRM, by their shortened ids.
pub(super) fn of_records(
    conn: &mut PgConnection,
    stream: StreamId,
    records: &[(ItemKey, CrmId)],
) -> Result<HashMap<ItemKey, Account>, SyncError> {
    let keys: Vec<ItemKey> = records.iter().map(|(key, _)| *key).collect();
    let mut accounts = skipped(conn, stream, Side::Crm, &keys)?;
    let ids: Vec<&str> = records.iter().map(|(_, id)| id.0.as_str()).collect();
    let linked: Vec<String> = links::table
        .filter(links::mailbox_id.eq(stream.mailbox.0))
        .filter(links::kind.eq(stream.kind.number()))
        .filter(links::crm_id.eq_any(ids))
        .select(links::crm_id)
        .load(conn)?;
    let by_id: HashMap<&str, ItemKey> = records.iter().map(|(key, id)| (id.0.as_str(), *key)).collect();
    accounts.extend(
        linked
            .iter()
            .filter_map(|id| Some((*by_id.get(id.as_str())?, Account::Written))),
    );
    accounts.extend(failed(conn, stream, Side::Crm, &keys)?);
    Ok(accounts)
}

fn skipped(
    conn: &mut PgConnection,
    stream: StreamId,
    side: Side,
    keys: &[ItemKey],
) -> Result<HashMap<ItemKey, Account>, SyncError> {
    let wanted: Vec<i64> = keys.iter().map(|key| key.0).collect();
    let rows: Vec<(i64, String)> = skips::table
        .filter(skips::mailbox_id.eq(stream.mailbox.0))
        .filter(skips::kind.eq(stream.kind.number()))
        .filter(skips::side.eq(side.number()))
        .filter(skips::item_key.eq_any(wanted))
        .select((skips::item_key, skips::reason))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(key, word)| Some((ItemKey(key), Account::Skipped(Reason::from_word(&word)?))))
        .collect())
}

fn failed(
    conn: &mut PgConnection,
    stream: StreamId,
    side: Side,
    keys: &[ItemKey],
) -> Result<HashMap<ItemKey, Account>, SyncError> {
    let wanted: Vec<i64> = keys.iter().map(|key| key.0).collect();
    let rows: Vec<i64> = failures::table
        .filter(failures::mailbox_id.eq(stream.mailbox.0))
        .filter(failures::kind.eq(stream.kind.number()))
        .filter(failures::side.eq(side.number()))
        .filter(failures::item_key.eq_any(wanted))
        .select(failures::item_key)
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|key| (ItemKey(key), Account::Failed))
        .collect())
}

/// Deletions that wait to be carried out on this side.
pub(super) fn held(conn: &mut PgConnection, stream: StreamId, towards: Side) -> Result<u64, SyncError> {
    let count: i64 = quarantine::table
        .filter(quarantine::mailbox_id.eq(stream.mailbox.0))
        .filter(quarantine::kind.eq(stream.kind.number()))
        .filter(quarantine::side.eq(towards.number()))
        .count()
        .get_result(conn)?;
    Ok(u64::try_from(count).unwrap_or(0))
}
