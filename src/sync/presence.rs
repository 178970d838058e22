//! A node's sign of life, so that the others and the people know who works.

use super::engine::Engine;
use super::store::nodes::{self, Node};
use crate::foundation::explain::Explain as _;
use chrono::TimeDelta;
use std::time::Duration;
use tokio::sync::watch;

/// Between two signs; a lease is longer.
const PULSE: Duration = Duration::from_secs(2);
/// A node that did not say goodbye is shown as dead for so long.
const REMEMBERED: TimeDelta = TimeDelta::days(7);

/// Gives signs of life until `shutdown` turns true, then says goodbye.
pub async fn run(engine: Engine, name: String, mut shutdown: watch::Receiver<bool>) {
    let started_at = engine.clock.now();
    while !*shutdown.borrow() {
        let node = Node {
            id: engine.node,
            name: name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at,
            seen_at: engine.clock.now(),
        };
        let told = engine.db.run(move |conn| {
            nodes::forget(conn, node.seen_at - REMEMBERED)?;
            nodes::seen(conn, &node)
        });
        if let Err(error) = told.await {
            tracing::debug!(code = error.code(), "no sign of life could be given");
        }
        tokio::select! {
            () = engine.clock.sleep(PULSE) => {}
            _ = shutdown.changed() => {}
        }
    }
    let id = engine.node;
    if let Err(error) = engine.db.run(move |conn| nodes::gone(conn, id)).await {
        tracing::debug!(code = error.code(), "the node will be missed for a while");
    }
}
