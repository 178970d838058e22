//! The attachments of a turn, carried when everything else was done.

use super::apply;
use super::error::SyncError;
use super::model::{ItemKey, Side};
use super::store::outcome::PageOutcome;
use super::store::streams::Advance;
use super::turn::Turn;
use crate::attachments::apply::{Carried, Road};
use crate::attachments::content::ContentKey;
use crate::attachments::error::AttachmentError;
use crate::attachments::model::{Errand, Transfer};
use crate::attachments::store;
use crate::crm::error::CrmError;
use crate::foundation::explain::Explain as _;
use crate::mailbox::model::{ItemId, ItemRef, ItemVersion};
use std::time::Duration;

/// Items looked at together.
const SOME: i64 = 50;
/// After so long no further item is begun: changes that came meanwhile go first.
const BUDGET: Duration = Duration::from_secs(20);

impl Turn<'_> {
    /// Carries the attachments that wait, those of earlier turns too.
    pub(super) async fn carry_attachments(&mut self) -> Result<(), SyncError> {
        let carries = self.stream.carries_attachments();
        if !carries && !self.stream.takes_off_attachments() {
            return Ok(());
        }
        let key = ContentKey::new(self.engine.keyring.organisation_key());
        let (of, until) = (self.lease.carrier(), self.engine.clock.instant() + BUDGET);
        let mut behind = None;
        loop {
            let waiting = self
                .engine
                .db
                .run_for(of.mailbox, move |conn| store::waiting(conn, of, behind, SOME))
                .await
                .map_err(stopped)?;
            if waiting.is_empty() {
                return Ok(());
            }
            for transfer in waiting {
                if self.engine.clock.instant() >= until {
                    self.counts.attachments_wait = true;
                    return Ok(());
                }
                behind = Some(transfer.item_key);
                // What waits from before the policy ceased to take any.
                if !carries && transfer.errand == Errand::Carry {
                    continue;
                }
                self.carry(&key, transfer).await?;
            }
        }
    }

    async fn carry(&mut self, key: &ContentKey, transfer: Transfer) -> Result<(), SyncError> {
        let Self {
            engine,
            stream,
            lease,
            ..
        } = self;
        let Some(held) = &stream.fence else { return Ok(()) };
        let road = Road {
            db: &engine.db,
            clock: &engine.clock,
            server: stream.server.as_ref(),
            mailbox: &stream.row.mailbox,
            crm: stream.crm.as_ref(),
            crm_name: &stream.row.crm,
            user: &stream.row.user,
            policy: &stream.policy.attachments,
            key,
            carrier: lease.carrier(),
            held,
        };
        let mut carried = Carried::default();
        let result = match transfer.errand {
            Errand::Carry => road.carry(&transfer, &mut carried).await,
            Errand::TakeOff => road.take_off(&transfer).await,
        };
        self.counts.attachments_stored += carried.stored;
        self.counts.attachments_left_out += carried.left_out;
        let mut page = PageOutcome {
            carried: vec![ItemKey(transfer.item_key)],
            ..PageOutcome::default()
        };
        match result {
            // A record that is gone needs no attachments.
            Ok(()) | Err(AttachmentError::Crm(CrmError::Gone)) => {}
            // It waits on; by the next turn the content is there. Or this stream is another node's by now.
            Err(AttachmentError::Elsewhere) => return held.still_ours().await,
            Err(error) if error.class().stops_the_turn() => return Err(stopped(error)),
            Err(error) => {
                self.counts.failed += 1;
                let failed = apply::Failed {
                    origin: Side::Mailbox,
                    item: Some(ItemRef {
                        id: ItemId(transfer.item),
                        version: ItemVersion(String::new()),
                    }),
                    crm: None,
                    code: error.code(),
                    class: error.class(),
                    name: None,
                };
                page.failed.push(self.failure(&failed));
            }
        }
        self.commit(page, Advance::default()).await
    }
}

/// What stops the turn, in its own words.
fn stopped(error: AttachmentError) -> SyncError {
    match error {
        AttachmentError::Mailbox(error) => error.into(),
        AttachmentError::Crm(error) => error.into(),
        AttachmentError::Database(error) => error.into(),
        AttachmentError::Changed | AttachmentError::Elsewhere => SyncError::Leased,
    }
}
