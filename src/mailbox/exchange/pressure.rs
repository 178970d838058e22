//! How much to ask at once: additive increase, multiplicative decrease. Pure.
//!
//! A server that answers well is asked for a little more, one that pushes back for half. One moment of
//! overload answers many requests that were under way together, so what comes within a short while counts once.

use std::time::{Duration, Instant};

/// Refusals within so long are one moment's.
const ONE_MOMENT: Duration = Duration::from_secs(5);

/// What a server, or a mailbox on it, bears.
#[derive(Clone, Debug)]
pub struct Pressure {
    most: f64,
    limit: f64,
    pushed_back: Option<Instant>,
}

impl Pressure {
    /// Begins with all that is allowed.
    pub fn new(most: usize) -> Self {
        let most = most.clamp(1, 1000) as f64;
        Self {
            most,
            limit: most,
            pushed_back: None,
        }
    }

    /// Requests at once: at least one, at most what was allowed.
    pub fn limit(&self) -> usize {
        self.limit as usize
    }

    /// An answer came as it should. As many of them as are asked at once make room for one more.
    pub fn went_well(&mut self) {
        self.limit = (self.limit + 1.0 / self.limit).min(self.most);
    }

    /// The server is overloaded, in whatever form it said so.
    pub fn pushed_back(&mut self, now: Instant) {
        let same = self
            .pushed_back
            .is_some_and(|at| now.saturating_duration_since(at) < ONE_MOMENT);
        if !same {
            self.pushed_back = Some(now);
            self.limit = (self.limit / 2.0).floor().max(1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::clock::Clock;
    use proptest::prelude::*;

    fn now() -> Instant {
        Clock::manual(chrono::DateTime::UNIX_EPOCH).instant()
    }

    #[test]
    fn one_moment_of_overload_halves_once_and_the_next_moment_again() {
        let (mut pressure, start) = (Pressure::new(16), now());
        for ms in 0..10 {
            pressure.pushed_back(start + Duration::from_millis(ms));
        }
        assert_eq!(pressure.limit(), 8);
        pressure.pushed_back(start + ONE_MOMENT);
        assert_eq!(pressure.limit(), 4);
    }

    proptest! {
        #[test]
        fn the_limit_stays_between_one_and_what_was_allowed(
            most in 0..200_usize,
            events in prop::collection::vec((any::<bool>(), 0..20_u64), 0..300),
        ) {
            let (mut pressure, mut at) = (Pressure::new(most), now());
            for (well, seconds) in events {
                at += Duration::from_secs(seconds);
                let before = pressure.limit();
                if well {
                    pressure.went_well();
                    prop_assert!(pressure.limit() >= before && pressure.limit() <= before + 1);
                } else {
                    pressure.pushed_back(at);
                    prop_assert!(pressure.limit() <= before && pressure.limit() >= before / 2);
                }
                prop_assert!((1..=most.max(1)).contains(&pressure.limit()));
            }
        }

        #[test]
        fn a_server_that_recovered_gets_all_again(most in 1..100_usize, falls in 1..12_u64) {
            let (mut pressure, start) = (Pressure::new(most), now());
            for fall in 0..falls {
                pressure.pushed_back(start + ONE_MOMENT * u32::try_from(fall).unwrap());
            }
            // From k to k + 1 takes about k answers, so all of it about half of the square.
            for _ in 0..most * (most + 2) {
                pressure.went_well();
            }
            prop_assert_eq!(pressure.limit(), most);
        }
    }
}
