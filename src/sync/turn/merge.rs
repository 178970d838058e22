//! Items whose records were merged into another one follow to it, before anything else is made of the CRM's news.

use super::Turn;
use crate::sync::error::SyncError;
use crate::sync::gather::Pending;
use crate::sync::merged::{self, Merged};
use crate::sync::model::Reason;
use crate::sync::store::outcome::PageOutcome;
use crate::sync::store::streams::Advance;

impl Turn<'_> {
    /// Asks what became of linked records that the CRM calls deleted. The links that follow are committed at once: a
    /// kill behind that finds the loser's deletion to be of a record that nobody is linked with.
    pub(super) async fn follow_merged(&mut self, pending: &mut Pending) -> Result<(), SyncError> {
        let Merged {
            follow,
            handed_over,
            duplicates,
        } = merged::ask(&self.engine.db, &self.stream, pending).await?;
        self.merged = duplicates;
        if follow.is_empty() && handed_over.is_empty() {
            return Ok(());
        }
        let let_go = merged::skips(&handed_over);
        if !let_go.is_empty() {
            *self.counts.skipped.entry(Reason::HandedOver).or_default() += let_go.len() as u64;
        }
        let page = PageOutcome {
            unlinked: handed_over.iter().map(|link| link.key).collect(),
            skipped: let_go
                .iter()
                .map(|((side, key), reason)| (*side, *key, *reason))
                .collect(),
            links: follow,
            ..PageOutcome::default()
        };
        self.lasting.extend(let_go);
        self.commit(page, Advance::default()).await
    }
}
