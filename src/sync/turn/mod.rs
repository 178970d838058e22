//! One turn, from the leased stream to its last commit. [`super::pass`] begins and ends it.

mod begin;
mod merge;
mod opened;
mod page;
pub(super) mod stage;

use super::budget::backfill;
use super::choice::bring_back;
use super::engine::Engine;
use super::error::SyncError;
use super::gather::Pending;
use super::guard::hold::{self, BroughtBack, Lasting};
use super::guard::plan::Evidence;
use super::guard::{store as guard_store, survivors};
use super::keys::record_key;
use super::model::{ItemKey, Reason, Side};
use super::pace::SCARCE;
use super::report::{Counts, Progress};
use super::store::ahead::{self, Ahead};
use super::store::mailboxes::MailboxRow;
use super::store::outcome::{Due, PageOutcome};
use super::store::streams::{Advance, Lease, Lost, Position};
use super::store::{links, mailboxes, outcome, streams, unseen};
use super::stream::Stream;
use super::undo::carry_out::carry_out;
use super::{gather, listing, pull, rejudge};
use crate::crm::error::CrmError;
use crate::crm::model::{CrmCursor, CrmId};
use crate::crm::port::Crm;
use crate::mailbox::model::{ChangePage, ItemChange, ItemId, ItemRef, ItemVersion, MailboxCursor};
use chrono::{DateTime, NaiveDate, Utc};
use stage::stage;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// How long a first reading waits where the CRM's calls are scarce.
const SCARCE_WAIT: Duration = Duration::from_secs(600);
/// The CRM's changes planned together.
const CRM_PAGE: usize = 200;
/// Works planned again after the other side turned out to be different; more rounds than this mean that
/// somebody writes as fast as we do, and the item waits for the next turn.
const ROUNDS: usize = 3;

pub(super) async fn turn(
    engine: &Engine,
    lease: Lease,
    progress: &dyn Progress,
    counts: &mut Counts,
) -> Result<(), SyncError> {
    let id = lease.stream;
    let (row, position) = engine
        .db
        .run(move |conn| {
            let row = mailboxes::get(conn, id.mailbox)?.ok_or(SyncError::UnknownMailbox)?;
            Ok::<_, SyncError>((row, streams::position(conn, id)?))
        })
        .await?;
    if position.first_read_done {
        return stage(|| work(engine, lease, (row, position), progress, counts)).await;
    }
    // Before the stream is opened, which takes calls.
    room_for_first_reading(engine.crm(&row.crm)?.as_ref())?;
    backfill::marked(stage(|| work(engine, lease, (row, position), progress, counts))).await
}

/// Whether a first reading may go on: years of mail must not take the calls of those who work.
fn room_for_first_reading(crm: &dyn Crm) -> Result<(), SyncError> {
    if crm.pressure() >= SCARCE {
        return Err(CrmError::LimitReached { wait: SCARCE_WAIT }.into());
    }
    match crm.backfill_pressure() >= 1.0 {
        true => Err(SyncError::BackfillWaits { wait: SCARCE_WAIT }),
        false => Ok(()),
    }
}

