//! The way in: from settings to an open, migrated database.

use super::error::ApplianceError;
use super::postgres::PrivatePostgres;
use crate::foundation::config::Settings;
use crate::foundation::db::{Db, DbError, PoolOptions, migrate as migrations};
use tokio::task::spawn_blocking;
use url::Url;

/// An open database, and the server behind it if it is ours.
pub struct Opened {
    /// The bridge, signed in as the daemon's role.
    pub db: Db,
    /// The private server; none with `database.url` set. Whoever serves spawns its
    /// [`keep_running`](PrivatePostgres::keep_running).
    pub postgres: Option<PrivatePostgres>,
}

/// What stands ready before the daemon's role connects.
struct Prepared {
    daemon_url: String,
    postgres: Option<PrivatePostgres>,
    /// The versions of the migrations that were missing.
    ran: Vec<String>,
}

/// Provides PostgreSQL, brings the schema up to date and connects as the daemon.
///
/// # Errors
/// [`ApplianceError`], each with what to do about it.
pub async fn open(settings: &Settings) -> Result<Opened, ApplianceError> {
    let prepared = prepare(settings).await?;
    let options = PoolOptions {
        size: settings.database.pool_size,
        ..PoolOptions::default()
    };
    let db = Db::connect(&prepared.daemon_url, &options).await?;
    let verified: Result<_, DbError> = db.run(|conn| Ok(migrations::verify(conn))).await;
    verified??;
    Ok(Opened {
        db,
        postgres: prepared.postgres,
    })
}

/// Provides PostgreSQL and runs the migrations that are missing. Returns their versions.
///
/// Without an owner's address nothing is run; [`open`] then says whether something is missing.
///
/// # Errors
/// As [`open`].
pub async fn migrate(settings: &Settings) -> Result<Vec<String>, ApplianceError> {
    Ok(prepare(settings).await?.ran)
}

async fn prepare(settings: &Settings) -> Result<Prepared, ApplianceError> {
    let settings = settings.clone();
    spawn_blocking(move || {
        let (daemon_url, owner_url, postgres) = provide(&settings)?;
        let ran = owner_url.map_or_else(|| Ok(Vec::new()), |url| migrations::run(&url))?;
        Ok(Prepared {
            daemon_url,
            postgres,
            ran,
        })
    })
    .await?
}

/// The addresses for the daemon and for the owner, and the private server behind them.
fn provide(settings: &Settings) -> Result<(String, Option<String>, Option<PrivatePostgres>), ApplianceError> {
    if let Some(url) = &settings.database.url {
        return Ok((
            patient(url),
            settings.database.owner_url.as_deref().map(patient),
            None,
        ));
    }
    let postgres = PrivatePostgres::provide(&settings.data_dir, settings.database.bin_dir.as_deref())?;
    Ok((postgres.daemon_url(), Some(postgres.owner_url()), Some(postgres)))
}

/// What libpq leaves open and a vanished network would turn into hours of silence (PostgreSQL documentation,
/// page "Database Connection Control Functions"). Seconds, except the user timeout: milliseconds.
const PATIENCE: [(&str, &str); 4] = [
    ("connect_timeout", "5"),
    ("tcp_user_timeout", "60000"),
    ("keepalives_idle", "30"),
    ("keepalives_interval", "10"),
];

/// The site's address with time limits where it has none of its own.
fn patient(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else {
        return address.to_owned();
    };
    for (name, value) in PATIENCE {
        if !url.query_pairs().any(|(set, _)| set == name) {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_s_address_gets_time_limits_and_keeps_its_own() {
        let url = patient("postgresql://holdfast_daemon@db/holdfast?sslmode=verify-full&connect_timeout=9");
        assert_eq!(
            url,
            "postgresql://holdfast_daemon@db/holdfast?sslmode=verify-full&connect_timeout=9\
             &tcp_user_timeout=60000&keepalives_idle=30&keepalives_interval=10"
        );
        assert!(
            patient("postgresql:///holdfast?host=/run/postgresql").contains("host=/run/postgresql&connect")
        );
    }
}
