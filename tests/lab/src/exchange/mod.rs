//! The lab's Exchange.

pub mod auth;
pub mod defaults;
pub mod directory;
pub mod event;
pub mod field;
pub mod folder;
pub mod ids;
pub mod item;
pub mod mailbox;
pub mod mime;
pub mod mutation;
pub mod ntlm;
pub mod recurrence;
pub mod seed;
pub mod subscription;
pub mod value;
pub mod version;
pub mod world;
pub mod zone;

use bytes::Bytes;
use hyper::{Request, Response, StatusCode};
use serde_json::Value;
use std::sync::Arc;

use crate::http::{ConnectionState, Reply};
use crate::journal::{Durable, Journal};
pub use world::World;

impl World {
    /// The whole content for GET /world: every mailbox with its items.
    pub fn content(&self) -> Value {
        Value::Null
    }

    /// What GET /stats adds for this side: items per mailbox.
    pub fn stats(&self) -> Value {
        Value::Null
    }

    /// Puts raw MIME bytes as a mail into a folder (a distinguished name such as `inbox`) and gives its id.
    ///
    /// # Errors
    /// No such mailbox or folder, as a sentence for the caller.
    pub fn import_eml(&self, mailbox: &str, folder: &str, _mime: Bytes) -> Result<String, String> {
        Err(format!("there is no folder {folder} in {mailbox}"))
    }
}

impl Durable for World {
    fn name(&self) -> &'static str {
        "exchange"
    }

    fn replay(&self, entry: Value) {
        if let Ok(mutation) = serde_json::from_value(entry) {
            self.replay_mutation(mutation);
        }
    }

    fn attach(&self, journal: Journal) {
        self.attach_journal(journal);
    }
}

/// Answers one HTTP request.
pub async fn handle(_world: Arc<World>, _request: Request<Bytes>, _connection: &ConnectionState) -> Reply {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NOT_FOUND;
    Reply::Full(response)
}
