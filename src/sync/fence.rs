//! The lease, looked at right before each write to the outside.
//!
//! The commit of a turn carries its fencing number, so a process that slept through its lease changes nothing in
//! the database. The outside knows no fencing numbers: there the lease is renewed before each batch, which fails
//! once somebody else has taken it. What can still slip through is one batch of a process that was stopped between
//! this look and the send; the keys of creates and the versions of updates take care of that.

use super::engine::Engine;
use super::error::SyncError;
use super::store::streams::{self, Lease};
use crate::attachments::apply::Held;
use crate::attachments::error::AttachmentError;
use async_trait::async_trait;

/// Looks repeated after being stopped in the middle of one.
const LOOKS: usize = 3;

/// A turn's lease, as its writes see it.
pub struct Fence {
    engine: Engine,
    lease: Lease,
}

impl Fence {
    /// Of this lease.
    pub fn new(engine: &Engine, lease: Lease) -> Self {
        Self {
            engine: engine.clone(),
            lease,
        }
    }

    /// Renews the lease.
    ///
    /// # Errors
    /// [`SyncError::LeaseLost`] where somebody else has taken it.
    pub async fn still_ours(&self) -> Result<(), SyncError> {
        let (clock, lease, length) = (&self.engine.clock, self.lease, self.engine.settings.lease);
        for _ in 0..LOOKS {
            let asked = clock.instant();
            let until = clock.now() + length;
            self.engine
                .db
                .run(move |conn| streams::renew(conn, lease, until))
                .await?;
            // An answer that lay there while the process was stopped says nothing of now.
            let took = clock.instant().saturating_duration_since(asked);
            if took < length.to_std().unwrap_or_default() / 2 {
                return Ok(());
            }
        }
        Err(SyncError::LeaseLost)
    }
}

#[async_trait]
impl Held for Fence {
    async fn still_ours(&self) -> Result<(), AttachmentError> {
        Self::still_ours(self).await.map_err(|error| match error {
            SyncError::Database(error) => error.into(),
            _ => AttachmentError::Elsewhere,
        })
    }
}
