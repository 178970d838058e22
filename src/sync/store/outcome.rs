//! Failures, skips, and the commit of a page.

use super::ahead::{self, Ahead};
use super::notes::{self, Noted};
use super::series::SeriesChange;
use super::{journal, kept, links, series, streams, unseen};
use crate::attachments;
use crate::attachments::model::Transfer;
use crate::crm::model::CrmId;
use crate::foundation::db::schema::{failures, skips, turns};
use crate::mailbox::model::ItemId;
use crate::record::kind::RecordKind;
use crate::sync::choice::model::Choice;
use crate::sync::choice::store as choices;
use crate::sync::error::SyncError;
use crate::sync::guard::store::{self as quarantine, Held};
use crate::sync::journal::Entry;
use crate::sync::model::{ItemKey, Link, Reason, Side, StreamId};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Nullable};
use diesel::upsert::excluded;
use std::collections::BTreeMap;

/// An item that could not be synchronised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where the item is.
    pub side: Side,
    /// Which, shortened.
    pub key: ItemKey,
    /// Which, where it is in the mailbox.
    pub item: Option<ItemId>,
    /// Which, where it is in the CRM.
    pub crm: Option<CrmId>,
    /// The failure's stable code.
    pub code: &'static str,
    /// The word of its class.
    pub class: &'static str,
    /// How often it failed in a row, this time included.
    pub attempts: i32,
    /// When it is tried again; `None`: when it changes, or when a person asks.
    pub next_retry_at: Option<DateTime<Utc>>,
    /// What it is called, sealed.
    pub name: Option<Vec<u8>>,
}

/// What a page taught us.
#[derive(Debug, Clone, Default)]
pub struct PageOutcome {
    /// Links to store.
    pub links: Vec<Link>,
    /// Links to forget.
    pub unlinked: Vec<ItemKey>,
    /// Items that were left alone.
    pub skipped: Vec<(Side, ItemKey, Reason)>,
    /// Items that are neither failed nor skipped any more.
    pub settled: Vec<(Side, ItemKey)>,
    /// Items that failed.
    pub failed: Vec<Failure>,
    /// What was written.
    pub journal: Vec<Entry>,
    /// Deletions that wait for a person.
    pub held: Vec<Held>,
    /// Items whose deletion need not wait any more, beside those that are linked no more or anew.
    pub released: Vec<ItemKey>,
    /// Items that we made in the mailbox.
    pub made: Vec<ItemKey>,
    /// Items of that sort that the feed has shown now, or that were looked for.
    pub shown: Vec<ItemKey>,
    /// What lies beyond the window.
    pub ahead: Vec<Ahead>,
    /// The day up to which everything was looked at that the window has reached.
    pub reached: Option<NaiveDate>,
    /// Series to remember and to forget.
    pub series: SeriesChange,
    /// Items whose attachments are to be carried.
    pub transfers: Vec<Transfer>,
    /// Items whose attachments wait no more.
    pub carried: Vec<ItemKey>,
    /// What waits for a person's choice from now on.
    pub choices: Vec<Choice>,
    /// What there is nothing to choose about any more.
    pub chosen: Vec<(Side, ItemKey)>,
    /// What is to be said of items.
    pub noted: Noted,
}

/// Commits a page: what it taught us and the cursors behind it, if the lease is still ours.
pub fn commit_page(
    conn: &mut PgConnection,
    lease: streams::Lease,
    page: &PageOutcome,
    step: &streams::Advance,
    now: DateTime<Utc>,
) -> Result<(), SyncError> {
    // The stream's row first: it is locked from here on, and a lost lease writes nothing.
    streams::advance(conn, lease, step)?;
    let stream = lease.stream;
    if !page.unlinked.is_empty() {
        links::remove(conn, stream, &page.unlinked)?;
        unseen::seen(conn, stream, &page.unlinked)?;
        let forgotten = Noted {
            looked: page.unlinked.clone(),
            notes: Vec::new(),
        };
        notes::change(conn, stream, &forgotten)?;
        if stream.kind == RecordKind::Calendar {
            kept::release(conn, stream.mailbox, &page.unlinked)?;
        }
    }
    if !page.links.is_empty() {
        links::put(conn, stream, &page.links)?;
    }
    let over = [page.unlinked.as_slice(), &page.released].concat();
    let approved = quarantine::resolve(conn, stream, &over, &page.links)?;
    quarantine::hold(conn, stream, &page.held, now)?;
    journal::put(conn, stream, &page.journal, &approved, now)?;
    if !page.shown.is_empty() {
        unseen::seen(conn, stream, &page.shown)?;
    }
    if !page.made.is_empty() {
        unseen::put(conn, stream, &page.made)?;
    }
    ahead::put(conn, stream, &page.ahead)?;
    if let Some(today) = page.reached {
        ahead::looked_at(conn, stream, today)?;
    }
    series::change(conn, stream, &page.series)?;
    notes::change(conn, stream, &page.noted)?;
    settle(conn, stream, &page.settled)?;
    put_skips(conn, stream, &page.skipped)?;
    let carried: Vec<i64> = page.carried.iter().map(|key| key.0).collect();
    attachments::store::done(conn, lease.carrier(), &carried)?;
    attachments::store::put(conn, lease.carrier(), &page.transfers)?;
    choices::put(conn, stream.mailbox, &page.choices)?;
    choices::forget(conn, stream, &page.chosen)?;
    put_failures(conn, stream, &page.failed, now)
}

