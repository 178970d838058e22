//! Who keeps a meeting's record up to date. One meeting is one record, and the organiser's copy is the one that it is
//! made of. Once the organiser is not here any more, a colleague's copy takes its place: the record stays the same and
//! stays the organiser's in the CRM, and only what all copies of a meeting share is written to it.

use super::error::SyncError;
use super::model::{ItemKey, StreamId};
use super::store::kept;
use super::store::mailboxes::MailboxRow;
use crate::crm::model::{CrmId, ExternalKey};
use crate::foundation::db::Db;
use crate::foundation::ids::MailboxId;
use crate::record::field::{Field, FieldSet};
use crate::record::kind::RecordKind;
use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

/// What all copies of a meeting share. How it shows, its reminder and who else was asked are each copy's own.
pub const SHARED: FieldSet = FieldSet::of(&[Field::Subject, Field::Body, Field::Location, Field::When]);

/// What one mailbox keeps for others.
pub struct Keeping {
    db: Db,
    mailbox: MailboxId,
    /// CRM users whose mailboxes are here, or will be again.
    here: HashSet<CrmId>,
    /// The items by which it keeps meetings, with the owners of their records.
    kept: RwLock<HashMap<ItemKey, CrmId>>,
}

impl Keeping {
    /// What a stream keeps; `all` are all mailboxes.
    ///
    /// # Errors
    /// The database's.
    pub async fn open(db: &Db, id: StreamId, crm: &str, all: &[MailboxRow]) -> Result<Self, SyncError> {
        let kept = match id.kind {
            RecordKind::Calendar => {
                db.run_for(id.mailbox, move |conn| kept::of(conn, id.mailbox))
                    .await?
            }
            _ => HashMap::new(),
        };
        let here = all.iter().filter(|row| row.crm == crm && !row.is_gone());
        Ok(Self {
            db: db.clone(),
            mailbox: id.mailbox,
            here: here.filter_map(|row| row.user.id.clone()).collect(),
            kept: RwLock::new(kept),
        })
    }

    /// True for a CRM user whose mailbox is here, or will be again.
    pub fn is_here(&self, owner: &CrmId) -> bool {
        self.here.contains(owner)
    }

    /// The owner of the record that this item keeps up to date for him.
    pub fn owner(&self, item: ItemKey) -> Option<CrmId> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.get(&item).cloned()
    }

    /// Keeps a meeting from now on, unless a colleague does.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim(&self, meeting: ExternalKey, item: ItemKey, owner: CrmId) -> Result<bool, SyncError> {
        let (mailbox, of) = (self.mailbox, owner.clone());
        let ours = self
            .db
            .run(move |conn| kept::claim(conn, mailbox, &meeting, item, &of))
            .await?;
        if ours {
            let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
            kept.insert(item, owner);
        }
        Ok(ours)
    }
}
