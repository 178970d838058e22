//! `[sync]`: the pace of the work.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The pace of the work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncSettings {
    /// How long a stream rests between two looks.
    pub poll_interval_s: u64,
    /// How long one rests in which nothing has happened for long.
    pub quiet_poll_interval_s: u64,
    /// How long one rests while its mail server tells us of news.
    pub listening_poll_interval_s: u64,
    /// Streams at work at once.
    pub workers: usize,
    /// Changes asked for at once; Exchange gives 512 at most.
    pub page_size: u32,
    /// Items read at once.
    pub read_batch: u32,
    /// The wait after a first failure; it doubles from there.
    pub retry_first_s: u64,
    /// No wait is longer.
    pub retry_last_s: u64,
    /// How long a stream stays with a worker that gives no sign of life.
    pub lease_s: u64,
    /// From one asking of the CRM for every linked record by id to the next.
    pub survivor_check_hours: u64,
    /// How long the journal of writes and the list of past turns go back; an undo reaches no further.
    pub journal_keep_days: u64,
}

impl SyncSettings {
    /// How long a stream rests between two looks.
    pub fn poll_interval(&self) -> Duration {
        Duration::from_secs(self.poll_interval_s)
    }

    /// How long a quiet stream rests.
    pub fn quiet_poll_interval(&self) -> Duration {
        Duration::from_secs(self.quiet_poll_interval_s)
    }

    /// How long a stream rests that is listened to.
    pub fn listening_poll_interval(&self) -> Duration {
        Duration::from_secs(self.listening_poll_interval_s)
    }

    /// The waits after failures.
    pub fn backoff(&self) -> crate::foundation::backoff::Backoff {
        let (first, last) = (
            Duration::from_secs(self.retry_first_s),
            Duration::from_secs(self.retry_last_s),
        );
        crate::foundation::backoff::Backoff { first, last }
    }

    /// From one asking of the CRM for every linked record by id to the next.
    pub fn survivor_check(&self) -> Duration {
        Duration::from_secs(self.survivor_check_hours * 3600)
    }

    /// How long the journal of writes goes back.
    pub fn journal_keep(&self) -> Duration {
        Duration::from_secs(self.journal_keep_days * 86_400)
    }

    /// How long a stream stays with a silent worker.
    pub fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_s)
    }
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            poll_interval_s: 30,
            quiet_poll_interval_s: 300,
            listening_poll_interval_s: 900,
            workers: 8,
            page_size: 512,
            read_batch: 50,
            retry_first_s: 30,
            retry_last_s: 3600,
            lease_s: 20,
            survivor_check_hours: 24,
            journal_keep_days: 90,
        }
    }
}
