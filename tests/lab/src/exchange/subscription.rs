//! Who listens to what: pull subscriptions with watermarks, and streaming ones.
//!
//! Source: "Notification subscriptions, mailbox events, and EWS in Exchange". Subscriptions live in memory:
//! after a restart each of them is unknown, and its owner subscribes anew.

use super::event::Event;
use super::folder::FolderKey;
use chrono::{DateTime, Duration, Utc};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// How a subscription is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By GetEvents, within so many minutes of the last time.
    Pull {
        /// Minutes.
        timeout: i64,
    },
    /// By GetStreamingEvents.
    Streaming,
}

/// One subscription.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Index of the mailbox.
    pub mailbox: usize,
    /// The folders; all of them where absent.
    pub folders: Option<BTreeSet<FolderKey>>,
    /// The wanted events' names, such as `CreatedEvent`.
    pub events: BTreeSet<String>,
    /// How it is read.
    pub way: Way,
    /// Told up to this change.
    pub told: u64,
    /// When it was made or read last.
    pub read_at: DateTime<Utc>,
}

impl Subscription {
    /// Whether an event belongs to it.
    pub fn wants(&self, event: &Event) -> bool {
        let folder = self
            .folders
            .as_ref()
            .is_none_or(|folders| folders.contains(&event.folder));
        folder && self.events.contains(&format!("{}Event", event.kind.name()))
    }

    fn expired(&self, now: DateTime<Utc>) -> bool {
        match self.way {
            Way::Pull { timeout } => now - self.read_at > Duration::minutes(timeout),
            Way::Streaming => false,
        }
    }
}

/// All subscriptions.
#[derive(Default)]
pub struct Subscriptions(Mutex<HashMap<String, Subscription>>);

impl Subscriptions {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Subscription>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a new one; gives its id.
    pub fn add(&self, subscription: Subscription) -> String {
        let id = format!("FQBsYWIubGFiLmV4YW1wbGU{}", Uuid::new_v4().simple());
        self.all().insert(id.clone(), subscription);
        id
    }

    /// A subscription that has not expired.
    pub fn get(&self, id: &str, now: DateTime<Utc>) -> Option<Subscription> {
        let mut all = self.all();
        if all.get(id)?.expired(now) {
            all.remove(id);
            return None;
        }
        all.get(id).cloned()
    }

    /// Notes that it was told up to a change.
    pub fn told(&self, id: &str, change: u64, now: DateTime<Utc>) {
        if let Some(subscription) = self.all().get_mut(id) {
            subscription.told = change;
            subscription.read_at = now;
        }
    }

    /// Ends one; says whether it was there.
    pub fn remove(&self, id: &str) -> bool {
        self.all().remove(id).is_some()
    }

    /// Forgets all of them, as a restarted server does.
    pub fn clear(&self) {
        self.all().clear();
    }
}
