//! The org as it was at one moment, for [`crate::past`]. Who is signed in stays signed in, and open results stay open.

use super::noticing::Edits;
use super::store::State;
use super::{Usage, World};
use std::sync::PoisonError;

/// The org as it was.
pub struct Past {
    state: State,
    edits: Edits,
    usage: Usage,
}

impl World {
    /// The org as it is now.
    pub fn past(&self) -> Past {
        let usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        Past {
            state: self.read().clone(),
            edits: self.edits().clone(),
            usage: usage.clone(),
        }
    }

    /// The org is again as it was.
    pub fn go_back(&self, past: &Past) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        state.clone_from(&past.state);
        usage.clone_from(&past.usage);
        self.edits().clone_from(&past.edits);
    }
}
