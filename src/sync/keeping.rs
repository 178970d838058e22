//! Who keeps a meeting's record up to date. One meeting is one record, and the organiser's copy is the one that it is
//! made of. Once the organiser is not here any more, a colleague's copy takes its place: the record stays the same and
//! stays the organiser's in the CRM, and only what all copies of a meeting share is written to it.

use super::error::SyncError;
use super::model::{ItemKey, StreamId};
use super::store::directory::People;
use super::store::kept;
use super::store::streams::Lease;
use crate::crm::model::{CrmId, ExternalKey};
use crate::foundation::db::Db;
use crate::foundation::ids::MailboxId;
use crate::record::field::{Field, FieldSet};
use crate::record::kind::RecordKind;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// What all copies of a meeting share. How it shows, its reminder and who else was asked are each copy's own.
pub const SHARED: FieldSet = FieldSet::of(&[Field::Subject, Field::Body, Field::Location, Field::When]);

/// What one mailbox keeps for others.
pub struct Keeping {
    db: Db,
    mailbox: MailboxId,
    crm: String,
    people: Arc<People>,
    /// The items by which it keeps meetings, with the owners of their records.
    kept: RwLock<HashMap<ItemKey, CrmId>>,
}

impl Keeping {
    /// What a stream keeps. Whose turn it is lets go what an earlier one could not link.
    ///
    /// # Errors
    /// The database's, and [`SyncError::LeaseLost`].
    pub async fn open(
        db: &Db,
        id: StreamId,
        turn: Option<Lease>,
        crm: &str,
        people: Arc<People>,
    ) -> Result<Self, SyncError> {
        let read = move |conn: &mut _| {
            let kept = kept::of(conn, id.mailbox)?;
            match turn.filter(|_| !kept.is_empty()) {
                Some(lease) if kept::release_unlinked(conn, lease)? > 0 => kept::of(conn, id.mailbox),
                _ => Ok(kept),
            }
        };
        let kept = match id.kind {
            RecordKind::Calendar => db.run_for(id.mailbox, read).await?,
            _ => HashMap::new(),
        };
        Ok(Self {
            db: db.clone(),
            mailbox: id.mailbox,
            crm: crm.to_owned(),
            people,
            kept: RwLock::new(kept),
        })
    }

    /// True for a CRM user whose mailbox is here, or will be again.
    pub fn is_here(&self, owner: &CrmId) -> bool {
        self.people.is_here(&self.crm, owner)
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
