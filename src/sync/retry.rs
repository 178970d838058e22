//! When a failed item or a failed stream is tried again. Pure: time and chance come as arguments.

use super::model::ItemKey;
use crate::foundation::backoff::Backoff;
use crate::foundation::failure::Class;
use chrono::{DateTime, TimeDelta, Utc};

/// The shortest and the longest wait.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// After the first failure.
    pub first: TimeDelta,
    /// Never longer than this.
    pub last: TimeDelta,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first: TimeDelta::seconds(30),
            last: TimeDelta::hours(6),
        }
    }
}

/// When an item is due again after its `attempts`-th failure (1 is the first). `None`: only when it changes
/// or a person asks. `chance` is in 0..1 and spreads the tries of many items.
pub fn item_due(
    class: Class,
    attempts: u32,
    now: DateTime<Utc>,
    patience: Patience,
    chance: f64,
) -> Option<DateTime<Utc>> {
    match class {
        Class::Gone => None,
        // Somebody must change a rule, a right or the item: look again rarely, without being asked.
        Class::Refused | Class::Broken => Some(now + spread(patience.last, chance)),
        Class::Conflict => Some(now),
        Class::Throttled { wait } => Some(now + TimeDelta::from_std(wait).unwrap_or(patience.last)),
        Class::Again | Class::SignInExpired | Class::CursorLost => {
            Some(now + doubled(patience, attempts, chance))
        }
    }
}

/// When a stream is due again after its turn failed `attempts` times in a row.
pub fn stream_due(
    class: Class,
    attempts: u32,
    now: DateTime<Utc>,
    patience: Patience,
    chance: f64,
) -> DateTime<Utc> {
    match class {
        Class::Throttled { wait } => {
            let wait = TimeDelta::from_std(wait).unwrap_or(patience.last);
            now + wait + spread(TimeDelta::seconds(10), chance)
        }
        Class::CursorLost | Class::Conflict | Class::Gone => now,
        Class::Again | Class::SignInExpired | Class::Refused | Class::Broken => {
            now + doubled(patience, attempts, chance)
        }
    }
}

/// Spreads tries by what is at hand: the same item at the same try waits equally long on every node.
pub fn chance(key: ItemKey, attempts: i32) -> f64 {
    let mixed = (key.0 as u64)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(attempts.unsigned_abs() % 64);
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

fn doubled(patience: Patience, attempts: u32, chance: f64) -> TimeDelta {
    let span = |wait: TimeDelta| wait.to_std().unwrap_or_default();
    let backoff = Backoff {
        first: span(patience.first),
        last: span(patience.last),
    };
    TimeDelta::from_std(backoff.wait(attempts, chance)).unwrap_or(patience.last)
}

/// Between half of the wait and all of it, so that what failed together is not tried together.
fn spread(wait: TimeDelta, chance: f64) -> TimeDelta {
    doubled(
        Patience {
            first: wait,
            last: wait,
        },
        1,
        chance,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(attempts: u32) -> TimeDelta {
        let now = DateTime::UNIX_EPOCH;
        item_due(Class::Again, attempts, now, Patience::default(), 1.0)
            .map(|due| due - now)
            .unwrap()
    }

    #[test]
    fn waits_double_and_end_at_the_last() {
        assert_eq!(wait(1), TimeDelta::seconds(30));
        assert_eq!(wait(2), TimeDelta::seconds(60));
        assert_eq!(wait(60), TimeDelta::hours(6));
    }

    #[test]
    fn a_server_that_asks_for_patience_is_not_called_before() {
        let now = DateTime::UNIX_EPOCH;
        let class = Class::Throttled {
            wait: std::time::Duration::from_secs(600),
        };
        let due = stream_due(class, 1, now, Patience::default(), 0.0);
        assert!(due >= now + TimeDelta::seconds(600));
    }
}
