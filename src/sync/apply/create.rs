//! Creates, on either side. The key or the stamp finds a first copy that a crash left behind.

use super::applied::{Applied, fail, link, refused, settle, skip, taken_over, wrote};
use super::tell;
use super::write::{CRM_BATCH, MAILBOX_BATCH, chunks, matches, write_crm, write_mailbox};
use crate::crm::model::{CrmId, CrmRecord, CrmWrite, CrmWritten};
use crate::mailbox::model::{ItemRef, ItemVersion, MailboxWrite, Stamp};
use crate::record::Record;
use crate::record::kind::RecordKind;
use crate::sync::conflict::base_of_copy;
use crate::sync::error::SyncError;
use crate::sync::gather::{Work, as_kept};
use crate::sync::guests;
use crate::sync::journal::{Act, Entry};
use crate::sync::keys::{item_key, version};
use crate::sync::model::{Change, Link, Pair, Reason, Side};
use crate::sync::stream::Stream;

pub(super) async fn create_in_mailbox(
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
                    let record = record.record.clone();
                    let notify = tell::of_create(stream, &record).notify();
                    writes.push((MailboxWrite::Create { stamp, record }, notify));
                    written.push(work);
                }
                (None, None) => settle(&work, applied),
            }
        }
        let answers = write_mailbox(stream, writes).await?;
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

pub(super) fn created_in_mailbox(
    stream: &Stream,
    work: &Work,
    item: ItemRef,
    existed: bool,
    applied: &mut Applied,
) {
    let Some(crm) = &work.crm else { return };
    applied.counts.matched += u64::from(existed);
    applied
        .page
        .unlinked
        .extend(work.link.as_ref().map(|link| link.key));
    let base = taken_over(&work.pair.crm, stream.mailbox_creatable());
    applied.page.journal.push(Entry {
        side: Side::Mailbox,
        act: if existed { Act::Found } else { Act::Created },
        key: item_key(&item.id),
        item: Some(item.id.clone()),
        crm: Some(crm.clone()),
    });
    // One that existed may have been changed by its owner since: an unknown version has it read again.
    let item = if existed {
        ItemRef {
            version: ItemVersion(String::new()),
            ..item
        }
    } else {
        item
    };
    applied.page.made.push(item_key(&item.id));
    applied.page.links.push(Link {
        version: version(&item.version),
        ..link(work, &item, crm, base)
    });
    settle(work, applied);
}

pub(super) async fn create_in_crm(
    stream: &Stream,
    works: Vec<Work>,
    applied: &mut Applied,
) -> Result<(), SyncError> {
    let mut existed = Vec::new();
    for batch in chunks(works, CRM_BATCH) {
        let (writes, batch): (Vec<CrmWrite>, Vec<Work>) = batch
            .into_iter()
            .filter_map(|work| {
                let (item, record) = (work.item.as_ref()?, work.item_record.clone()?);
                let key = stream.keys.external(&record, &item.id);
                let matches = matches(stream, &record);
                let write = match &record {
                    Record::Email(email) => CrmWrite::File {
                        under: stream.matched(email).under.map(|(_, place)| place),
                        key,
                        record,
                        matches,
                    },
                    _ => CrmWrite::Create {
                        key,
                        record: guests::for_crm(record),
                        matches,
                    },
                };
                Some((write, work))
            })
            .unzip();
        let answers = write_crm(stream, &writes).await?;
        for (work, answer) in batch.into_iter().zip(answers) {
            match answer {
                Ok(CrmWritten {
                    id, existed: true, ..
                }) => existed.push((work, id)),
                Ok(CrmWritten {
                    id,
                    existed: false,
                    refused,
                }) => {
                    applied.counts.created_in_crm += 1;
                    wrote(&work, Side::Crm, Act::Created, &id, applied);
                    created_in_crm(stream, work, id, &refused, applied);
                }
                Err(error) => fail(&work, &error, error.class(), applied),
            }
        }
    }
    existed_in_crm(stream, existed, applied).await
}

pub(super) fn created_in_crm(
    stream: &Stream,
    work: Work,
    id: CrmId,
    without: &[CrmId],
    applied: &mut Applied,
) {
    let Some(item) = &work.item else { return };
    applied
        .page
        .unlinked
        .extend(work.link.as_ref().map(|link| link.key));
    let base = taken_over(&work.pair.mailbox, stream.crm_writable());
    let base = refused(stream, &work, without, base, applied);
    applied
        .page
        .links
        .push(mail_is_light(stream, link(&work, item, &id, base)));
    settle(&work, applied);
}

/// Mail is never written again, so its link keeps neither the item's id nor any time.
pub(super) fn mail_is_light(stream: &Stream, link: Link) -> Link {
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
pub(super) async fn existed_in_crm(
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
            wrote(&work, Side::Crm, Act::Found, &id, applied);
            created_in_crm(stream, work, id, &[], applied);
        }
        return Ok(());
    }
    let ids: Vec<CrmId> = existed.iter().map(|(_, id)| id.clone()).collect();
    let records = stream.crm.read(&stream.row.user, stream.kind(), &ids).await?;
    for ((mut work, id), record) in existed.into_iter().zip(records) {
        let own = |record: &CrmRecord| record.owner.is_none() || record.owner == stream.row.user.id;
        let record = match record {
            Some(record) if own(&record) => record,
            Some(record) if takes_over(stream, &work, &record).await? => {
                applied.again.push(keeper(stream, work, record));
                continue;
            }
            _ => {
                skip(&work, Reason::ColleaguesCopy, applied);
                continue;
            }
        };
        wrote(&work, Side::Crm, Act::Found, &id, applied);
        let looked = stream.look_at_record(record);
        applied
            .page
            .unlinked
            .extend(work.link.take().map(|link| link.key));
        let base = match &work.pair.mailbox {
            Some(Change::Upserted(item)) => base_of_copy(item, &looked.seen, stream.crm_writable()),
            _ => None,
        };
        work.pair = Pair {
            base,
            crm: Some(Change::Upserted(looked.seen)),
            ..work.pair
        };
        work.crm = Some(id);
        work.crm_record = Some(looked.record);
        applied.again.push(work);
    }
    Ok(())
}

/// True where the record belongs to somebody who is not here any more, and this mailbox keeps it up to date from now on.
async fn takes_over(stream: &Stream, work: &Work, record: &CrmRecord) -> Result<bool, SyncError> {
    let (Some(owner), Some(item), Some(said)) = (&record.owner, &work.item, &work.item_record) else {
        return Ok(false);
    };
    if stream.kind() != RecordKind::Calendar || stream.keeping.is_here(owner) {
        return Ok(false);
    }
    let meeting = stream.keys.external(said, &item.id);
    let key = item_key(&item.id);
    stream.keeping.claim(meeting, key, owner.clone()).await
}

/// The work of a meeting that is kept from now on. Both were in step as the record stands; what differs in the copy is
/// its news.
fn keeper(stream: &Stream, mut work: Work, record: CrmRecord) -> Work {
    let looked = stream.look_at_record(record);
    work.pair = Pair {
        base: Some(looked.seen.prints.clone()),
        crm: Some(Change::Upserted(looked.seen)),
        ..work.pair
    };
    work.crm = Some(looked.record.id.clone());
    work.crm_record = Some(looked.record);
    as_kept(stream, &mut work);
    work
}
