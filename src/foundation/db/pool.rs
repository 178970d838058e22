//! The bridge: a pool of connections, and one closure as one transaction.

use super::error::DbError;
use crate::foundation::ids::MailboxId;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::r2d2::{
    ConnectionManager, CustomizeConnection, NopErrorHandler, Pool, PooledConnection, R2D2Connection,
};
use diesel::result::Error as DieselError;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How many connections, and how long to wait for one.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Connections at most. As many closures run at once; the others wait without holding a thread.
    pub size: u32,
    /// How long one call may wait for PostgreSQL to accept a connection before it fails.
    pub connect_timeout: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            size: 8,
            connect_timeout: Duration::from_secs(5),
        }
    }
}

/// The database. Cheap to clone; all clones share one pool.
#[derive(Clone)]
pub struct Db {
    pool: Pool<ConnectionManager<PgConnection>>,
    /// One permit a connection: waiting for a turn happens here, in async code, and not on a thread.
    permits: Arc<Semaphore>,
}

impl Db {
    /// Opens the pool and proves it with one connection.
    ///
    /// `url` is a libpq connection string or URI. A server that is killed and started again later is no
    /// reason to open anew: a connection that cannot begin a transaction is replaced.
    ///
    /// # Errors
    /// [`DbError::NoConnection`] when PostgreSQL does not answer in time.
    pub async fn connect(url: &str, options: &PoolOptions) -> Result<Self, DbError> {
        let builder = Pool::builder()
            .max_size(options.size.max(1))
            .min_idle(Some(1))
            .connection_timeout(options.connect_timeout)
            .test_on_check_out(false)
            .connection_customizer(Box::new(SessionSettings))
            // A failed connection is reported by the call that wanted it; the pool's own thread stays quiet.
            .error_handler(Box::new(NopErrorHandler));
        let pool = builder.build_unchecked(ConnectionManager::new(url));
        let db = Self {
            pool,
            permits: Arc::new(Semaphore::new(options.size.max(1) as usize)),
        };
        db.run(|conn| conn.ping().map_err(DbError::from)).await?;
        Ok(db)
    }

    /// Runs `work` as one transaction with no mailbox in scope.
    ///
    /// Dropping the future does not stop a closure that has begun: it ends, and commits if it succeeds.
    ///
    /// # Errors
    /// What `work` returns, or a [`DbError`] from the pool, BEGIN or COMMIT. Either way it is rolled back.
    pub async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<diesel::result::Error> + From<DbError> + Send + 'static,
    {
        self.transaction(None, work).await
    }

    /// Runs `work` as one transaction that sees the rows of `mailbox` alone.
    ///
    /// # Errors
    /// As [`run`](Self::run). A write to another mailbox's rows fails with [`DbError::NotPermitted`] (insert)
    /// or touches no row (update, delete).
    pub async fn run_for<T, E, F>(&self, mailbox: MailboxId, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<diesel::result::Error> + From<DbError> + Send + 'static,
    {
        self.transaction(Some(mailbox), work).await
    }

    async fn transaction<T, E, F>(&self, mailbox: Option<MailboxId>, work: F) -> Result<T, E>
    where
        F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<diesel::result::Error> + From<DbError> + Send + 'static,
    {
        // An error would mean a closed semaphore; nobody closes it.
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
        let pool = self.pool.clone();
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let mut conn = begun(&pool, mailbox)?;
            let done = work(&mut conn);
            ended(&mut conn, done)
        });
        task.await
            .unwrap_or_else(|stopped| Err(DbError::TaskStopped(stopped).into()))
    }
}

/// Whether a server answers and lets this role in. Blocking.
pub fn answers(url: &str) -> bool {
    PgConnection::establish(url).is_ok()
}

type Pooled = PooledConnection<ConnectionManager<PgConnection>>;

/// A connection with an open transaction, in which this mailbox is in scope.
///
/// All of it is one statement: a turn has some twenty transactions, and each question of its own, whether the server
/// still answers and which mailbox is meant, would be another way to the server and back in every one of them.
fn begun(
    pool: &Pool<ConnectionManager<PgConnection>>,
    mailbox: Option<MailboxId>,
) -> Result<Pooled, DbError> {
    let begin = match mailbox {
        None => "BEGIN".to_owned(),
        // A number; LOCAL ends it with the transaction.
        Some(MailboxId(number)) => format!("BEGIN; SET LOCAL holdfast.mailbox = '{number}'"),
    };
    // A server that was started anew has left every connection of the pool dead.
    let mut dead = 0;
    loop {
        let mut conn = pool.get().map_err(DbError::NoConnection)?;
        let Err(error) = AnsiTransactionManager::begin_transaction_sql(&mut *conn, &begin) else {
            return Ok(conn);
        };
        // So that the pool throws it away.
        AnsiTransactionManager::transaction_manager_status_mut(&mut *conn).set_in_error();
        dead += 1;
        if dead > pool.max_size() {
            return Err(error.into());
        }
    }
}

/// Commits what went well, and takes back what did not.
fn ended<T, E>(conn: &mut PgConnection, done: Result<T, E>) -> Result<T, E>
where
    E: From<DieselError> + From<DbError>,
{
    match done {
        Ok(value) => {
            AnsiTransactionManager::commit_transaction(conn)?;
            Ok(value)
        }
        Err(error) => match AnsiTransactionManager::rollback_transaction(conn) {
            // What broke the connection says more than that it is broken.
            Ok(()) | Err(DieselError::BrokenTransactionManager) => Err(error),
            Err(rollback) => Err(rollback.into()),
        },
    }
}

/// What every connection is told first: a forgotten lock or a runaway statement ends by itself.
#[derive(Debug)]
struct SessionSettings;

impl CustomizeConnection<PgConnection, diesel::r2d2::Error> for SessionSettings {
    fn on_acquire(&self, conn: &mut PgConnection) -> Result<(), diesel::r2d2::Error> {
        conn.batch_execute(
            "SET application_name = 'holdfast';
             SET statement_timeout = '60s';
             SET lock_timeout = '20s';
             SET idle_in_transaction_session_timeout = '60s';",
        )
        .map_err(diesel::r2d2::Error::QueryError)
    }
}
