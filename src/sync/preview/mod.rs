//! The dry run: the same pull, the same plan, and no write on either side or in the database.
//!
//! It begins as a turn does: with what failed and is due, what a person has decided about, what was merged and what a feed
//! left out. What a turn commits on the way (links that follow to another record, say) is kept in memory here. One thing
//! cannot be foreseen: that a record which is to be made is there already, under its key, where this user does not see it.

mod begin;
mod page;
pub(super) mod planned;

use super::choice::bring_back;
use super::engine::Engine;
use super::error::SyncError;
use super::gather::{self, Pending};
use super::guard::hold::{BroughtBack, Lasting};
use super::guard::plan::Evidence;
use super::guard::store::lasting_skips;
use super::keys::record_key;
use super::model::{ItemKey, Side, StreamId};
use super::pull::{self, Pulled};
use super::report::{Preview, PreviewRow, Progress};
use super::store::ahead::{self, Ahead};
use super::store::mailboxes::MailboxRow;
use super::store::outcome::{self, Due};
use super::store::streams::{self, Position};
use super::store::{links, unseen};
use super::stream::Stream;
use super::told::Told;
use super::{refreshed, rejudge};
use crate::crm::model::CrmId;
use crate::mailbox::model::{ItemChange, ItemId, ItemRef, ItemVersion};
use crate::record::kind::RecordKind;
use std::collections::{BTreeMap, HashSet};

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
        stream.live = rejudge::is_live(&stream, &position);
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
        told: Told::default(),
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
}
