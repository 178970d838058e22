//! What people would have noticed: invitations sent, mail delivered, duplicates, lost updates.
//!
//! Identifiers and addresses only; never a subject or a body. Tests read it to prove that a
//! synchronisation disturbed nobody.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::faults::Side;

/// One thing a person would have noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Noticed {
    /// A meeting request went out.
    Invitation {
        mailbox: String,
        item: String,
        to: Vec<String>,
    },
    /// A meeting cancellation went out.
    Cancellation {
        mailbox: String,
        item: String,
        to: Vec<String>,
    },
    /// An answer to a meeting request went out; `answer` is accept, tentative or decline.
    Response {
        mailbox: String,
        item: String,
        to: Vec<String>,
        answer: String,
    },
    /// An e-mail went out.
    Mail { from: String, to: Vec<String> },
    /// The same thing exists twice: `key` is what they share, for example a global object id.
    Duplicate {
        side: Side,
        mailbox: String,
        key: String,
        ids: Vec<String>,
    },
    /// A write overwrote a newer version that its writer had not seen.
    LostUpdate { side: Side, mailbox: String, id: String },
    /// Something went to the recycle bin or away for good that a person had made.
    Deleted { side: Side, mailbox: String, id: String },
}

impl Noticed {
    /// The kind as it stands in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Noticed::Invitation { .. } => "invitation",
            Noticed::Cancellation { .. } => "cancellation",
            Noticed::Response { .. } => "response",
            Noticed::Mail { .. } => "mail",
            Noticed::Duplicate { .. } => "duplicate",
            Noticed::LostUpdate { .. } => "lost_update",
            Noticed::Deleted { .. } => "deleted",
        }
    }
}

/// The list, shared by both worlds; clones share it.
#[derive(Clone, Default)]
pub struct Ledger {
    entries: Arc<Mutex<Vec<Noticed>>>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new() -> Ledger {
        Ledger::default()
    }

    /// Adds one entry.
    pub fn record(&self, noticed: Noticed) {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(noticed);
    }

    /// Every entry, oldest first.
    pub fn entries(&self) -> Vec<Noticed> {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Forgets every entry.
    pub fn clear(&self) {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// `{"counts": {kind: n}, "entries": [..]}`.
    pub fn to_json(&self) -> serde_json::Value {
        let entries = self.entries();
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for entry in &entries {
            *counts.entry(entry.kind()).or_default() += 1;
        }
        serde_json::json!({"counts": counts, "entries": entries})
    }
}
