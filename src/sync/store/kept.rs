//! Meetings whose record belongs to somebody who is not here any more, and who keeps it up to date.

use super::streams::{Advance, Lease};
use super::{mailboxes, totals};
use crate::crm::model::{CrmId, ExternalKey};
use crate::foundation::db::schema::{kept_meetings as table, links, mailboxes as people, streams};
use crate::foundation::ids::MailboxId;
use crate::record::kind::RecordKind;
use crate::sync::error::SyncError;
use crate::sync::model::{ItemKey, Reason};
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use std::collections::HashMap;

/// What a mailbox keeps, with the owners of the records. In a transaction of the mailbox.
pub fn of(conn: &mut PgConnection, mailbox: MailboxId) -> Result<HashMap<ItemKey, CrmId>, SyncError> {
    let rows: Vec<(i64, String)> = table::table
        .filter(table::mailbox_id.eq(mailbox.0))
        .select((table::item_key, table::owner))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(key, owner)| (ItemKey(key), CrmId(owner)))
        .collect())
}

/// Has a mailbox keep a meeting, unless a colleague who is here does; true where it does now. In a transaction without
/// a mailbox.
pub fn claim(
    conn: &mut PgConnection,
    mailbox: MailboxId,
    meeting: &ExternalKey,
    item: ItemKey,
    owner: &CrmId,
) -> Result<bool, SyncError> {
    let here = people::table
        .filter(people::state.eq("active"))
        .filter(people::id.ne(mailbox.0))
        .select(people::id);
    diesel::delete(
        table::table
            .filter(table::meeting.eq(&meeting.0))
            .filter(table::mailbox_id.ne_all(here)),
    )
    .execute(conn)?;
    let rows = diesel::insert_into(table::table)
        .values((
            table::meeting.eq(&meeting.0),
            table::mailbox_id.eq(mailbox.0),
            table::item_key.eq(item.0),
            table::owner.eq(&owner.0),
        ))
        .on_conflict_do_nothing()
        .execute(conn)?;
    Ok(rows == 1)
}

/// Lets meetings go. In a transaction of the mailbox.
pub fn release(conn: &mut PgConnection, mailbox: MailboxId, items: &[ItemKey]) -> Result<(), SyncError> {
    let keys: Vec<i64> = items.iter().map(|key| key.0).collect();
    diesel::delete(
        table::table
            .filter(table::mailbox_id.eq(mailbox.0))
            .filter(table::item_key.eq_any(keys)),
    )
    .execute(conn)?;
    Ok(())
}

/// Lets go what an earlier turn claimed and could not link any more: it died in between, and to whoever finds the claim
/// the record would look gone. Claimed again, it is taken over as if for the first time. Not to be asked while a turn of
/// the stream runs elsewhere, which may be in between. In a transaction of the mailbox.
///
/// # Errors
/// [`SyncError::LeaseLost`] where the lease is not ours any more; the caller's transaction must roll back.
pub fn release_unlinked(conn: &mut PgConnection, lease: Lease) -> Result<usize, SyncError> {
    let mailbox = lease.stream.mailbox.0;
    let linked = links::table
        .filter(links::mailbox_id.eq(mailbox))
        .filter(links::kind.eq(lease.stream.kind.number()))
        .select(links::item_key);
    let rows = diesel::delete(
        table::table
            .filter(table::mailbox_id.eq(mailbox))
            .filter(table::item_key.ne_all(linked)),
    )
    .execute(conn)?;
    if rows > 0 {
        super::streams::advance(conn, lease, &Advance::default())?;
    }
    Ok(rows)
}

/// Has every calendar judged anew that left a meeting to a colleague, or keeps one for somebody: who is here has changed.
/// In a transaction without a mailbox.
pub fn look_again(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<usize, SyncError> {
    let left = totals::skips(conn)?.into_iter().filter(|(stream, reason, _)| {
        stream.kind == RecordKind::Calendar
            && matches!(reason, Reason::OrganizersCopy | Reason::ColleaguesCopy)
    });
    let mut ids: Vec<i32> = left.map(|(stream, _, _)| stream.mailbox.0).collect();
    ids.extend(
        table::table
            .select(table::mailbox_id)
            .distinct()
            .load::<i32>(conn)?,
    );
    // What was judged by the present policy becomes what was judged by one before: the next turn reads from the start,
    // as it does after a change of policy, and a turn that runs now does not know of it and ends as it would have.
    let judged = streams::table
        .filter(streams::mailbox_id.eq_any(ids))
        .filter(streams::kind.eq(RecordKind::Calendar.number()))
        .filter(streams::judged_policy.is_not_null());
    diesel::update(judged.clone().filter(streams::before_policy.is_null()))
        .set((
            streams::before_policy.eq(streams::judged_policy),
            streams::before_version.eq(streams::judged_version),
        ))
        .execute(conn)?;
    Ok(diesel::update(judged)
        .set((
            streams::judged_policy.eq(None::<String>),
            streams::judged_version.eq(None::<i32>),
            streams::due_at.eq(now),
        ))
        .execute(conn)?)
}

/// A mailbox goes on. Colleagues who kept its meetings give them back. In a transaction without a mailbox.
pub fn come_back(conn: &mut PgConnection, id: MailboxId, now: DateTime<Utc>) -> Result<(), SyncError> {
    let gone = mailboxes::get(conn, id)?.is_some_and(|row| row.is_gone());
    mailboxes::set_state(conn, id, "active", None)?;
    if gone {
        look_again(conn, now)?;
    }
    super::streams::make_due(conn, id, now)?;
    Ok(())
}
