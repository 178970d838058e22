//! The engine's parts, put together once and shared by the worker, the command line and the tests.

use super::error::SyncError;
use super::model::StreamId;
use super::pace::Pace;
use super::retry::Patience;
use super::store::directory::Directory;
use super::store::mailboxes::{self, MailboxRow};
use super::store::streams::{self, Lease};
use crate::crm::port::Crm;
use crate::foundation::clock::Clock;
use crate::foundation::db::Db;
use crate::foundation::keyring::Keyring;
use crate::foundation::telemetry::Metrics;
use crate::mailbox::port::MailboxServer;
use chrono::TimeDelta;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Finds the connection that a mailbox's row names. The composition root has the only implementation.
pub trait Connections: Send + Sync {
    /// The mail server of `[mail_server.NAME]`.
    fn mail_server(&self, name: &str) -> Option<Arc<dyn MailboxServer>>;
    /// The CRM of `[crm.NAME]`.
    fn crm(&self, name: &str) -> Option<Arc<dyn Crm>>;
}

/// How the engine works; the section `[sync]` of the settings.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// From the end of a good turn to the next.
    pub pace: Pace,
    /// How long a lease lasts without a heartbeat.
    pub lease: TimeDelta,
    /// Turns at the same time.
    pub workers: usize,
    /// Changes a page, at most 512.
    pub page_size: usize,
    /// Waits after failures.
    pub patience: Patience,
    /// From one asking of the CRM for every link's record by id to the next.
    pub survivor_check: TimeDelta,
    /// How long the journal of writes goes back.
    pub journal_keep: TimeDelta,
    /// How long the name of an item that failed is kept; zero keeps none.
    pub names_keep: TimeDelta,
    /// How long a new mailbox is asked before the others of its group are disturbed to listen to it as well.
    pub join_after: Duration,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            pace: Pace {
                busy: TimeDelta::seconds(30),
                quiet: TimeDelta::seconds(300),
                listening: TimeDelta::seconds(900),
            },
            lease: TimeDelta::seconds(60),
            workers: 8,
            page_size: 512,
            patience: Patience::default(),
            survivor_check: TimeDelta::hours(24),
            journal_keep: TimeDelta::days(90),
            names_keep: TimeDelta::days(7),
            join_after: Duration::from_secs(300),
        }
    }
}

/// The engine.
#[derive(Clone)]
pub struct Engine {
    /// The database, as the daemon's role.
    pub db: Db,
    /// Keys for fingerprints, stamps and external keys.
    pub keyring: Arc<Keyring>,
    /// The time.
    pub clock: Clock,
    /// The outside.
    pub connections: Arc<dyn Connections>,
    /// How to work.
    pub settings: EngineSettings,
    /// This process, as an owner of leases.
    pub node: Uuid,
    /// What is counted.
    pub metrics: Metrics,
    /// Who is here.
    pub directory: Directory,
}

impl Engine {
    /// The mail server of this name.
    pub fn mail_server(&self, name: &str) -> Result<Arc<dyn MailboxServer>, SyncError> {
        self.connections
            .mail_server(name)
            .ok_or_else(|| SyncError::NotConfigured {
                name: format!("mail_server.{name}"),
            })
    }

    /// The CRM of this name.
    pub fn crm(&self, name: &str) -> Result<Arc<dyn Crm>, SyncError> {
        self.connections
            .crm(name)
            .ok_or_else(|| SyncError::NotConfigured {
                name: format!("crm.{name}"),
            })
    }

    /// A mailbox with the folders that its policy chooses: for questions that no stream asks.
    ///
    /// # Errors
    /// The database's.
    pub async fn with_folders(&self, row: &MailboxRow) -> Result<MailboxRow, SyncError> {
        let mut row = row.clone();
        self.db
            .run(move |conn| {
                mailboxes::choose_folders(conn, std::slice::from_mut(&mut row))?;
                Ok(row)
            })
            .await
    }

    /// Takes one stream's lease for this node, due or not; `None` where somebody else holds it.
    ///
    /// # Errors
    /// The database's.
    pub async fn lease(&self, stream: StreamId) -> Result<Option<Lease>, SyncError> {
        let (now, owner, length) = (self.clock.now(), self.node, self.settings.lease);
        self.db
            .run(move |conn| streams::lease_one(conn, stream, owner, now, now + length))
            .await
    }
}
