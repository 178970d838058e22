//! All settings together.

use super::crm::Crm;
use super::database::Database;
use super::egress::Egress;
use super::failures::FailuresSettings;
use super::keyring::KeyringSettings;
use super::log::Log;
use super::mail_server::MailServer;
use super::sync::SyncSettings;
use super::web::Web;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Everything that an administrator can set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where everything lives that Holdfast stores: the private database, its own certificate, logs.
    pub data_dir: PathBuf,
    /// Which PostgreSQL.
    pub database: Database,
    /// What is logged, and where.
    pub log: Log,
    /// The page and its sign-in.
    pub web: Web,
    /// The doors to the outside.
    pub egress: Egress,
    /// Where the key is that opens stored secrets.
    pub keyring: KeyringSettings,
    /// The pace of the work.
    pub sync: SyncSettings,
    /// What is kept of items that failed.
    pub failures: FailuresSettings,
    /// The Exchange organisations, by name.
    pub mail_server: BTreeMap<String, MailServer>,
    /// The CRM organisations, by name.
    pub crm: BTreeMap<String, Crm>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_dir: "/var/lib/holdfast".into(),
            database: Database::default(),
            log: Log::default(),
            web: Web::default(),
            egress: Egress::default(),
            keyring: KeyringSettings::default(),
            sync: SyncSettings::default(),
            failures: FailuresSettings::default(),
            mail_server: BTreeMap::new(),
            crm: BTreeMap::new(),
        }
    }
}
