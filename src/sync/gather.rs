//! From both sides' changes to pairs: joins what changed with what is linked, and finds the counterparts of
//! what is not (by stamp, by address). Reads, and writes nothing.

use super::error::SyncError;
use super::keys::{item_key, record_key, version};
use super::model::{Change, ItemKey, Link, Pair, Side};
use super::store::links;
use super::store::outcome::Due;
use super::stream::{LookedItem, LookedRecord, Stream};
use crate::crm::model::{CrmChange, CrmId, CrmRecord, WhoKind};
use crate::foundation::db::Db;
use crate::foundation::explain::Explain as _;
use crate::foundation::failure::Class;
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::{ItemChange, ItemId, ItemRef, ItemVersion, MailboxItem, Stamp};
use crate::record::Record;
use crate::record::kind::RecordKind;
use crate::record::person::address_key;
use futures_util::stream::{self, StreamExt as _};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Items read in one call, and calls at the same time. Small enough that one slow item does not hold up a
/// page, large enough that a thousand items take few calls.
const READ_BATCH: usize = 100;
const READS_AT_ONCE: usize = 3;

/// Both sides of one item, with what is needed to write them.
pub struct Work {
    /// For the plan.
    pub pair: Pair,
    /// What is remembered.
    pub link: Option<Link>,
    /// The mailbox's item.
    pub item: Option<ItemRef>,
    /// Its record, in common form.
    pub item_record: Option<Record>,
    /// The CRM's record.
    pub crm: Option<CrmId>,
    /// What it says, in common form.
    pub crm_record: Option<CrmRecord>,
    /// Where the news came from.
    pub origin: Side,
}

impl Work {
    /// The shortened id of the side that the news came from.
    pub fn key(&self) -> ItemKey {
        match (self.origin, &self.item, &self.crm) {
            (Side::Mailbox, Some(item), _) => item_key(&item.id),
            (_, _, Some(crm)) => record_key(crm),
            (_, Some(item), None) => item_key(&item.id),
            (_, None, None) => self.link.as_ref().map_or(ItemKey(0), |link| link.key),
        }
    }
}

/// The CRM's changes of this turn that are not dealt with yet.
#[derive(Default)]
pub struct Pending {
    changes: BTreeMap<CrmId, CrmChange>,
    stamps: HashMap<Stamp, CrmId>,
}

