//! The lab's Salesforce.

use std::sync::Arc;

use bytes::Bytes;
use hyper::{Request, Response, StatusCode};
use serde_json::Value;

use crate::Options;
use crate::cast::Cast;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::http::{ConnectionState, Reply};
use crate::journal::{Durable, Journal};
use crate::ledger::Ledger;

pub mod app;
pub mod id;

/// One org.
pub struct World;

impl World {
    /// The seeded world.
    pub fn new(
        _cast: Arc<Cast>,
        _clock: Clock,
        _ledger: Ledger,
        _faults: Faults,
        _options: &Options,
    ) -> World {
        World
    }

    /// The whole content for GET /world.
    pub fn content(&self) -> Value {
        Value::Null
    }

    /// What GET /stats adds for this side.
    pub fn stats(&self) -> Value {
        Value::Null
    }
}

impl Durable for World {
    fn name(&self) -> &'static str {
        "salesforce"
    }

    fn replay(&self, _entry: Value) {}

    fn attach(&self, _journal: Journal) {}
}

/// Answers one HTTP request.
pub async fn handle(_world: Arc<World>, _request: Request<Bytes>, _connection: &ConnectionState) -> Reply {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NOT_FOUND;
    Reply::Full(response)
}
