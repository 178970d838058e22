//! `[keyring]`: where the key is that opens stored secrets.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The key-encryption key's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyringSettings {
    /// The file with the key: outside the database, and outside its backup.
    pub key_file: PathBuf,
    /// Whether `holdfast migrate` may make it when it is absent and nothing is sealed yet.
    pub create_key_file: bool,
}

impl Default for KeyringSettings {
    fn default() -> Self {
        Self {
            key_file: "/etc/holdfast/keyring.key".into(),
            create_key_file: true,
        }
    }
}
