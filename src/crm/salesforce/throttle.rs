//! Patience: how many calls are used, and how long to wait before a small retry.
//!
//! The retry here is for hiccups only (a locked row, a gateway that restarts): three tries within about two
//! seconds. What lasts longer is the engine's to wait out.

use crate::foundation::backoff::Backoff;
use crate::foundation::clock::Clock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Tries of one call, the first included.
pub(super) const TRIES: u32 = 3;

/// How long the org is left alone once its calls are used up. The window rolls over 24 hours, so calls come
/// back little by little.
pub(super) const LIMIT_WAIT: Duration = Duration::from_secs(15 * 60);

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

/// Calls used and allowed in the last 24 hours, as the org last said.
#[derive(Debug, Default)]
pub(super) struct Usage {
    used: AtomicU64,
    allowed: AtomicU64,
}

impl Usage {
    /// Takes a `Sforce-Limit-Info` header ("Limit Info Header", REST API guide): `api-usage=18/5000`,
    /// possibly followed by `; per-app-api-usage=…` and the like.
    pub(super) fn note(&self, header: &str) {
        if let Some((used, allowed)) = parse(header) {
            self.used.store(used, Ordering::Relaxed);
            self.allowed.store(allowed, Ordering::Relaxed);
        }
    }

    /// Used and allowed; `None` before the first answer.
    pub(super) fn calls(&self) -> Option<(u64, u64)> {
        match self.allowed.load(Ordering::Relaxed) {
            0 => None,
            allowed => Some((self.used.load(Ordering::Relaxed), allowed)),
        }
    }
}

fn parse(header: &str) -> Option<(u64, u64)> {
    let pair = header
        .split([';', ','])
        .find_map(|part| part.trim().strip_prefix("api-usage="))?;
    let (used, rest) = pair.split_once('/')?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((used.trim().parse().ok()?, digits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_header_is_read_with_and_without_its_companions() {
        assert_eq!(parse("api-usage=18/5000"), Some((18, 5000)));
        let companions = "per-app-api-usage=17/250(appName=sample), api-usage=25/5000(x)";
        assert_eq!(parse(companions), Some((25, 5000)));
        assert_eq!(parse("api-usage=much"), None);
    }

    #[test]
    fn nothing_is_known_before_the_first_answer() {
        let usage = Usage::default();
        assert_eq!(usage.calls(), None);
        usage.note("api-usage=1/100000");
        assert_eq!(usage.calls(), Some((1, 100_000)));
    }
}
