//! Patience: small retries, and how many calls were made.
//!
//! Odoo has no allowance of calls. It is a few Python processes, so that what it cannot bear is many calls at
//! once; the client's own limit of open requests sees to that.

use crate::foundation::backoff::Backoff;
use crate::foundation::clock::Clock;
use std::time::Duration;

/// Tries of one call, the first included.
pub(super) const TRIES: u32 = 3;

/// Requests at once to one server: it serves one at a time with each of its processes.
pub(super) const MAX_OPEN: usize = 4;

/// How long to wait after a passing refusal that outlasted our own tries.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(10);

const HICCUP: Backoff = Backoff {
    first: Duration::from_millis(300),
    last: Duration::from_secs(2),
};

/// Waits before try number `tried + 1`.
pub(super) async fn pause(clock: &Clock, tried: u32) {
    clock.sleep(HICCUP.wait(tried, dice())).await;
}

/// A number in `0.0..1.0`; spreads retries, guards nothing.
fn dice() -> f64 {
    f64::from(uuid::Uuid::new_v4().as_fields().0) / (f64::from(u32::MAX) + 1.0)
}
