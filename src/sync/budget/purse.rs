//! What this node may spend of a CRM's calls, in memory: calls are counted here and fetched in chunks.

use super::{backfill, share};
use crate::crm::budget::CallBudget;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// How long to wait for calls: the window rolls over a day, so they come back little by little.
const WAIT: Duration = Duration::from_secs(300);

/// One CRM's purse.
#[derive(Default)]
pub struct Purse {
    /// Left of what was fetched.
    left: AtomicI64,
    /// Wakes whoever fetches.
    low: Notify,
    state: Mutex<State>,
    /// Spent for first readings, and not told to the other nodes yet.
    backfill: AtomicU64,
    reserve_percent: u8,
    backfill_percent: u8,
}

#[derive(Clone, Copy, Default)]
struct State {
    /// Somebody fetches for us; else every call is allowed, and counted by the CRM alone.
    managed: bool,
    /// Used and allowed as the CRM said last, since the last fetch.
    heard: Option<(u64, u64)>,
    /// The same as all nodes know it.
    known: Option<(u64, u64)>,
    /// What the first readings of all nodes took within a day, as far as it was told.
    backfill: u64,
}

impl Purse {
    /// An empty one that leaves so much of the day's calls to others.
    pub fn new(reserve_percent: u8) -> Self {
        Self::sharing(reserve_percent, 100)
    }

    /// The same, and first readings get this share of what is ours.
    pub fn sharing(reserve_percent: u8, backfill_percent: u8) -> Self {
        Self {
            reserve_percent,
            backfill_percent,
            ..Self::default()
        }
    }

    /// The share of first readings.
    pub fn backfill_percent(&self) -> u64 {
        self.backfill_percent.into()
    }

    /// Spent for first readings since that was last told.
    pub fn backfill(&self) -> u64 {
        self.backfill.load(Ordering::Relaxed)
    }

    /// So much of it was told; the first readings of all nodes took this much within a day.
    pub fn told_backfill(&self, told: u64, all: u64) {
        self.state().backfill = all;
        self.backfill.fetch_sub(told, Ordering::Relaxed);
    }

    /// What is left of the day's calls to others.
    pub fn reserve_percent(&self) -> u64 {
        self.reserve_percent.into()
    }

    /// Calls left of what was fetched, and what the CRM said since.
    pub fn report(&self) -> (u64, Option<(u64, u64)>) {
        let left = self.left.load(Ordering::Relaxed).max(0).unsigned_abs();
        (left, self.state().heard.take())
    }

    /// Puts fetched calls in, and what all nodes know.
    pub fn put(&self, calls: u64, known: Option<(u64, u64)>) {
        let mut state = self.state();
        state.managed = true;
        state.known = known.or(state.known);
        self.left
            .fetch_add(i64::try_from(calls).unwrap_or(0), Ordering::Relaxed);
    }

    /// Resolves when it runs low.
    pub async fn runs_low(&self) {
        self.low.notified().await;
    }

    fn take(&self) -> Result<(), Duration> {
        if !self.state().managed {
            return Ok(());
        }
        let before = self.left.fetch_sub(1, Ordering::Relaxed);
        if before <= i64::try_from(share::LOW).unwrap_or(0) {
            self.low.notify_one();
        }
        if before > 0 {
            return Ok(());
        }
        self.left.fetch_add(1, Ordering::Relaxed);
        Err(WAIT)
    }

    /// No code panics while it holds the lock, so a poisoned one holds a good state all the same.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallBudget for Purse {
    fn spend(&self) -> Result<(), Duration> {
        self.take()?;
        if backfill::is_marked() {
            self.backfill.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn heard(&self, used: u64, allowed: u64) {
        let mut state = self.state();
        state.heard = Some((used, allowed));
        state.known = Some((used, allowed));
        if state.managed && used >= share::ours(allowed, self.reserve_percent()) {
            // Others were faster than we thought; what was fetched is not there any more.
            self.left.store(0, Ordering::Relaxed);
        }
    }

    fn pressure(&self) -> f64 {
        let known = self.state().known;
        known.map_or(0.0, |(used, allowed)| {
            share::pressure(used, allowed, self.reserve_percent())
        })
    }

    fn backfill_pressure(&self) -> f64 {
        let State { known, backfill, .. } = *self.state();
        let taken = backfill + self.backfill();
        known.map_or(0.0, |(_, allowed)| {
            let share = share::backfill(allowed, self.reserve_percent(), self.backfill_percent());
            taken as f64 / share.max(1) as f64
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_purse_refuses_and_one_that_nobody_fills_counts_nothing() {
        let purse = Purse::new(20);
        assert!(purse.spend().is_ok(), "nobody governs");
        purse.put(2, None);
        assert!(purse.spend().is_ok() && purse.spend().is_ok());
        assert_eq!(purse.spend(), Err(WAIT));
        purse.put(1, Some((90, 100)));
        assert!(purse.spend().is_ok());
        assert!(purse.pressure() > 1.0);
    }
}
