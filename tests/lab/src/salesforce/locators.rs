//! The open query results: what `nextRecordsUrl` points at. They expire after two days and do not
//! survive a restart.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::soql::bind::Bound;

/// An open result.
#[derive(Clone)]
pub struct Locator {
    /// Whose it is.
    pub user: String,
    /// The ids found, in order.
    pub ids: Vec<String>,
    /// What to show of them.
    pub bound: Bound,
    /// `query` or `queryAll`.
    pub resource: &'static str,
    /// Rows on a page.
    pub page: usize,
    /// When it was made.
    pub made: DateTime<Utc>,
}

#[derive(Default)]
struct Kept {
    by_name: HashMap<String, Arc<Locator>>,
    next: u64,
}

/// All open results.
#[derive(Default)]
pub struct Locators {
    kept: Mutex<Kept>,
}

impl Locators {
    /// Keeps a result; gives its name.
    pub fn keep(&self, locator: &Locator) -> String {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.next += 1;
        let name = super::id::id18("01g", kept.next);
        kept.by_name
            .retain(|_, old| locator.made - old.made <= TimeDelta::days(2));
        kept.by_name.insert(name.clone(), Arc::new(locator.clone()));
        name
    }

    /// The user's result of this name, if it has not expired.
    pub fn find(&self, name: &str, user: &str, now: DateTime<Utc>) -> Option<Arc<Locator>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.by_name.get(name)?;
        (found.user == user && now - found.made <= TimeDelta::days(2)).then(|| found.clone())
    }

    /// Forgets every result.
    pub fn clear(&self) {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .by_name
            .clear();
    }
}
