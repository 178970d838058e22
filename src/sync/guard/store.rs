//! The quarantine's SQL, and the numbers that the guard goes by.

use super::plan::{Decision, Standing};
use crate::crm::model::CrmId;
use crate::foundation::db::schema::{journal, links, quarantine, skips};
use crate::foundation::ids::MailboxId;
use crate::mailbox::model::ItemId;
use crate::record::kind::RecordKind;
use crate::sync::error::SyncError;
use crate::sync::journal::Act;
use crate::sync::model::{ItemKey, Link, Reason, Side, StreamId};
use crate::sync::store::links::{pack_id, unpack_id};
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Int4, SmallInt, Timestamptz};
use std::collections::{HashMap, HashSet};

/// A deletion that is to wait for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Where it would be carried out.
    pub side: Side,
    /// The mailbox's item, shortened.
    pub key: ItemKey,
    /// The mailbox's item.
    pub item: Option<ItemId>,
    /// The CRM's record.
    pub crm: CrmId,
    /// Why, where the item still exists in the mailbox.
    pub because: Option<Reason>,
}

/// A row of the quarantine, as people see it: ids, times and codes.
#[derive(Debug, Clone, serde::Serialize)]
pub struct QuarantineRow {
    /// The row's number.
    pub id: i64,
    /// The record type.
    pub kind: RecordKind,
    /// Where it would be deleted.
    pub side: Side,
    /// The mailbox's item.
    pub item: Option<String>,
    /// The CRM's record.
    pub crm: String,
    /// Why, where the item still exists in the mailbox.
    pub because: Option<Reason>,
    /// `held`, `approved` or `refused`; the last two until the next turn has carried them out.
    pub state: String,
    /// Since when.
    pub held_at: DateTime<Utc>,
}

/// How many deletions of a stream wait.
#[derive(Debug, Clone, serde::Serialize)]
pub struct HeldTotal {
    /// Whose.
    pub mailbox: MailboxId,
    /// What.
    pub kind: RecordKind,
    /// Where they would be carried out.
    pub side: Side,
    /// How many.
    pub held: i64,
    /// Since when.
    pub oldest: DateTime<Utc>,
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Held => "held",
        Decision::Approved => "approved",
        Decision::Refused => "refused",
    }
}

fn from_word(word: &str) -> Option<Decision> {
    [Decision::Held, Decision::Approved, Decision::Refused]
        .into_iter()
        .find(|decision| self::word(*decision) == word)
}

/// What was said of these items' deletions so far.
pub fn decisions(
    conn: &mut PgConnection,
    stream: StreamId,
    keys: &[ItemKey],
) -> Result<HashMap<ItemKey, Decision>, SyncError> {
    let keys: Vec<i64> = keys.iter().map(|key| key.0).collect();
    let rows: Vec<(i64, String)> = quarantine::table
        .filter(quarantine::mailbox_id.eq(stream.mailbox.0))
        .filter(quarantine::kind.eq(stream.kind.number()))
        .filter(quarantine::item_key.eq_any(keys))
        .select((quarantine::item_key, quarantine::state))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(key, state)| Some((ItemKey(key), from_word(&state)?)))
        .collect())
}

/// Counts acts of people: the dates of one series are taken away by one. An id that is packed for a date of a
/// series ([`pack_id`]) has a 2 before four bytes of the day and the series.
const ACTS: &str = "count(DISTINCT CASE WHEN item_id IS NULL THEN int8send(item_key) \
    WHEN get_byte(item_id, 0) = 2 THEN substring(item_id FROM 6) ELSE item_id END)";

/// How the stream stands towards a side since this instant.
pub fn standing(
    conn: &mut PgConnection,
    stream: StreamId,
    towards: Side,
    since: DateTime<Utc>,
) -> Result<Standing, SyncError> {
    let links: i64 = links::table
        .filter(links::mailbox_id.eq(stream.mailbox.0))
        .filter(links::kind.eq(stream.kind.number()))
        .count()
        .get_result(conn)?;
    let carried_out: i64 = journal::table
        .filter(journal::mailbox_id.eq(stream.mailbox.0))
        .filter(journal::kind.eq(stream.kind.number()))
        .filter(journal::at.ge(since))
        .filter(journal::side.eq(towards.number()))
        .filter(journal::act.eq(Act::Deleted.number()))
        .select(sql::<BigInt>(ACTS))
        .get_result(conn)?;
    let waiting: i64 = quarantine::table
        .filter(quarantine::mailbox_id.eq(stream.mailbox.0))
        .filter(quarantine::kind.eq(stream.kind.number()))
        .filter(quarantine::side.eq(towards.number()))
        .filter(quarantine::held_at.ge(since))
        .filter(quarantine::state.eq(word(Decision::Held)))
        .select(sql::<BigInt>(ACTS))
        .get_result(conn)?;
    let unsigned = |count: i64| u64::try_from(count).unwrap_or(0);
    Ok(Standing {
        links: unsigned(links + carried_out),
        deletions: unsigned(carried_out + waiting),
    })
}

