//! How long a stream rests after a good turn. Pure.
//!
//! A stream of which we hear by itself need hardly be asked. One that must be asked is asked the less often, the
//! longer nothing has happened in it: who works is served at once, and ten thousand quiet mailboxes cost little.

use chrono::TimeDelta;

/// A stream that was quiet for so many times a rest may rest so long: news waits a twentieth of the quiet before it.
const SHARE: i32 = 20;

/// The rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// While somebody works with the stream.
    pub busy: TimeDelta,
    /// When nobody did for long.
    pub quiet: TimeDelta,
    /// While news is told to us.
    pub listening: TimeDelta,
}

/// What is known of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Situation {
    /// The mail server tells us of news.
    pub heard: bool,
    /// The CRM may have news as well, and nobody tells us of it.
    pub crm_must_be_asked: bool,
    /// Since when nothing was written; `None` where nothing ever was.
    pub quiet_for: Option<TimeDelta>,
}

impl Pace {
    /// How long the stream rests.
    pub fn rest(self, stream: Situation) -> TimeDelta {
        if stream.heard && !stream.crm_must_be_asked {
            return self.listening.max(self.busy);
        }
        let most = self.quiet.max(self.busy);
        match stream.quiet_for {
            Some(quiet) => (quiet / SHARE).clamp(self.busy, most),
            None => most,
        }
    }
}

/// Looks for everybody's news take one call of so many that the CRM allows.
const LOOKS_SHARE: u64 = 50;
/// No look is sooner after the one before, nor later.
const LOOK_SOONEST: TimeDelta = TimeDelta::seconds(2);
const LOOK_LATEST: TimeDelta = TimeDelta::seconds(30);
/// Where the CRM has not said what it allows.
const LOOK_USUAL: TimeDelta = TimeDelta::seconds(10);
const SECONDS_OF_A_DAY: i64 = 86_400;

/// From one look for everybody's news to the next, where the CRM allows so many calls a day.
pub fn between_looks(allowed: Option<u64>) -> TimeDelta {
    let Some(allowed) = allowed else {
        return LOOK_USUAL;
    };
    let looks = i64::try_from(allowed / LOOKS_SHARE).unwrap_or(i64::MAX).max(1);
    TimeDelta::seconds(SECONDS_OF_A_DAY / looks).clamp(LOOK_SOONEST, LOOK_LATEST)
}

/// So much of the calls may be used before anybody rests longer for it.
const EASY: f64 = 0.5;
/// When all calls are used, a stream rests so many times as long.
const HARDEST: f64 = 16.0;
/// From here on no mailbox is read for the first time: what is left is for those who work.
pub const SCARCE: f64 = 0.75;

/// A rest under this much pressure on the CRM's calls: none up to half of them, and then longer and longer.
pub fn stretched(rest: TimeDelta, pressure: f64) -> TimeDelta {
    let over = ((pressure - EASY) / (1.0 - EASY)).clamp(0.0, 1.0);
    let seconds = rest.as_seconds_f64() * (1.0 + over * (HARDEST - 1.0));
    TimeDelta::milliseconds((seconds * 1000.0) as i64).max(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PACE: Pace = Pace {
        busy: TimeDelta::seconds(30),
        quiet: TimeDelta::seconds(300),
        listening: TimeDelta::seconds(900),
    };

    fn rest(heard: bool, crm: bool, quiet_for: Option<i64>) -> i64 {
        PACE.rest(Situation {
            heard,
            crm_must_be_asked: crm,
            quiet_for: quiet_for.map(TimeDelta::seconds),
        })
        .num_seconds()
    }

    #[test]
    fn a_stream_that_is_heard_rests_long_unless_its_crm_must_be_asked() {
        assert_eq!(rest(true, false, Some(0)), 900);
        assert_eq!(rest(true, true, Some(0)), 30);
        assert_eq!(rest(false, false, Some(0)), 30);
    }

    #[test]
    fn the_longer_nothing_happened_the_longer_it_rests_up_to_the_last() {
        assert_eq!(rest(false, true, Some(1200)), 60);
        assert_eq!(rest(false, true, Some(86_400)), 300);
        assert_eq!(rest(false, true, None), 300);
    }

    #[test]
    fn the_more_calls_a_crm_allows_the_oftener_news_is_looked_for() {
        let seconds = |allowed| between_looks(allowed).num_seconds();
        assert_eq!(seconds(None), 10);
        assert_eq!(seconds(Some(0)), 30);
        assert_eq!(seconds(Some(15_000)), 30);
        assert_eq!(seconds(Some(1_100_000)), 3);
        assert_eq!(seconds(Some(u64::MAX)), 2);
    }

    #[test]
    fn calls_that_run_out_make_streams_rest_longer() {
        let rest = TimeDelta::seconds(30);
        assert_eq!(stretched(rest, 0.0), rest);
        assert_eq!(stretched(rest, 0.5), rest);
        assert_eq!(stretched(rest, 1.0), rest * 16);
        assert_eq!(stretched(rest, 9.0), rest * 16);
        assert!(stretched(rest, 0.7) < stretched(rest, 0.8));
    }

    proptest! {
        #[test]
        fn no_rest_is_shorter_than_the_busy_one_and_none_grows_shorter_with_quiet(
            heard: bool, crm: bool, quiet in 0..1_000_000_i64, more in 0..1_000_000_i64,
        ) {
            let first = rest(heard, crm, Some(quiet));
            prop_assert!(first >= 30);
            prop_assert!(rest(heard, crm, Some(quiet + more)) >= first);
        }
    }
}
