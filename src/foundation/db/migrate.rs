//! The migrations, compiled into the binary and run by the owner's role.
//!
//! Two processes that start at once do not race: the second waits for the advisory lock and then finds
//! nothing to do. The daemon's role cannot run them; it can read which ones ran.

use super::error::{DbError, one_line};
use crate::foundation::explain::{Explain, Kind};
use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::collections::BTreeSet;

/// Everything under migrations/, in the order of the names.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// The advisory lock's number: "holdfast" in ASCII. Any number serves as long as it never changes.
const LOCK: i64 = 0x686f_6c64_6661_7374;

/// Why a database could not be brought to this version's schema.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The owner's role could not sign in.
    #[error("the owner of the database could not connect")]
    Connect(#[source] ConnectionError),
    /// A statement outside the migrations failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// A migration failed; its transaction was rolled back and earlier ones stand.
    #[error("a migration failed")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database lacks migrations that this version needs, and the daemon's role may not run them.
    #[error("the database lacks {0} migrations")]
    Behind(usize),
    /// The database has migrations that this version does not know.
    #[error("the database is newer than this version")]
    Ahead,
}

impl Explain for MigrateError {
    fn kind(&self) -> Kind {
        match self {
            Self::Connect(_) => Kind::Unavailable,
            Self::Database(error) => error.kind(),
            Self::Migration(_) => Kind::Internal,
            Self::Behind(_) | Self::Ahead => Kind::Conflict,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Connect(_) => "database.owner_cannot_connect",
            Self::Database(error) => error.code(),
            Self::Migration(_) => "database.migration_failed",
            Self::Behind(_) => "database.behind",
            Self::Ahead => "database.ahead",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Connect(source) => format!(
                "The role holdfast_owner could not connect to PostgreSQL ({}). See that PostgreSQL runs, that \
                 database.owner_url is right, and that both roles exist.",
                one_line(&source.to_string())
            ),
            Self::Database(error) => error.sentence(),
            Self::Migration(source) => format!(
                "A migration of the database failed and was rolled back ({}). Nothing was changed; report it \
                 with this text.",
                one_line(&source.to_string())
            ),
            Self::Behind(count) => format!(
                "The database lacks {count} migrations that this version needs. Run `holdfast migrate` with \
                 database.owner_url set."
            ),
            Self::Ahead => "The database was migrated by a newer version of Holdfast. Install that version \
                 or a later one; this one does not touch it."
                .into(),
        }
    }
}

/// Connects as the owner and runs what is missing. Returns the versions that were run.
///
/// Blocking: call it from a blocking thread.
///
/// # Errors
/// [`MigrateError`]; a failed migration leaves the ones before it in place.
pub fn run(owner_url: &str) -> Result<Vec<String>, MigrateError> {
    let mut conn = PgConnection::establish(owner_url).map_err(MigrateError::Connect)?;
    run_on(&mut conn)
}

/// As [`run`], on a connection that is already the owner's.
///
/// # Errors
/// As [`run`].
pub fn run_on(conn: &mut PgConnection) -> Result<Vec<String>, MigrateError> {
    locked(conn, |conn| {
        let done = conn
            .run_pending_migrations(MIGRATIONS)
            .map_err(MigrateError::Migration)?;
        Ok(done.into_iter().map(|version| version.to_string()).collect())
    })
}

/// Undoes every migration, newest first. For tests and for an administrator who removes Holdfast.
///
/// # Errors
/// As [`run`].
pub fn revert_all(conn: &mut PgConnection) -> Result<(), MigrateError> {
    locked(conn, |conn| {
        conn.revert_all_migrations(MIGRATIONS)
            .map(drop)
            .map_err(MigrateError::Migration)
    })
}

/// Sees that the database has exactly this version's migrations. Any role may ask.
///
/// # Errors
/// [`MigrateError::Behind`] or [`MigrateError::Ahead`].
pub fn verify(conn: &mut PgConnection) -> Result<(), MigrateError> {
    let known = known_versions()?;
    let ran: BTreeSet<String> = applied(conn)?;
    if !ran.is_subset(&known) {
        return Err(MigrateError::Ahead);
    }
    match known.difference(&ran).count() {
        0 => Ok(()),
        missing => Err(MigrateError::Behind(missing)),
    }
}

fn known_versions() -> Result<BTreeSet<String>, MigrateError> {
    let all = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(MigrateError::Migration)?;
    Ok(all
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect())
}

/// An empty database has no table of migrations yet, which is the same as an empty table.
fn applied(conn: &mut PgConnection) -> Result<BTreeSet<String>, DbError> {
    #[derive(QueryableByName)]
    struct Ran {
        #[diesel(sql_type = diesel::sql_types::Text)]
        version: String,
    }
    #[derive(QueryableByName)]
    struct Exists {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        here: bool,
    }
    let table =
        diesel::sql_query("SELECT to_regclass('public.__diesel_schema_migrations') IS NOT NULL AS here")
            .get_result::<Exists>(conn)?;
    if !table.here {
        return Ok(BTreeSet::new());
    }
    let rows = diesel::sql_query("SELECT version FROM __diesel_schema_migrations").load::<Ran>(conn)?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

/// Holds the advisory lock while `work` runs. A connection that ends gives it back as well.
fn locked<T>(
    conn: &mut PgConnection,
    work: impl FnOnce(&mut PgConnection) -> Result<T, MigrateError>,
) -> Result<T, MigrateError> {
    conn.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})"))
        .map_err(DbError::from)?;
    let result = work(conn);
    let unlocked = conn.batch_execute(&format!("SELECT pg_advisory_unlock({LOCK})"));
    let value = result?;
    unlocked.map_err(DbError::from)?;
    Ok(value)
}