/// Puts deletions into quarantine. One that is there keeps its state.
pub fn hold(
    conn: &mut PgConnection,
    stream: StreamId,
    held: &[Held],
    now: DateTime<Utc>,
) -> Result<(), SyncError> {
    let rows: Vec<_> = held
        .iter()
        .map(|one| {
            (
                quarantine::mailbox_id.eq(stream.mailbox.0),
                quarantine::kind.eq(stream.kind.number()),
                quarantine::side.eq(one.side.number()),
                quarantine::item_key.eq(one.key.0),
                quarantine::item_id.eq(one.item.as_ref().map(pack_id)),
                quarantine::crm_id.eq(&one.crm.0),
                quarantine::reason.eq(one.because.map(Reason::word)),
                quarantine::held_at.eq(now),
            )
        })
        .collect();
    for chunk in rows.chunks(2_000) {
        diesel::insert_into(quarantine::table)
            .values(chunk.to_vec())
            .on_conflict((quarantine::mailbox_id, quarantine::kind, quarantine::item_key))
            .do_nothing()
            .execute(conn)?;
    }
    Ok(())
}

/// Takes out of quarantine what a page has settled: items that are linked no more, linked to another record
/// now, or brought back into the turn and found in step. Returns those whose deletion was approved.
pub fn resolve(
    conn: &mut PgConnection,
    stream: StreamId,
    settled: &[ItemKey],
    linked: &[Link],
) -> Result<HashSet<ItemKey>, SyncError> {
    let current: HashMap<i64, &CrmId> = linked.iter().map(|link| (link.key.0, &link.crm)).collect();
    let settled: HashSet<i64> = settled.iter().map(|key| key.0).collect();
    let keys: Vec<i64> = settled.iter().chain(current.keys()).copied().collect();
    if keys.is_empty() {
        return Ok(HashSet::new());
    }
    let mine = quarantine::table
        .filter(quarantine::mailbox_id.eq(stream.mailbox.0))
        .filter(quarantine::kind.eq(stream.kind.number()));
    let rows: Vec<(i64, i64, String, String)> = mine
        .filter(quarantine::item_key.eq_any(keys))
        .select((
            quarantine::id,
            quarantine::item_key,
            quarantine::crm_id,
            quarantine::state,
        ))
        .load(conn)?;
    let over: Vec<&(i64, i64, String, String)> = rows
        .iter()
        .filter(|(_, key, crm, _)| settled.contains(key) || current.get(key).is_some_and(|now| now.0 != *crm))
        .collect();
    if !over.is_empty() {
        let ids: Vec<i64> = over.iter().map(|(id, ..)| *id).collect();
        diesel::delete(quarantine::table.filter(quarantine::id.eq_any(ids))).execute(conn)?;
    }
    Ok(over
        .into_iter()
        .filter(|(.., state)| state == word(Decision::Approved))
        .map(|(_, key, ..)| ItemKey(*key))
        .collect())
}

/// Deletions that a person has decided about and that no turn has dealt with yet. A refused one whose item
/// still exists in the mailbox is left as it is and is not among them.
pub fn decided(conn: &mut PgConnection, stream: StreamId, most: i64) -> Result<Vec<Held>, SyncError> {
    type Row = (i16, i64, Option<Vec<u8>>, String, Option<String>);
    let rows: Vec<Row> = quarantine::table
        .filter(quarantine::mailbox_id.eq(stream.mailbox.0))
        .filter(quarantine::kind.eq(stream.kind.number()))
        .filter(
            quarantine::state
                .eq(word(Decision::Approved))
                .or(quarantine::state
                    .eq(word(Decision::Refused))
                    .and(quarantine::reason.is_null())),
        )
        .order(quarantine::id)
        .limit(most)
        .select((
            quarantine::side,
            quarantine::item_key,
            quarantine::item_id,
            quarantine::crm_id,
            quarantine::reason,
        ))
        .load(conn)?;
    let held = |(number, key, item, crm, reason): Row| Held {
        side: Side::from_number(number),
        key: ItemKey(key),
        item: item.and_then(|bytes: Vec<u8>| unpack_id(&bytes)),
        crm: CrmId(crm),
        because: reason.as_deref().and_then(Reason::from_word),
    };
    Ok(rows.into_iter().map(held).collect())
}

