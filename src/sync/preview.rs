//! The dry run: the same pull, the same plan, and no write on either side or in the database.

use super::engine::Engine;
use super::error::SyncError;
use super::gather::{self, Gathered, Pending, SeriesNews, Work};
use super::guard::error::GuardNotice;
use super::guard::hold::{self, Lasting};
use super::guard::plan::Evidence;
use super::guard::store::lasting_skips;
use super::model::{ItemKey, Side, StreamId, Verdict};
use super::report::{Preview, PreviewRow, Progress};
use super::series;
use super::store::mailboxes::MailboxRow;
use super::store::streams::Position;
use super::store::{ahead, links, streams};
use super::stream::Stream;
use super::{plan, pull, rejudge};
use crate::crm::model::CrmChange;
use crate::foundation::explain::Explain as _;
use crate::mailbox::model::{ItemChange, ItemId};
use crate::mailbox::series::Series;
use crate::record::field::FieldSet;
use crate::record::kind::RecordKind;
use std::collections::HashSet;

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
        one_stream(engine, row, kind, progress, &mut preview).await?;
    }
    Ok(preview)
}

async fn one_stream(
    engine: &Engine,
    row: &MailboxRow,
    kind: RecordKind,
    progress: &dyn Progress,
    preview: &mut Preview,
) -> Result<(), SyncError> {
    let id = StreamId {
        mailbox: row.mailbox.id,
        kind,
    };
    let position = engine.db.run(move |conn| streams::position(conn, id)).await?;
    let mut stream = Stream::open(engine, row.clone(), kind).await?;
    if !stream.common.flow.to_crm() && !stream.common.flow.to_mailbox() {
        return Ok(());
    }
    let position = rejudge::foresee(&engine.db, &mut stream, position).await?;
    let mut pending = Pending::default();
    pull::crm(&stream, position.crm.clone(), &mut pending, |_| {}).await?;
    let today = stream.now.date_naive();
    let (lasting, ahead) = engine
        .db
        .run_for(id.mailbox, move |conn| {
            Ok::<_, SyncError>((lasting_skips(conn, id)?, ahead::due(conn, id, today)?))
        })
        .await?;
    let due = gather::records_ahead(&ahead);
    if !due.is_empty() {
        let records = stream.crm.read(&stream.row.user, kind, &due).await?;
        for record in records.into_iter().flatten() {
            pending.add(&stream, CrmChange::Upserted(Box::new(record)));
        }
    }
    let mut dry = Dry {
        engine,
        stream,
        pending,
        lasting,
        met: HashSet::new(),
        preview,
    };
    dry.mailbox_side(position, gather::items_ahead(&ahead), progress)
        .await?;
    if kind == RecordKind::Calendar {
        let news = gather::due_series(&engine.db, &dry.stream).await?;
        dry.dates(news).await?;
    }
    while !dry.pending.is_empty() {
        let changes = dry.pending.take_some(200);
        let gathered = gather::crm_page(&engine.db, &mut dry.stream, changes).await?;
        dry.add(gathered, Evidence::Said).await?;
    }
    Ok(())
}

/// A dry turn of one stream.
struct Dry<'a> {
    engine: &'a Engine,
    stream: Stream,
    pending: Pending,
    lasting: Lasting,
    /// Items and links that were looked at.
    met: HashSet<ItemKey>,
    preview: &'a mut Preview,
}

