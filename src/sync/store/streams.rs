//! Streams: which is due, who has it, where it stands.
//!
//! A lease is a row with an owner, an expiry and a fencing number that grows with every lease. Every write
//! of a turn names its fencing number, so a process that slept through its lease writes nothing.

use crate::attachments::model::Carrier;
use crate::crm::model::CrmCursor;
use crate::foundation::db::schema::{mailboxes, streams};
use crate::foundation::ids::MailboxId;
use crate::mailbox::model::MailboxCursor;
use crate::record::kind::RecordKind;
use crate::sync::error::SyncError;
use crate::sync::model::StreamId;
use chrono::{DateTime, Utc};
use diesel::dsl::case_when;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use uuid::Uuid;

/// A lease that this process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Of which stream.
    pub stream: StreamId,
    /// Its fencing number.
    pub fence: i64,
}

impl Lease {
    /// The turn, as who carries attachments.
    pub fn carrier(self) -> Carrier {
        Carrier {
            mailbox: self.stream.mailbox,
            kind: self.stream.kind,
            fence: self.fence,
        }
    }
}

/// Where a stream stands.
#[derive(Debug, Clone, Default)]
pub struct Position {
    /// In the mailbox's change feed.
    pub mailbox: Option<MailboxCursor>,
    /// In the CRM's change feed.
    pub crm: Option<CrmCursor>,
    /// True once the mailbox was read to its end.
    pub first_read_done: bool,
    /// Failed turns in a row.
    pub attempts: u32,
    /// When the links were last asked for in the CRM by id; `None` asks for it.
    pub survivors_at: Option<DateTime<Utc>>,
    /// When something was last written.
    pub last_change_at: Option<DateTime<Utc>>,
    /// The end of the last good turn.
    pub last_turn_at: Option<DateTime<Utc>>,
    /// The CRM's organisation with which it was last synchronised to its end; `None` where none was told.
    pub organisation: Option<String>,
}

/// Which of the due streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Those that follow what people do.
    Live,
    /// Those of mailboxes that are read for the first time, which may take hours.
    FirstRead,
}

/// Takes the leases of up to `limit` streams of active mailboxes that are due and free.
pub fn lease_due(
    conn: &mut PgConnection,
    owner: Uuid,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    lane: Lane,
    limit: i64,
) -> Result<Vec<Lease>, SyncError> {
    // A subquery and not a join: the lock is for the stream's row alone.
    let active = mailboxes::table
        .filter(mailboxes::state.eq("active"))
        .select(mailboxes::id);
    let free: Vec<(i32, i16)> = streams::table
        .filter(streams::mailbox_id.eq_any(active))
        .filter(streams::due_at.le(now))
        .filter(streams::first_read_done.eq(lane == Lane::Live))
        .filter(
            streams::lease_expires
                .is_null()
                .or(streams::lease_expires.lt(now)),
        )
        .order(streams::due_at)
        .limit(limit)
        .select((streams::mailbox_id, streams::kind))
        .for_update()
        .skip_locked()
        .load(conn)?;
    let mut leases = Vec::with_capacity(free.len());
    for (mailbox, kind) in free {
        let Some(kind) = RecordKind::from_number(kind) else {
            continue;
        };
        leases.extend(take(
            conn,
            StreamId {
                mailbox: MailboxId(mailbox),
                kind,
            },
            owner,
            until,
        )?);
    }
    Ok(leases)
}

