//! Carries verdicts out: batched, item by item judged, safe to repeat.
//!
//! The order is chosen for crashes and for moves. Creates come first and deletions last, so that an item that
//! left and came back under another id is linked again before its old link would have deleted its record.
//! Mailbox items are created only after their stamps were looked for.

use super::error::SyncError;
use super::fingerprint::{EMPTY, Prints};
use super::gather::Work;
use super::keys::{item_key, record_key, version};
use super::model::{Change, ItemKey, Link, Pair, Reason, Seen, Side, Verdict};
use super::report::Counts;
use super::store::outcome::PageOutcome;
use super::stream::Stream;
use crate::crm::error::CrmError;
use crate::crm::model::{CrmId, CrmWrite, CrmWritten, Match};
use crate::foundation::explain::Explain;
use crate::foundation::failure::Class;
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::{ItemRef, ItemVersion, MailboxWrite, MailboxWritten, Notify, Stamp};
use crate::record::Record;
use crate::record::event::{Attendee, Event};
use crate::record::field::{Field, FieldSet};
use crate::record::kind::RecordKind;
use std::collections::HashSet;

/// Records written to the CRM in one call.
const CRM_BATCH: usize = 200;
/// Items written to the mailbox in one call.
const MAILBOX_BATCH: usize = 50;

/// What became of a page's verdicts.
#[derive(Default)]
pub struct Applied {
    /// What to remember.
    pub page: PageOutcome,
    /// What was done.
    pub counts: Counts,
    /// Items that failed: side, work's ids, code and class; the caller adds attempts and the next try.
    pub failed: Vec<Failed>,
    /// Works whose other side turned out to be different from what the plan was told; plan them again.
    pub again: Vec<Work>,
}

/// An item that could not be written.
pub struct Failed {
    /// Where the news came from.
    pub origin: Side,
    /// The mailbox's item.
    pub item: Option<ItemRef>,
    /// The CRM's record.
    pub crm: Option<CrmId>,
    /// The stable code.
    pub code: &'static str,
    /// Its class.
    pub class: Class,
}

/// Carries out the verdicts of a page.
///
/// # Errors
/// What stops the whole turn. What was written until then is found again by its keys when the page is
/// repeated.
pub async fn apply(stream: &Stream, works: Vec<(Work, Verdict)>) -> Result<Applied, SyncError> {
    let mut applied = Applied::default();
    let mut sorted = Sorted::default();
    for (work, verdict) in works {
        sorted.add(stream, work, verdict, &mut applied);
    }
    create_in_mailbox(stream, sorted.create_in_mailbox, &mut applied).await?;
    create_in_crm(stream, sorted.create_in_crm, &mut applied).await?;
    update(stream, sorted.update, &mut applied).await?;
    delete(stream, sorted.delete, &mut applied).await?;
    Ok(applied)
}

struct Update {
    work: Work,
    to_crm: FieldSet,
    to_mailbox: FieldSet,
    base: Prints,
}

struct Deletion {
    work: Work,
    side: Side,
    because: Option<Reason>,
}

#[derive(Default)]
struct Sorted {
    create_in_mailbox: Vec<Work>,
    create_in_crm: Vec<Work>,
    update: Vec<Update>,
    delete: Vec<Deletion>,
}

impl Sorted {
    fn add(&mut self, stream: &Stream, work: Work, verdict: Verdict, applied: &mut Applied) {
        match verdict {
            Verdict::CreateInCrm if !stream.capabilities.may_create(stream.kind()) => {
                skip(&work, Reason::NoRight, applied);
            }
            Verdict::CreateInCrm => self.create_in_crm.push(work),
            Verdict::CreateInMailbox => self.create_in_mailbox.push(work),
            Verdict::Update {
                to_crm,
                to_mailbox,
                base,
                conflicted,
            } => {
                applied.counts.conflicts += u64::from(!conflicted.is_empty());
                self.update.push(Update {
                    work,
                    to_crm,
                    to_mailbox,
                    base,
                });
            }
            Verdict::DeleteInCrm { because } => {
                self.delete.push(Deletion {
                    work,
                    side: Side::Crm,
                    because,
                });
            }
            Verdict::DeleteInMailbox => {
                self.delete.push(Deletion {
                    work,
                    side: Side::Mailbox,
                    because: None,
                });
            }
            Verdict::InStep { base } => in_step(&work, base, applied),
            Verdict::Unlink => unlink(&work, applied),
            Verdict::Skip(reason) => skip(&work, reason, applied),
            Verdict::Ignore => settle(&work, applied),
        }
    }
}

