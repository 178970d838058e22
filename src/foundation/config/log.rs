//! `[log]`: what is logged, and where. Logs carry identifiers and codes, never content.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// How much: error, warn, info, debug or trace; or per room, such as `info,holdfast::sync=debug`.
    pub level: String,
    /// The folder for one file a day. Unset: standard error, which systemd keeps.
    pub directory: Option<PathBuf>,
    /// The shape of a line.
    pub format: LogFormat,
    /// How many daily files stay.
    pub keep_files: usize,
}

/// The shape of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".into(),
            directory: None,
            format: LogFormat::Text,
            keep_files: 14,
        }
    }
}