/// Takes one stream's lease, due or not; `None` where somebody else holds it.
pub fn lease_one(
    conn: &mut PgConnection,
    stream: StreamId,
    owner: Uuid,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Lease>, SyncError> {
    let free: Option<i32> = streams::table
        .find((stream.mailbox.0, stream.kind.number()))
        .filter(
            streams::lease_expires
                .is_null()
                .or(streams::lease_expires.lt(now)),
        )
        .select(streams::mailbox_id)
        .for_update()
        .skip_locked()
        .first(conn)
        .optional()?;
    match free {
        Some(_) => take(conn, stream, owner, until),
        None => Ok(None),
    }
}

fn take(
    conn: &mut PgConnection,
    stream: StreamId,
    owner: Uuid,
    until: DateTime<Utc>,
) -> Result<Option<Lease>, SyncError> {
    let fence: Option<i64> = diesel::update(streams::table.find((stream.mailbox.0, stream.kind.number())))
        .set((
            streams::lease_owner.eq(owner),
            streams::lease_expires.eq(until),
            streams::fence.eq(streams::fence + 1),
            // What this turn will see anyway; a hint that comes later is for the next one.
            streams::hinted_at.eq(None::<DateTime<Utc>>),
        ))
        .returning(streams::fence)
        .get_result(conn)
        .optional()?;
    Ok(fence.map(|fence| Lease { stream, fence }))
}

/// Gives back what this node held when it died: it begins anew and need not wait for its own leases to expire.
/// Should the dead one still be alive after all, its fencing numbers are old as soon as a lease is taken.
pub fn reclaim(conn: &mut PgConnection, owner: Uuid) -> Result<(), SyncError> {
    diesel::update(streams::table.filter(streams::lease_owner.eq(owner)))
        .set((
            streams::lease_owner.eq(None::<Uuid>),
            streams::lease_expires.eq(None::<DateTime<Utc>>),
        ))
        .execute(conn)?;
    Ok(())
}

/// Makes a lease last longer.
///
/// # Errors
/// [`SyncError::LeaseLost`] where somebody else has taken it.
pub fn renew(conn: &mut PgConnection, lease: Lease, until: DateTime<Utc>) -> Result<(), SyncError> {
    let rows = diesel::update(held(lease))
        .set(streams::lease_expires.eq(until))
        .execute(conn)?;
    if rows == 1 {
        Ok(())
    } else {
        Err(SyncError::LeaseLost)
    }
}

pub(super) type Held =
    diesel::dsl::Filter<diesel::dsl::Find<streams::table, (i32, i16)>, diesel::dsl::Eq<streams::fence, i64>>;

pub(super) fn held(lease: Lease) -> Held {
    streams::table
        .find((lease.stream.mailbox.0, lease.stream.kind.number()))
        .filter(streams::fence.eq(lease.fence))
}

/// Where the stream stands.
pub fn position(conn: &mut PgConnection, stream: StreamId) -> Result<Position, SyncError> {
    type Row = (
        Option<Vec<u8>>,
        Option<Vec<u8>>,
        bool,
        i32,
        Option<DateTime<Utc>>,
        Option<DateTime<Utc>>,
        (Option<DateTime<Utc>>, Option<String>),
    );
    let (mailbox, crm, first_read_done, attempts, survivors_at, last_change_at, rest): Row = streams::table
        .find((stream.mailbox.0, stream.kind.number()))
        .select((
            streams::mailbox_cursor,
            streams::crm_cursor,
            streams::first_read_done,
            streams::attempts,
            streams::survivors_at,
            streams::last_change_at,
            (streams::last_turn_at, streams::crm_organisation),
        ))
        .first(conn)?;
    Ok(Position {
        mailbox: mailbox.map(MailboxCursor),
        crm: crm.map(CrmCursor),
        first_read_done,
        attempts: attempts.try_into().unwrap_or(0),
        survivors_at,
        last_change_at,
        last_turn_at: rest.0,
        organisation: rest.1,
    })
}

/// What a commit does to the cursors.
#[derive(Debug, Clone, Default)]
pub struct Advance {
    /// The mailbox's new cursor; `None` leaves it.
    pub mailbox: Option<MailboxCursor>,
    /// The CRM's new cursor; `None` leaves it.
    pub crm: Option<CrmCursor>,
    /// The mailbox was read to its end.
    pub first_read_done: bool,
    /// Items that were looked at since the last commit.
    pub read: i32,
    /// Items that the first read will look at, as far as the server says.
    pub read_total: Option<i32>,
    /// Something was written.
    pub changed_at: Option<DateTime<Utc>>,
    /// Every link was asked for in the CRM by id.
    pub survivors_at: Option<DateTime<Utc>>,
}

/// Moves the stream on.
///
/// # Errors
/// [`SyncError::LeaseLost`] where the lease is not ours any more; the caller's transaction must roll back.
pub fn advance(conn: &mut PgConnection, lease: Lease, step: &Advance) -> Result<(), SyncError> {
    let rows = diesel::update(held(lease))
        .set((
            streams::read_done.eq(streams::read_done + step.read),
            step.mailbox
                .as_ref()
                .map(|cursor| streams::mailbox_cursor.eq(&cursor.0)),
            step.crm.as_ref().map(|cursor| streams::crm_cursor.eq(&cursor.0)),
            step.read_total.map(|total| streams::read_total.eq(total)),
            step.changed_at.map(|at| streams::last_change_at.eq(at)),
            step.survivors_at.map(|at| streams::survivors_at.eq(at)),
            step.first_read_done.then(|| streams::first_read_done.eq(true)),
        ))
        .execute(conn)?;
    if rows == 1 {
        Ok(())
    } else {
        Err(SyncError::LeaseLost)
    }
}

/// Remembers with which organisation of the CRM the stream was synchronised to its end.
///
/// # Errors
/// [`SyncError::LeaseLost`] where the lease is not ours any more.
pub fn put_organisation(conn: &mut PgConnection, lease: Lease, name: &str) -> Result<(), SyncError> {
    let rows = diesel::update(held(lease))
        .set(streams::crm_organisation.eq(name))
        .execute(conn)?;
    match rows {
        1 => Ok(()),
        _ => Err(SyncError::LeaseLost),
    }
}

/// Which cursor was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// The mailbox's.
    Mailbox,
    /// The CRM's.
    Crm,
}

