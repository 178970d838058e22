//! What becomes of each deletion that a page asks for. Pure.
//!
//! Deletions of one page stand or fall together: two hundred at once are one event, and carrying out the first
//! twenty of them would help nobody. Those that wait count as well as those that were carried out, so that the
//! second page of the same event is held like the first.

use super::limits::Limit;

/// What a person has said of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing yet: it waits.
    Held,
    /// Carry it out.
    Approved,
    /// Do not.
    Refused,
}

/// How a deletion was learned of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// A side said that it was deleted.
    Said,
    /// A full reading did not meet it, and its id leads nowhere: it was deleted, or the mailbox is another one.
    Missed,
}

/// How a stream stands towards one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Standing {
    /// Links, those of deletions of the period included.
    pub links: u64,
    /// Deletions of the period: carried out, or waiting.
    pub deletions: u64,
}

/// What to do about one deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Carry it out.
    CarryOut,
    /// Let it wait for a person.
    Hold,
    /// It waits already.
    GoOnHolding,
    /// A person refused it: make good what was deleted.
    Restore,
}

/// Missed items are never few when they are more than this and more than half of the stream.
const FEW_MISSED: u64 = 2;

/// One judgement for each deletion towards one side, in order; `None` is one that nobody was asked about.
pub fn judge(
    asked: &[Option<Decision>],
    evidence: Evidence,
    standing: Standing,
    limit: Limit,
) -> Vec<Judgement> {
    let fresh = asked.iter().filter(|decision| decision.is_none()).count() as u64;
    let hold = beyond(fresh, standing, limit) || doubtful(fresh, evidence, standing);
    asked
        .iter()
        .map(|decision| match decision {
            Some(Decision::Approved) => Judgement::CarryOut,
            Some(Decision::Refused) => Judgement::Restore,
            Some(Decision::Held) => Judgement::GoOnHolding,
            None if hold => Judgement::Hold,
            None => Judgement::CarryOut,
        })
        .collect()
}

fn beyond(fresh: u64, standing: Standing, limit: Limit) -> bool {
    let all = standing.deletions.saturating_add(fresh);
    all > u64::from(limit.more_than)
        && all.saturating_mul(100) > standing.links.saturating_mul(u64::from(limit.percent))
}

/// A mailbox that was made anew has none of its items left. So has one whose owner tidied up while we could
/// not look; nobody can tell the two apart, so a person is asked.
fn doubtful(fresh: u64, evidence: Evidence, standing: Standing) -> bool {
    evidence == Evidence::Missed && fresh > FEW_MISSED && fresh.saturating_mul(2) > standing.links
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: Limit = Limit {
        more_than: 20,
        percent: 10,
    };

    fn standing(links: u64, deletions: u64) -> Standing {
        Standing { links, deletions }
    }

    #[test]
    fn the_thresholds_hold_only_together() {
        let table = [
            // links, deletions before, fresh, held?
            (10, 0, 10, false),
            (100, 0, 20, false),
            (100, 0, 21, true),
            (1_000, 0, 21, false),
            (1_000, 0, 100, false),
            (1_000, 0, 101, true),
            (100, 20, 1, true),
            (1_000, 100, 1, true),
            (1_000, 99, 1, false),
        ];
        for (links, before, fresh, held) in table {
            let judged = judge(&vec![None; fresh], Evidence::Said, standing(links, before), LIMIT);
            let expected = if held {
                Judgement::Hold
            } else {
                Judgement::CarryOut
            };
            assert!(
                judged.iter().all(|judgement| *judgement == expected),
                "{links} {before} {fresh}"
            );
        }
    }

    #[test]
    fn a_mailbox_that_has_lost_most_of_its_items_is_doubted_however_small_it_is() {
        for (links, fresh, held) in [(3, 3, true), (5, 3, true), (6, 3, false), (2, 2, false)] {
            let judged = judge(&vec![None; fresh], Evidence::Missed, standing(links, 0), LIMIT);
            assert_eq!(judged[0] == Judgement::Hold, held, "{links} {fresh}");
        }
    }

    fn decisions() -> impl Strategy<Value = Vec<Option<Decision>>> {
        let decision = prop_oneof![
            4 => Just(None),
            1 => Just(Some(Decision::Held)),
            1 => Just(Some(Decision::Approved)),
            1 => Just(Some(Decision::Refused)),
        ];
        proptest::collection::vec(decision, 0..60)
    }

    fn evidence() -> impl Strategy<Value = Evidence> {
        prop_oneof![Just(Evidence::Said), Just(Evidence::Missed)]
    }

    proptest! {
        #[test]
        fn what_a_person_decided_is_done_whatever_the_numbers(
            asked in decisions(), evidence in evidence(), links in 0_u64..200, before in 0_u64..200,
            more_than in 0_u32..50, percent in 0_u32..=100,
        ) {
            let judged = judge(&asked, evidence, standing(links, before), Limit { more_than, percent });
            prop_assert_eq!(judged.len(), asked.len());
            for (decision, judgement) in asked.iter().zip(judged) {
                match decision {
                    Some(Decision::Approved) => prop_assert_eq!(judgement, Judgement::CarryOut),
                    Some(Decision::Refused) => prop_assert_eq!(judgement, Judgement::Restore),
                    Some(Decision::Held) => prop_assert_eq!(judgement, Judgement::GoOnHolding),
                    None => prop_assert!(matches!(judgement, Judgement::CarryOut | Judgement::Hold)),
                }
            }
        }

        /// However an event is cut into pages, no more than the larger of the two allowances is carried out
        /// unasked within a period.
        #[test]
        fn no_way_of_cutting_an_event_into_pages_gets_past_the_guard(
            pages in proptest::collection::vec(0_usize..60, 0..12), links in 0_u64..500,
            more_than in 0_u32..50, percent in 0_u32..=100,
        ) {
            let limit = Limit { more_than, percent };
            let (mut deletions, mut carried) = (0_u64, 0_u64);
            for page in pages {
                let judged = judge(&vec![None; page], Evidence::Said, standing(links, deletions), limit);
                deletions += page as u64;
                carried += judged.iter().filter(|judgement| **judgement == Judgement::CarryOut).count() as u64;
            }
            prop_assert!(carried <= u64::from(more_than).max(links * u64::from(percent) / 100));
        }

        #[test]
        fn a_stricter_limit_never_carries_out_more(
            asked in decisions(), links in 0_u64..200, before in 0_u64..50, more_than in 1_u32..50, percent in 1_u32..=100,
        ) {
            let count = |limit| judge(&asked, Evidence::Said, standing(links, before), limit)
                .into_iter().filter(|judgement| *judgement == Judgement::CarryOut).count();
            let strict = count(Limit { more_than: more_than - 1, percent: percent - 1 });
            let looser = count(Limit { more_than, percent });
            prop_assert!(strict <= looser);
        }
    }
}