fn settle(work: &Work, applied: &mut Applied) {
    applied.page.settled.push((work.origin, work.key()));
}

fn skip(work: &Work, reason: Reason, applied: &mut Applied) {
    *applied.counts.skipped.entry(reason).or_default() += 1;
    settle(work, applied);
    applied.page.skipped.push((work.origin, work.key(), reason));
}

fn unlink(work: &Work, applied: &mut Applied) {
    applied
        .page
        .unlinked
        .extend(work.link.as_ref().map(|link| link.key));
    settle(work, applied);
}

fn in_step(work: &Work, base: Prints, applied: &mut Applied) {
    let (Some(item), Some(crm)) = (&work.item, &work.crm) else {
        settle(work, applied);
        return;
    };
    if work.link.is_none() {
        applied.counts.matched += 1;
    }
    applied.page.links.push(link(work, item, crm, base));
    settle(work, applied);
}

fn link(work: &Work, item: &ItemRef, crm: &CrmId, base: Prints) -> Link {
    let seen = |change: &Option<Change>| match change {
        Some(Change::Upserted(Seen { modified, .. })) => *modified,
        _ => None,
    };
    let before = work.link.as_ref();
    let unknown = item.version.0.is_empty();
    Link {
        key: item_key(&item.id),
        version: match before {
            Some(before) if unknown => before.version,
            _ => version(&item.version),
        },
        item: Some(item.id.clone()),
        crm: crm.clone(),
        item_modified: seen(&work.pair.mailbox).or(before.and_then(|link| link.item_modified)),
        crm_modified: seen(&work.pair.crm).or(before.and_then(|link| link.crm_modified)),
        base,
    }
}

fn fail(work: &Work, error: &dyn Explain, class: Class, applied: &mut Applied) {
    applied.counts.failed += 1;
    applied.failed.push(Failed {
        origin: work.origin,
        item: work.item.clone(),
        crm: work.crm.clone(),
        code: error.code(),
        class,
    });
}

/// The prints of a side, as far as the other side took them over: a field that it does not take is empty
/// there.
fn taken_over(change: &Option<Change>, takes: FieldSet) -> Prints {
    match change {
        Some(Change::Upserted(seen)) => Prints::from_pairs(
            seen.prints
                .pairs()
                .map(|(field, print)| (field, if takes.has(field) { print } else { EMPTY })),
        ),
        _ => Prints::none(),
    }
}

async fn create_in_mailbox(
    stream: &Stream,
    works: Vec<Work>,
    applied: &mut Applied,
) -> Result<(), SyncError> {
    for batch in chunks(works, MAILBOX_BATCH) {
        let (stamps, batch): (Vec<Stamp>, Vec<Work>) = batch
            .into_iter()
            .filter_map(|work| Some((stream.keys.stamp(stream.kind(), work.crm.as_ref()?), work)))
            .unzip();
        let found = stream
            .server
            .find_stamped(&stream.row.mailbox, stream.kind(), &stamps)
            .await?;
        let mut writes = Vec::new();
        let mut written = Vec::new();
        for ((work, stamp), found) in batch.into_iter().zip(stamps).zip(found) {
            match (found, &work.crm_record) {
                (Some(item), _) => created_in_mailbox(stream, &work, item, true, applied),
                (None, Some(record)) => {
                    writes.push(MailboxWrite::Create {
                        stamp,
                        record: record.record.clone(),
                    });
                    written.push(work);
                }
                (None, None) => settle(&work, applied),
            }
        }
        let answers = write_mailbox(stream, &writes).await?;
        for (work, answer) in written.into_iter().zip(answers) {
            match answer {
                Ok(done) => {
                    applied.counts.created_in_mailbox += 1;
                    created_in_mailbox(stream, &work, done.item, false, applied);
                }
                Err(error) => fail(&work, &error, error.class(), applied),
            }
        }
    }
    Ok(())
}

