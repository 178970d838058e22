//! The dry run: the same pull, the same plan, and no write on either side or in the database.
//!
//! It begins as a turn does: with what failed and is due, what a person has decided about, what was merged and what a feed
//! left out. What a turn commits on the way (links that follow to another record, say) is kept in memory here. One thing
//! cannot be foreseen: that a record which is to be made is there already, under its key, where this user does not see it.

use super::choice::model::{Candidates, Choice};
use super::choice::{bring_back, hold as choice};
use super::engine::Engine;
use super::error::SyncError;
use super::gather::{self, Gathered, Pending, SeriesNews, Work};
use super::guard::error::GuardNotice;
use super::guard::hold::{self, BroughtBack, Guarded, Lasting};
use super::guard::plan::Evidence;
use super::guard::store::lasting_skips;
use super::guard::survivors;
use super::in_words::{describe, id_of, may_be};
use super::keys::record_key;
use super::merged;
use super::model::{ItemKey, Link, Reason, Side, StreamId, Verdict};
use super::pull::Pulled;
use super::report::{Preview, PreviewRow, Progress};
use super::series;
use super::store::ahead::{self, Ahead};
use super::store::mailboxes::MailboxRow;
use super::store::outcome::Due;
use super::store::streams::Position;
use super::store::{links, outcome, streams, unseen};
use super::stream::Stream;
use super::{handover, listing, plan, pull, refreshed, rejudge};
use crate::crm::model::{CrmId, ExternalKey};
use crate::foundation::explain::Explain as _;
use crate::mailbox::model::{ItemChange, ItemId, ItemRef, ItemVersion};
use crate::mailbox::series::Series;
use crate::record::kind::RecordKind;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What the next turn of each of a mailbox's streams would do.
///
/// # Errors
/// Whatever would stop the turn.
pub async fn preview(
    engine: &Engine,
    row: &MailboxRow,
    progress: &dyn Progress,
) -> Result<Preview, SyncError> {
    let mut preview = Preview::default();
    for kind in RecordKind::ALL {
        let id = StreamId {
            mailbox: row.mailbox.id,
            kind,
        };
        let position = engine.db.run(move |conn| streams::position(conn, id)).await?;
        let mut stream = Stream::open(engine, row.clone(), kind).await?;
        if !stream.common.flow.to_crm() && !stream.common.flow.to_mailbox() {
            continue;
        }
        let organisation = stream.crm.organisation(&stream.row.user).await?;
        if refreshed::is_another(&position, organisation.as_deref()) {
            joins_again(&mut preview, kind, organisation);
            continue;
        }
        let position = rejudge::foresee(&engine.db, &mut stream, position).await?;
        stream.choices = bring_back::load(&engine.db, &stream, &position).await?;
        let mut look = Look::open(engine, stream, &position, &mut preview).await?;
        // Whoever got an answer has asked the present organisation by now.
        let now = look.stream.crm.organisation(&look.stream.row.user).await?;
        if now != organisation {
            joins_again(&mut preview, kind, now);
            continue;
        }

        look.begin(&position).await?;
        look.mailbox_side(position, progress).await?;
        look.crm_side().await?;
    }
    Ok(preview)
}

/// What a turn makes of another organisation, only a turn can tell: it joins records that it then looks at.
fn joins_again(preview: &mut Preview, kind: RecordKind, organisation: Option<String>) {
    let action = "join again";
    *preview.totals.entry(action).or_default() += 1;
    preview.rows.push(PreviewRow {
        kind: kind.word(),
        side: Side::Crm,
        id: organisation.unwrap_or_default(),
        action,
        detail: "the CRM is another organisation now; a turn joins its records with what is linked"
            .to_owned(),
    });
}

/// One stream, looked at as its next turn would.
struct Look<'a> {
    engine: &'a Engine,
    stream: Stream,
    pending: Pending,
    pulled: Pulled,
    failures: Vec<Due>,
    seen_earlier: HashSet<(Side, ItemKey)>,
    unseen: BTreeMap<ItemKey, ItemId>,
    /// What lay beyond the window until today.
    ahead: Vec<Ahead>,
    lasting: Lasting,
    back: BroughtBack,
    /// Records that were merged into one that has an item already.
    duplicates: HashSet<CrmId>,
    /// Items that the turn deals with before it looks at any page: they follow to another record, or are let go.
    dealt_with: HashSet<ItemKey>,
    /// Dates of series that were looked at.
    met: HashSet<ItemKey>,
    preview: &'a mut Preview,
}

impl<'a> Look<'a> {
    async fn open(
        engine: &'a Engine,
        stream: Stream,
        position: &Position,
        preview: &'a mut Preview,
    ) -> Result<Self, SyncError> {
        let (id, now) = (stream.id, engine.clock.now());
        let today = stream.now.date_naive();
        let (failures, lasting, unseen, ahead) = engine
            .db
            .run_for(id.mailbox, move |conn| {
                let failures = outcome::failures_of(conn, id, now)?;
                let lasting = lasting_skips(conn, id)?;
                let ahead = ahead::due(conn, id, today)?;
                Ok::<_, SyncError>((failures, lasting, unseen::all(conn, id)?, ahead))
            })
            .await?;
        let mut look = Self {
            seen_earlier: failures.iter().map(|due| (due.side, due.key)).collect(),
            engine,
            stream,
            pending: Pending::default(),
            pulled: Pulled::default(),
            failures,
            unseen,
            ahead,
            lasting,
            back: BroughtBack::default(),
            duplicates: HashSet::new(),
            dealt_with: HashSet::new(),
            met: HashSet::new(),
            preview,
        };
        let Self {
            stream,
            pending,
            seen_earlier,
            ..
        } = &mut look;
        look.pulled = pull::crm(stream, position.crm.clone(), pending, |change| {
            seen_earlier.remove(&(Side::Crm, record_key(change.id())));
        })
        .await?;
        Ok(look)
    }