impl Dry<'_> {
    async fn mailbox_side(
        &mut self,
        position: Position,
        mut again: Vec<ItemId>,
        progress: &dyn Progress,
    ) -> Result<(), SyncError> {
        let (mut cursor, mut done, mut from_start) = (position.mailbox, 0, !position.first_read_done);
        loop {
            let size = self.engine.settings.page_size;
            let (page, lost) = pull::mailbox(&self.stream, cursor.as_ref(), size).await?;
            if lost || cursor.is_none() {
                self.stream.anchors = gather::anchors(&self.engine.db, &self.stream).await?;
            }
            from_start |= lost;
            done += page.changes.len() as u64;
            self.met.extend(page.changes.iter().map(gather::key_of));
            let (changes, forced) = gather::with_retries(page.changes, std::mem::take(&mut again));
            self.page(changes, &forced, Evidence::Said).await?;
            progress.advanced(self.stream.id, done, None);
            cursor = Some(page.cursor);
            if !page.more {
                break;
            }
        }
        match from_start {
            true => self.look_for().await,
            false => Ok(()),
        }
    }

    async fn page(
        &mut self,
        changes: Vec<ItemChange>,
        forced: &HashSet<ItemKey>,
        evidence: Evidence,
    ) -> Result<(), SyncError> {
        let db = &self.engine.db;
        let mut gathered =
            gather::mailbox_page(db, &mut self.stream, changes, forced, &mut self.pending).await?;
        self.dates(std::mem::take(&mut gathered.series)).await?;
        self.add(gathered, evidence).await
    }

    /// Asks for linked items that a reading from the start did not meet, as the turn does.
    async fn look_for(&mut self) -> Result<(), SyncError> {
        let id = self.stream.id;
        let mut unmet = self
            .engine
            .db
            .run_for(id.mailbox, move |conn| links::all_items(conn, id))
            .await?;
        unmet.retain(|key, _| !self.met.contains(key));
        let (changes, forced) = gather::with_retries(Vec::new(), unmet.into_values().collect());
        self.page(changes, &forced, Evidence::Missed).await
    }

    /// Plans the dates of series as the turn does, and tells of them.
    async fn dates(&mut self, news: SeriesNews) -> Result<(), SyncError> {
        let mut found = Vec::new();
        let mut see = |_: &Stream, _: Option<&Series>, gathered: Gathered| found.push(gathered);
        series::look_over(self.engine, &mut self.stream, news, &mut self.pending, &mut see).await?;
        for gathered in found {
            self.add(gathered, Evidence::Said).await?;
        }
        Ok(())
    }

    /// Plans a page as the turn does, guard and all, and tells of it.
    async fn add(&mut self, gathered: Gathered, evidence: Evidence) -> Result<(), SyncError> {
        let (stream, preview) = (&self.stream, &mut *self.preview);
        self.met.extend(gathered.met);
        let links = gathered.works.iter().filter_map(|work| work.link.as_ref());
        self.met.extend(links.map(|link| link.key));
        let pairs: Vec<_> = gathered.works.iter().map(|work| work.pair.clone()).collect();
        let verdicts = plan::plan(&pairs, stream.common);
        let mut planned: Vec<_> = gathered.works.into_iter().zip(verdicts).collect();
        hold::barred(&mut planned, &self.lasting);
        let guarded = hold::guarded(&self.engine.db, stream, planned, evidence).await?;
        for (work, verdict) in &guarded.works {
            if let Some((action, detail)) = describe(verdict) {
                push(preview, stream, work.origin, id_of(work), action, detail);
            }
        }
        for held in guarded.held {
            let (action, id) = match held.side {
                Side::Crm => ("hold deletion in CRM", held.crm.0),
                Side::Mailbox => (
                    "hold deletion in mailbox",
                    held.item.map_or(held.crm.0, |item| item.0),
                ),
            };
            let detail = GuardNotice::DeletionsHeld.sentence();
            push(preview, stream, held.side, id, action, detail);
        }
        for (id, reason) in gathered.skipped {
            let detail = reason.sentence().to_owned();
            push(preview, stream, Side::Mailbox, id.0, "skip", detail);
        }
        for (id, code, _) in gathered.unreadable {
            push(preview, stream, Side::Mailbox, id.0, "fail", code.to_owned());
        }
        Ok(())
    }
}

fn push(
    preview: &mut Preview,
    stream: &Stream,
    side: Side,
    id: String,
    action: &'static str,
    detail: String,
) {
    *preview.totals.entry(action).or_default() += 1;
    preview.rows.push(PreviewRow {
        kind: stream.kind().word(),
        side,
        id,
        action,
        detail,
    });
}

fn id_of(work: &Work) -> String {
    match (work.origin, &work.item, &work.crm) {
        (Side::Mailbox, Some(item), _) | (_, Some(item), None) => item.id.0.clone(),
        (_, _, Some(crm)) => crm.0.clone(),
        (_, None, None) => String::new(),
    }
}

/// A verdict in words; `None` for one that writes nothing and leaves nothing out.
pub fn describe(verdict: &Verdict) -> Option<(&'static str, String)> {
    Some(match verdict {
        Verdict::InStep { .. } | Verdict::Ignore => return None,
        Verdict::Update {
            to_crm, to_mailbox, ..
        } if to_mailbox.is_empty() => ("update in CRM", words(*to_crm)),
        Verdict::Update {
            to_crm, to_mailbox, ..
        } if to_crm.is_empty() => ("update in mailbox", words(*to_mailbox)),
        Verdict::Update {
            to_crm, to_mailbox, ..
        } => (
            "update both",
            format!("to CRM: {}; to mailbox: {}", words(*to_crm), words(*to_mailbox)),
        ),
        Verdict::CreateInCrm => ("create in CRM", String::new()),
        Verdict::CreateInMailbox => ("create in mailbox", String::new()),
        Verdict::DeleteInCrm { because } => (
            "delete in CRM",
            because.map_or(String::new(), |reason| reason.sentence().to_owned()),
        ),
        Verdict::DeleteInMailbox { because } => (
            "delete in mailbox",
            because.map_or(String::new(), |reason| reason.sentence().to_owned()),
        ),
        Verdict::Unlink => ("unlink", String::new()),
        Verdict::LetGo(reason) => ("unlink", reason.sentence().to_owned()),
        Verdict::Skip(reason) => ("skip", reason.sentence().to_owned()),
    })
}

fn words(fields: FieldSet) -> String {
    fields
        .iter()
        .map(|field| field.word())
        .collect::<Vec<_>>()
        .join(", ")
}
