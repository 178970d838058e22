//! Updates, on either side or both.

use super::applied::{Applied, fail, in_step, refused, wrote};
use super::tell;
use super::write::{CRM_BATCH, MAILBOX_BATCH, chunks, matches, write_crm, write_mailbox};
use crate::crm::error::CrmError;
use crate::crm::model::{CrmWrite, CrmWritten};
use crate::foundation::explain::Explain;
use crate::foundation::failure::Class;
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::{ItemRef, ItemVersion, MailboxWrite, MailboxWritten, Notify};
use crate::record::Record;
use crate::record::field::{Field, FieldSet};
use crate::record::task::Status;
use crate::sync::error::SyncError;
use crate::sync::fingerprint::Prints;
use crate::sync::gather::Work;
use crate::sync::guests;
use crate::sync::journal::Act;
use crate::sync::model::{Change, Side};
use crate::sync::stream::Stream;
use crate::sync::told::Told;

pub(super) struct Update {
    pub(super) work: Work,
    pub(super) to_crm: FieldSet,
    pub(super) to_mailbox: FieldSet,
    pub(super) base: Prints,
}

pub(super) async fn update(
    stream: &Stream,
    updates: Vec<Update>,
    applied: &mut Applied,
) -> Result<(), SyncError> {
    for batch in chunks(updates, CRM_BATCH) {
        let crm_answers = update_crm(stream, &batch).await?;
        let mailbox_answers = update_mailbox(stream, &batch).await?;
        for ((update, crm), mailbox) in batch.into_iter().zip(crm_answers).zip(mailbox_answers) {
            updated(stream, update, crm, mailbox, applied);
        }
    }
    Ok(())
}

pub(super) type CrmAnswer = Option<Result<CrmWritten, CrmError>>;
pub(super) type MailboxAnswer = Option<Result<MailboxWritten, MailboxError>>;

pub(super) async fn update_crm(stream: &Stream, batch: &[Update]) -> Result<Vec<CrmAnswer>, SyncError> {
    let write = |update: &Update| {
        let record = update
            .work
            .item_record
            .as_ref()
            .filter(|_| !update.to_crm.is_empty())?
            .clone();
        let matches = matches(stream, &record);
        Some(CrmWrite::Update {
            id: update.work.crm.clone()?,
            fields: update.to_crm,
            record: guests::for_crm(record),
            matches,
        })
    };
    let writes: Vec<Option<CrmWrite>> = batch.iter().map(write).collect();
    let present: Vec<CrmWrite> = writes.iter().flatten().cloned().collect();
    let mut answers = write_crm(stream, &present).await?.into_iter();
    Ok(writes
        .into_iter()
        .map(|write| write.and_then(|_| answers.next()))
        .collect())
}

pub(super) async fn update_mailbox(
    stream: &Stream,
    batch: &[Update],
) -> Result<Vec<MailboxAnswer>, SyncError> {
    let write = |update: &Update| {
        let fields = update.to_mailbox;
        let (record, news) = in_mailbox(stream, &update.work, fields)?;
        let item = update.work.item.clone()?;
        Some((MailboxWrite::Update { item, fields, record }, news.notify()))
    };
    let writes: Vec<Option<(MailboxWrite, Notify)>> = batch.iter().map(write).collect();
    let written: Vec<bool> = writes.iter().map(Option::is_some).collect();
    let mut answers = Vec::with_capacity(written.len());
    for chunk in chunks(writes.into_iter().flatten().collect(), MAILBOX_BATCH) {
        answers.extend(write_mailbox(stream, chunk).await?);
    }
    let mut answers = answers.into_iter();
    Ok(written
        .into_iter()
        .map(|written| written.then(|| answers.next()).flatten())
        .collect())
}

/// What these fields of an item are written from, and who is told of it; `None` where none is written.
pub(super) fn in_mailbox(stream: &Stream, work: &Work, fields: FieldSet) -> Option<(Record, Told)> {
    let record = work.crm_record.as_ref().filter(|_| !fields.is_empty())?;
    let record = with_unknown_attendees(stream, work, fields, record.record.clone());
    let news = tell::of_update(stream, work.item_record.as_ref(), &record, fields);
    Some((record, news))
}

/// The CRM lists only whom it knows. Attendees whom it does not know stay in the meeting, and those that
/// both know keep what the meeting says of them.
fn with_unknown_attendees(stream: &Stream, work: &Work, fields: FieldSet, mut record: Record) -> Record {
    let before = match &work.item_record {
        Some(Record::Event(event)) if fields.has(Field::Attendees) => event,
        _ => return record,
    };
    if let Record::Event(event) = &mut record {
        event.attendees = guests::merged(before, event, &stream.takes());
    }
    record
}

pub(super) fn updated(
    stream: &Stream,
    update: Update,
    crm: CrmAnswer,
    mailbox: MailboxAnswer,
    applied: &mut Applied,
) {
    let Update {
        mut work, mut base, ..
    } = update;
    if let Some(Ok(written)) = &crm {
        base = refused(stream, &work, &written.refused, base, applied);
    }
    // Whatever becomes of the other side, what was written stands in the journal.
    if let (Some(Ok(_)), Some(id)) = (&crm, &work.crm) {
        applied.counts.updated_in_crm += 1;
        wrote(&work, Side::Crm, Act::Updated, id, applied);
    }
    if let Some(Ok(_)) = &mailbox {
        applied.counts.updated_in_mailbox += 1;
        if let Some(id) = &work.crm {
            wrote(&work, Side::Mailbox, Act::Updated, id, applied);
        }
    }
    let failures = [
        crm.as_ref()
            .and_then(|answer| answer.as_ref().err())
            .map(|error| (error as &dyn Explain, error.class())),
        mailbox
            .as_ref()
            .and_then(|answer| answer.as_ref().err())
            .map(|error| (error as &dyn Explain, error.class())),
    ];
    match failures {
        [None, None] => {}
        // The record vanished since the feed was read: the plan decides about a deletion instead.
        [Some((_, Class::Gone)), None] if work.link.is_some() => {
            work.pair.crm = Some(Change::Deleted);
            work.crm_record = None;
            applied.again.push(work);
            return;
        }
        [None, Some((_, Class::Gone))] if work.link.is_some() => {
            work.pair.mailbox = Some(Change::Deleted);
            work.item_record = None;
            applied.again.push(work);
            return;
        }
        [Some((error, class)), _] | [None, Some((error, class))] => {
            fail(&work, error, class, applied);
            return;
        }
    }
    if let Some(Ok(written)) = mailbox {
        let item = match moves_on(&work) {
            // What was written is not what is there now: an unknown version has it read again.
            true => ItemRef {
                version: ItemVersion(String::new()),
                ..written.item
            },
            false => written.item,
        };
        work.item = Some(item);
    }
    in_step(&work, base, applied);
}

/// True for a task that comes again.
pub(super) fn recurs(work: &Work) -> bool {
    matches!(&work.item_record, Some(Record::Task(task)) if task.is_recurring)
}

/// True where the CRM's side completed an occurrence of a recurring task: the mail server leaves it behind as a task of
/// its own and moves the item on to the next occurrence.
fn moves_on(work: &Work) -> bool {
    let completed = work.crm_record.as_ref().is_some_and(
        |record| matches!(&record.record, Record::Task(task) if task.status == Status::Completed),
    );
    completed && recurs(work)
}
