//! The quota governor: no CRM is asked more often than it allows, with a reserve for the people who work in it.
//!
//! The CRM says in each answer how many calls of its window everybody has used; that is the truth ([`store`]).
//! What is left of our share is given out to the nodes in chunks ([`share`]), so that they do not all spend the
//! same calls, and no call waits for the database ([`purse`]). When little is left, streams rest longer
//! ([`crate::sync::pace`]) and first readings wait; when nothing is left, streams wait with a code that says so, and
//! go on by themselves. First readings have a share of their own beside that ([`backfill`]): what they took within a day
//! is counted apart, so that years of mail never starve who works.

pub mod backfill;
pub mod purse;
pub mod share;
pub mod store;

use crate::crm::budget::CallBudget as _;
use crate::foundation::explain::Explain as _;
use crate::sync::engine::Engine;
use crate::sync::error::SyncError;
use purse::Purse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::{Fetched, Report};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The purses of this node, by the names of the CRMs.
pub type Purses = BTreeMap<String, Arc<Purse>>;

/// Between two reports, even where nothing runs low: others must know what is spent.
const REPORT: Duration = Duration::from_secs(10);
/// Between two fetches in a hurry.
const BREATH: Duration = Duration::from_millis(200);

/// Fills the purses until `shutdown` turns true.
pub async fn run(engine: Engine, purses: Purses, shutdown: watch::Receiver<bool>) {
    let mut all = JoinSet::new();
    for (crm, purse) in purses {
        all.spawn(fill(engine.clone(), crm, purse, shutdown.clone()));
    }
    while all.join_next().await.is_some() {}
}

async fn fill(engine: Engine, crm: String, purse: Arc<Purse>, mut shutdown: watch::Receiver<bool>) {
    while !*shutdown.borrow() {
        match fetch(&engine, &crm, &purse).await {
            Ok((fetched, told)) => {
                purse.put(fetched.calls, fetched.known);
                purse.told_backfill(told, fetched.backfill);
            }
            // What is in the purse may be spent; then calls wait.
            Err(error) => tracing::warn!(crm, code = error.code(), "no calls could be fetched"),
        }
        engine.clock.sleep(BREATH).await;
        tokio::select! {
            () = engine.clock.sleep(REPORT) => {}
            () = purse.runs_low(), if purse.pressure() < 1.0 => {}
            _ = shutdown.changed() => {}
        }
    }
}

async fn fetch(engine: &Engine, crm: &str, purse: &Purse) -> Result<(Fetched, u64), SyncError> {
    let (left, heard) = purse.report();
    let backfill = purse.backfill();
    let report = Report {
        crm: crm.to_owned(),
        node: engine.node,
        left,
        heard,
        reserve_percent: purse.reserve_percent(),
        backfill,
        backfill_percent: purse.backfill_percent(),
    };
    let now = engine.clock.now();
    let fetched = engine
        .db
        .run(move |conn| store::fetch(conn, &report, now))
        .await?;
    Ok((fetched, backfill))
}