fn created_in_mailbox(stream: &Stream, work: &Work, item: ItemRef, existed: bool, applied: &mut Applied) {
    let Some(crm) = &work.crm else { return };
    applied.counts.matched += u64::from(existed);
    applied
        .page
        .unlinked
        .extend(work.link.as_ref().map(|link| link.key));
    let base = taken_over(&work.pair.crm, stream.mailbox_creatable());
    // One that existed may have been changed by its owner since: an unknown version has it read again.
    let item = if existed {
        ItemRef {
            version: ItemVersion(String::new()),
            ..item
        }
    } else {
        item
    };
    applied.page.links.push(Link {
        version: version(&item.version),
        ..link(work, &item, crm, base)
    });
    settle(work, applied);
}

async fn create_in_crm(stream: &Stream, works: Vec<Work>, applied: &mut Applied) -> Result<(), SyncError> {
    let mut existed = Vec::new();
    for batch in chunks(works, CRM_BATCH) {
        let (writes, batch): (Vec<CrmWrite>, Vec<Work>) = batch
            .into_iter()
            .filter_map(|work| {
                let (item, record) = (work.item.as_ref()?, work.item_record.clone()?);
                let key = stream.keys.external(&record, &item.id);
                let matches = matches(stream, &record);
                Some((CrmWrite::Create { key, record, matches }, work))
            })
            .unzip();
        let answers = write_crm(stream, &writes).await?;
        for (work, answer) in batch.into_iter().zip(answers) {
            match answer {
                Ok(CrmWritten { id, existed: true }) => existed.push((work, id)),
                Ok(CrmWritten { id, existed: false }) => {
                    applied.counts.created_in_crm += 1;
                    created_in_crm(stream, work, id, applied);
                }
                Err(error) => fail(&work, &error, error.class(), applied),
            }
        }
    }
    existed_in_crm(stream, existed, applied).await
}

fn created_in_crm(stream: &Stream, work: Work, id: CrmId, applied: &mut Applied) {
    let Some(item) = &work.item else { return };
    applied
        .page
        .unlinked
        .extend(work.link.as_ref().map(|link| link.key));
    let base = taken_over(&work.pair.mailbox, stream.crm_writable());
    applied
        .page
        .links
        .push(mail_is_light(stream, link(&work, item, &id, base)));
    settle(&work, applied);
}

/// Mail is never written again, so its link keeps neither the item's id nor any time.
fn mail_is_light(stream: &Stream, link: Link) -> Link {
    match stream.kind() {
        RecordKind::Mail => Link {
            item: None,
            item_modified: None,
            crm_modified: None,
            ..link
        },
        _ => link,
    }
}

/// A key that was taken: by ourselves before a crash, or by a colleague's mailbox that has the same meeting.
async fn existed_in_crm(
    stream: &Stream,
    existed: Vec<(Work, CrmId)>,
    applied: &mut Applied,
) -> Result<(), SyncError> {
    if existed.is_empty() {
        return Ok(());
    }
    if stream.kind() == RecordKind::Mail {
        for (work, id) in existed {
            applied.counts.matched += 1;
            created_in_crm(stream, work, id, applied);
        }
        return Ok(());
    }
    let ids: Vec<CrmId> = existed.iter().map(|(_, id)| id.clone()).collect();
    let records = stream.crm.read(&stream.row.user, stream.kind(), &ids).await?;
    for ((mut work, id), record) in existed.into_iter().zip(records) {
        let own = record.filter(|record| record.owner.is_none() || record.owner == stream.row.user.id);
        let Some(record) = own else {
            skip(&work, Reason::ColleaguesCopy, applied);
            continue;
        };
        let looked = stream.look_at_record(record);
        applied
            .page
            .unlinked
            .extend(work.link.take().map(|link| link.key));
        work.pair = Pair {
            base: None,
            crm: Some(Change::Upserted(looked.seen)),
            ..work.pair
        };
        work.crm = Some(id);
        work.crm_record = Some(looked.record);
        applied.again.push(work);
    }
    Ok(())
}

async fn update(stream: &Stream, updates: Vec<Update>, applied: &mut Applied) -> Result<(), SyncError> {
    for batch in chunks(updates, CRM_BATCH) {
        let crm_answers = update_crm(stream, &batch).await?;
        let mailbox_answers = update_mailbox(stream, &batch).await?;
        for ((update, crm), mailbox) in batch.into_iter().zip(crm_answers).zip(mailbox_answers) {
            updated(update, crm, mailbox, applied);
        }
    }
    Ok(())
}

