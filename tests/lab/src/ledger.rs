//! What people would have noticed: invitations sent, mail delivered, duplicates, deletions, lost updates.
//!
//! Identifiers and addresses only; never a subject or a body. Tests read it to prove that a
//! synchronisation disturbed nobody.
//!
//! The synchronising account is the one that a synchronisation is given: the service account while it acts in
//! somebody's name, and whoever comes through the org's app ([`crate::SERVICE_LOGIN`],
//! [`crate::salesforce::app::CLIENT_ID`]). What it alone did is compared with what the other side holds at that
//! moment. People, and tests that act for them, come by another way ([`crate::PEOPLES_LOGIN`],
//! [`crate::salesforce::app::PEOPLES_CLIENT_ID`]), and may double, delete and overwrite as they please.
//!
//! Known not to be noticed: a copy beside one that the sides' own rules made unlike it (a masked title), and a
//! write through Exchange's AutoResolve over a property that somebody else changed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::faults::Side;
use crate::journal::{Durable, Journal};
use crate::likeness::{Holder, Likeness, Sort};

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
    /// The synchronising account made one more copy of a thing than the other side has: `key` names what they
    /// share.
    Duplicate {
        side: Side,
        mailbox: String,
        key: String,
        ids: Vec<String>,
    },
    /// A write overwrote a newer version that its writer had not seen.
    LostUpdate { side: Side, mailbox: String, id: String },
    /// The synchronising account deleted what a person had made, and nobody had deleted it on the other side.
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
    journal: Arc<OnceLock<Journal>>,
    sides: Arc<OnceLock<Sides>>,
}

/// The two worlds, which hold the ledger themselves.
struct Sides {
    exchange: Weak<dyn Holder>,
    salesforce: Weak<dyn Holder>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new() -> Ledger {
        Ledger::default()
    }

    /// From now on each side can be compared with the other.
    pub fn introduce(&self, exchange: Weak<dyn Holder>, salesforce: Weak<dyn Holder>) {
        // A second pair would be another lab's.
        let _ = self.sides.set(Sides { exchange, salesforce });
    }

    /// Adds one entry.
    pub fn record(&self, noticed: Noticed) {
        self.note(&Some(&noticed));
        self.locked().push(noticed);
    }

    /// The synchronising account made something; `ids` are all living copies of it on this side now. Not to be
    /// called while a world is locked.
    pub fn made(&self, side: Side, thing: &Likeness, ids: Vec<String>) {
        if ids.len() < 2 {
            return;
        }
        let others = self.on_the_other(side, thing);
        // A mail is not made on the mail server, and stands in the CRM once for all. What the other side does not
        // know by this name at all cannot be compared.
        if thing.sort == Sort::Mail || (1..ids.len()).contains(&others) {
            self.record(Noticed::Duplicate {
                side,
                mailbox: thing.owner.clone(),
                key: thing.key(),
                ids,
            });
        }
    }

    /// The synchronising account deleted something that a person had made, of which so many living copies are left
    /// on this side. Not to be called while a world is locked.
    pub fn gone(&self, side: Side, thing: &Likeness, left: usize, id: String) {
        if self.on_the_other(side, thing) > left {
            self.record(Noticed::Deleted {
                side,
                mailbox: thing.owner.clone(),
                id,
            });
        }
    }

    fn on_the_other(&self, side: Side, thing: &Likeness) -> usize {
        let other = self.sides.get().map(|sides| match side {
            Side::Exchange => &sides.salesforce,
            Side::Salesforce => &sides.exchange,
        });
        let other = other.and_then(Weak::upgrade);
        other.map_or(0, |other| other.copies(thing))
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<Noticed>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// None means that everything is forgotten.
    fn note(&self, entry: &Option<&Noticed>) {
        if let Some(journal) = self.journal.get() {
            journal.append(self.name(), entry);
        }
    }

    /// Every entry, oldest first.
    pub fn entries(&self) -> Vec<Noticed> {
        self.locked().clone()
    }

    /// Forgets every entry.
    pub fn clear(&self) {
        self.note(&None);
        self.locked().clear();
    }

    /// These entries, and no others.
    pub fn go_back(&self, entries: &[Noticed]) {
        *self.locked() = entries.to_vec();
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

impl Durable for Ledger {
    fn name(&self) -> &'static str {
        "ledger"
    }

    fn replay(&self, entry: Value) {
        match serde_json::from_value(entry) {
            Ok(Some(noticed)) => self.locked().push(noticed),
            Ok(None) => self.locked().clear(),
            Err(error) => tracing::error!(%error, "an entry of the ledger cannot be read"),
        }
    }

    fn attach(&self, journal: Journal) {
        let _ = self.journal.set(journal);
    }
}
