//! `[failures]`: what is kept of items that failed.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is kept of items that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FailuresSettings {
    /// How long what a failed item is called is kept, sealed; 0 keeps no names.
    pub names_days: u64,
}

impl FailuresSettings {
    /// How long names are kept.
    pub fn names_keep(&self) -> Duration {
        Duration::from_secs(self.names_days * 86_400)
    }
}

impl Default for FailuresSettings {
    fn default() -> Self {
        Self { names_days: 7 }
    }
}
