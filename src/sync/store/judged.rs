//! By which policy a stream was judged as a whole.

use super::streams::{self, Lease, Lost};
use crate::foundation::db::schema::streams as table;
use crate::sync::error::SyncError;
use crate::sync::model::StreamId;
use diesel::pg::PgConnection;
use diesel::prelude::*;

/// A version of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyVersion {
    /// Its name.
    pub name: String,
    /// Its number.
    pub version: i32,
}

/// How a stream stands towards its policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    /// By which it was judged, or is being judged while `before` stands.
    pub by: Option<PolicyVersion>,
    /// By which it was judged before, until everything was looked at.
    pub before: Option<PolicyVersion>,
}

/// How the stream stands.
pub fn get(conn: &mut PgConnection, stream: StreamId) -> Result<Judged, SyncError> {
    type Row = (Option<String>, Option<i32>, Option<String>, Option<i32>);
    let (by, by_version, before, before_version): Row = table::table
        .find((stream.mailbox.0, stream.kind.number()))
        .select((
            table::judged_policy,
            table::judged_version,
            table::before_policy,
            table::before_version,
        ))
        .first(conn)?;
    let of = |(name, version): (Option<String>, Option<i32>)| {
        Some(PolicyVersion {
            name: name?,
            version: version?,
        })
    };
    Ok(Judged {
        by: of((by, by_version)),
        before: of((before, before_version)),
    })
}

/// Notes how the stream stands.
///
/// # Errors
/// [`SyncError::LeaseLost`] where the lease is not ours any more.
pub fn put(conn: &mut PgConnection, lease: Lease, judged: &Judged) -> Result<(), SyncError> {
    let of = |version: &Option<PolicyVersion>| {
        let version = version.as_ref();
        (
            version.map(|version| version.name.clone()),
            version.map(|version| version.version),
        )
    };
    let ((by, by_version), (before, before_version)) = (of(&judged.by), of(&judged.before));
    let rows = diesel::update(streams::held(lease))
        .set((
            table::judged_policy.eq(by),
            table::judged_version.eq(by_version),
            table::before_policy.eq(before),
            table::before_version.eq(before_version),
        ))
        .execute(conn)?;
    match rows {
        1 => Ok(()),
        _ => Err(SyncError::LeaseLost),
    }
}

/// Notes the same, and has both sides read from their start.
///
/// # Errors
/// [`SyncError::LeaseLost`] where the lease is not ours any more; the caller's transaction must roll back.
pub fn begin(conn: &mut PgConnection, lease: Lease, judged: &Judged) -> Result<(), SyncError> {
    put(conn, lease, judged)?;
    streams::forget_cursor(conn, lease, Lost::Mailbox)?;
    streams::forget_cursor(conn, lease, Lost::Crm)
}
