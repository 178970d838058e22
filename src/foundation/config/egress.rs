//! `[egress]`: the doors to the outside.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// The doors to the outside. Nothing is implied: not even the hosts of the configured servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Egress {
    /// Every `host:port` that may be reached.
    pub allow: Vec<String>,
    /// Further certificate authorities, PEM, beside the system's.
    pub extra_ca_files: Vec<PathBuf>,
    /// How long a connection may take to come up, TLS included.
    pub connect_timeout_s: u64,
    /// How long a row of the ledger is kept.
    pub ledger_days: u32,
}

impl Egress {
    /// How long a connection may take to come up, TLS included.
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_secs(self.connect_timeout_s)
    }
}

impl Default for Egress {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            extra_ca_files: Vec::new(),
            connect_timeout_s: 10,
            ledger_days: 90,
        }
    }
}
