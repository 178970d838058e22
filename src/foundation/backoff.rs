//! How long to wait before another try. Pure: the caller brings the attempt and the dice.

use std::time::Duration;

/// Doubling waits between a first and a last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// No wait is longer.
    pub last: Duration,
}

impl Backoff {
    /// The wait after `attempts` failures in a row (1 for the first).
    ///
    /// `jitter` is a random number in `0.0..1.0` and spreads the wait over its upper half, so that a thousand
    /// streams that failed together do not come back together. Values outside are taken as the nearest bound.
    pub fn wait(self, attempts: u32, jitter: f64) -> Duration {
        let doublings = attempts.saturating_sub(1).min(31);
        let whole = self.first.saturating_mul(1 << doublings).min(self.last);
        let jitter = if jitter.is_nan() {
            0.0
        } else {
            jitter.clamp(0.0, 1.0)
        };
        whole.mul_f64(0.5 + jitter / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BACKOFF: Backoff = Backoff {
        first: Duration::from_secs(10),
        last: Duration::from_secs(3600),
    };

    #[test]
    fn the_wait_doubles_until_the_last_one() {
        let waits: Vec<u64> = (1..=11)
            .map(|attempt| BACKOFF.wait(attempt, 1.0).as_secs())
            .collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
    }

    proptest! {
        #[test]
        fn any_wait_lies_between_half_and_whole(attempts: u32, jitter: f64) {
            let wait = BACKOFF.wait(attempts, jitter);
            prop_assert!(wait >= BACKOFF.first / 2 && wait <= BACKOFF.last);
        }
    }
}
