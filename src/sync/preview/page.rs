//! One page of a preview: plan and guard as the turn does, and tell of it.

use super::Look;
use super::planned::planned;
use crate::crm::model::ExternalKey;
use crate::foundation::explain::Explain as _;
use crate::mailbox::series::Series;
use crate::record::kind::RecordKind;
use crate::sync::apply::foretell;
use crate::sync::error::SyncError;
use crate::sync::gather::{self, Gathered, SeriesNews, Work};
use crate::sync::guard::error::GuardNotice;
use crate::sync::guard::hold::{self, Guarded};
use crate::sync::guard::plan::Evidence;
use crate::sync::in_words::{describe, id_of, may_be};
use crate::sync::model::{ItemKey, Side, Verdict};
use crate::sync::report::PreviewRow;
use crate::sync::stream::Stream;
use crate::sync::told::Told;
use crate::sync::{merged, series};
use std::collections::HashSet;

impl Look<'_> {
    /// Plans the dates of series as the turn does, and tells of them.
    pub(super) async fn dates(&mut self, news: SeriesNews) -> Result<(), SyncError> {
        let mut found = Vec::new();
        let mut see = |_: &Stream, _: Option<&Series>, gathered: Gathered| found.push(gathered);
        let (engine, stream, pending) = (self.engine, &mut self.stream, &mut self.pending);
        series::look_over(engine, stream, news, pending, &mut see).await?;
        for gathered in found {
            self.add(gathered, Evidence::Said).await?;
        }
        Ok(())
    }

    /// Plans a page as the turn does, guard and all, and tells of it.
    pub(super) async fn add(&mut self, gathered: Gathered, evidence: Evidence) -> Result<(), SyncError> {
        let Gathered {
            mut works,
            candidates,
            skipped,
            unreadable,
            met,
            ..
        } = gathered;
        self.met.extend(met);
        let links = works.iter().filter_map(|work| work.link.as_ref());
        self.met.extend(links.map(|link| link.key));
        gather::mark_earlier(&mut works, &self.seen_earlier);
        self.back.still_left(&mut works);
        let planned = planned(works, &mut self.stream, &self.lasting, &candidates);
        let filed = filed(&self.stream, &planned.works).await?;
        let mut guarded = hold::guarded(&self.engine.db, &self.stream, planned.works, evidence).await?;
        merged::settle(&mut guarded.works, &self.duplicates);
        let news = foretell(&self.stream, &guarded.works).await?;
        for ((work, verdict), news) in guarded.works.iter().zip(news) {
            let waits = planned
                .waits
                .iter()
                .find(|row| (row.side, row.key) == (work.origin, work.key()));
            let said = match waits {
                Some(row) => Some(("hold for a choice", may_be(row))),
                None if filed.contains(&work.key()) => continue,
                None => describe(verdict),
            };
            if let Some((action, detail)) = said {
                self.push_told(work.origin, id_of(work), (action, detail), news);
            }
        }
        for (side, id, action) in held(guarded) {
            self.push(side, id, action, GuardNotice::DeletionsHeld.sentence());
        }
        for (id, reason) in skipped {
            self.push(Side::Mailbox, id.0, "skip", reason.sentence().to_owned());
        }
        for (id, code, _) in unreadable {
            self.push(Side::Mailbox, id.0, "fail", code.to_owned());
        }
        Ok(())
    }

    pub(super) fn push(&mut self, side: Side, id: String, action: &'static str, detail: String) {
        self.push_told(side, id, (action, detail), Told::default());
    }

    fn push_told(&mut self, side: Side, id: String, said: (&'static str, String), told: Told) {
        let (action, detail) = said;
        *self.preview.totals.entry(action).or_default() += 1;
        self.preview.told += told;
        self.preview.rows.push(PreviewRow {
            kind: self.stream.kind().word(),
            side,
            id,
            action,
            detail,
            told,
        });
    }
}

/// Mails that are to be made and are in the CRM already, from a colleague's mailbox: they are linked.
async fn filed(stream: &Stream, planned: &[(Work, Verdict)]) -> Result<HashSet<ItemKey>, SyncError> {
    if stream.kind() != RecordKind::Mail {
        return Ok(HashSet::new());
    }
    let made = planned
        .iter()
        .filter(|(_, verdict)| *verdict == Verdict::CreateInCrm);
    let keyed = made.filter_map(|(work, _)| {
        let key = stream
            .keys
            .external(work.item_record.as_ref()?, &work.item.as_ref()?.id);
        Some((work.key(), key))
    });
    let (works, keys): (Vec<ItemKey>, Vec<ExternalKey>) = keyed.unzip();
    if keys.is_empty() {
        return Ok(HashSet::new());
    }
    let filed = stream.crm.filed(&stream.row.user, &keys).await?;
    let there = works.into_iter().zip(filed).filter(|(_, filed)| filed.is_some());
    Ok(there.map(|(work, _)| work).collect())
}

/// Deletions that the guard holds, as a preview tells of them.
fn held(guarded: Guarded) -> Vec<(Side, String, &'static str)> {
    let held = guarded.held.into_iter().map(|held| match held.side {
        Side::Crm => (held.side, held.crm.0, "hold deletion in CRM"),
        Side::Mailbox => {
            let id = held.item.map_or(held.crm.0, |item| item.0);
            (held.side, id, "hold deletion in mailbox")
        }
    });
    held.collect()
}
