//! One page of a turn: plan, guard, apply, commit.

use super::stage::stage;
use super::{ROUNDS, Turn};
use crate::foundation::failure::Class;
use crate::mailbox::model::{ItemId, ItemRef, ItemVersion};
use crate::sync::apply::{self, Applied, failure_key};
use crate::sync::choice::hold as choice;
use crate::sync::error::SyncError;
use crate::sync::failed::name;
use crate::sync::gather::{self, Gathered};
use crate::sync::guard::hold;
use crate::sync::guard::plan::Evidence;
use crate::sync::keys::{item_key, record_key};
use crate::sync::model::{ItemKey, Link, Reason, Side};
use crate::sync::store::outcome::{self, Failure, PageOutcome};
use crate::sync::store::streams::Advance;
use crate::sync::{handover, lag, merged, plan, retry};
use chrono::{DateTime, Utc};
use std::collections::HashSet;

impl Turn<'_> {
    pub(in crate::sync) async fn plan_apply_commit(
        &mut self,
        gathered: Gathered,
        shown: Vec<ItemKey>,
        step: Advance,
        evidence: Evidence,
    ) -> Result<(), SyncError> {
        let Gathered {
            mut works,
            unreadable,
            settled,
            skipped,
            met,
            rows,
            series: _,
            errands,
            candidates,
            noted,
        } = gathered;
        self.met.extend(met);
        let mut page = PageOutcome {
            settled,
            shown,
            ahead: gather::ahead(&self.stream, &works),
            skipped: self.skipped(skipped),
            series: rows,
            noted,
            failed: self.unreadable(unreadable),
            ..PageOutcome::default()
        };
        gather::mark_earlier(&mut works, &self.seen_earlier);
        self.back.still_left(&mut works);
        let mut oldest = Vec::new();
        for _ in 0..ROUNDS {
            if works.is_empty() {
                break;
            }
            let pairs: Vec<_> = works.iter().map(|work| work.pair.clone()).collect();
            let verdicts = plan::plan(&pairs, self.stream.common);
            let mut planned: Vec<_> = works.into_iter().zip(verdicts).collect();
            let changed = planned
                .iter()
                .filter_map(|(work, verdict)| lag::changed_at(&work.pair, verdict));
            oldest.extend(changed);
            hold::barred(&mut planned, &self.lasting);
            page.unlinked.extend(handover::settle(&self.stream, &mut planned));
            let of = (self.stream.kind(), self.engine.clock.now());
            let waits = choice::hold(&mut planned, &mut self.stream.choices, &candidates, of);
            page.choices.extend(waits);
            let mut guarded = hold::guarded(&self.engine.db, &self.stream, planned, evidence).await?;
            merged::settle(&mut guarded.works, &self.merged);
            self.counts.held += guarded.held.len() as u64;
            page.held.extend(guarded.held);
            page.settled.extend(guarded.settled);
            let applied = stage(|| apply::apply(&self.stream, guarded.works)).await?;
            works = self.take_in(applied, &mut page);
        }
        page.transfers = gather::transfers(&errands, &page.links);
        self.kept_changing(works, &mut page);
        self.settle_choices(&mut page);
        let wrote = !page.links.is_empty();
        self.commit(page, step).await?;
        if wrote {
            self.note_lags(&oldest);
        }
        Ok(())
    }

    /// Works that were planned again and again, since somebody writes as fast as we do.
    fn kept_changing(&self, works: Vec<gather::Work>, page: &mut PageOutcome) {
        let failed = works.into_iter().map(|work| {
            self.failure(&apply::Failed {
                name: apply::called(&work),
                origin: work.origin,
                item: work.item,
                crm: work.crm,
                code: "sync.kept_changing",
                class: Class::Conflict,
            })
        });
        page.failed.extend(failed);
    }

    /// What there is nothing to choose about any more, and what waits by itself for that.
    fn settle_choices(&mut self, page: &mut PageOutcome) {
        let choices = &mut self.stream.choices;
        page.chosen = choices.over(&page.links, &page.settled, &page.skipped);
        page.choices.extend(choices.orphans(&page.chosen, &page.links));
    }

    /// How long the changes took that were just written.
    fn note_lags(&mut self, changed: &[DateTime<Utc>]) {
        let now = self.engine.clock.now();
        let lags = changed.iter().filter_map(|at| lag::lag(*at, self.last_turn, now));
        let slowest = lags.map(|lag| lag.num_milliseconds()).max();
        self.counts.lag_ms = self.counts.lag_ms.max(slowest);
    }

    fn take_in(&mut self, applied: Applied, page: &mut PageOutcome) -> Vec<gather::Work> {
        let Applied {
            page: new,
            counts,
            failed,
            again,
        } = applied;
        self.counts.add(&counts);
        // A link that a later round made again must not be forgotten because an earlier one dropped it.
        page.unlinked
            .retain(|key| !new.links.iter().any(|link| link.key == *key));
        page.skipped.extend(new.skipped);
        // Nor must a side be held for parted that found its counterpart, or another one, again.
        let together = |link: &Link| [(Side::Mailbox, link.key), (Side::Crm, record_key(&link.crm))];
        let linked: HashSet<_> = new.links.iter().flat_map(together).collect();
        let parted = |reason| matches!(reason, Reason::Parted | Reason::LeftScope);
        page.skipped
            .retain(|(side, key, reason)| !parted(*reason) || !linked.contains(&(*side, *key)));
        page.settled
            .extend(linked.into_iter().filter(|key| self.lasting.contains_key(key)));
        let back = &self.back.keys;
        let linked = new.links.iter().map(|link| link.key);
        page.released.extend(linked.filter(|key| back.contains(key)));
        page.links.extend(new.links);
        page.journal.extend(new.journal);
        page.unlinked.extend(new.unlinked);
        page.made.extend(new.made);
        page.noted.notes.extend(new.noted.notes);
        page.settled.extend(new.settled);
        for failed in &failed {
            let failure = self.failure(failed);
            page.failed.push(failure);
        }
        again
    }

    pub(in crate::sync) fn failure(&self, failed: &apply::Failed) -> Failure {
        let key = failure_key(failed);
        let before = self
            .failures
            .iter()
            .find(|due| due.side == failed.origin && due.key == key);
        let attempts = before.map_or(0, |due| due.attempts) + 1;
        let now = self.engine.clock.now();
        let chance = retry::chance(key, attempts);
        // From the first time on: what goes on failing is not kept by name for ever.
        let keep = self.engine.settings.names_keep;
        let named = now - before.map_or(now, |due| due.first_at) < keep;
        let name = failed.name.as_ref().filter(|_| named);
        let key_of_mailbox = self.stream.keys.mailbox();
        Failure {
            side: failed.origin,
            key,
            item: failed.item.as_ref().map(|item| item.id.clone()),
            crm: failed.crm.clone(),
            code: failed.code,
            class: failed.class.word(),
            attempts,
            name: name.and_then(|name| name::seal(key_of_mailbox, self.stream.id, failed.origin, key, name)),
            next_retry_at: retry::item_due(
                failed.class,
                attempts.unsigned_abs(),
                now,
                self.engine.settings.patience,
                chance,
            ),
        }
    }

    pub(in crate::sync) async fn commit(
        &mut self,
        page: PageOutcome,
        step: Advance,
    ) -> Result<(), SyncError> {
        let (lease, now) = (self.lease, self.engine.clock.now());
        let wrote = !page.links.is_empty() || !page.unlinked.is_empty();
        let step = Advance {
            changed_at: wrote.then_some(now),
            ..step
        };
        self.engine
            .db
            .run_for(lease.stream.mailbox, move |conn| {
                outcome::commit_page(conn, lease, &page, &step, now)
            })
            .await
    }

    /// Series that are left alone as a whole.
    fn skipped(&mut self, skipped: Vec<(ItemId, Reason)>) -> Vec<(Side, ItemKey, Reason)> {
        let counts = &mut self.counts.skipped;
        skipped
            .into_iter()
            .map(|(item, reason)| {
                *counts.entry(reason).or_default() += 1;
                (Side::Mailbox, item_key(&item), reason)
            })
            .collect()
    }

    fn unreadable(&mut self, unreadable: Vec<(ItemId, &'static str, Class)>) -> Vec<Failure> {
        self.counts.failed += unreadable.len() as u64;
        unreadable
            .into_iter()
            .map(|(id, code, class)| {
                let version = ItemVersion(String::new());
                self.failure(&apply::Failed {
                    origin: Side::Mailbox,
                    item: Some(ItemRef { id, version }),
                    crm: None,
                    code,
                    class,
                    name: None,
                })
            })
            .collect()
    }
}
