//! What became of each write of a batch. A connector settles them one by one, in whatever order they come.

use super::error::CrmError;
use super::model::CrmWritten;

/// What became of each write so far; `None` where nothing is known yet.
pub struct Settled(Vec<Option<Result<CrmWritten, CrmError>>>);

impl Settled {
    /// Nothing is known of so many writes.
    pub fn of(count: usize) -> Self {
        Self((0..count).map(|_| None).collect())
    }

    /// Says what became of one.
    pub fn settle(&mut self, at: usize, fate: Result<CrmWritten, CrmError>) {
        if let Some(slot) = self.0.get_mut(at) {
            *slot = Some(fate);
        }
    }

    /// The record of a write that succeeded.
    pub fn written(&self, at: usize) -> Option<&CrmWritten> {
        self.0.get(at)?.as_ref()?.as_ref().ok()
    }

    /// The fates in order; `missing` for those that nobody settled.
    pub fn finish(self, missing: impl Fn() -> CrmError) -> Vec<Result<CrmWritten, CrmError>> {
        let fates = self.0.into_iter();
        fates.map(|fate| fate.unwrap_or_else(|| Err(missing()))).collect()
    }
}
