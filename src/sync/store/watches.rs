//! Who asks a CRM for everybody's news: one node by a lease, and the cursor that is handed on with it.

use super::listeners;
use crate::crm::model::{CrmCursor, CrmId};
use crate::foundation::db::schema::{crm_watches, mailboxes};
use crate::record::kind::RecordKind;
use crate::sync::error::SyncError;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Double, Text, Timestamptz};
use serde::Serialize;
use std::collections::HashMap;
use uuid::Uuid;

/// The CRMs that active mailboxes name.
pub fn crms(conn: &mut PgConnection) -> Result<Vec<String>, SyncError> {
    Ok(mailboxes::table
        .filter(mailboxes::state.eq("active"))
        .select(mailboxes::crm)
        .distinct()
        .order(mailboxes::crm)
        .load(conn)?)
}

/// A watch that a node has.
#[derive(Debug, Clone)]
pub struct Held {
    /// Where it stands; `None` where it begins.
    pub cursor: Option<CrmCursor>,
}

/// Takes the watch of a CRM, or keeps it; `None` where somebody else has it.
pub fn take(
    conn: &mut PgConnection,
    crm: &str,
    owner: Uuid,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Held>, SyncError> {
    diesel::insert_into(crm_watches::table)
        .values(crm_watches::crm.eq(crm))
        .on_conflict_do_nothing()
        .execute(conn)?;
    let free = crm_watches::lease_expires
        .is_null()
        .or(crm_watches::lease_expires.lt(now));
    let cursor: Option<Option<Vec<u8>>> = diesel::update(
        crm_watches::table
            .find(crm)
            .filter(free.or(crm_watches::lease_owner.eq(owner))),
    )
    .set((
        crm_watches::lease_owner.eq(owner),
        crm_watches::lease_expires.eq(until),
    ))
    .returning(crm_watches::cursor)
    .get_result(conn)
    .optional()?;
    Ok(cursor.map(|cursor| Held {
        cursor: cursor.map(CrmCursor),
    }))
}

/// Moves the cursor on. The CRM is watched from now on.
///
/// # Errors
/// [`SyncError::LeaseLost`] where somebody else has the watch; the caller's transaction must roll back.
pub fn advance(conn: &mut PgConnection, crm: &str, owner: Uuid, cursor: &CrmCursor) -> Result<(), SyncError> {
    let rows = diesel::update(
        crm_watches::table
            .find(crm)
            .filter(crm_watches::lease_owner.eq(owner)),
    )
    .set((
        crm_watches::cursor.eq(&cursor.0),
        crm_watches::watching.eq(true),
        crm_watches::code.eq(None::<String>),
    ))
    .execute(conn)?;
    match rows {
        1 => Ok(()),
        _ => Err(SyncError::LeaseLost),
    }
}

/// Marks streams of these users as having news.
pub fn hint(
    conn: &mut PgConnection,
    crm: &str,
    whose: &[(CrmId, RecordKind)],
    now: DateTime<Utc>,
) -> Result<(), SyncError> {
    let owners: Vec<&str> = whose.iter().map(|(owner, _)| owner.0.as_str()).collect();
    let known: Vec<(i32, Option<String>)> = mailboxes::table
        .filter(mailboxes::crm.eq(crm))
        .filter(mailboxes::crm_user_id.eq_any(owners))
        .select((mailboxes::id, mailboxes::crm_user_id))
        .load(conn)?;
    let mut kinds: HashMap<&str, Vec<RecordKind>> = HashMap::new();
    for (owner, kind) in whose {
        kinds.entry(&owner.0).or_default().push(*kind);
    }
    let streams: Vec<(i32, RecordKind)> = known
        .iter()
        .filter_map(|(mailbox, owner)| Some((*mailbox, kinds.get(owner.as_deref()?)?)))
        .flat_map(|(mailbox, kinds)| kinds.iter().map(move |kind| (mailbox, *kind)))
        .collect();
    listeners::hint(conn, &streams, now)
}

/// Whether somebody watches this CRM now.
pub fn is_watched(conn: &mut PgConnection, crm: &str, now: DateTime<Utc>) -> Result<bool, SyncError> {
    let watched = crm_watches::table
        .find(crm)
        .filter(crm_watches::watching)
        .filter(crm_watches::lease_expires.gt(now));
    Ok(diesel::select(diesel::dsl::exists(watched)).get_result(conn)?)
}

/// How it stands with a CRM that tells whose records changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WatchStatus {
    /// The section `crm.NAME` of the settings.
    pub crm: String,
    /// Somebody watches it now.
    pub watched: bool,
    /// The failure that keeps it from being watched.
    pub code: Option<String>,
}

/// Every CRM that was ever watched, or was to be.
pub fn list(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<WatchStatus>, SyncError> {
    type Row = (String, bool, Option<DateTime<Utc>>, Option<String>);
    let rows: Vec<Row> = crm_watches::table
        .order(crm_watches::crm)
        .select((
            crm_watches::crm,
            crm_watches::watching,
            crm_watches::lease_expires,
            crm_watches::code,
        ))
        .load(conn)?;
    let status = |(crm, watching, until, code): Row| WatchStatus {
        crm,
        watched: watching && until.is_some_and(|until| until > now),
        code,
    };
    Ok(rows.into_iter().map(status).collect())
}

/// Nobody watches any more, for the reason of this code. Streams that would have rested long because somebody did are due
/// within this time, spread over it; who has the watch keeps it and tries again.
pub fn nobody_watches(
    conn: &mut PgConnection,
    crm: &str,
    owner: Uuid,
    code: Option<&str>,
    (now, within): (DateTime<Utc>, TimeDelta),
) -> Result<(), SyncError> {
    let mine = crm_watches::table
        .find(crm)
        .filter(crm_watches::lease_owner.eq(owner));
    let watched: Option<bool> = mine
        .select(crm_watches::watching)
        .for_update()
        .first(conn)
        .optional()?;
    diesel::update(mine)
        .set((crm_watches::watching.eq(false), crm_watches::code.eq(code)))
        .execute(conn)?;
    if watched != Some(true) {
        return Ok(());
    }
    diesel::sql_query(
        "UPDATE streams s SET due_at = least(s.due_at, $2 + random() * $3 * interval '1 second')
         FROM mailboxes m WHERE m.crm = $1 AND s.mailbox_id = m.id AND s.attempts = 0",
    )
    .bind::<Text, _>(crm)
    .bind::<Timestamptz, _>(now)
    .bind::<Double, _>(within.as_seconds_f64())
    .execute(conn)?;
    Ok(())
}

/// Forgets a cursor that the CRM does not accept; the watch begins anew.
pub fn forget_cursor(conn: &mut PgConnection, crm: &str, owner: Uuid) -> Result<(), SyncError> {
    diesel::update(
        crm_watches::table
            .find(crm)
            .filter(crm_watches::lease_owner.eq(owner)),
    )
    .set(crm_watches::cursor.eq(None::<Vec<u8>>))
    .execute(conn)?;
    Ok(())
}

/// Gives the watch back, so that another node takes it at once, at its cursor.
pub fn give_back(conn: &mut PgConnection, crm: &str, owner: Uuid) -> Result<(), SyncError> {
    diesel::update(
        crm_watches::table
            .find(crm)
            .filter(crm_watches::lease_owner.eq(owner)),
    )
    .set((
        crm_watches::lease_owner.eq(None::<Uuid>),
        crm_watches::lease_expires.eq(None::<DateTime<Utc>>),
    ))
    .execute(conn)?;
    Ok(())
}
