//! A database for one test, gone when the test is over.

use super::cluster::{cluster, url};
use diesel::prelude::*;
use holdfast::foundation::db::{Db, PoolOptions};
use std::path::Path;
use uuid::Uuid;

/// A database of the shared cluster. Tests that run at the same time have different ones.
pub struct TestDb {
    name: String,
}

impl TestDb {
    /// With this checkout's schema, and no rows.
    pub fn new() -> Self {
        Self::create(true)
    }

    /// With nothing in it, for tests of the migrations themselves.
    pub fn empty() -> Self {
        Self::create(false)
    }

    fn create(migrated: bool) -> Self {
        let name = format!("test_{}", Uuid::new_v4().simple());
        cluster().create_database(&name, migrated);
        Self { name }
    }

    /// How the daemon connects: it owns nothing.
    pub fn daemon_url(&self) -> String {
        cluster().url("holdfast_daemon", &self.name)
    }

    /// The same by a socket in another folder.
    pub fn daemon_url_at(&self, socket_dir: &Path) -> String {
        url(socket_dir, "holdfast_daemon", &self.name)
    }

    /// How migrations connect.
    pub fn owner_url(&self) -> String {
        cluster().url("holdfast_owner", &self.name)
    }

    /// How nobody of the product connects: past row-level security, to look at everything.
    pub fn superuser_url(&self) -> String {
        cluster().url("harness", &self.name)
    }

    /// The bridge, as the daemon opens it.
    pub async fn db(&self) -> Db {
        Db::connect(
            &self.daemon_url(),
            &PoolOptions {
                size: 4,
                ..PoolOptions::default()
            },
        )
        .await
        .unwrap()
    }

    /// A plain connection as the daemon.
    pub fn daemon(&self) -> PgConnection {
        PgConnection::establish(&self.daemon_url()).unwrap()
    }

    /// A plain connection as the owner.
    pub fn owner(&self) -> PgConnection {
        PgConnection::establish(&self.owner_url()).unwrap()
    }

    /// A plain connection past row-level security.
    pub fn superuser(&self) -> PgConnection {
        PgConnection::establish(&self.superuser_url()).unwrap()
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        cluster().drop_database(&self.name);
    }
}
