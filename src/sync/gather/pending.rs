//! The CRM's changes of a turn that are not dealt with yet.

use super::alike::{Mark, marks};
use crate::crm::model::{CrmChange, CrmId, CrmRecord, ExternalKey};
use crate::mailbox::model::Stamp;
use crate::record::Record;
use crate::record::kind::RecordKind;
use crate::sync::choice::model::Stage;
use crate::sync::error::SyncError;
use crate::sync::stream::Stream;
use std::collections::{BTreeMap, HashMap};

/// The CRM's changes of this turn that are not dealt with yet.
#[derive(Default)]
pub struct Pending {
    changes: BTreeMap<CrmId, CrmChange>,
    stamps: HashMap<Stamp, CrmId>,
    keys: HashMap<ExternalKey, CrmId>,
    /// Records that we never had to do with, by what would make an item alike to them.
    strangers: HashMap<Mark, Vec<CrmId>>,
}

impl Pending {
    /// Adds a change; a later one of the same record replaces an earlier one.
    pub fn add(&mut self, stream: &Stream, change: CrmChange) {
        let id = match &change {
            CrmChange::Upserted(record) => record.id.clone(),
            CrmChange::Deleted(id) => id.clone(),
        };
        if let CrmChange::Upserted(record) = &change {
            self.stamps
                .insert(stream.keys.stamp(stream.kind(), &id), id.clone());
            self.keys.extend(record.key.clone().map(|key| (key, id.clone())));
            if record.key.is_none() && !stream.keeps_out(record) {
                for (_, mark) in marks(&record.record) {
                    self.strangers.entry(mark).or_default().push(id.clone());
                }
            }
        }
        self.changes.insert(id, change);
    }

    /// Adds records as they are now, of which the CRM's feed may not tell again. A mail that was saved is not looked at
    /// again.
    ///
    /// # Errors
    /// The CRM's.
    pub async fn read(&mut self, stream: &Stream, ids: &[CrmId]) -> Result<(), SyncError> {
        if ids.is_empty() || stream.kind() == RecordKind::Mail {
            return Ok(());
        }
        let records = stream.crm.read(&stream.row.user, stream.kind(), ids).await?;
        for record in records.into_iter().flatten() {
            self.add(stream, CrmChange::Upserted(Box::new(record)));
        }
        Ok(())
    }

    /// The records among them.
    pub fn records(&self) -> impl Iterator<Item = &CrmRecord> {
        self.changes.values().filter_map(|change| match change {
            CrmChange::Upserted(record) => Some(record.as_ref()),
            CrmChange::Deleted(_) => None,
        })
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// True where none is left.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Records that are gone.
    pub fn deleted(&self) -> Vec<CrmId> {
        let gone = |change: &&CrmChange| matches!(change, CrmChange::Deleted(_));
        self.changes
            .values()
            .filter(gone)
            .map(|change| change.id().clone())
            .collect()
    }

    /// Drops the change of this record.
    pub fn forget(&mut self, id: &CrmId) {
        self.changes.remove(id);
    }

    /// Takes up to `most` changes.
    pub fn take_some(&mut self, most: usize) -> Vec<CrmChange> {
        let ids: Vec<CrmId> = self.changes.keys().take(most).cloned().collect();
        ids.iter().filter_map(|id| self.changes.remove(id)).collect()
    }

    /// True where there is a change of this record.
    pub(in crate::sync) fn has(&self, id: &CrmId) -> bool {
        self.changes.contains_key(id)
    }

    /// True where the record was deleted.
    pub(super) fn says_deleted(&self, id: &CrmId) -> bool {
        matches!(self.changes.get(id), Some(CrmChange::Deleted(_)))
    }

    /// True where a living record that we made under this key waits.
    pub(super) fn keyed(&self, key: &ExternalKey) -> bool {
        let change = self.keys.get(key).and_then(|id| self.changes.get(id));
        matches!(change, Some(CrmChange::Upserted(_)))
    }

    /// Takes the change of this record.
    pub(in crate::sync) fn take(&mut self, id: &CrmId) -> Option<CrmChange> {
        self.changes.remove(id)
    }

    /// Records that are like this one, the surest first, as far as their news waits, with what is alike of them.
    pub(super) fn alike(&self, record: &Record) -> Vec<(Stage, CrmId)> {
        let mut found = Vec::new();
        for (stage, mark) in marks(record) {
            let ids = self.strangers.get(&mark).into_iter().flatten();
            let still = ids.filter(|id| match self.changes.get(*id) {
                Some(CrmChange::Upserted(now)) => marks(&now.record).iter().any(|(_, other)| *other == mark),
                _ => false,
            });
            found.extend(still.map(|id| (stage, id.clone())));
        }
        found
    }

    /// The record whose stamp an item carries, as far as its news waits.
    pub(super) fn stamped(&self, stamp: &Stamp) -> Option<&CrmId> {
        self.stamps.get(stamp).filter(|id| self.has(id))
    }

    /// Takes the record whose stamp an item carries, if it is still there.
    pub(super) fn take_stamped(&mut self, stamp: &Stamp) -> Option<CrmRecord> {
        let id = self.stamps.get(stamp)?.clone();
        self.take_record(id)
    }

    /// Takes the record that we made under this key, if it is still there.
    pub(super) fn take_keyed(&mut self, key: &ExternalKey) -> Option<CrmRecord> {
        let id = self.keys.get(key)?.clone();
        self.take_record(id)
    }

    fn take_record(&mut self, id: CrmId) -> Option<CrmRecord> {
        match self.changes.remove(&id) {
            Some(CrmChange::Upserted(record)) => Some(*record),
            other => {
                self.changes.extend(other.map(|change| (id, change)));
                None
            }
        }
    }
}
