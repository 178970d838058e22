//! Calls are counted against a budget: where a connector asks before each of them, and tells what it heard of it.

use std::time::Duration;

/// A share of the organisation's calls. What it allows is decided elsewhere; asking takes no time.
pub trait CallBudget: Send + Sync {
    /// One call is about to be made.
    ///
    /// # Errors
    /// How long to wait where none is left for us.
    fn spend(&self) -> Result<(), Duration>;

    /// The CRM said how many calls of its own window are used, by everybody, and how many it allows.
    fn heard(&self, used: u64, allowed: u64);

    /// How much of what is ours was used: from 0, nothing, to 1, all of it.
    fn pressure(&self) -> f64;

    /// The same of the share that first readings may take.
    fn backfill_pressure(&self) -> f64;
}
