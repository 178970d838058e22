//! Writing batches: what concerns one item stays with it, what concerns everybody ends the turn.

use crate::crm::error::CrmError;
use crate::crm::model::{CrmWrite, CrmWritten, Match};
use crate::foundation::failure::Class;
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::{MailboxWrite, MailboxWritten, Notify};
use crate::record::Record;
use crate::sync::error::SyncError;
use crate::sync::stream::Stream;

/// Records written to the CRM in one call.
pub(in crate::sync) const CRM_BATCH: usize = 200;
/// Items written to the mailbox in one call.
pub(in crate::sync) const MAILBOX_BATCH: usize = 50;

pub(in crate::sync) async fn write_crm(
    stream: &Stream,
    writes: &[CrmWrite],
) -> Result<Vec<Result<CrmWritten, CrmError>>, SyncError> {
    if writes.is_empty() {
        return Ok(Vec::new());
    }
    still_ours(stream).await?;
    let answers = stream.crm.write(&stream.row.user, stream.kind(), writes).await?;
    items_alone(answers, CrmError::class)
}

/// A process that slept through its lease must not write any more.
async fn still_ours(stream: &Stream) -> Result<(), SyncError> {
    match &stream.fence {
        Some(fence) => fence.still_ours().await,
        None => Ok(()),
    }
}

/// What concerns the whole mailbox or user ends the turn, though it came with one item.
fn items_alone<T, E>(
    answers: Vec<Result<T, E>>,
    class: impl Fn(&E) -> Class,
) -> Result<Vec<Result<T, E>>, SyncError>
where
    SyncError: From<E>,
{
    let mut kept = Vec::with_capacity(answers.len());
    for answer in answers {
        match answer {
            Err(error) if class(&error).stops_the_turn() => return Err(error.into()),
            answer => kept.push(answer),
        }
    }
    Ok(kept)
}

/// Writes items, each with whether people are told of it.
pub(in crate::sync) async fn write_mailbox(
    stream: &Stream,
    writes: Vec<(MailboxWrite, Notify)>,
) -> Result<Vec<Result<MailboxWritten, MailboxError>>, SyncError> {
    let mut all: Vec<Option<Result<MailboxWritten, MailboxError>>> = writes.iter().map(|_| None).collect();
    let places = writes.into_iter().enumerate();
    let (told, untold): (Vec<_>, Vec<_>) = places.partition(|(_, (_, notify))| *notify == Notify::Attendees);
    for (some, notify) in [(untold, Notify::Nobody), (told, Notify::Attendees)] {
        if some.is_empty() {
            continue;
        }
        still_ours(stream).await?;
        if notify == Notify::Attendees {
            tracing::info!(stream = %stream.id, meetings = some.len(), "people are told of their meetings");
        }
        let (places, writes): (Vec<usize>, Vec<MailboxWrite>) =
            some.into_iter().map(|(place, (write, _))| (place, write)).unzip();
        let (server, mailbox) = (&stream.server, &stream.row.mailbox);
        let answers = server.write(mailbox, stream.kind(), &writes, notify).await?;
        for (place, answer) in places.into_iter().zip(answers) {
            if let Some(slot) = all.get_mut(place) {
                *slot = Some(answer);
            }
        }
    }
    let missing = MailboxError::Unintelligible {
        what: "an answer of another length than the request",
    };
    let all: Option<Vec<_>> = all.into_iter().collect();
    items_alone(all.ok_or(missing)?, MailboxError::class)
}

pub(super) fn matches(stream: &Stream, record: &Record) -> Vec<Match> {
    match record {
        Record::Event(_) => stream.guests(record).matches(&stream.known),
        Record::Email(email) => stream.known.of(crate::sync::rules::people_of(email)),
        Record::Contact(_) | Record::Task(_) => Vec::new(),
    }
}

pub(in crate::sync) fn chunks<T>(all: Vec<T>, size: usize) -> Vec<Vec<T>> {
    let mut chunks = Vec::new();
    let mut rest = all.into_iter();
    loop {
        let chunk: Vec<T> = rest.by_ref().take(size).collect();
        if chunk.is_empty() {
            return chunks;
        }
        chunks.push(chunk);
    }
}
