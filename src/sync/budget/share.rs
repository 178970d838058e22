//! Who gets how many calls. Pure.

/// A purse with fewer calls than this is filled.
pub const LOW: u64 = 20;
/// Fetched at once at most, so that no node sits on what another one needs.
const MOST: u64 = 500;
/// Fetched before the CRM has said anything.
const FIRST: u64 = 50;

/// Calls that are ours of what the CRM allows: all but what is left to people and other programs.
pub fn ours(allowed: u64, reserve_percent: u64) -> u64 {
    let reserve = u128::from(allowed) * u128::from(reserve_percent.min(100)) / 100;
    allowed - u64::try_from(reserve).unwrap_or(allowed)
}

/// Calls of what is ours that first readings may take in a day.
pub fn backfill(allowed: u64, reserve_percent: u64, backfill_percent: u64) -> u64 {
    let share = u128::from(ours(allowed, reserve_percent)) * u128::from(backfill_percent.min(100)) / 100;
    u64::try_from(share).unwrap_or(u64::MAX)
}

/// How many calls a node fetches: `out` are in the purses of all nodes, `left` in its own.
pub fn grant(known: Option<(u64, u64)>, out: u64, left: u64, reserve_percent: u64) -> u64 {
    let Some((used, allowed)) = known else {
        return FIRST.saturating_sub(left);
    };
    let ours = ours(allowed, reserve_percent);
    let free = ours.saturating_sub(used).saturating_sub(out);
    let chunk = (ours / 200).clamp(LOW * 2, MOST);
    chunk.saturating_sub(left).min(free)
}

/// How much of what is ours is used, by anybody: 0 is nothing, 1 is all.
pub fn pressure(used: u64, allowed: u64, reserve_percent: u64) -> f64 {
    let ours = ours(allowed, reserve_percent).max(1);
    used as f64 / ours as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nodes_that_fetch_and_spend_never_reach_into_the_reserve(
            allowed in 0..50_000_u64,
            reserve in 0..=100_u64,
            steps in prop::collection::vec((0..3_usize, 0..700_u64), 0..400),
        ) {
            let (mut used, mut purses) = (0, [0_u64; 3]);
            for (node, spends) in steps {
                let out = purses.iter().sum();
                purses[node] += grant(Some((used, allowed)), out, purses[node], reserve);
                let spent = spends.min(purses[node]);
                purses[node] -= spent;
                used += spent;
                prop_assert!(used <= ours(allowed, reserve));
            }
        }
    }

    #[test]
    fn what_others_use_is_not_given_away_again() {
        assert_eq!(grant(Some((8_000, 10_000)), 0, 0, 20), 0);
        assert_eq!(grant(Some((7_990, 10_000)), 4, 0, 20), 6);
        assert_eq!(grant(Some((0, 100_000)), 0, 0, 20), 400);
        assert_eq!(grant(None, 0, 0, 20), 50);
    }
}
