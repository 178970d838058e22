//! What comes into a turn before its pages: links of a former organisation, and what a person has chosen.

use super::Turn;
use crate::record::kind::RecordKind;
use crate::sync::choice::bring_back;
use crate::sync::error::SyncError;
use crate::sync::gather::Pending;
use crate::sync::refreshed;
use crate::sync::store::outcome::PageOutcome;
use crate::sync::store::series;
use crate::sync::store::streams::Advance;

impl Turn<'_> {
    /// Joins the links of a former organisation with the records of the present one, and forgets those that have none.
    pub(super) async fn join_anew(
        &mut self,
        organisation: Option<&String>,
        pending: &Pending,
    ) -> Result<(), SyncError> {
        // The sessions of a former organisation end with it: whoever got an answer has asked the present one by now.
        let now = self.stream.crm.organisation(&self.stream.row.user).await?;
        if now.as_ref() != organisation {
            return Err(SyncError::OrganisationChanged);
        }
        if !self.stream.refreshed {
            return Ok(());
        }
        let refreshed::Joined { follow, lost } =
            refreshed::ask(&self.engine.db, &self.stream, pending).await?;
        let id = self.stream.id;
        if id.kind == RecordKind::Calendar {
            self.engine
                .db
                .run_for(id.mailbox, move |conn| series::judge_anew(conn, id))
                .await?;
        }
        if follow.is_empty() && lost.is_empty() {
            return Ok(());
        }
        tracing::info!(stream = %id, joined = follow.len(), lost = lost.len(), "records were joined again");
        self.counts.matched += follow.len() as u64;
        let page = PageOutcome {
            links: follow,
            unlinked: lost,
            ..PageOutcome::default()
        };
        self.commit(page, Advance::default()).await
    }

    /// Brings back what a person has chosen. What failed of it waits for its time.
    pub(super) async fn bring_back_chosen(&mut self, pending: &mut Pending) -> Result<(), SyncError> {
        let failed = self.failures.iter().filter(|failure| !failure.due);
        let failed = failed.map(|failure| (failure.side, failure.key)).collect();
        let chosen = bring_back::bring_back(&self.stream, &failed, pending).await?;
        self.back.items.extend(chosen.items);
        if chosen.gone.is_empty() {
            return Ok(());
        }
        let page = PageOutcome {
            settled: chosen.gone.clone(),
            chosen: chosen.gone,
            ..PageOutcome::default()
        };
        self.commit(page, Advance::default()).await
    }
}