    /// What comes into a turn before its first page.
    async fn begin(&mut self, position: &Position) -> Result<(), SyncError> {
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

    async fn mailbox_side(&mut self, position: Position, progress: &dyn Progress) -> Result<(), SyncError> {
        let (id, size) = (self.stream.id, self.engine.settings.page_size);
        let all_items = async |engine: &Engine| {
            engine
                .db
                .run_for(id.mailbox, move |conn| links::all_items(conn, id))
                .await
        };
        let (mut cursor, mut done) = (position.mailbox, 0);
        let mut unmet = std::mem::take(&mut self.unseen);
        if !position.first_read_done {
            unmet = all_items(self.engine).await?;
            self.stream.anchors = gather::anchors(&self.engine.db, &self.stream).await?;
        }
        let mut again = gather::due_items(&self.failures, &self.ahead, &self.pending);
        again.append(&mut self.back.items);
        loop {
            let (page, lost) = pull::mailbox(&self.stream, cursor.as_ref(), size).await?;
            if lost {
                self.stream.anchors = gather::anchors(&self.engine.db, &self.stream).await?;
                unmet = all_items(self.engine).await?;
            }
            done += page.changes.len() as u64;
            for change in &page.changes {
                let key = gather::key_of(change);
                unmet.remove(&key);
                self.seen_earlier.remove(&(Side::Mailbox, key));
            }
            let (stream, failures, due) = (&self.stream, &self.failures, std::mem::take(&mut again));
            let (changes, forced) =
                gather::page_with_due(stream, failures, page.changes, due, &mut self.pending).await?;
            self.mailbox_page(changes, &forced, Evidence::Said).await?;
            progress.advanced(id, done, None);
            cursor = Some(page.cursor);
            if !page.more {
                break;
            }
        }
        unmet.retain(|key, _| !self.met.contains(key));
        let forced: HashSet<ItemKey> = unmet.keys().copied().collect();
        let unmet = unmet.into_values().map(|id| {
            ItemChange::Upserted(ItemRef {
                id,
                version: ItemVersion(String::new()),
            })
        });
        self.mailbox_page(unmet.collect(), &forced, Evidence::Missed)
            .await?;
        if self.stream.kind() == RecordKind::Calendar {
            let news = gather::due_series(&self.engine.db, &self.stream).await?;
            self.dates(news).await?;
        }
        Ok(())
    }

    async fn mailbox_page(
        &mut self,
        mut changes: Vec<ItemChange>,
        forced: &HashSet<ItemKey>,
        evidence: Evidence,
    ) -> Result<(), SyncError> {
        changes.retain(|change| !self.dealt_with.contains(&gather::key_of(change)));
        let (db, stream, pending) = (&self.engine.db, &mut self.stream, &mut self.pending);
        let mut gathered = gather::mailbox_page(db, stream, changes, forced, pending).await?;
        let news = std::mem::take(&mut gathered.series);
        self.dates(news).await?;
        self.add(gathered, evidence).await
    }

    async fn crm_side(&mut self) -> Result<(), SyncError> {
        while !self.pending.is_empty() {
            let changes = self.pending.take_some(200);
            let gathered = gather::crm_page(&self.engine.db, &mut self.stream, changes).await?;
            self.add(gathered, Evidence::Said).await?;
        }
        Ok(())
    }

    /// Plans the dates of series as the turn does, and tells of them.
    async fn dates(&mut self, news: SeriesNews) -> Result<(), SyncError> {
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
    async fn add(&mut self, gathered: Gathered, evidence: Evidence) -> Result<(), SyncError> {
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
        for (work, verdict) in &guarded.works {
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
                self.push(work.origin, id_of(work), action, detail);
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

    fn push(&mut self, side: Side, id: String, action: &'static str, detail: String) {
        *self.preview.totals.entry(action).or_default() += 1;
        self.preview.rows.push(PreviewRow {
            kind: self.stream.kind().word(),
            side,
            id,
            action,
            detail,
        });
    }
}

/// Verdicts as a turn has them before the guard looks at its deletions.
pub(super) struct Planned {
    /// What is to be done.
    pub works: Vec<(Work, Verdict)>,
    /// What a person would be asked.
    pub waits: Vec<Choice>,
}

/// Plans works, and bars what a turn does not make: what lasts, what a person is asked about, what the user may not.
pub(super) fn planned(
    works: Vec<Work>,
    stream: &mut Stream,
    lasting: &Lasting,
    candidates: &HashMap<ItemKey, Candidates>,
) -> Planned {
    let pairs: Vec<_> = works.iter().map(|work| work.pair.clone()).collect();
    let verdicts = plan::plan(&pairs, stream.common);
    let mut works: Vec<_> = works.into_iter().zip(verdicts).collect();
    hold::barred(&mut works, lasting);
    handover::settle(stream, &mut works);
    let of = (stream.kind(), stream.now);
    let waits = choice::hold(&mut works, &mut stream.choices, candidates, of);
    if !stream.capabilities.may_create(stream.kind()) {
        let creates = works
            .iter_mut()
            .filter(|(_, verdict)| *verdict == Verdict::CreateInCrm);
        creates.for_each(|(_, verdict)| *verdict = Verdict::Skip(Reason::NoRight));
    }
    Planned { works, waits }
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
