//! SQL of codes and sessions. Hashes only.

use super::token::Hash;
use crate::foundation::db::schema::{sessions, sign_in_codes};
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;

/// Stores a code.
pub(super) fn put_code(conn: &mut PgConnection, hash: &Hash, expires_at: DateTime<Utc>) -> QueryResult<()> {
    diesel::insert_into(sign_in_codes::table)
        .values((
            sign_in_codes::hash.eq(hash),
            sign_in_codes::expires_at.eq(expires_at),
        ))
        .execute(conn)
        .map(drop)
}

/// Uses a code up; false where it is unknown, used or too old. Two who try at once: the row's lock lets one.
pub(super) fn use_code(conn: &mut PgConnection, hash: &Hash, now: DateTime<Utc>) -> QueryResult<bool> {
    let rows = diesel::update(
        sign_in_codes::table
            .find(hash)
            .filter(sign_in_codes::used_at.is_null())
            .filter(sign_in_codes::expires_at.gt(now)),
    )
    .set(sign_in_codes::used_at.eq(now))
    .execute(conn)?;
    Ok(rows == 1)
}

/// Removes codes and sessions that nobody can use any more.
pub(super) fn forget_expired(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    idle_since: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::delete(sign_in_codes::table.filter(sign_in_codes::expires_at.le(now))).execute(conn)?;
    diesel::delete(
        sessions::table.filter(
            sessions::expires_at
                .le(now)
                .or(sessions::last_seen_at.le(idle_since)),
        ),
    )
    .execute(conn)
    .map(drop)
}

/// Stores a session.
pub(super) fn put_session(
    conn: &mut PgConnection,
    hash: &Hash,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::insert_into(sessions::table)
        .values((
            sessions::hash.eq(hash),
            sessions::created_at.eq(now),
            sessions::last_seen_at.eq(now),
            sessions::expires_at.eq(expires_at),
        ))
        .execute(conn)
        .map(drop)
}

/// When a session was last used and when it ends.
pub(super) fn session(
    conn: &mut PgConnection,
    hash: &Hash,
) -> QueryResult<Option<(DateTime<Utc>, DateTime<Utc>)>> {
    sessions::table
        .find(hash)
        .select((sessions::last_seen_at, sessions::expires_at))
        .first(conn)
        .optional()
}

/// Notes that a session was used.
pub(super) fn touch(conn: &mut PgConnection, hash: &Hash, now: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(sessions::table.find(hash))
        .set(sessions::last_seen_at.eq(now))
        .execute(conn)
        .map(drop)
}

/// Removes a session.
pub(super) fn remove_session(conn: &mut PgConnection, hash: &Hash) -> QueryResult<()> {
    diesel::delete(sessions::table.find(hash)).execute(conn).map(drop)
}