/// Forgets a cursor that its side does not accept any more, so that the stream is read from the start.
pub fn forget_cursor(conn: &mut PgConnection, lease: Lease, which: Lost) -> Result<(), SyncError> {
    let rows = match which {
        Lost::Mailbox => diesel::update(held(lease))
            .set((
                streams::mailbox_cursor.eq(None::<Vec<u8>>),
                streams::first_read_done.eq(false),
                streams::read_done.eq(0),
            ))
            .execute(conn)?,
        // A feed that is read from its beginning does not tell of what was deleted meanwhile.
        Lost::Crm => diesel::update(held(lease))
            .set((
                streams::crm_cursor.eq(None::<Vec<u8>>),
                streams::survivors_at.eq(None::<DateTime<Utc>>),
            ))
            .execute(conn)?,
    };
    if rows == 1 {
        Ok(())
    } else {
        Err(SyncError::LeaseLost)
    }
}

/// How a turn ended.
#[derive(Debug, Clone)]
pub struct TurnEnd {
    /// When.
    pub at: DateTime<Utc>,
    /// When the stream is due again.
    pub due_at: DateTime<Utc>,
    /// When it is due again where a hint came during the turn; only after a good one.
    pub hinted_due_at: DateTime<Utc>,
    /// The failure's code; `None` after a good turn.
    pub error: Option<&'static str>,
    /// How long the slowest fresh change took, in milliseconds; `None` where there was none.
    pub lag_ms: Option<i32>,
}

impl TurnEnd {
    /// A good end that has the stream due again at once.
    pub fn due_at_once(now: DateTime<Utc>) -> Self {
        Self {
            at: now,
            due_at: now,
            hinted_due_at: now,
            error: None,
            lag_ms: None,
        }
    }
}

/// Gives the lease back. A lease that is not ours any more is left alone.
pub fn release(conn: &mut PgConnection, lease: Lease, end: &TurnEnd) -> Result<(), SyncError> {
    let back = (
        streams::lease_owner.eq(None::<Uuid>),
        streams::lease_expires.eq(None::<DateTime<Utc>>),
    );
    match end.error {
        None => diesel::update(held(lease))
            .set((
                back,
                streams::due_at.eq(case_when(
                    streams::hinted_at.is_null(),
                    end.due_at.into_sql::<Timestamptz>(),
                )
                .otherwise(end.hinted_due_at.into_sql::<Timestamptz>())),
                streams::last_turn_at.eq(end.at),
                end.lag_ms.map(|lag| streams::lag_ms.eq(lag)),
                streams::attempts.eq(0),
                streams::last_error_code.eq(None::<String>),
            ))
            .execute(conn)?,
        Some(code) => diesel::update(held(lease))
            .set((
                back,
                streams::due_at.eq(end.due_at),
                streams::attempts.eq(streams::attempts + 1),
                streams::last_error_code.eq(code),
                streams::last_error_at.eq(end.at),
            ))
            .execute(conn)?,
    };
    Ok(())
}

/// Makes a mailbox's streams due now, whatever they were waiting for.
pub fn make_due(conn: &mut PgConnection, mailbox: MailboxId, now: DateTime<Utc>) -> Result<(), SyncError> {
    diesel::update(streams::table.filter(streams::mailbox_id.eq(mailbox.0)))
        .set(streams::due_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Makes these streams of all mailboxes under a policy due now.
pub fn make_due_under(
    conn: &mut PgConnection,
    policy: &str,
    kinds: &[RecordKind],
    now: DateTime<Utc>,
) -> Result<(), SyncError> {
    let kinds: Vec<i16> = kinds.iter().map(|kind| kind.number()).collect();
    let under = mailboxes::table
        .filter(mailboxes::policy.eq(policy))
        .select(mailboxes::id);
    diesel::update(
        streams::table
            .filter(streams::mailbox_id.eq_any(under))
            .filter(streams::kind.eq_any(kinds))
            .filter(streams::due_at.gt(now)),
    )
    .set(streams::due_at.eq(now))
    .execute(conn)?;
    Ok(())
}

/// When the next stream falls due; `None` where there is no active mailbox.
pub fn next_due(conn: &mut PgConnection) -> Result<Option<DateTime<Utc>>, SyncError> {
    Ok(streams::table
        .inner_join(mailboxes::table)
        .filter(mailboxes::state.eq("active"))
        .filter(streams::lease_expires.is_null())
        .select(diesel::dsl::min(streams::due_at))
        .first(conn)?)
}
