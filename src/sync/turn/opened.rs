//! A stream as its turn begins with it: by which organisation of the CRM, and from where.

use crate::sync::engine::Engine;
use crate::sync::error::SyncError;
use crate::sync::store::mailboxes::MailboxRow;
use crate::sync::store::streams::{Lease, Position};
use crate::sync::stream::Stream;
use crate::sync::{refreshed, rejudge};

/// A stream, and where its turn begins.
pub(super) struct Opened {
    /// The stream, with the lease that it is written under.
    pub(super) stream: Stream,
    /// Where both sides are read from.
    pub(super) position: Position,
    /// Which organisation the CRM is, as far as it says.
    pub(super) organisation: Option<String>,
}

/// Opens a stream for its turn. Where the CRM is another organisation than before, both sides are read from their start.
///
/// # Errors
/// Whatever stops a turn before it begins.
pub(super) async fn open(
    engine: &Engine,
    lease: Lease,
    mut row: MailboxRow,
    mut position: Position,
) -> Result<Opened, SyncError> {
    let id = lease.stream;
    let organisation = engine.crm(&row.crm)?.organisation(&row.user).await?;
    let refreshed = refreshed::is_another(&position, organisation.as_deref());
    if refreshed {
        tracing::info!(stream = %id, "the CRM is another organisation; its records are joined again");
        // Users may have other ids there too.
        row.user.id = None;
        position = rejudge::from_the_start(position);
    }
    let mut stream = Stream::open_for(engine, row, lease).await?;
    stream.refreshed = refreshed;
    Ok(Opened {
        stream,
        position,
        organisation,
    })
}
