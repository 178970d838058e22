//! A CRM that is another organisation than it was: a sandbox that was refreshed, or an org that was set up again and
//! loaded from files. Its records may have other ids, all of them; to follow that to the letter would take every record
//! for a new one and every item for one whose record is gone.
//!
//! So each link whose record the new organisation does not have is joined with the record that is its own by our key on
//! it, or by equality in every field. Links for which there is none are forgotten, which deletes nothing; both sides are
//! read from their start then, and what is still the same by address or likeness finds its counterpart like anything that
//! was there before us. What is left has no record any more and gets one.
//!
//! Until a turn has come to its end, the stream counts as one of the former organisation: a kill costs nothing but time.
//! Mail that was saved stays as it is: it is never written again, and to look for it would save it twice.

use super::error::SyncError;
use super::gather::Pending;
use super::model::{ItemKey, Link};
use super::store::links;
use super::store::streams::Position;
use super::stream::Stream;
use crate::crm::model::{CrmId, ExternalKey, Fate};
use crate::foundation::db::Db;
use crate::record::field::FieldSet;
use crate::record::kind::RecordKind;
use std::collections::{HashMap, HashSet};

/// Links asked for at once: five queries of the length that a URL holds, which is one call.
const BATCH: i64 = 2_000;

/// True where the stream was last synchronised with another organisation than this.
pub fn is_another(position: &Position, organisation: Option<&str>) -> bool {
    let before = position.organisation.as_deref();
    before
        .zip(organisation)
        .is_some_and(|(before, now)| before != now)
}

/// What becomes of the links of a stream.
#[derive(Default)]
pub struct Joined {
    /// Links that lead to their records under other ids.
    pub follow: Vec<Link>,
    /// Items whose records were not found.
    pub lost: Vec<ItemKey>,
}

/// Finds the links' records among those that the CRM has now, all of which are in `pending`.
///
/// # Errors
/// The database's, or the CRM's.
pub async fn ask(db: &Db, stream: &Stream, pending: &Pending) -> Result<Joined, SyncError> {
    let mut joined = Joined::default();
    if stream.kind() == RecordKind::Mail {
        return Ok(joined);
    }
    let (linked, lost) = lost(db, stream).await?;
    if lost.is_empty() {
        return Ok(joined);
    }
    let mut free = Free::of(stream, pending, &linked);
    // Keys first, of all of them: two that are equal in everything are told apart by these alone.
    let mut unkeyed = Vec::new();
    for link in lost {
        match free.by_key(stream, &link) {
            Some(id) => joined.follow.push(follow(link, id)),
            None => unkeyed.push(link),
        }
    }
    for link in unkeyed {
        match free.by_prints(&link) {
            Some(id) => joined.follow.push(follow(link, id)),
            None => joined.lost.push(link.key),
        }
    }
    Ok(joined)
}

fn follow(link: Link, crm: CrmId) -> Link {
    Link {
        crm,
        crm_modified: None,
        ..link
    }
}

/// Every linked record that is there, and the links whose record is not.
async fn lost(db: &Db, stream: &Stream) -> Result<(HashSet<CrmId>, Vec<Link>), SyncError> {
    let (id, mut behind) = (stream.id, None);
    let (mut there, mut lost) = (HashSet::new(), Vec::new());
    loop {
        let some = db
            .run_for(id.mailbox, move |conn| links::behind(conn, id, behind, BATCH))
            .await?;
        let Some(last) = some.last() else {
            return Ok((there, lost));
        };
        behind = Some(last.key);
        let ids: Vec<CrmId> = some.iter().map(|link| link.crm.clone()).collect();
        let fates = stream.crm.fates(&stream.row.user, id.kind, &ids).await?;
        for (link, fate) in some.into_iter().zip(fates) {
            match fate {
                Fate::Unknown => lost.push(link),
                // A copy of an organisation keeps ids: what was deleted or handed over there is dealt with as ever.
                Fate::Alive | Fate::Elsewhere { .. } | Fate::Deleted | Fate::Merged { .. } => {
                    there.insert(link.crm);
                }
            }
        }
    }
}

/// Records that no link leads to.
struct Free {
    by_key: HashMap<ExternalKey, CrmId>,
    by_prints: HashMap<Vec<u8>, Vec<CrmId>>,
    taken: HashSet<CrmId>,
}

impl Free {
    fn of(stream: &Stream, pending: &Pending, linked: &HashSet<CrmId>) -> Self {
        let mut free = Self {
            by_key: HashMap::new(),
            by_prints: HashMap::new(),
            taken: HashSet::new(),
        };
        for record in pending.records().filter(|record| !linked.contains(&record.id)) {
            let key = record.key.clone();
            free.by_key.extend(key.map(|key| (key, record.id.clone())));
            let looked = stream.look_at_record(record.clone());
            let alike = free.by_prints.entry(looked.seen.prints.to_bytes()).or_default();
            alike.push(looked.record.id);
        }
        free
    }

    fn by_key(&mut self, stream: &Stream, link: &Link) -> Option<CrmId> {
        let key = stream.keys.of_item(stream.kind(), link.item.as_ref()?);
        let id = self.by_key.get(&key)?.clone();
        self.taken.insert(id.clone()).then_some(id)
    }

    fn by_prints(&mut self, link: &Link) -> Option<CrmId> {
        if link.base.fields() == FieldSet::NONE {
            return None;
        }
        let alike = self.by_prints.get(&link.base.to_bytes())?;
        let id = alike.iter().find(|id| !self.taken.contains(*id))?.clone();
        self.taken.insert(id.clone());
        Some(id)
    }
}