fn settle(conn: &mut PgConnection, stream: StreamId, items: &[(Side, ItemKey)]) -> Result<(), SyncError> {
    for side in [Side::Mailbox, Side::Crm] {
        let keys: Vec<i64> = items
            .iter()
            .filter(|(of, _)| *of == side)
            .map(|(_, key)| key.0)
            .collect();
        if keys.is_empty() {
            continue;
        }
        diesel::delete(
            failures::table
                .filter(failures::mailbox_id.eq(stream.mailbox.0))
                .filter(failures::kind.eq(stream.kind.number()))
                .filter(failures::side.eq(side.number()))
                .filter(failures::item_key.eq_any(&keys)),
        )
        .execute(conn)?;
        diesel::delete(
            skips::table
                .filter(skips::mailbox_id.eq(stream.mailbox.0))
                .filter(skips::kind.eq(stream.kind.number()))
                .filter(skips::side.eq(side.number()))
                .filter(skips::item_key.eq_any(&keys)),
        )
        .execute(conn)?;
    }
    Ok(())
}

fn put_skips(
    conn: &mut PgConnection,
    stream: StreamId,
    skipped: &[(Side, ItemKey, Reason)],
) -> Result<(), SyncError> {
    let unique: BTreeMap<(i16, i64), Reason> = skipped
        .iter()
        .map(|(side, key, reason)| ((side.number(), key.0), *reason))
        .collect();
    if unique.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = unique
        .into_iter()
        .map(|((side, key), reason)| {
            (
                skips::mailbox_id.eq(stream.mailbox.0),
                skips::kind.eq(stream.kind.number()),
                skips::side.eq(side),
                skips::item_key.eq(key),
                skips::reason.eq(reason.word()),
            )
        })
        .collect();
    for chunk in rows.chunks(2_000) {
        diesel::insert_into(skips::table)
            .values(chunk.to_vec())
            .on_conflict((skips::mailbox_id, skips::kind, skips::side, skips::item_key))
            .do_update()
            .set(skips::reason.eq(excluded(skips::reason)))
            .execute(conn)?;
    }
    Ok(())
}

