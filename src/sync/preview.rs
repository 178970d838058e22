//! The dry run: the same pull, the same plan, and no write on either side or in the database.

use super::engine::Engine;
use super::error::SyncError;
use super::gather::{self, Gathered, Pending, SeriesNews, Work};
use super::model::{Side, StreamId, Verdict};
use super::plan;
use super::report::{Preview, PreviewRow, Progress};
use super::series;
use super::store::mailboxes::MailboxRow;
use super::store::streams;
use super::stream::Stream;
use crate::crm::model::CrmCursor;
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
    let mut pending = match kind {
        RecordKind::Mail => Pending::default(),
        _ => pull_crm(&stream, position.crm).await?,
    };
    let (mut cursor, mut done) = (position.mailbox, 0);
    loop {
        let size = engine.settings.page_size;
        let page = stream
            .server
            .changes(&stream.row.mailbox, kind, cursor.as_ref(), size)
            .await?;
        done += page.changes.len() as u64;
        let forced = HashSet::new();
        let mut gathered =
            gather::mailbox_page(&engine.db, &mut stream, page.changes, &forced, &mut pending).await?;
        let news = std::mem::take(&mut gathered.series);
        dates(engine, &mut stream, news, &mut pending, preview).await?;
        add(&stream, gathered, preview);
        progress.advanced(id, done, None);
        cursor = Some(page.cursor);
        if !page.more {
            break;
        }
    }
    if kind == RecordKind::Calendar {
        let news = gather::due_series(&engine.db, &stream).await?;
        dates(engine, &mut stream, news, &mut pending, preview).await?;
    }
    while !pending.is_empty() {
        let changes = pending.take_some(200);
        let gathered = gather::crm_page(&engine.db, &mut stream, changes).await?;
        add(&stream, gathered, preview);
    }
    Ok(())
}

async fn dates(
    engine: &Engine,
    stream: &mut Stream,
    news: SeriesNews,
    pending: &mut Pending,
    preview: &mut Preview,
) -> Result<(), SyncError> {
    let mut see = |stream: &Stream, _: Option<&Series>, gathered: Gathered| add(stream, gathered, preview);
    series::look_over(engine, stream, news, pending, &mut see).await
}

async fn pull_crm(stream: &Stream, mut cursor: Option<CrmCursor>) -> Result<Pending, SyncError> {
    let mut pending = Pending::default();
    loop {
        let page = stream
            .crm
            .changes(&stream.row.user, stream.kind(), cursor.as_ref())
            .await?;
        for change in page.changes {
            pending.add(stream, change);
        }
        if !page.more {
            return Ok(pending);
        }
        cursor = Some(page.cursor);
    }
}

fn add(stream: &Stream, gathered: Gathered, preview: &mut Preview) {
    let pairs: Vec<_> = gathered.works.iter().map(|work| work.pair.clone()).collect();
    let verdicts = plan::plan(&pairs, stream.common);
    for (work, verdict) in gathered.works.iter().zip(verdicts) {
        if let Some((action, detail)) = describe(&verdict) {
            push(preview, stream, work.origin, id_of(work), action, detail);
        }
    }
    for (id, reason) in gathered.skipped {
        let detail = reason.sentence().to_owned();
        push(preview, stream, Side::Mailbox, id.0, "skip", detail);
    }
    for (id, code, _) in gathered.unreadable {
        push(preview, stream, Side::Mailbox, id.0, "fail", code.to_owned());
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
        Verdict::DeleteInMailbox => ("delete in mailbox", String::new()),
        Verdict::Unlink => ("unlink", String::new()),
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
