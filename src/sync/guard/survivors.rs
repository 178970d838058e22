//! Links whose records the CRM's feed does not mention any more.
//!
//! The feed tells of the user's own records. What it does not show may have been deleted while we could not
//! look, may belong to somebody else now, or may be hidden from the user: so it is asked for by id, once a day
//! and whenever the feed had to be read from its beginning. Only what the CRM itself calls deleted is taken for
//! that; a hidden record proves nothing and is left alone.

use super::store;
use crate::crm::model::{CrmChange, CrmId, Fate};
use crate::foundation::db::Db;
use crate::record::kind::RecordKind;
use crate::sync::error::SyncError;
use crate::sync::gather::Pending;
use crate::sync::model::ItemKey;
use crate::sync::policy::Reassigned;
use crate::sync::stream::Stream;

/// Links asked for at once: five queries of the length that a URL holds, which is one call.
const BATCH: i64 = 2_000;

/// Asks for every link of the stream. What was deleted is added to the CRM's changes; returned are the items
/// whose records belong to somebody else now and are to be linked no more.
///
/// # Errors
/// The database's, or the CRM's.
pub async fn ask(db: &Db, stream: &Stream, pending: &mut Pending) -> Result<Vec<ItemKey>, SyncError> {
    let mut handed_over = Vec::new();
    if stream.kind() == RecordKind::Mail {
        return Ok(handed_over);
    }
    let (id, mut behind) = (stream.id, None);
    loop {
        let links = db
            .run_for(id.mailbox, move |conn| {
                store::links_behind(conn, id, behind, BATCH)
            })
            .await?;
        let Some((last, _)) = links.last() else {
            return Ok(handed_over);
        };
        behind = Some(*last);
        let ids: Vec<CrmId> = links.iter().map(|(_, crm)| crm.clone()).collect();
        let fates = stream.crm.fates(&stream.row.user, id.kind, &ids).await?;
        for ((key, crm), fate) in links.into_iter().zip(fates) {
            match fate {
                // What becomes of one that was merged is decided like that of one that the feed told of.
                Fate::Deleted | Fate::Merged { .. } => pending.add(stream, CrmChange::Deleted(crm)),
                // It always was somebody else's; this mailbox keeps it for him.
                Fate::Elsewhere { .. } if stream.keeping.owner(key).is_some() => {}
                Fate::Elsewhere { .. } if stream.policy.reassigned == Reassigned::Unlink => {
                    handed_over.push(key);
                }
                Fate::Elsewhere { .. } | Fate::Alive | Fate::Unknown => {}
            }
        }
    }
}
