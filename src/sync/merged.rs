//! Records that were merged into another one.
//!
//! The CRM calls the losing record deleted, and names the one that lives on. To follow that to the letter would delete an
//! item and make it anew, with another id and without what only the mailbox knows of it. So the item follows to the
//! record that has taken the place of its own. Where that record has an item already, the losing one is the duplicate
//! that the merge was made for, and goes as any deletion does, through the guard; one that its owner has edited meanwhile
//! stays in the mailbox, linked no more, because to make its record again would undo the merge.

use super::error::SyncError;
use super::gather::{Pending, Work};
use super::guard::hold::Lasting;
use super::model::{Change, Link, Reason, Side, Verdict};
use super::policy::Reassigned;
use super::store::links;
use super::stream::Stream;
use crate::crm::model::{CrmChange, CrmId, CrmRecord, Fate};
use crate::foundation::db::Db;
use crate::record::kind::RecordKind;
use std::collections::{HashMap, HashSet};

/// A record that was merged into one that was merged in turn, and so on: no further than this.
const HOPS: usize = 8;

/// What became of records that were merged away.
#[derive(Default)]
pub struct Merged {
    /// Links of items that follow to the record that lives on.
    pub follow: Vec<Link>,
    /// Items whose records live on in somebody else's, and that are let go.
    pub handed_over: Vec<Link>,
    /// Records whose items are duplicates now, and are not made again for an edit.
    pub duplicates: HashSet<CrmId>,
}

/// Asks what became of the linked records that the CRM calls deleted. What follows is in step with `pending` then: the
/// loser's deletion is taken out of it, and the survivor is in it.
///
/// # Errors
/// The database's, or the CRM's.
pub async fn ask(db: &Db, stream: &Stream, pending: &mut Pending) -> Result<Merged, SyncError> {
    let mut merged = Merged::default();
    // Only people are merged.
    let gone = match stream.kind() {
        RecordKind::Contacts => pending.deleted(),
        _ => Vec::new(),
    };
    let lost = linked(db, stream, gone).await?;
    if lost.is_empty() {
        return Ok(merged);
    }
    let survivors = survivors(stream, lost.keys().cloned().collect()).await?;
    let wanted: Vec<CrmId> = survivors.values().cloned().collect();
    let has_item = linked(db, stream, wanted.clone()).await?;
    let mut taken: HashSet<CrmId> = has_item.into_keys().collect();
    let records = read(stream, wanted).await?;
    // In the order of their ids: the same at each try.
    let mut losers: Vec<(CrmId, Link)> = lost.into_iter().collect();
    losers.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (loser, link) in losers {
        let Some(record) = survivors.get(&loser).and_then(|id| records.get(id)) else {
            continue;
        };
        let is_own = record.owner.is_none() || record.owner == stream.row.user.id;
        if taken.contains(&record.id) {
            merged.duplicates.insert(loser);
        } else if is_own || stream.policy.reassigned == Reassigned::Keep {
            taken.insert(record.id.clone());
            pending.forget(&loser);
            pending.add(stream, CrmChange::Upserted(Box::new(record.clone())));
            merged.follow.push(Link {
                crm: record.id.clone(),
                crm_modified: None,
                ..link
            });
        } else {
            pending.forget(&loser);
            merged.handed_over.push(link);
        }
    }
    Ok(merged)
}

async fn linked(db: &Db, stream: &Stream, ids: Vec<CrmId>) -> Result<HashMap<CrmId, Link>, SyncError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let id = stream.id;
    let found = db
        .run_for(id.mailbox, move |conn| links::by_crm(conn, id, &ids))
        .await?;
    Ok(found.into_iter().map(|link| (link.crm.clone(), link)).collect())
}

/// For each record that was merged away the one that lives on. A record of which the CRM says something else is not
/// among them: it was deleted, or proves nothing.
async fn survivors(stream: &Stream, lost: Vec<CrmId>) -> Result<HashMap<CrmId, CrmId>, SyncError> {
    let mut into: HashMap<CrmId, CrmId> = HashMap::new();
    // Where each chain of merges stands.
    let mut open: Vec<(CrmId, CrmId)> = lost.into_iter().map(|id| (id.clone(), id)).collect();
    for _ in 0..HOPS {
        if open.is_empty() {
            break;
        }
        let ids: Vec<CrmId> = open.iter().map(|(_, at)| at.clone()).collect();
        let fates = stream.crm.fates(&stream.row.user, stream.kind(), &ids).await?;
        let mut next = Vec::new();
        for ((loser, at), fate) in open.into_iter().zip(fates) {
            match fate {
                Fate::Merged { into } => next.push((loser, into)),
                Fate::Alive | Fate::Elsewhere { .. } if at != loser => {
                    into.insert(loser, at);
                }
                Fate::Alive | Fate::Elsewhere { .. } | Fate::Deleted | Fate::Unknown => {}
            }
        }
        open = next;
    }
    Ok(into)
}

async fn read(stream: &Stream, mut ids: Vec<CrmId>) -> Result<HashMap<CrmId, CrmRecord>, SyncError> {
    ids.sort();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let records = stream.crm.read(&stream.row.user, stream.kind(), &ids).await?;
    let shown = records.into_iter().flatten();
    Ok(shown.map(|record| (record.id.clone(), record)).collect())
}

/// A duplicate that its owner edited is not made again in the CRM, where somebody has just merged it away.
pub fn settle(planned: &mut [(Work, Verdict)], duplicates: &HashSet<CrmId>) {
    for (work, verdict) in planned {
        let is_one = work.crm.as_ref().is_some_and(|id| duplicates.contains(id));
        if is_one && *verdict == Verdict::CreateInCrm && matches!(work.pair.crm, Some(Change::Deleted)) {
            *verdict = Verdict::Unlink;
        }
    }
}

/// What is noted of items that are let go.
pub fn skips(handed_over: &[Link]) -> Lasting {
    let mark = |link: &Link| ((Side::Mailbox, link.key), Reason::HandedOver);
    handed_over.iter().map(mark).collect()
}