impl Pending {
    /// Adds a change; a later one of the same record replaces an earlier one.
    pub fn add(&mut self, stream: &Stream, change: CrmChange) {
        let id = match &change {
            CrmChange::Upserted(record) => record.id.clone(),
            CrmChange::Deleted(id) => id.clone(),
        };
        if matches!(change, CrmChange::Upserted(_)) {
            self.stamps
                .insert(stream.keys.stamp(stream.kind(), &id), id.clone());
        }
        self.changes.insert(id, change);
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// True where none is left.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Takes up to `most` changes.
    pub fn take_some(&mut self, most: usize) -> Vec<CrmChange> {
        let ids: Vec<CrmId> = self.changes.keys().take(most).cloned().collect();
        ids.iter().filter_map(|id| self.changes.remove(id)).collect()
    }

    fn has(&self, id: &CrmId) -> bool {
        self.changes.contains_key(id)
    }

    fn take(&mut self, id: &CrmId) -> Option<CrmChange> {
        self.changes.remove(id)
    }

    fn take_stamped(&mut self, stamp: &Stamp) -> Option<CrmRecord> {
        let id = self.stamps.get(stamp)?.clone();
        match self.changes.remove(&id) {
            Some(CrmChange::Upserted(record)) => Some(*record),
            other => {
                self.changes.extend(other.map(|change| (id, change)));
                None
            }
        }
    }
}

/// What gathering a page found.
#[derive(Default)]
pub struct Gathered {
    /// Pairs to plan.
    pub works: Vec<Work>,
    /// Items that could not be read, with code and class.
    pub unreadable: Vec<(ItemId, &'static str, Class)>,
    /// Items that are nothing to us any more.
    pub settled: Vec<(Side, ItemKey)>,
}

/// Gathers one page of the mailbox's changes. `again` are items to read whatever their version says.
pub async fn mailbox_page(
    db: &Db,
    stream: &mut Stream,
    changes: Vec<ItemChange>,
    again: &HashSet<ItemKey>,
    pending: &mut Pending,
) -> Result<Gathered, SyncError> {
    let mut gathered = Gathered::default();
    let mut known = links_of_items(db, stream, &changes).await?;
    let mut to_read = Vec::new();
    for change in changes {
        match change {
            ItemChange::Deleted(id) => gone(&id, &mut known, pending, stream, &mut gathered),
            ItemChange::Upserted(item) => {
                let key = item_key(&item.id);
                let ours = known
                    .get(&key)
                    .is_some_and(|link| link.version == version(&item.version) && !pending.has(&link.crm));
                if !ours || again.contains(&key) {
                    to_read.push(item.id);
                }
            }
        }
    }
    let mut items = Vec::with_capacity(to_read.len());
    for (id, answer) in read_items(stream, to_read).await? {
        match answer {
            Ok(item) => items.push(item),
            Err(error) if error.class() == Class::Gone => {
                gone(&id, &mut known, pending, stream, &mut gathered);
            }
            Err(error) => gathered.unreadable.push((id, error.code(), error.class())),
        }
    }
    stream
        .ask_about(&items.iter().map(|item| &item.record).collect::<Vec<_>>())
        .await?;
    let looked: Vec<LookedItem> = items.into_iter().map(|item| stream.look_at_item(item)).collect();
    let mut counterparts = find_counterparts(db, stream, &looked, &known, pending).await?;
    for item in looked {
        let key = item_key(&item.item.id);
        let work = match known.remove(&key) {
            Some(link) => linked_work(stream, item, link, pending),
            None => unlinked_work(stream, item, counterparts.remove(&key)),
        };
        gathered.works.push(work);
    }
    Ok(gathered)
}

async fn links_of_items(
    db: &Db,
    stream: &Stream,
    changes: &[ItemChange],
) -> Result<HashMap<ItemKey, Link>, SyncError> {
    let keys: Vec<ItemKey> = changes
        .iter()
        .map(|change| match change {
            ItemChange::Upserted(item) => item_key(&item.id),
            ItemChange::Deleted(id) => item_key(id),
        })
        .collect();
    let id = stream.id;
    let links = db
        .run_for(id.mailbox, move |conn| links::by_keys(conn, id, &keys))
        .await?;
    Ok(links.into_iter().map(|link| (link.key, link)).collect())
}

fn gone(
    id: &ItemId,
    known: &mut HashMap<ItemKey, Link>,
    pending: &mut Pending,
    stream: &Stream,
    gathered: &mut Gathered,
) {
    let key = item_key(id);
    let Some(link) = known.remove(&key) else {
        gathered.settled.push((Side::Mailbox, key));
        return;
    };
    let looked = pending
        .take(&link.crm)
        .map(|change| look_at_change(stream, change));
    let (crm_change, crm_record) = split(looked);
    gathered.works.push(Work {
        pair: Pair {
            base: Some(link.base.clone()),
            mailbox: Some(Change::Deleted),
            crm: crm_change,
        },
        item: Some(ItemRef {
            id: id.clone(),
            version: ItemVersion(String::new()),
        }),
        item_record: None,
        crm: Some(link.crm.clone()),
        crm_record,
        link: Some(link),
        origin: Side::Mailbox,
    });
}

fn look_at_change(stream: &Stream, change: CrmChange) -> Option<LookedRecord> {
    match change {
        CrmChange::Upserted(record) => Some(stream.look_at_record(*record)),
        CrmChange::Deleted(_) => None,
    }
}

/// From "there is news" and "the news is a record" to what the pair and the work want.
fn split(looked: Option<Option<LookedRecord>>) -> (Option<Change>, Option<CrmRecord>) {
    match looked {
        None => (None, None),
        Some(None) => (Some(Change::Deleted), None),
        Some(Some(looked)) => (Some(Change::Upserted(looked.seen)), Some(looked.record)),
    }
}

type Answer = (ItemId, Result<MailboxItem, MailboxError>);

async fn read_items(stream: &Stream, ids: Vec<ItemId>) -> Result<Vec<Answer>, SyncError> {
    let batches: Vec<Vec<ItemId>> = ids.chunks(READ_BATCH).map(<[ItemId]>::to_vec).collect();
    let reads = batches.into_iter().map(|batch| async move {
        let answers = stream
            .server
            .read(&stream.row.mailbox, stream.kind(), &batch)
            .await?;
        Ok::<Vec<Answer>, MailboxError>(batch.into_iter().zip(answers).collect())
    });
    let mut all = Vec::new();
    let mut running = stream::iter(reads).buffered(READS_AT_ONCE);
    while let Some(batch) = running.next().await {
        for (id, answer) in batch? {
            match answer {
                // What concerns the whole mailbox ends the turn, though it came with one item.
                Err(error) if error.class().stops_the_turn() => return Err(error.into()),
                answer => all.push((id, answer)),
            }
        }
    }
    Ok(all)
}

fn linked_work(stream: &Stream, item: LookedItem, link: Link, pending: &mut Pending) -> Work {
    let looked = pending
        .take(&link.crm)
        .map(|change| look_at_change(stream, change));
    let (crm_change, crm_record) = split(looked);
    let crm_change =
        crm_change.unwrap_or_else(|| Change::Upserted(stream.quiet_record(&link.base, link.crm_modified)));
    Work {
        pair: Pair {
            base: Some(link.base.clone()),
            mailbox: Some(Change::Upserted(item.seen)),
            crm: Some(crm_change),
        },
        item: Some(item.item),
        item_record: Some(item.record),
        crm: Some(link.crm.clone()),
        crm_record,
        link: Some(link),
        origin: Side::Mailbox,
    }
}

/// The work of an unlinked item, with the counterpart that was found for it.
pub fn unlinked_work(stream: &Stream, item: LookedItem, counterpart: Option<CrmRecord>) -> Work {
    let looked = counterpart.map(|record| stream.look_at_record(record));
    let (crm_change, crm_record) = split(looked.map(Some));
    Work {
        pair: Pair {
            base: None,
            mailbox: Some(Change::Upserted(item.seen)),
            crm: crm_change,
        },
        link: None,
        item: Some(item.item),
        item_record: Some(item.record),
        crm: crm_record.as_ref().map(|record| record.id.clone()),
        crm_record,
        origin: Side::Mailbox,
    }
}

/// Finds the CRM's counterparts of items that are not linked: the record whose stamp an item carries (we
/// made the item and crashed before we could remember it), or the contact with the same address.
async fn find_counterparts(
    db: &Db,
    stream: &Stream,
    looked: &[LookedItem],
    known: &HashMap<ItemKey, Link>,
    pending: &mut Pending,
) -> Result<HashMap<ItemKey, CrmRecord>, SyncError> {
    let mut found = HashMap::new();
    let unlinked = || {
        looked
            .iter()
            .filter(|item| !known.contains_key(&item_key(&item.item.id)))
    };
    let mut stamped = Vec::new();
    for item in unlinked() {
        if let Some(record) = item.stamp.as_ref().and_then(|stamp| pending.take_stamped(stamp)) {
            stamped.push((item_key(&item.item.id), record));
        }
    }
    let ids: Vec<CrmId> = stamped.iter().map(|(_, record)| record.id.clone()).collect();
    let mut taken = linked_records(db, stream, ids).await?;
    for (key, record) in stamped {
        // A copy that a person made of a stamped item carries the stamp too; it is a new item.
        if taken.insert(record.id.clone()) {
            found.insert(key, record);
        } else {
            pending.add(stream, CrmChange::Upserted(Box::new(record)));
        }
    }
    if stream.kind() == RecordKind::Contacts {
        let by_address = unlinked().filter(|item| !found.contains_key(&item_key(&item.item.id)));
        let wanted = contacts_by_address(stream, by_address);
        same_address(db, stream, wanted, pending, &mut found).await?;
    }
    Ok(found)
}

/// For each item the CRM's contacts with its address, oldest first.
fn contacts_by_address<'a>(
    stream: &Stream,
    items: impl Iterator<Item = &'a LookedItem>,
) -> Vec<(ItemKey, Vec<CrmId>)> {
    items
        .filter_map(|item| {
            let Record::Contact(contact) = &item.record else {
                return None;
            };
            let found = stream.known.get(&address_key(contact.email.expose()))?;
            let contacts = found.who.iter().filter(|who| who.kind == WhoKind::Contact);
            Some((
                item_key(&item.item.id),
                contacts.map(|who| who.id.clone()).collect(),
            ))
        })
        .collect()
}

async fn same_address(
    db: &Db,
    stream: &Stream,
    wanted: Vec<(ItemKey, Vec<CrmId>)>,
    pending: &mut Pending,
    found: &mut HashMap<ItemKey, CrmRecord>,
) -> Result<(), SyncError> {
    let ids: Vec<CrmId> = wanted.iter().flat_map(|(_, ids)| ids.iter().cloned()).collect();
    let mut taken = linked_records(db, stream, ids).await?;
    taken.extend(found.values().map(|record| record.id.clone()));
    let mut chosen = Vec::new();
    for (key, ids) in wanted {
        if let Some(id) = ids.into_iter().find(|id| !taken.contains(id)) {
            taken.insert(id.clone());
            chosen.push((key, id));
        }
    }
    let (here, elsewhere): (Vec<_>, Vec<_>) = chosen.into_iter().partition(|(_, id)| pending.has(id));
    for (key, id) in here {
        if let Some(CrmChange::Upserted(record)) = pending.take(&id) {
            found.insert(key, *record);
        }
    }
    if !elsewhere.is_empty() {
        let ids: Vec<CrmId> = elsewhere.iter().map(|(_, id)| id.clone()).collect();
        let records = stream.crm.read(&stream.row.user, stream.kind(), &ids).await?;
        found.extend(
            elsewhere
                .into_iter()
                .zip(records)
                .filter_map(|((key, _), record)| Some((key, record?))),
        );
    }
    Ok(())
}

async fn linked_records(db: &Db, stream: &Stream, ids: Vec<CrmId>) -> Result<HashSet<CrmId>, SyncError> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let id = stream.id;
    let links = db
        .run_for(id.mailbox, move |conn| links::by_crm(conn, id, &ids))
        .await?;
    Ok(links.into_iter().map(|link| link.crm).collect())
}

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
    let mut known: HashMap<CrmId, Link> = found.into_iter().map(|link| (link.crm.clone(), link)).collect();
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
                    Some(link) if link.base.differing(&looked.seen.prints).is_empty() => {
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
                work.pair.mailbox = Some(Change::Upserted(item.seen));
                work.item = Some(item.item);
                work.item_record = Some(item.record);
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

/// The mailbox's items among failures that are due.
pub fn due_items(failures: &[Due]) -> Vec<ItemId> {
    failures
        .iter()
        .filter(|failure| failure.due && failure.side == Side::Mailbox)
        .filter_map(|failure| failure.item.clone())
        .collect()
}

/// The CRM's records among failures that are due.
pub fn due_records(failures: &[Due]) -> Vec<CrmId> {
    failures
        .iter()
        .filter(|failure| failure.due && failure.side == Side::Crm)
        .filter_map(|failure| failure.crm.clone())
        .collect()
}
