//! What the writes of one call share, and what became of each.

use super::wire::describe::Object;
use crate::crm::error::CrmError;
use crate::crm::model::{CrmId, CrmUser, CrmWritten};
use crate::record::kind::RecordKind;

/// What all writes of a batch share.
pub(super) struct Batch<'a> {
    /// As whom.
    pub(super) user: &'a CrmUser,
    /// Of which kind the records are.
    pub(super) kind: RecordKind,
    /// What the user may do with their object.
    pub(super) object: &'a Object,
    /// The user's id.
    pub(super) owner: CrmId,
    /// Calls are made as this very user, so that what he makes is his.
    pub(super) acts_as_user: bool,
    /// Events hold several contacts in their columns.
    pub(super) shared: bool,
}

/// What became of each write so far; `None` where nothing is known yet.
pub(super) struct Fates(Vec<Option<Result<CrmWritten, CrmError>>>);

impl Fates {
    /// Nothing is known of so many writes.
    pub(super) fn of(count: usize) -> Self {
        Self((0..count).map(|_| None).collect())
    }

    /// Says what became of one.
    pub(super) fn settle(&mut self, at: usize, fate: Result<CrmWritten, CrmError>) {
        if let Some(slot) = self.0.get_mut(at) {
            *slot = Some(fate);
        }
    }

    /// The fates in order; `missing` for those that nobody settled.
    pub(super) fn finish(self, missing: impl Fn() -> CrmError) -> Vec<Result<CrmWritten, CrmError>> {
        let fates = self.0.into_iter();
        fates.map(|fate| fate.unwrap_or_else(|| Err(missing()))).collect()
    }
}