async fn work(
    engine: &Engine,
    lease: Lease,
    (row, position): (MailboxRow, Position),
    progress: &dyn Progress,
    counts: &mut Counts,
) -> Result<(), SyncError> {
    let (id, now) = (lease.stream, engine.clock.now());
    let opened::Opened {
        mut stream,
        position,
        organisation,
    } = stage(|| opened::open(engine, lease, row, position)).await?;
    let before = position.organisation.clone();
    // An undo that was cut off is finished before anything else is looked at.
    carry_out(engine, lease, &stream).await?;
    let today = now.date_naive();
    let (failures, lasting, unseen, ahead) = engine
        .db
        .run_for(id.mailbox, move |conn| {
            let failures = outcome::failures_of(conn, id, now)?;
            let lasting = guard_store::lasting_skips(conn, id)?;
            let ahead = ahead::due(conn, id, today)?;
            Ok::<_, SyncError>((failures, lasting, unseen::all(conn, id)?, ahead))
        })
        .await?;
    if !stream.common.flow.to_crm() && !stream.common.flow.to_mailbox() {
        return Ok(());
    }
    let position = rejudge::begin(&engine.db, lease, &mut stream, position).await?;
    stream.live = rejudge::is_live(&stream, &position);
    stream.choices = bring_back::load(&engine.db, &stream, &position).await?;
    let total = match position.mailbox {
        None => first_total(&stream).await?,
        Some(_) => None,
    };
    let seen_earlier = failures.iter().map(|due| (due.side, due.key)).collect();
    let mut turn = Turn {
        engine,
        lease,
        stream,
        progress,
        counts,
        failures,
        lasting,
        back: BroughtBack::default(),
        merged: HashSet::new(),
        last_turn: position.last_turn_at.filter(|_| position.first_read_done),
        seen_earlier,
        survivors_due: position
            .survivors_at
            .is_none_or(|at| now - at >= engine.settings.survivor_check),
        unseen,
        ahead,
        done: 0,
        total,
        met: HashSet::new(),
    };
    stage(|| turn.both_sides(position, organisation.as_ref())).await?;
    turn.window_moved(today).await?;
    rejudge::finish(&engine.db, lease, &turn.stream).await?;
    if let Some(name) = organisation.filter(|name| before.as_ref() != Some(name)) {
        let put = move |conn: &mut _| streams::put_organisation(conn, lease, &name);
        engine.db.run(put).await?;
    }
    stage(|| turn.carry_attachments()).await
}

async fn first_total(stream: &Stream) -> Result<Option<u64>, SyncError> {
    let probe = stream.server.probe(&stream.row.mailbox).await?;
    Ok(probe.count(stream.kind()).map(u64::from))
}

pub(super) struct Turn<'a> {
    pub(super) engine: &'a Engine,
    pub(super) lease: Lease,
    pub(super) stream: Stream,
    progress: &'a dyn Progress,
    pub(super) counts: &'a mut Counts,
    /// Dates of series that were looked at in this turn.
    pub(super) met: HashSet<ItemKey>,
    failures: Vec<Due>,
    /// What is not to be made again until a person lifts it.
    lasting: Lasting,
    /// Held deletions that a person has decided about.
    back: BroughtBack,
    /// Records that were merged into one that has an item already.
    merged: HashSet<CrmId>,
    /// The end of the last good turn, where the mailbox was read to its end by then.
    last_turn: Option<DateTime<Utc>>,
    /// Changes that an earlier turn saw and could not carry out, and of which no news came since.
    seen_earlier: HashSet<(Side, ItemKey)>,
    /// The links are to be asked for in the CRM by id.
    survivors_due: bool,
    /// Items that we made in earlier turns and that the mailbox's feed has not shown yet.
    unseen: BTreeMap<ItemKey, ItemId>,
    /// What lay beyond the window until today.
    ahead: Vec<Ahead>,
    done: u64,
    total: Option<u64>,
}

