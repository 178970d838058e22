//! The ledger's table: rows are handed to a task of their own and written in batches, so that no call waits.

use super::ledger::{LedgerRow, LedgerSink};
use crate::foundation::backoff::Backoff;
use crate::foundation::clock::Clock;
use crate::foundation::db::schema::egress_ledger;
use crate::foundation::db::{Db, DbError};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Rows that may wait for the database; a day of it being away at one connection a second.
const WAITING: usize = 86_400;
/// Rows written by one statement. PostgreSQL takes 65,535 parameters, a row has nine.
const BATCH: usize = 500;
/// While the database is away.
const PATIENCE: Backoff = Backoff {
    first: Duration::from_secs(1),
    last: Duration::from_secs(60),
};

/// The sink that writes to table `egress_ledger`.
pub struct DbLedger {
    rows: mpsc::Sender<LedgerRow>,
    lost: Arc<AtomicU64>,
}

impl DbLedger {
    /// Starts the writing task. It ends, with everything written, once the last clone of the gate that holds
    /// this sink is gone; await the handle at shutdown.
    pub fn start(db: Db, clock: Clock) -> (Arc<Self>, JoinHandle<()>) {
        let (rows, waiting) = mpsc::channel(WAITING);
        let task = tokio::spawn(write_all(db, clock, waiting));
        (
            Arc::new(Self {
                rows,
                lost: Arc::default(),
            }),
            task,
        )
    }

    /// Rows that could not be kept because the database was away for too long.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl LedgerSink for DbLedger {
    fn connection(&self, row: LedgerRow) {
        if let Err(error) = self.rows.try_send(row) {
            self.lost.fetch_add(1, Ordering::Relaxed);
            let row = error.into_inner();
            tracing::error!(
                host = row.host,
                port = row.port,
                outcome = row.outcome.word(),
                "the egress ledger is full: a row was not kept"
            );
        }
    }
}

async fn write_all(db: Db, clock: Clock, mut waiting: mpsc::Receiver<LedgerRow>) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let rows: Arc<[NewRow]> = batch.drain(..).map(NewRow::from).collect();
        let mut attempts = 0;
        loop {
            let written = Arc::clone(&rows);
            match db
                .run::<_, DbError, _>(move |conn| Ok(insert(conn, &written)?))
                .await
            {
                Ok(()) => break,
                Err(error) => {
                    attempts += 1;
                    if attempts == 1 {
                        tracing::warn!(%error, "the egress ledger waits for the database");
                    }
                    clock.sleep(PATIENCE.wait(attempts, 0.5)).await;
                }
            }
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = egress_ledger)]
struct NewRow {
    at: DateTime<Utc>,
    purpose: &'static str,
    host: String,
    port: i32,
    address: Option<String>,
    outcome: &'static str,
    bytes_out: i64,
    bytes_in: i64,
    duration_ms: i32,
}

impl From<LedgerRow> for NewRow {
    fn from(row: LedgerRow) -> Self {
        Self {
            at: row.at,
            purpose: row.purpose.word(),
            host: row.host,
            port: row.port.into(),
            address: row.address.map(|address| address.to_string()),
            outcome: row.outcome.word(),
            bytes_out: row.bytes_out.try_into().unwrap_or(i64::MAX),
            bytes_in: row.bytes_in.try_into().unwrap_or(i64::MAX),
            duration_ms: row.duration.as_millis().try_into().unwrap_or(i32::MAX),
        }
    }
}

fn insert(conn: &mut PgConnection, rows: &[NewRow]) -> QueryResult<()> {
    diesel::insert_into(egress_ledger::table)
        .values(rows)
        .execute(conn)
        .map(drop)
}