fn put_failures(
    conn: &mut PgConnection,
    stream: StreamId,
    failed: &[Failure],
    now: DateTime<Utc>,
) -> Result<(), SyncError> {
    for failure in failed {
        diesel::insert_into(failures::table)
            .values((
                failures::mailbox_id.eq(stream.mailbox.0),
                failures::kind.eq(stream.kind.number()),
                failures::side.eq(failure.side.number()),
                failures::item_key.eq(failure.key.0),
                failures::item_id.eq(failure.item.as_ref().map(links::pack_id)),
                failures::crm_id.eq(failure.crm.as_ref().map(|id| id.0.as_str())),
                failures::code.eq(failure.code),
                failures::class.eq(failure.class),
                failures::attempts.eq(failure.attempts),
                failures::first_at.eq(now),
                failures::last_at.eq(now),
                failures::next_retry_at.eq(failure.next_retry_at),
                failures::name.eq(failure.name.as_deref()),
            ))
            .on_conflict((
                failures::mailbox_id,
                failures::kind,
                failures::side,
                failures::item_key,
            ))
            .do_update()
            .set((
                failures::item_id.eq(excluded(failures::item_id)),
                failures::crm_id.eq(excluded(failures::crm_id)),
                failures::code.eq(excluded(failures::code)),
                failures::class.eq(excluded(failures::class)),
                failures::attempts.eq(excluded(failures::attempts)),
                failures::last_at.eq(now),
                failures::next_retry_at.eq(excluded(failures::next_retry_at)),
                // Another try may not come so far as to read it.
                failures::name.eq(sql::<Nullable<Binary>>("coalesce(excluded.name, failures.name)")),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// A failure that is due again, or that concerns an item at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Where the item is.
    pub side: Side,
    /// Which, shortened.
    pub key: ItemKey,
    /// Which, where it is in the mailbox.
    pub item: Option<ItemId>,
    /// Which, where it is in the CRM.
    pub crm: Option<CrmId>,
    /// How often it failed so far.
    pub attempts: i32,
    /// When it failed for the first time.
    pub first_at: DateTime<Utc>,
    /// True where it is to be tried now.
    pub due: bool,
}

/// All failures of a stream.
pub fn failures_of(
    conn: &mut PgConnection,
    stream: StreamId,
    now: DateTime<Utc>,
) -> Result<Vec<Due>, SyncError> {
    type Row = (
        i16,
        i64,
        Option<Vec<u8>>,
        Option<String>,
        i32,
        DateTime<Utc>,
        Option<DateTime<Utc>>,
    );
    let rows: Vec<Row> = failures::table
        .filter(failures::mailbox_id.eq(stream.mailbox.0))
        .filter(failures::kind.eq(stream.kind.number()))
        .select((
            failures::side,
            failures::item_key,
            failures::item_id,
            failures::crm_id,
            failures::attempts,
            failures::first_at,
            failures::next_retry_at,
        ))
        .order(failures::id)
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(side, key, item, crm, attempts, first_at, next)| Due {
            side: Side::from_number(side),
            key: ItemKey(key),
            item: item.and_then(|bytes| links::unpack_id(&bytes)),
            crm: crm.map(CrmId),
            attempts,
            first_at,
            due: next.is_some_and(|next| next <= now),
        })
        .collect())
}

/// When the first of a stream's failed items is to be tried again.
pub fn next_retry(conn: &mut PgConnection, stream: StreamId) -> Result<Option<DateTime<Utc>>, SyncError> {
    Ok(failures::table
        .filter(failures::mailbox_id.eq(stream.mailbox.0))
        .filter(failures::kind.eq(stream.kind.number()))
        .select(diesel::dsl::min(failures::next_retry_at))
        .first(conn)?)
}

/// Why an item was left alone at its last look.
pub fn skip_reason(
    conn: &mut PgConnection,
    stream: StreamId,
    side: Side,
    key: ItemKey,
) -> Result<Option<Reason>, SyncError> {
    let word: Option<String> = skips::table
        .find((stream.mailbox.0, stream.kind.number(), side.number(), key.0))
        .select(skips::reason)
        .first(conn)
        .optional()?;
    Ok(word.as_deref().and_then(Reason::from_word))
}

/// Keeps the record of a turn that did something.
pub fn put_turn(
    conn: &mut PgConnection,
    stream: StreamId,
    span: (DateTime<Utc>, DateTime<Utc>),
    outcome: &str,
    counts: serde_json::Value,
) -> Result<(), SyncError> {
    diesel::insert_into(turns::table)
        .values((
            turns::mailbox_id.eq(stream.mailbox.0),
            turns::kind.eq(stream.kind.number()),
            turns::started_at.eq(span.0),
            turns::finished_at.eq(span.1),
            turns::outcome.eq(outcome),
            turns::counts.eq(counts),
        ))
        .execute(conn)?;
    Ok(())
}

/// Drops a stream's turns that ended before this.
pub fn forget_turns(
    conn: &mut PgConnection,
    stream: StreamId,
    before: DateTime<Utc>,
) -> Result<usize, SyncError> {
    Ok(diesel::delete(
        turns::table
            .filter(turns::mailbox_id.eq(stream.mailbox.0))
            .filter(turns::kind.eq(stream.kind.number()))
            .filter(turns::finished_at.lt(before)),
    )
    .execute(conn)?)
}

/// Makes all failures of a mailbox due now.
pub fn retry_all(conn: &mut PgConnection, stream: StreamId, now: DateTime<Utc>) -> Result<usize, SyncError> {
    Ok(diesel::update(
        failures::table
            .filter(failures::mailbox_id.eq(stream.mailbox.0))
            .filter(failures::kind.eq(stream.kind.number())),
    )
    .set(failures::next_retry_at.eq(now))
    .execute(conn)?)
}
