//! Who listens: groups of mailboxes, each leased by one node, and what their hints do to streams.

use crate::foundation::db::schema::{listen_groups, listen_members, mailboxes};
use crate::foundation::ids::MailboxId;
use crate::mailbox::model::MailboxRef;
use crate::record::kind::RecordKind;
use crate::sync::error::SyncError;
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Int4, SmallInt, Text, Timestamptz};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Mailboxes of one group: what one connection listens to at most.
pub const MOST: usize = 200;
/// Mailboxes that find their group in one round.
const A_ROUND: i64 = 5000;
/// Any number that nobody else locks by.
const LOCK: i64 = 0x4C49_5354_454E;

/// A group that a node holds.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Group {
    /// Its number.
    pub id: i32,
    /// The section `mail_server.NAME` of the settings.
    pub mail_server: String,
}

/// Gives every active mailbox of these mail servers a group: the first with room, or a new one.
pub fn assign(conn: &mut PgConnection, servers: &[String]) -> Result<usize, SyncError> {
    let free = |conn: &mut PgConnection| -> Result<Vec<(i32, String)>, SyncError> {
        let known = listen_members::table.select(listen_members::mailbox_id);
        Ok(mailboxes::table
            .filter(mailboxes::state.eq("active"))
            .filter(mailboxes::mail_server.eq_any(servers))
            .filter(mailboxes::id.ne_all(known))
            .order(mailboxes::id)
            .limit(A_ROUND)
            .select((mailboxes::id, mailboxes::mail_server))
            .load(conn)?)
    };
    if free(conn)?.is_empty() {
        return Ok(0);
    }
    // One node at a time; whoever waited looks again.
    diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
        .bind::<BigInt, _>(LOCK)
        .execute(conn)?;
    let mut by_server: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    for (mailbox, server) in free(conn)? {
        by_server.entry(server).or_default().push(mailbox);
    }
    let mut placed = 0;
    for (server, new) in by_server {
        placed += new.len();
        place(conn, &server, &new)?;
    }
    Ok(placed)
}

fn place(conn: &mut PgConnection, server: &str, mut new: &[i32]) -> Result<(), SyncError> {
    let groups: Vec<(i32, i64)> = listen_groups::table
        .left_join(listen_members::table)
        .filter(listen_groups::mail_server.eq(server))
        .group_by(listen_groups::id)
        .order(listen_groups::id)
        .select((
            listen_groups::id,
            diesel::dsl::count(listen_members::mailbox_id.nullable()),
        ))
        .load(conn)?;
    let mut groups = groups.into_iter();
    while !new.is_empty() {
        let (group, room) = match groups.next() {
            Some((group, members)) => (
                group,
                MOST.saturating_sub(usize::try_from(members).unwrap_or(MOST)),
            ),
            None => {
                let group = diesel::insert_into(listen_groups::table)
                    .values(listen_groups::mail_server.eq(server))
                    .returning(listen_groups::id)
                    .get_result(conn)?;
                (group, MOST)
            }
        };
        let (these, rest) = new.split_at(room.min(new.len()));
        let rows: Vec<_> = these
            .iter()
            .map(|mailbox| {
                (
                    listen_members::mailbox_id.eq(mailbox),
                    listen_members::group_id.eq(group),
                )
            })
            .collect();
        diesel::insert_into(listen_members::table)
            .values(rows)
            .execute(conn)?;
        new = rest;
    }
    Ok(())
}

/// Renews what this node holds, and gives it.
pub fn renew(conn: &mut PgConnection, owner: Uuid, until: DateTime<Utc>) -> Result<Vec<Group>, SyncError> {
    let mut held: Vec<Group> =
        diesel::update(listen_groups::table.filter(listen_groups::lease_owner.eq(owner)))
            .set(listen_groups::lease_expires.eq(until))
            .returning((listen_groups::id, listen_groups::mail_server))
            .get_results(conn)?;
    held.sort_by_key(|group| group.id);
    Ok(held)
}

/// How many groups these mail servers have.
pub fn count(conn: &mut PgConnection, servers: &[String]) -> Result<i64, SyncError> {
    Ok(listen_groups::table
        .filter(listen_groups::mail_server.eq_any(servers))
        .count()
        .get_result(conn)?)
}

/// Takes up to `most` groups that nobody holds.
pub fn take(
    conn: &mut PgConnection,
    servers: &[String],
    owner: Uuid,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    most: i64,
) -> Result<Vec<Group>, SyncError> {
    let free: Vec<i32> = listen_groups::table
        .filter(listen_groups::mail_server.eq_any(servers))
        .filter(
            listen_groups::lease_expires
                .is_null()
                .or(listen_groups::lease_expires.lt(now)),
        )
        .order(listen_groups::id)
        .limit(most.max(0))
        .select(listen_groups::id)
        .for_update()
        .skip_locked()
        .load(conn)?;
    Ok(
        diesel::update(listen_groups::table.filter(listen_groups::id.eq_any(free)))
            .set((
                listen_groups::lease_owner.eq(owner),
                listen_groups::lease_expires.eq(until),
            ))
            .returning((listen_groups::id, listen_groups::mail_server))
            .get_results(conn)?,
    )
}

/// Gives groups back, so that another node takes them at once. Until it listens, their mailboxes are asked.
pub fn give_back(
    conn: &mut PgConnection,
    owner: Uuid,
    groups: &[i32],
    ask_by: DateTime<Utc>,
) -> Result<(), SyncError> {
    let given: Vec<i32> = diesel::update(
        listen_groups::table
            .filter(listen_groups::lease_owner.eq(owner))
            .filter(listen_groups::id.eq_any(groups)),
    )
    .set((
        listen_groups::lease_owner.eq(None::<Uuid>),
        listen_groups::lease_expires.eq(None::<DateTime<Utc>>),
    ))
    .returning(listen_groups::id)
    .get_results(conn)?;
    for group in given {
        nobody_listens(conn, group, None, ask_by)?;
    }
    Ok(())
}