type CrmAnswer = Option<Result<CrmWritten, CrmError>>;
type MailboxAnswer = Option<Result<MailboxWritten, MailboxError>>;

async fn update_crm(stream: &Stream, batch: &[Update]) -> Result<Vec<CrmAnswer>, SyncError> {
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
            record,
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

async fn update_mailbox(stream: &Stream, batch: &[Update]) -> Result<Vec<MailboxAnswer>, SyncError> {
    let write = |update: &Update| {
        let record = update
            .work
            .crm_record
            .as_ref()
            .filter(|_| !update.to_mailbox.is_empty())?;
        Some(MailboxWrite::Update {
            item: update.work.item.clone()?,
            fields: update.to_mailbox,
            record: with_unknown_attendees(stream, update, record.record.clone()),
        })
    };
    let writes: Vec<Option<MailboxWrite>> = batch.iter().map(write).collect();
    let present: Vec<MailboxWrite> = writes.iter().flatten().cloned().collect();
    let mut answers = Vec::with_capacity(present.len());
    for chunk in present.chunks(MAILBOX_BATCH) {
        answers.extend(write_mailbox(stream, chunk).await?);
    }
    let mut answers = answers.into_iter();
    Ok(writes
        .into_iter()
        .map(|write| write.and_then(|_| answers.next()))
        .collect())
}

/// The CRM lists only whom it knows. Attendees whom it does not know stay in the meeting, and those that
/// both know keep what the meeting says of them.
fn with_unknown_attendees(stream: &Stream, update: &Update, mut record: Record) -> Record {
    let before = match &update.work.item_record {
        Some(Record::Event(event)) if update.to_mailbox.has(Field::Attendees) => event,
        _ => return record,
    };
    if let Record::Event(event) = &mut record {
        event.attendees = merged_attendees(stream, before, event);
    }
    record
}

fn merged_attendees(stream: &Stream, before: &Event, crm: &Event) -> Vec<Attendee> {
    let listed: HashSet<_> = crm
        .attendees
        .iter()
        .map(|attendee| attendee.person.key())
        .collect();
    let stays = |attendee: &&Attendee| {
        listed.contains(&attendee.person.key()) || !stream.counts_as_attendee(&attendee.person)
    };
    let mut merged: Vec<Attendee> = before.attendees.iter().filter(stays).cloned().collect();
    let present: HashSet<_> = merged.iter().map(|attendee| attendee.person.key()).collect();
    merged.extend(
        crm.attendees
            .iter()
            .filter(|attendee| !present.contains(&attendee.person.key()))
            .cloned(),
    );
    merged
}

fn updated(update: Update, crm: CrmAnswer, mailbox: MailboxAnswer, applied: &mut Applied) {
    let Update { mut work, base, .. } = update;
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
    applied.counts.updated_in_crm += u64::from(crm.is_some());
    if let Some(Ok(written)) = mailbox {
        applied.counts.updated_in_mailbox += 1;
        work.item = Some(written.item);
    }
    in_step(&work, base, applied);
}

async fn delete(stream: &Stream, deletions: Vec<Deletion>, applied: &mut Applied) -> Result<(), SyncError> {
    // A record that was linked to another item in this page is in use: only the old link goes.
    let mut in_use: HashSet<CrmId> = applied.page.links.iter().map(|link| link.crm.clone()).collect();
    in_use.extend(applied.again.iter().filter_map(|work| work.crm.clone()));
    let (used, deletions): (Vec<Deletion>, Vec<Deletion>) = deletions
        .into_iter()
        .partition(|deletion| deletion.work.crm.as_ref().is_some_and(|id| in_use.contains(id)));
    used.iter().for_each(|deletion| unlink(&deletion.work, applied));
    let (in_crm, in_mailbox): (Vec<Deletion>, Vec<Deletion>) = deletions
        .into_iter()
        .partition(|deletion| deletion.side == Side::Crm);

    for batch in chunks(in_crm, CRM_BATCH) {
        let writes: Vec<CrmWrite> = batch
            .iter()
            .filter_map(|deletion| {
                Some(CrmWrite::Delete {
                    id: deletion.work.crm.clone()?,
                })
            })
            .collect();
        let answers = write_crm(stream, &writes).await?;
        for (deletion, answer) in batch.into_iter().zip(answers) {
            let answer = answer.map(drop).map_err(|error| (error.class(), error.code()));
            applied.counts.deleted_in_crm += u64::from(answer.is_ok());
            deleted(deletion, answer, applied);
        }
    }
    for batch in chunks(in_mailbox, MAILBOX_BATCH) {
        let (writes, batch): (Vec<MailboxWrite>, Vec<Deletion>) = batch
            .into_iter()
            .filter_map(|deletion| {
                Some((
                    MailboxWrite::Delete {
                        item: deletion.work.item.clone()?.id,
                    },
                    deletion,
                ))
            })
            .unzip();
        let answers = write_mailbox(stream, &writes).await?;
        for (deletion, answer) in batch.into_iter().zip(answers) {
            let answer = answer.map(drop).map_err(|error| (error.class(), error.code()));
            applied.counts.deleted_in_mailbox += u64::from(answer.is_ok());
            deleted(deletion, answer, applied);
        }
    }
    Ok(())
}

fn deleted(deletion: Deletion, answer: Result<(), (Class, &'static str)>, applied: &mut Applied) {
    let Deletion { work, because, .. } = deletion;
    match answer {
        // What is gone already needs no deleting.
        Ok(()) | Err((Class::Gone, _)) => {
            unlink(&work, applied);
            if let Some(reason) = because {
                skip(&work, reason, applied);
            }
        }
        Err((class, code)) => {
            applied.counts.failed += 1;
            let Work {
                origin, item, crm, ..
            } = work;
            applied.failed.push(Failed {
                origin,
                item,
                crm,
                code,
                class,
            });
        }
    }
}

async fn write_crm(
    stream: &Stream,
    writes: &[CrmWrite],
) -> Result<Vec<Result<CrmWritten, CrmError>>, SyncError> {
    if writes.is_empty() {
        return Ok(Vec::new());
    }
    let answers = stream.crm.write(&stream.row.user, stream.kind(), writes).await?;
    stop_on_crm(answers)
}

/// What concerns the whole user ends the turn, though it came with one record.
fn stop_on_crm(
    answers: Vec<Result<CrmWritten, CrmError>>,
) -> Result<Vec<Result<CrmWritten, CrmError>>, SyncError> {
    let mut kept = Vec::with_capacity(answers.len());
    for answer in answers {
        match answer {
            Err(error) if error.class().stops_the_turn() => return Err(error.into()),
            answer => kept.push(answer),
        }
    }
    Ok(kept)
}

async fn write_mailbox(
    stream: &Stream,
    writes: &[MailboxWrite],
) -> Result<Vec<Result<MailboxWritten, MailboxError>>, SyncError> {
    if writes.is_empty() {
        return Ok(Vec::new());
    }
    // Nobody is mailed (promise P7). A policy that invites does not exist yet.
    let answers = stream
        .server
        .write(&stream.row.mailbox, stream.kind(), writes, Notify::Nobody)
        .await?;
    let mut kept = Vec::with_capacity(answers.len());
    for answer in answers {
        match answer {
            Err(error) if error.class().stops_the_turn() => return Err(error.into()),
            answer => kept.push(answer),
        }
    }
    Ok(kept)
}

fn matches(stream: &Stream, record: &Record) -> Vec<Match> {
    match record {
        Record::Event(event) => stream.known.of(event
            .attendees
            .iter()
            .map(|attendee| &attendee.person)
            .filter(|person| stream.counts_as_attendee(person))),
        Record::Email(email) => stream.known.of(super::rules::people_of(email)),
        Record::Contact(_) | Record::Task(_) => Vec::new(),
    }
}

fn chunks<T>(all: Vec<T>, size: usize) -> Vec<Vec<T>> {
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

/// The shortened id under which a failure is remembered.
pub fn failure_key(failed: &Failed) -> ItemKey {
    match (failed.origin, &failed.item, &failed.crm) {
        (Side::Mailbox, Some(item), _) | (_, Some(item), None) => item_key(&item.id),
        (_, _, Some(crm)) => record_key(crm),
        (_, None, None) => ItemKey(0),
    }
}
