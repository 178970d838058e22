//! The keyring's SQL: two tables of sealed bytes.

use crate::foundation::db::schema::{mailbox_keys, sealed_secrets};
use crate::foundation::ids::MailboxId;
use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::pg::PgConnection;
use diesel::prelude::*;

/// The sealed bytes of a secret.
pub(super) fn secret(conn: &mut PgConnection, name: &str) -> QueryResult<Option<Vec<u8>>> {
    sealed_secrets::table
        .find(name)
        .select(sealed_secrets::sealed)
        .first(conn)
        .optional()
}

/// Stores a secret, in place of an earlier one of that name.
pub(super) fn put_secret(
    conn: &mut PgConnection,
    name: &str,
    sealed: &[u8],
    now: DateTime<Utc>,
) -> QueryResult<()> {
    let values = (
        sealed_secrets::sealed.eq(sealed),
        sealed_secrets::updated_at.eq(now),
    );
    diesel::insert_into(sealed_secrets::table)
        .values((sealed_secrets::name.eq(name), values))
        .on_conflict(sealed_secrets::name)
        .do_update()
        .set(values)
        .execute(conn)
        .map(drop)
}

/// Stores a secret unless there is one, and returns the one that is there then.
pub(super) fn keep_secret(
    conn: &mut PgConnection,
    name: &str,
    sealed: &[u8],
    now: DateTime<Utc>,
) -> QueryResult<Vec<u8>> {
    diesel::insert_into(sealed_secrets::table)
        .values((
            sealed_secrets::name.eq(name),
            sealed_secrets::sealed.eq(sealed),
            sealed_secrets::updated_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(conn)?;
    sealed_secrets::table
        .find(name)
        .select(sealed_secrets::sealed)
        .first(conn)
}

/// Whether any secret was ever sealed.
pub(super) fn any_secret(conn: &mut PgConnection) -> QueryResult<bool> {
    diesel::select(exists(sealed_secrets::table.select(sealed_secrets::name))).get_result(conn)
}

/// The sealed key of a mailbox, in that mailbox's transaction.
pub(super) fn mailbox_key(conn: &mut PgConnection, mailbox: MailboxId) -> QueryResult<Option<Vec<u8>>> {
    mailbox_keys::table
        .find(mailbox.0)
        .select(mailbox_keys::sealed)
        .first(conn)
        .optional()
}

/// Stores a mailbox's key unless there is one, and returns the one that is there then.
pub(super) fn keep_mailbox_key(
    conn: &mut PgConnection,
    mailbox: MailboxId,
    sealed: &[u8],
) -> QueryResult<Vec<u8>> {
    diesel::insert_into(mailbox_keys::table)
        .values((
            mailbox_keys::mailbox_id.eq(mailbox.0),
            mailbox_keys::sealed.eq(sealed),
        ))
        .on_conflict_do_nothing()
        .execute(conn)?;
    mailbox_keys::table
        .find(mailbox.0)
        .select(mailbox_keys::sealed)
        .first(conn)
}