/// A mailbox's quarantine, the oldest first.
pub fn list(conn: &mut PgConnection, mailbox: MailboxId, most: i64) -> Result<Vec<QuarantineRow>, SyncError> {
    type Row = (
        (i64, i16, i16),
        (Option<Vec<u8>>, String, Option<String>),
        (String, DateTime<Utc>),
    );
    let rows: Vec<Row> = quarantine::table
        .filter(quarantine::mailbox_id.eq(mailbox.0))
        .order(quarantine::id)
        .limit(most)
        .select((
            (quarantine::id, quarantine::kind, quarantine::side),
            (quarantine::item_id, quarantine::crm_id, quarantine::reason),
            (quarantine::state, quarantine::held_at),
        ))
        .load(conn)?;
    let row = |((id, kind, number), (item, crm, reason), (state, held_at)): Row| {
        Some(QuarantineRow {
            id,
            kind: RecordKind::from_number(kind)?,
            side: Side::from_number(number),
            item: item.and_then(|bytes: Vec<u8>| unpack_id(&bytes)).map(|id| id.0),
            crm,
            because: reason.as_deref().and_then(Reason::from_word),
            state,
            held_at,
        })
    };
    Ok(rows.into_iter().filter_map(row).collect())
}

/// Which rows a person decides about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Only this record type.
    pub kind: Option<RecordKind>,
    /// Only where it would be carried out on this side.
    pub side: Option<Side>,
    /// Only these numbers; empty for all.
    pub ids: Vec<i64>,
}

/// Notes a person's decision about a mailbox's held deletions; how many.
pub fn decide(
    conn: &mut PgConnection,
    mailbox: MailboxId,
    choice: &Choice,
    decision: Decision,
    now: DateTime<Utc>,
) -> Result<usize, SyncError> {
    let mut rows = quarantine::table
        .filter(quarantine::mailbox_id.eq(mailbox.0))
        .filter(quarantine::state.eq(word(Decision::Held)))
        .select(quarantine::id)
        .into_boxed();
    if let Some(kind) = choice.kind {
        rows = rows.filter(quarantine::kind.eq(kind.number()));
    }
    if let Some(side) = choice.side {
        rows = rows.filter(quarantine::side.eq(side.number()));
    }
    if !choice.ids.is_empty() {
        rows = rows.filter(quarantine::id.eq_any(choice.ids.clone()));
    }
    let ids: Vec<i64> = rows.load(conn)?;
    Ok(
        diesel::update(quarantine::table.filter(quarantine::id.eq_any(ids)))
            .set((
                quarantine::state.eq(word(decision)),
                quarantine::decided_at.eq(now),
            ))
            .execute(conn)?,
    )
}

/// How many deletions wait, by stream and side.
pub fn totals(conn: &mut PgConnection) -> Result<Vec<HeldTotal>, SyncError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Int4)]
        mailbox_id: i32,
        #[diesel(sql_type = SmallInt)]
        kind: i16,
        #[diesel(sql_type = SmallInt)]
        side: i16,
        #[diesel(sql_type = BigInt)]
        held: i64,
        #[diesel(sql_type = Timestamptz)]
        oldest: DateTime<Utc>,
    }
    let rows: Vec<Row> = diesel::sql_query("SELECT * FROM quarantine_totals()").load(conn)?;
    let total = |row: Row| {
        Some(HeldTotal {
            mailbox: MailboxId(row.mailbox_id),
            kind: RecordKind::from_number(row.kind)?,
            side: Side::from_number(row.side),
            held: row.held,
            oldest: row.oldest,
        })
    };
    Ok(rows.into_iter().filter_map(total).collect())
}

/// Links of a stream behind this key, in the order of their keys, with their records.
pub fn links_behind(
    conn: &mut PgConnection,
    stream: StreamId,
    behind: Option<ItemKey>,
    most: i64,
) -> Result<Vec<(ItemKey, CrmId)>, SyncError> {
    let mut rows = links::table
        .filter(links::mailbox_id.eq(stream.mailbox.0))
        .filter(links::kind.eq(stream.kind.number()))
        .order(links::item_key)
        .limit(most)
        .select((links::item_key, links::crm_id))
        .into_boxed();
    if let Some(ItemKey(behind)) = behind {
        rows = rows.filter(links::item_key.gt(behind));
    }
    let rows: Vec<(i64, String)> = rows.load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(key, crm)| (ItemKey(key), CrmId(crm)))
        .collect())
}

/// Items and records of a stream that were left alone for a reason that lasts.
pub fn lasting_skips(
    conn: &mut PgConnection,
    stream: StreamId,
) -> Result<HashMap<(Side, ItemKey), Reason>, SyncError> {
    // Spelled out, as the index is: a bound list would not match its condition.
    let lasting = diesel::dsl::sql::<Bool>("reason IN ('undone', 'handed_over', 'parted', 'left_scope')");
    let rows: Vec<(i16, i64, String)> = skips::table
        .filter(skips::mailbox_id.eq(stream.mailbox.0))
        .filter(skips::kind.eq(stream.kind.number()))
        .filter(lasting)
        .select((skips::side, skips::item_key, skips::reason))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(number, key, word)| {
            Some((
                (Side::from_number(number), ItemKey(key)),
                Reason::from_word(&word)?,
            ))
        })
        .collect())
}
