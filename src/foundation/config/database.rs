//! `[database]`: which PostgreSQL.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The private PostgreSQL under `data_dir`, or the site's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// How the daemon connects to the site's own PostgreSQL, as `holdfast_daemon`. Unset: a private one.
    pub url: Option<String>,
    /// How migrations connect there, as `holdfast_owner`. Unset: they are run elsewhere, and only checked.
    pub owner_url: Option<String>,
    /// The folder of PostgreSQL's server programs. Unset: the newest that the system's packages installed.
    pub bin_dir: Option<PathBuf>,
    /// Connections at most.
    pub pool_size: u32,
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: None,
            owner_url: None,
            bin_dir: None,
            pool_size: 12,
        }
    }
}
