//! Faults by rule and seed: what goes wrong, where, how often.
//!
//! A rule names a side, optionally an operation and a mailbox (or CRM user), and a fault. The
//! worlds ask [`Faults::decide`] once per request. A rule with `times` is used up; a rule with
//! `probability` draws from its own seeded generator, so that the same requests in the same order
//! meet the same faults.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Which world a rule or a count speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The mail server.
    Exchange,
    /// The CRM.
    Salesforce,
}

/// What goes wrong. In JSON `{"kind": "busy", "back_off_ms": 500}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// "Server busy" in the side's own words, with the pause it asks for.
    Busy { back_off_ms: u64 },
    /// The answer comes late.
    Slow { ms: u64 },
    /// The connection is cut after so many bytes of the answer; the request was applied.
    Cut { after_bytes: usize },
    /// An HTML page instead of the protocol's answer.
    Html { status: u16 },
    /// A bare HTTP status, with `Retry-After` in seconds if given.
    HttpStatus { status: u16, retry_after: Option<u64> },
    /// A batch is applied up to its middle, then the connection is cut.
    HalfApplied,
    /// Everything is applied, the answer is lost.
    ApplyThenCut,
    /// The session or token counts as expired.
    ExpiredToken,
    /// The cursor given (sync state, query locator) counts as unknown.
    LostCursor,
    /// The answer contains a character that XML forbids.
    IllegalXml,
    /// The sign-in is refused as if the password were wrong.
    WrongPassword,
    /// The connection is closed before anything is read or applied.
    Down,
    /// The side's budget counts as used up.
    LimitExceeded,
    /// Every second row of a batch (or the only row) meets a locked record.
    LockedRow,
    /// Salesforce refuses with this code: each row of a write, or else the call.
    Refused { code: Told },
}

/// Codes that Salesforce gives for reasons which the lab does not live through (an organisation's own rules, full
/// storage, security policies, a database under load), so that they are said only when somebody asks for it ("Core
/// Data Types: StatusCode", "Status Codes and Error Responses").
pub const TOLD: [&str; 9] = [
    "API_TEMPORARILY_UNAVAILABLE",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
    "OPERATION_TOO_LARGE",
    "QUERY_TIMEOUT",
    "STORAGE_LIMIT_EXCEEDED",
    "TXN_SECURITY_METERING_ERROR",
    "TXN_SECURITY_NO_ACCESS",
];

/// One of [`TOLD`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told(pub &'static str);

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let code = String::deserialize(from)?;
        let known = TOLD.into_iter().find(|known| *known == code);
        let unknown = || serde::de::Error::custom(format!("{code} is none of {}", TOLD.join(", ")));
        known.map(Told).ok_or_else(unknown)
    }
}

/// One rule. In JSON the fault's fields stand beside the others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// The world it holds for.
    pub side: Side,
    /// The operation's name in /stats (for example `GetItem`, `query`); absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The mailbox's SMTP address, or the CRM username; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<String>,
    /// What happens.
    #[serde(flatten)]
    pub fault: Fault,
    /// After how many hits the rule is used up; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// How many matching requests pass before the first hit.
    #[serde(default)]
    pub skip: u64,
    /// The chance of a hit, 0 to 1; absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// The seed of the rule's own generator.
    #[serde(default)]
    pub seed: u64,
}

struct Armed {
    rule: Rule,
    rng: ChaCha8Rng,
}

#[derive(Default)]
struct Inner {
    /// Read first, so that a lab without faults takes no lock.
    armed_count: AtomicUsize,
    armed: Mutex<Vec<Armed>>,
}

/// The rules in force; clones share them.
#[derive(Clone, Default)]
pub struct Faults {
    inner: Arc<Inner>,
}

impl Faults {
    /// No rule.
    pub fn new() -> Faults {
        Faults::default()
    }

    /// Adds a rule behind the others.
    pub fn add(&self, rule: Rule) {
        let rng = ChaCha8Rng::seed_from_u64(rule.seed);
        let mut armed = self.inner.armed.lock().unwrap_or_else(PoisonError::into_inner);
        armed.push(Armed { rule, rng });
        self.inner.armed_count.store(armed.len(), Ordering::SeqCst);
    }

    /// Removes every rule.
    pub fn clear(&self) {
        let mut armed = self.inner.armed.lock().unwrap_or_else(PoisonError::into_inner);
        armed.clear();
        self.inner.armed_count.store(0, Ordering::SeqCst);
    }

    /// The rules still in force.
    pub fn rules(&self) -> Vec<Rule> {
        let armed = self.inner.armed.lock().unwrap_or_else(PoisonError::into_inner);
        armed.iter().map(|armed| armed.rule.clone()).collect()
    }

    /// The fault of the first rule that matches and hits; counts it as used.
    pub fn decide(&self, side: Side, operation: &str, mailbox: &str) -> Option<Fault> {
        if self.inner.armed_count.load(Ordering::SeqCst) == 0 {
            return None;
        }
        let mut armed = self.inner.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = None;
        for candidate in armed.iter_mut() {
            if candidate.matches(side, operation, mailbox) && candidate.hits() {
                found = Some(candidate.rule.fault.clone());
                break;
            }
        }
        armed.retain(|armed| armed.rule.times != Some(0));
        self.inner.armed_count.store(armed.len(), Ordering::SeqCst);
        found
    }
}

impl Armed {
    fn matches(&self, side: Side, operation: &str, mailbox: &str) -> bool {
        let fits = |wanted: &Option<String>, given: &str| {
            wanted
                .as_deref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(given))
        };
        self.rule.side == side && fits(&self.rule.operation, operation) && fits(&self.rule.mailbox, mailbox)
    }

    fn hits(&mut self) -> bool {
        if self.rule.skip > 0 {
            self.rule.skip -= 1;
            return false;
        }
        let chance = self.rule.probability.unwrap_or(1.0).clamp(0.0, 1.0);
        if !self.rng.random_bool(chance) {
            return false;
        }
        if let Some(times) = &mut self.rule.times {
            *times = times.saturating_sub(1);
        }
        true
    }
}
