//! How long a change took from one side to the other. Pure.
//!
//! It is measured from the clock of the side where the change was made to the commit of what was written for it.
//! Only fresh changes count: what was there at the first reading, what failed before, what came back into scope
//! was changed long ago, and says nothing of how fast we are.

use super::model::{Change, Pair, Verdict};
use chrono::{DateTime, TimeDelta, Utc};

/// Clocks of two machines in one house differ by no more.
const SKEW: TimeDelta = TimeDelta::seconds(60);

/// When what this verdict writes was changed; `None` where it writes nothing, or nobody knows.
pub fn changed_at(pair: &Pair, verdict: &Verdict) -> Option<DateTime<Utc>> {
    let modified = |side: &Option<Change>| match side {
        Some(Change::Upserted(seen)) => seen.modified.map(middle_of_its_second),
        _ => None,
    };
    match verdict {
        Verdict::CreateInCrm => modified(&pair.mailbox),
        Verdict::CreateInMailbox => modified(&pair.crm),
        Verdict::Update {
            to_crm, to_mailbox, ..
        } => {
            let from_mailbox = modified(&pair.mailbox).filter(|_| !to_crm.is_empty());
            let from_crm = modified(&pair.crm).filter(|_| !to_mailbox.is_empty());
            from_mailbox.into_iter().chain(from_crm).min()
        }
        _ => None,
    }
}

/// Most servers keep whole seconds: the change was made somewhere within.
fn middle_of_its_second(at: DateTime<Utc>) -> DateTime<Utc> {
    match at.timestamp_subsec_nanos() {
        0 => at + TimeDelta::milliseconds(500),
        _ => at,
    }
}

/// How long it took; `None` for a change that an earlier turn could have seen.
pub fn lag(
    changed_at: DateTime<Utc>,
    last_turn: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<TimeDelta> {
    let fresh = last_turn.is_some_and(|last| changed_at + SKEW >= last);
    fresh.then(|| (now - changed_at).max(TimeDelta::zero()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(ms)
    }

    #[test]
    fn a_fresh_change_counts_and_an_old_one_does_not() {
        let last = Some(at(100_000));
        assert_eq!(
            lag(at(101_000), last, at(102_500)),
            Some(TimeDelta::milliseconds(1_500))
        );
        assert_eq!(lag(at(39_000), last, at(102_500)), None, "that was there before");
        assert_eq!(lag(at(101_000), None, at(102_500)), None, "the first reading");
        assert_eq!(
            lag(at(103_000), last, at(102_500)),
            Some(TimeDelta::zero()),
            "a clock ahead"
        );
    }

    #[test]
    fn a_whole_second_stands_for_its_middle() {
        assert_eq!(middle_of_its_second(at(3_000)), at(3_500));
        assert_eq!(middle_of_its_second(at(3_001)), at(3_001));
    }
}
