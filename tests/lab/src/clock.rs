//! The lab's own time: the real clock plus an offset that the control surface can move.
//!
//! Both worlds stamp records with this clock, so that expiry (query locators, cursors, sessions)
//! can be reached in a test without waiting. Time only ever moves forward, unless the worlds go back with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// A handle on the lab's time; clones share it.
#[derive(Clone, Default)]
pub struct Clock {
    offset_ms: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that shows the real time.
    pub fn new() -> Clock {
        Clock::default()
    }

    /// The lab's present moment, with the real clock's resolution.
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::milliseconds(self.offset_ms.load(Ordering::SeqCst))
    }

    /// Moves the lab's time forward.
    pub fn advance(&self, by: Duration) {
        let ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 4);
        self.offset_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// How far the lab's time runs ahead of the real clock, in milliseconds.
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::SeqCst)
    }

    /// Sets the offset as a restarted lab found it in its journal.
    pub fn restore_offset_ms(&self, offset_ms: i64) {
        self.offset_ms.store(offset_ms, Ordering::SeqCst);
    }

    /// It is this moment again.
    pub(crate) fn go_back(&self, to: DateTime<Utc>) {
        self.restore_offset_ms((to - Utc::now()).num_milliseconds());
    }
}
