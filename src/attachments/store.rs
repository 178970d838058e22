//! Items that wait, what became of attachments, and which file holds which content.

use super::content::Hash;
use super::error::AttachmentError;
use super::model::{Carrier, Errand, Outcome, Transfer};
use crate::foundation::db::schema::{attachments, contents, streams, transfers};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::upsert::excluded;
use std::collections::{HashMap, HashSet};

/// Only the user who stored a file is sure to find it by its key, so a claim is left to the stream that holds it for
/// so long after its turn ended; it has the same transfer before it still.
const LEFT_ALONE: TimeDelta = TimeDelta::hours(1);

/// Notes what is to be done for these items' attachments. From a record nothing comes off where nothing was carried
/// to it, nor is about to be.
pub fn put(conn: &mut PgConnection, of: Carrier, items: &[Transfer]) -> Result<(), diesel::result::Error> {
    let (carry, take_off): (Vec<_>, Vec<_>) = items.iter().partition(|one| one.errand == Errand::Carry);
    let concerned = match take_off.is_empty() {
        true => HashSet::new(),
        false => concerned(conn, of, &take_off)?,
    };
    let take_off = take_off
        .into_iter()
        .filter(|one| concerned.contains(&one.item_key));
    let items: Vec<&Transfer> = carry.into_iter().chain(take_off).collect();
    for chunk in items.chunks(1_000) {
        let rows: Vec<_> = chunk
            .iter()
            .map(|one| {
                (
                    transfers::mailbox_id.eq(of.mailbox.0),
                    transfers::kind.eq(of.kind.number()),
                    transfers::item_key.eq(one.item_key),
                    transfers::item_id.eq(&one.item),
                    transfers::crm_id.eq(&one.record),
                    transfers::take_off.eq(one.errand == Errand::TakeOff),
                )
            })
            .collect();
        diesel::insert_into(transfers::table)
            .values(rows)
            .on_conflict((transfers::mailbox_id, transfers::kind, transfers::item_key))
            .do_update()
            .set((
                transfers::item_id.eq(excluded(transfers::item_id)),
                transfers::crm_id.eq(excluded(transfers::crm_id)),
                transfers::take_off.eq(excluded(transfers::take_off)),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Those of the items of which something hangs on a record, or waits.
fn concerned(
    conn: &mut PgConnection,
    of: Carrier,
    items: &[&Transfer],
) -> Result<HashSet<i64>, diesel::result::Error> {
    let keys: Vec<i64> = items.iter().map(|one| one.item_key).collect();
    let hanging: Vec<i64> = attachments::table
        .filter(attachments::mailbox_id.eq(of.mailbox.0))
        .filter(attachments::kind.eq(of.kind.number()))
        .filter(attachments::item_key.eq_any(&keys))
        .filter(attachments::outcome.eq(Outcome::Stored.word()))
        .select(attachments::item_key)
        .load(conn)?;
    let waiting: Vec<i64> = transfers::table
        .filter(transfers::mailbox_id.eq(of.mailbox.0))
        .filter(transfers::kind.eq(of.kind.number()))
        .filter(transfers::item_key.eq_any(&keys))
        .select(transfers::item_key)
        .load(conn)?;
    Ok(hanging.into_iter().chain(waiting).collect())
}

/// Forgets what became of an item's attachments.
pub fn forget_outcomes(
    conn: &mut PgConnection,
    of: Carrier,
    item_key: i64,
) -> Result<(), diesel::result::Error> {
    diesel::delete(
        attachments::table
            .filter(attachments::mailbox_id.eq(of.mailbox.0))
            .filter(attachments::kind.eq(of.kind.number()))
            .filter(attachments::item_key.eq(item_key)),
    )
    .execute(conn)?;
    Ok(())
}

/// Some of the items that wait, behind the one with this key.
pub fn waiting(
    conn: &mut PgConnection,
    of: Carrier,
    behind: Option<i64>,
    limit: i64,
) -> Result<Vec<Transfer>, AttachmentError> {
    let rows: Vec<(i64, String, String, bool)> = transfers::table
        .filter(transfers::mailbox_id.eq(of.mailbox.0))
        .filter(transfers::kind.eq(of.kind.number()))
        .filter(transfers::item_key.ge(behind.map_or(i64::MIN, |key| key.saturating_add(1))))
        .order(transfers::item_key)
        .limit(limit)
        .select((
            transfers::item_key,
            transfers::item_id,
            transfers::crm_id,
            transfers::take_off,
        ))
        .load(conn)?;
    let transfer = |(item_key, item, record, take_off)| Transfer {
        item_key,
        item,
        record,
        errand: if take_off { Errand::TakeOff } else { Errand::Carry },
    };
    Ok(rows.into_iter().map(transfer).collect())
}

/// An item waits no more.
pub fn done(conn: &mut PgConnection, of: Carrier, item_keys: &[i64]) -> Result<(), diesel::result::Error> {
    if item_keys.is_empty() {
        return Ok(());
    }
    diesel::delete(
        transfers::table
            .filter(transfers::mailbox_id.eq(of.mailbox.0))
            .filter(transfers::kind.eq(of.kind.number()))
            .filter(transfers::item_key.eq_any(item_keys)),
    )
    .execute(conn)?;
    Ok(())
}

/// What became of an item's attachments so far; `on` asks of this record alone, for one that was made anew has none yet.
pub fn outcomes(
    conn: &mut PgConnection,
    of: Carrier,
    item_key: i64,
    on: Option<&str>,
) -> Result<HashMap<i64, Outcome>, diesel::result::Error> {
    let mut rows = attachments::table
        .filter(attachments::mailbox_id.eq(of.mailbox.0))
        .filter(attachments::kind.eq(of.kind.number()))
        .filter(attachments::item_key.eq(item_key))
        .select((attachments::attachment_key, attachments::outcome))
        .into_boxed();
    if let Some(record) = on {
        rows = rows.filter(attachments::crm_id.eq(record).or(attachments::crm_id.is_null()));
    }
    let rows: Vec<(i64, String)> = rows.load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(key, word)| Some((key, Outcome::from_word(&word)?)))
        .collect())
}

/// Notes what became of an attachment.
pub fn put_outcome(
    conn: &mut PgConnection,
    of: Carrier,
    (item_key, attachment_key, record): (i64, i64, &str),
    outcome: Outcome,
) -> Result<(), AttachmentError> {
    diesel::insert_into(attachments::table)
        .values((
            attachments::mailbox_id.eq(of.mailbox.0),
            attachments::kind.eq(of.kind.number()),
            attachments::item_key.eq(item_key),
            attachments::attachment_key.eq(attachment_key),
            attachments::outcome.eq(outcome.word()),
            attachments::crm_id.eq(record),
        ))
        .on_conflict((
            attachments::mailbox_id,
            attachments::kind,
            attachments::item_key,
            attachments::attachment_key,
        ))
        .do_update()
        .set((
            attachments::outcome.eq(outcome.word()),
            attachments::crm_id.eq(record),
        ))
        .execute(conn)?;
    Ok(())
}

/// Who stores a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is stored, as this file.
    Known(String),
    /// We do; `begun` where somebody had begun to, and perhaps got as far as the CRM.
    Ours {
        /// True where a file may exist that nobody wrote down.
        begun: bool,
    },
    /// Another turn does.
    Elsewhere,
}

/// Claims a content, unless it is stored already.
pub fn claim(
    conn: &mut PgConnection,
    crm: &str,
    hash: Hash,
    us: Carrier,
    now: DateTime<Utc>,
) -> Result<Claim, AttachmentError> {
    let fresh = diesel::insert_into(contents::table)
        .values((
            contents::crm.eq(crm),
            contents::hash.eq(hash.0.as_slice()),
            holder(us),
            contents::claimed_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(conn)?;
    if fresh == 1 {
        return Ok(Claim::Ours { begun: false });
    }
    let (file, mailbox, kind, at): (Option<String>, i32, i16, DateTime<Utc>) = contents::table
        .find((crm, hash.0.as_slice()))
        .select((
            contents::file_id,
            contents::holder_mailbox,
            contents::holder_kind,
            contents::claimed_at,
        ))
        .for_update()
        .first(conn)?;
    if let Some(file) = file {
        return Ok(Claim::Known(file));
    }
    let same_stream = mailbox == us.mailbox.0 && kind == us.kind.number();
    if !same_stream && (is_at_work(conn, mailbox, kind, now)? || now - at < LEFT_ALONE) {
        return Ok(Claim::Elsewhere);
    }
    diesel::update(contents::table.find((crm, hash.0.as_slice())))
        .set((holder(us), contents::claimed_at.eq(now)))
        .execute(conn)?;
    Ok(Claim::Ours { begun: true })
}

type Holder = (
    diesel::dsl::Eq<contents::holder_mailbox, i32>,
    diesel::dsl::Eq<contents::holder_kind, i16>,
    diesel::dsl::Eq<contents::holder_fence, i64>,
);

fn holder(us: Carrier) -> Holder {
    (
        contents::holder_mailbox.eq(us.mailbox.0),
        contents::holder_kind.eq(us.kind.number()),
        contents::holder_fence.eq(us.fence),
    )
}

fn is_at_work(
    conn: &mut PgConnection,
    mailbox: i32,
    kind: i16,
    now: DateTime<Utc>,
) -> Result<bool, AttachmentError> {
    let lease: Option<Option<DateTime<Utc>>> = streams::table
        .find((mailbox, kind))
        .select(streams::lease_expires)
        .first(conn)
        .optional()?;
    Ok(lease.flatten().is_some_and(|until| until > now))
}

/// Writes down which file holds a content. False where the claim is not ours any more, and another's file counts.
pub fn publish(
    conn: &mut PgConnection,
    crm: &str,
    hash: Hash,
    us: Carrier,
    file: &str,
) -> Result<bool, AttachmentError> {
    let rows = diesel::update(
        contents::table
            .find((crm, hash.0.as_slice()))
            .filter(contents::file_id.is_null())
            .filter(contents::holder_mailbox.eq(us.mailbox.0))
            .filter(contents::holder_kind.eq(us.kind.number()))
            .filter(contents::holder_fence.eq(us.fence)),
    )
    .set(contents::file_id.eq(file))
    .execute(conn)?;
    Ok(rows == 1)
}

/// Gives back a claim behind which there is certainly no file.
pub fn give_back(conn: &mut PgConnection, crm: &str, hash: Hash, us: Carrier) -> Result<(), AttachmentError> {
    diesel::delete(
        contents::table
            .find((crm, hash.0.as_slice()))
            .filter(contents::file_id.is_null())
            .filter(contents::holder_mailbox.eq(us.mailbox.0))
            .filter(contents::holder_fence.eq(us.fence)),
    )
    .execute(conn)?;
    Ok(())
}

/// Forgets a file that the CRM does not have any more.
pub fn forget(conn: &mut PgConnection, crm: &str, hash: Hash, file: &str) -> Result<(), AttachmentError> {
    diesel::delete(
        contents::table
            .find((crm, hash.0.as_slice()))
            .filter(contents::file_id.eq(file)),
    )
    .execute(conn)?;
    Ok(())
}
