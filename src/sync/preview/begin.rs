//! What comes into a turn before its first page, as far as it can be seen without doing it.

use super::Look;
use crate::sync::choice::bring_back;
use crate::sync::error::SyncError;
use crate::sync::gather;
use crate::sync::guard::plan::Evidence;
use crate::sync::guard::{hold, survivors};
use crate::sync::model::{ItemKey, Link, Reason, Side};
use crate::sync::store::links;
use crate::sync::store::streams::Position;
use crate::sync::{listing, merged};
use std::collections::HashMap;

impl Look<'_> {
    /// What comes into a turn before its first page.
    pub(super) async fn begin(&mut self, position: &Position) -> Result<(), SyncError> {
        let Self {
            engine,
            stream,
            pending,
            pulled,
            ..
        } = self;
        let db = &engine.db;
        if pulled.cursor.is_some() {
            gather::read_due(stream, &self.failures, &self.ahead, pending).await?;
        }
        let check = engine.settings.survivor_check;
        let is_due = position.survivors_at.is_none_or(|at| stream.now - at >= check);
        let mut let_go = Vec::new();
        if is_due || pulled.lost || !stream.capabilities.deletions_in_feed {
            if is_due || pulled.lost {
                listing::ask(db, stream, pending).await?;
            }
            let_go = survivors::ask(db, stream, pending).await?;
        }
        self.back = hold::bring_back(db, stream, pending).await?;
        let failed = self.failures.iter().filter(|failure| !failure.due);
        let failed = failed.map(|failure| (failure.side, failure.key)).collect();
        let chosen = bring_back::bring_back(stream, &failed, pending).await?;
        self.back.items.extend(chosen.items);
        let merged = merged::ask(db, stream, pending).await?;
        self.duplicates = merged.duplicates;
        let_go.extend(merged.handed_over.iter().map(|link| link.key));
        self.let_go(let_go).await?;
        self.follow(merged.follow).await
    }

    /// Items whose records belong to somebody else now.
    async fn let_go(&mut self, keys: Vec<ItemKey>) -> Result<(), SyncError> {
        if keys.is_empty() {
            return Ok(());
        }
        let (id, asked) = (self.stream.id, keys.clone());
        let known = self
            .engine
            .db
            .run_for(id.mailbox, move |conn| links::by_keys(conn, id, &asked))
            .await?;
        for link in known {
            let reason = Reason::HandedOver;
            let item = link.item.map_or(link.crm.0, |item| item.0);
            self.push(Side::Mailbox, item, "unlink", reason.sentence().to_owned());
        }
        let mark = |key: &ItemKey| ((Side::Mailbox, *key), Reason::HandedOver);
        self.lasting.extend(keys.iter().map(mark));
        self.dealt_with.extend(keys);
        Ok(())
    }

    /// Items that follow to the record that theirs was merged into, and what that one says differently.
    async fn follow(&mut self, follow: Vec<Link>) -> Result<(), SyncError> {
        let mut known = HashMap::new();
        let mut changes = Vec::new();
        for link in follow {
            let item = link.item.clone().map_or_else(String::new, |item| item.0);
            let detail = format!("joined with {}, into which its record was merged", link.crm.0);
            self.push(Side::Mailbox, item, "join", detail);
            self.dealt_with.insert(link.key);
            changes.extend(self.pending.take(&link.crm));
            known.insert(link.crm.clone(), link);
        }
        if changes.is_empty() {
            return Ok(());
        }
        let gathered = gather::crm_changes(&mut self.stream, changes, known).await?;
        self.add(gathered, Evidence::Said).await
    }
}
