//! The egress ledger: one row for each connection and each refusal.
//!
//! The gate reports to a [`LedgerSink`] and never waits for it. [`store`](super::store) holds the sink that
//! writes to the database; [`MemoryLedger`] collects rows for tests.

use super::target::Purpose;
use chrono::{DateTime, Utc};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Connected; the row counts what was carried until it closed.
    Connected,
    /// Not on the allow-list; no name was resolved, no byte was sent.
    NotAllowed,
    /// The name did not resolve.
    NameUnknown,
    /// The name led to an address that is never a server.
    AddressRefused,
    /// No address accepted.
    ConnectFailed,
    /// TLS was not agreed.
    TlsFailed,
    /// It took too long.
    TimedOut,
}

impl Outcome {
    /// The word in the table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::NotAllowed => "not_allowed",
            Self::NameUnknown => "name_unknown",
            Self::AddressRefused => "address_refused",
            Self::ConnectFailed => "connect_failed",
            Self::TlsFailed => "tls_failed",
            Self::TimedOut => "timed_out",
        }
    }
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// When it began.
    pub at: DateTime<Utc>,
    /// What for.
    pub purpose: Purpose,
    /// Host asked for.
    pub host: String,
    /// Port asked for.
    pub port: u16,
    /// Address connected to, where it came that far.
    pub address: Option<IpAddr>,
    /// How it ended.
    pub outcome: Outcome,
    /// Bytes written to the wire, TLS included.
    pub bytes_out: u64,
    /// Bytes read from the wire, TLS included.
    pub bytes_in: u64,
    /// How long it stood.
    pub duration: Duration,
}

/// Takes rows. Must return at once: it is called from `drop`.
pub trait LedgerSink: Send + Sync {
    /// Takes one row.
    fn connection(&self, row: LedgerRow);
}

/// What the gate holds.
pub type Ledger = Arc<dyn LedgerSink>;

/// Keeps rows in memory.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    rows: Mutex<Vec<LedgerRow>>,
}

impl MemoryLedger {
    /// The rows so far, in the order in which the connections ended.
    pub fn rows(&self) -> Vec<LedgerRow> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl LedgerSink for MemoryLedger {
    fn connection(&self, row: LedgerRow) {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).push(row);
    }
}