/// The mailboxes of a group that are to be listened to.
pub fn members(conn: &mut PgConnection, group: i32) -> Result<Vec<MailboxRef>, SyncError> {
    let ids: Vec<i32> = listen_members::table
        .filter(listen_members::group_id.eq(group))
        .select(listen_members::mailbox_id)
        .load(conn)?;
    let mut rows = super::mailboxes::active(conn, &ids)?;
    super::mailboxes::choose_folders(conn, &mut rows)?;
    Ok(rows.into_iter().map(|row| row.mailbox).collect())
}

/// Whether somebody listens to this mailbox now.
pub fn is_heard(conn: &mut PgConnection, mailbox: MailboxId, now: DateTime<Utc>) -> Result<bool, SyncError> {
    let heard = listen_members::table
        .inner_join(listen_groups::table)
        .filter(listen_members::mailbox_id.eq(mailbox.0))
        .filter(listen_members::listening)
        .filter(listen_groups::lease_expires.gt(now));
    Ok(diesel::select(diesel::dsl::exists(heard)).get_result(conn)?)
}

/// A whole group is not listened to, for the reason of this code; its mailboxes are asked from `ask_by` on.
pub fn nobody_listens(
    conn: &mut PgConnection,
    group: i32,
    code: Option<&str>,
    ask_by: DateTime<Utc>,
) -> Result<(), SyncError> {
    diesel::update(listen_groups::table.find(group))
        .set(listen_groups::code.eq(code))
        .execute(conn)?;
    let deaf: Vec<i32> = diesel::update(
        listen_members::table
            .filter(listen_members::group_id.eq(group))
            .filter(listen_members::listening),
    )
    .set(listen_members::listening.eq(false))
    .returning(listen_members::mailbox_id)
    .get_results(conn)?;
    ask(conn, &deaf, ask_by)
}

/// These mailboxes are listened to from now on; every stream of them is looked at once.
pub fn heard(conn: &mut PgConnection, mailboxes: &[i32], now: DateTime<Utc>) -> Result<(), SyncError> {
    let groups: Vec<i32> =
        diesel::update(listen_members::table.filter(listen_members::mailbox_id.eq_any(mailboxes)))
            .set((
                listen_members::listening.eq(true),
                listen_members::code.eq(None::<String>),
            ))
            .returning(listen_members::group_id)
            .get_results(conn)?;
    diesel::update(listen_groups::table.filter(listen_groups::id.eq_any(groups)))
        .set(listen_groups::code.eq(None::<String>))
        .execute(conn)?;
    let all: Vec<(i32, RecordKind)> = mailboxes
        .iter()
        .flat_map(|mailbox| RecordKind::ALL.map(|kind| (*mailbox, kind)))
        .collect();
    hint(conn, &all, now)
}

/// This mailbox is not listened to, for the reason of this code.
pub fn deaf(
    conn: &mut PgConnection,
    mailbox: i32,
    code: &str,
    ask_by: DateTime<Utc>,
) -> Result<(), SyncError> {
    diesel::update(listen_members::table.find(mailbox))
        .set((listen_members::listening.eq(false), listen_members::code.eq(code)))
        .execute(conn)?;
    ask(conn, &[mailbox], ask_by)
}

/// Streams that would have rested long, because somebody listened, rest no longer than this.
fn ask(conn: &mut PgConnection, mailboxes: &[i32], by: DateTime<Utc>) -> Result<(), SyncError> {
    diesel::sql_query(
        "UPDATE streams SET due_at = $2 WHERE mailbox_id = ANY($1) AND due_at > $2 AND attempts = 0",
    )
    .bind::<Array<Int4>, _>(mailboxes)
    .bind::<Timestamptz, _>(by)
    .execute(conn)?;
    Ok(())
}

/// Marks streams as having news. One that waits after a failure goes on waiting: the other side asked for it.
pub fn hint(
    conn: &mut PgConnection,
    streams: &[(i32, RecordKind)],
    now: DateTime<Utc>,
) -> Result<(), SyncError> {
    let (mailboxes, kinds): (Vec<i32>, Vec<i16>) = streams
        .iter()
        .map(|(mailbox, kind)| (*mailbox, kind.number()))
        .unzip();
    diesel::sql_query(
        "UPDATE streams s
         SET hinted_at = coalesce(s.hinted_at, $3),
             due_at = CASE WHEN s.attempts = 0 THEN least(s.due_at, $3) ELSE s.due_at END
         FROM unnest($1, $2) AS h (mailbox_id, kind)
         WHERE s.mailbox_id = h.mailbox_id AND s.kind = h.kind",
    )
    .bind::<Array<Int4>, _>(mailboxes)
    .bind::<Array<SmallInt>, _>(kinds)
    .bind::<Timestamptz, _>(now)
    .execute(conn)?;
    Ok(())
}

/// The mail servers that mailboxes name.
pub fn mail_servers(conn: &mut PgConnection) -> Result<Vec<String>, SyncError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        mail_server: String,
    }
    let rows: Vec<Row> =
        diesel::sql_query("SELECT DISTINCT mail_server FROM mailboxes ORDER BY mail_server").load(conn)?;
    Ok(rows.into_iter().map(|row| row.mail_server).collect())
}
