//! Changes of the CRM that no change of the mailbox met.

use super::kept::as_kept;
use super::left::mark_copies;
use super::occurrence::goes_along;
use super::read::{read_items, split};
use super::work::{Gathered, Work};
use crate::crm::model::{CrmChange, CrmId};
use crate::foundation::db::Db;
use crate::foundation::explain::Explain as _;
use crate::foundation::failure::Class;
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::{ItemId, ItemRef, ItemVersion, MailboxItem};
use crate::record::Record;
use crate::sync::error::SyncError;
use crate::sync::keys::record_key;
use crate::sync::leaving;
use crate::sync::model::{Change, Link, Pair, Side};
use crate::sync::store::links;
use crate::sync::stream::{LookedRecord, Stream};
use std::collections::HashMap;

/// Gathers changes of the CRM that no change of the mailbox met. Where a linked record really differs from
/// what we last knew, the mailbox's item is read first: it may have changed meanwhile, and its version is
/// needed to write it.
pub async fn crm_page(db: &Db, stream: &mut Stream, changes: Vec<CrmChange>) -> Result<Gathered, SyncError> {
    let ids: Vec<CrmId> = changes
        .iter()
        .map(|change| match change {
            CrmChange::Upserted(record) => record.id.clone(),
            CrmChange::Deleted(id) => id.clone(),
        })
        .collect();
    let id = stream.id;
    let found = db
        .run_for(id.mailbox, move |conn| links::by_crm(conn, id, &ids))
        .await?;
    let known = found.into_iter().map(|link| (link.crm.clone(), link)).collect();
    crm_changes(stream, changes, known).await
}

/// The same, of records whose links are at hand.
///
/// # Errors
/// The mail server's, and the CRM's.
pub async fn crm_changes(
    stream: &mut Stream,
    changes: Vec<CrmChange>,
    mut known: HashMap<CrmId, Link>,
) -> Result<Gathered, SyncError> {
    let mut gathered = Gathered::default();
    let mut to_read: Vec<(LookedRecord, Link)> = Vec::new();
    for change in changes {
        match change {
            CrmChange::Deleted(id) => match known.remove(&id) {
                Some(link) => gathered.works.push(crm_work(None, Some(link), id)),
                None => gathered.settled.push((Side::Crm, record_key(&id))),
            },
            CrmChange::Upserted(record) => {
                let looked = stream.look_at_record(*record);
                match known.remove(&looked.record.id) {
                    Some(link) if says_nothing_new(&link, &looked) => {
                        gathered.settled.push((Side::Crm, record_key(&looked.record.id)));
                    }
                    Some(link) => to_read.push((looked, link)),
                    None => {
                        let id = looked.record.id.clone();
                        gathered.works.push(crm_work(Some(looked), None, id));
                    }
                }
            }
        }
    }
    with_mailbox_side(stream, to_read, &mut gathered).await?;
    Ok(gathered)
}

/// True for a record that says what it said, and that takes part as it did.
fn says_nothing_new(link: &Link, looked: &LookedRecord) -> bool {
    link.base.differing(&looked.seen.prints).is_empty() && leaving::reason(&link.base, &looked.seen).is_none()
}

fn crm_work(looked: Option<LookedRecord>, link: Option<Link>, id: CrmId) -> Work {
    let (crm_change, crm_record) = split(Some(looked));
    Work {
        pair: Pair {
            base: link.as_ref().map(|link| link.base.clone()),
            mailbox: None,
            crm: crm_change,
        },
        item: link.as_ref().and_then(|link| {
            let version = ItemVersion(String::new());
            Some(ItemRef {
                id: link.item.clone()?,
                version,
            })
        }),
        item_record: None,
        crm: Some(id),
        crm_record,
        link,
        origin: Side::Crm,
        ours: None,
    }
}

async fn with_mailbox_side(
    stream: &mut Stream,
    to_read: Vec<(LookedRecord, Link)>,
    gathered: &mut Gathered,
) -> Result<(), SyncError> {
    let ids: Vec<ItemId> = to_read.iter().filter_map(|(_, link)| link.item.clone()).collect();
    let mut answers: HashMap<ItemId, Result<MailboxItem, MailboxError>> =
        read_items(stream, ids).await?.into_iter().collect();
    let records: Vec<&Record> = answers
        .values()
        .filter_map(|answer| Some(&answer.as_ref().ok()?.record))
        .collect();
    stream.ask_about(&records).await?;
    for (looked, link) in to_read {
        let id = looked.record.id.clone();
        let answer = link.item.as_ref().and_then(|item| answers.remove(item));
        let mut work = crm_work(Some(looked), Some(link), id);
        match answer {
            Some(Ok(item)) => {
                let item = stream.look_at_item(item);
                gathered.note(&item);
                work.pair.mailbox = Some(Change::Upserted(item.seen));
                work.item = Some(item.item);
                work.item_record = Some(item.record);
                mark_copies(stream, &mut work, item.stamp.as_ref());
                goes_along(&mut work);
                as_kept(stream, &mut work);
            }
            Some(Err(error)) if error.class() == Class::Gone => work.pair.mailbox = Some(Change::Deleted),
            Some(Err(error)) => {
                if let Some(item) = work.item.take() {
                    gathered.unreadable.push((item.id, error.code(), error.class()));
                }
                continue;
            }
            None => continue,
        }
        gathered.works.push(work);
    }
    Ok(())
}