impl Turn<'_> {
    async fn both_sides(
        &mut self,
        position: Position,
        organisation: Option<&String>,
    ) -> Result<(), SyncError> {
        let mut pending = Pending::default();
        let crm_cursor = self.pull_crm(position.crm.clone(), &mut pending).await?;
        self.join_anew(organisation, &pending).await?;
        self.ask_survivors(&mut pending).await?;
        self.back = hold::bring_back(&self.engine.db, &self.stream, &mut pending).await?;
        self.bring_back_chosen(&mut pending).await?;
        self.follow_merged(&mut pending).await?;
        stage(|| self.mailbox_side(position, &mut pending)).await?;
        stage(|| self.crm_side(pending, crm_cursor)).await
    }

    /// Pulls the CRM's changes, and records that failed before and are due. Returns the cursor behind them.
    async fn pull_crm(
        &mut self,
        cursor: Option<CrmCursor>,
        pending: &mut Pending,
    ) -> Result<Option<CrmCursor>, SyncError> {
        let Self {
            stream, seen_earlier, ..
        } = self;
        let pulled = pull::crm(stream, cursor, pending, |change| {
            seen_earlier.remove(&(Side::Crm, record_key(change.id())));
        })
        .await?;
        self.counts.read_in_crm += pulled.read;
        if pulled.lost {
            let lease = self.lease;
            self.engine
                .db
                .run(move |conn| streams::forget_cursor(conn, lease, Lost::Crm))
                .await?;
            self.survivors_due = true;
        }
        if pulled.cursor.is_none() {
            return Ok(None);
        }
        gather::read_due(stream, &self.failures, &self.ahead, pending).await?;
        Ok(pulled.cursor)
    }

    /// Asks the CRM for every link's record by id, where that is due.
    async fn ask_survivors(&mut self, pending: &mut Pending) -> Result<(), SyncError> {
        // Of a feed without deletions it is asked each time, of any other now and then to be sure.
        if !self.survivors_due && self.stream.capabilities.deletions_in_feed {
            return Ok(());
        }
        if self.survivors_due {
            listing::ask(&self.engine.db, &self.stream, pending).await?;
        }
        let handed_over = survivors::ask(&self.engine.db, &self.stream, pending).await?;
        if handed_over.is_empty() {
            return Ok(());
        }
        let skipped: Vec<_> = handed_over
            .iter()
            .map(|key| (Side::Mailbox, *key, Reason::HandedOver))
            .collect();
        self.lasting
            .extend(skipped.iter().map(|(side, key, reason)| ((*side, *key), *reason)));
        *self.counts.skipped.entry(Reason::HandedOver).or_default() += skipped.len() as u64;
        let page = PageOutcome {
            unlinked: handed_over,
            skipped,
            ..PageOutcome::default()
        };
        self.commit(page, Advance::default()).await
    }

    /// Goes through the mailbox's changes to their end.
    async fn mailbox_side(&mut self, position: Position, pending: &mut Pending) -> Result<(), SyncError> {
        let id = self.stream.id;
        let mut cursor = position.mailbox;
        // A first read that was broken off, or one after a lost cursor, does not hear of deletions: what it
        // does not meet is looked for by id. So is what we made ourselves and the feed does not show: its
        // owner removed it before the cursor came to cover it.
        let mut unmet = match position.first_read_done {
            true => self.unseen.clone(),
            false => {
                self.engine
                    .db
                    .run_for(id.mailbox, move |conn| links::all_items(conn, id))
                    .await?
            }
        };
        if !position.first_read_done {
            self.stream.anchors = gather::anchors(&self.engine.db, &self.stream).await?;
        }
        let mut again = gather::due_items(&self.failures, &self.ahead, pending);
        again.append(&mut self.back.items);
        loop {
            if !position.first_read_done {
                room_for_first_reading(self.stream.crm.as_ref())?;
            }
            let page = self.next_page(&mut cursor, &mut unmet).await?;
            for change in &page.changes {
                let key = gather::key_of(change);
                unmet.remove(&key);
                self.seen_earlier.remove(&(Side::Mailbox, key));
            }
            let (stream, failures, due) = (&self.stream, &self.failures, std::mem::take(&mut again));
            let (changes, forced) =
                gather::page_with_due(stream, failures, page.changes, due, pending).await?;
            let last = !page.more;
            let step = Advance {
                mailbox: Some(page.cursor.clone()),
                first_read_done: last && unmet.is_empty(),
                ..Advance::default()
            };
            self.mailbox_page(changes, &forced, pending, step, Evidence::Said)
                .await?;
            cursor = Some(page.cursor);
            if last {
                break;
            }
        }
        self.look_for(unmet, pending).await?;
        self.due_series(pending).await
    }

    /// Everything that the window reached was looked at.
    async fn window_moved(&mut self, today: NaiveDate) -> Result<(), SyncError> {
        if self.ahead.is_empty() {
            return Ok(());
        }
        let page = PageOutcome {
            reached: Some(today),
            ..PageOutcome::default()
        };
        self.commit(page, Advance::default()).await
    }

    async fn next_page(
        &mut self,
        cursor: &mut Option<MailboxCursor>,
        unmet: &mut BTreeMap<ItemKey, ItemId>,
    ) -> Result<ChangePage, SyncError> {
        let size = self.engine.settings.page_size;
        let (page, lost) = pull::mailbox(&self.stream, cursor.as_ref(), size).await?;
        if lost {
            self.stream.anchors = gather::anchors(&self.engine.db, &self.stream).await?;
            let (lease, id) = (self.lease, self.stream.id);
            *unmet = self
                .engine
                .db
                .run_for(id.mailbox, move |conn| {
                    streams::forget_cursor(conn, lease, Lost::Mailbox)?;
                    links::all_items(conn, id)
                })
                .await?;
        }
        Ok(page)
    }

    async fn mailbox_page(
        &mut self,
        changes: Vec<ItemChange>,
        forced: &HashSet<ItemKey>,
        pending: &mut Pending,
        step: Advance,
        evidence: Evidence,
    ) -> Result<(), SyncError> {
        let read = changes.len() as u64;
        let shown: Vec<ItemKey> = changes
            .iter()
            .map(gather::key_of)
            .filter(|key| self.unseen.remove(key).is_some())
            .collect();
        let (db, stream) = (&self.engine.db, &mut self.stream);
        let mut gathered = stage(|| gather::mailbox_page(db, stream, changes, forced, pending)).await?;
        // Before the page's own commit, with which the cursor moves past them.
        self.series(std::mem::take(&mut gathered.series), pending).await?;
        self.counts.read_in_mailbox += read;
        self.done += read;
        let step = Advance {
            read: i32::try_from(read).unwrap_or(i32::MAX),
            read_total: self.total.and_then(|total| i32::try_from(total).ok()),
            ..step
        };
        stage(|| self.plan_apply_commit(gathered, shown, step, evidence)).await?;
        self.progress.advanced(self.stream.id, self.done, self.total);
        Ok(())
    }

    /// Asks for items that a full read did not meet; those that the server says are gone were deleted. An
    /// item that merely cannot be read now is not taken for a deleted one.
    async fn look_for(
        &mut self,
        mut unmet: BTreeMap<ItemKey, ItemId>,
        pending: &mut Pending,
    ) -> Result<(), SyncError> {
        if unmet.is_empty() {
            return Ok(());
        }
        unmet.retain(|key, _| !self.met.contains(key));
        let forced: HashSet<ItemKey> = unmet.keys().copied().collect();
        let changes = unmet
            .into_values()
            .map(|id| {
                ItemChange::Upserted(ItemRef {
                    id,
                    version: ItemVersion(String::new()),
                })
            })
            .collect();
        let step = Advance {
            first_read_done: true,
            ..Advance::default()
        };
        self.mailbox_page(changes, &forced, pending, step, Evidence::Missed)
            .await
    }

    /// Deals with what no page of the mailbox met, then moves the CRM's cursor.
    async fn crm_side(&mut self, mut pending: Pending, cursor: Option<CrmCursor>) -> Result<(), SyncError> {
        while !pending.is_empty() {
            let changes = pending.take_some(CRM_PAGE);
            let gathered = gather::crm_page(&self.engine.db, &mut self.stream, changes).await?;
            self.plan_apply_commit(gathered, Vec::new(), Advance::default(), Evidence::Said)
                .await?;
        }
        if cursor.is_some() {
            let (lease, step) = (
                self.lease,
                Advance {
                    crm: cursor,
                    survivors_at: self.survivors_due.then(|| self.engine.clock.now()),
                    ..Advance::default()
                },
            );
            self.engine
                .db
                .run(move |conn| streams::advance(conn, lease, &step))
                .await?;
        }
        Ok(())
    }
}
