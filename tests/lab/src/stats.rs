//! Counts for tests and benchmarks: requests by side and operation, statuses, bytes.
//!
//! 401 answers are counted apart, because NTLM and some clients ask every request first without
//! credentials.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::faults::Side;

/// The counts of one side.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SideStats {
    /// HTTP requests, 401 answers included.
    pub requests: u64,
    /// Answers with status 401.
    pub unauthorized: u64,
    /// Requests by operation, as the world named them.
    pub operations: BTreeMap<String, u64>,
    /// Answers by HTTP status; connections cut on purpose count under "cut".
    pub statuses: BTreeMap<String, u64>,
    /// Request bodies, in bytes, after decompression.
    pub bytes_in: u64,
    /// Answer bodies, in bytes, before compression; streamed answers are not counted.
    pub bytes_out: u64,
    /// TCP connections accepted.
    pub connections: u64,
}

/// The counts of both sides; clones share them.
#[derive(Clone, Default)]
pub struct Stats {
    sides: Arc<Mutex<BTreeMap<Side, SideStats>>>,
}

impl Stats {
    /// All zero.
    pub fn new() -> Stats {
        Stats::default()
    }

    fn with(&self, side: Side, change: impl FnOnce(&mut SideStats)) {
        let mut sides = self.sides.lock().unwrap_or_else(PoisonError::into_inner);
        change(sides.entry(side).or_default());
    }

    /// Counts an accepted connection.
    pub fn connection(&self, side: Side) {
        self.with(side, |stats| stats.connections += 1);
    }

    /// Counts a request under the operation's name.
    pub fn operation(&self, side: Side, name: &str) {
        self.with(side, |stats| match stats.operations.get_mut(name) {
            Some(count) => *count += 1,
            None => {
                stats.operations.insert(name.to_owned(), 1);
            }
        });
    }

    /// Counts an answer; `status` is `None` if the connection was cut.
    pub fn answer(&self, side: Side, status: Option<u16>, bytes_in: usize, bytes_out: usize) {
        self.with(side, |stats| {
            stats.requests += 1;
            stats.bytes_in += bytes_in as u64;
            stats.bytes_out += bytes_out as u64;
            if status == Some(401) {
                stats.unauthorized += 1;
            }
            let label = status.map_or_else(|| "cut".to_owned(), |status| status.to_string());
            *stats.statuses.entry(label).or_default() += 1;
        });
    }

    /// The counts of one side.
    pub fn side(&self, side: Side) -> SideStats {
        let sides = self.sides.lock().unwrap_or_else(PoisonError::into_inner);
        sides.get(&side).cloned().unwrap_or_default()
    }

    /// Sets every count to zero.
    pub fn reset(&self) {
        self.sides.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
