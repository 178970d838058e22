//! Rules whose days can be looked up in a calendar, and times on both edges of a change of clocks.

use super::*;
use proptest::prelude::*;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn rule(pattern: Pattern, first: &str, ends: Ends) -> Recurrence {
    Recurrence {
        pattern,
        first: day(first),
        ends,
    }
}

fn first_days(rule: &Recurrence, count: usize) -> Vec<String> {
    let days = rule.days(rule.first, day("2090-01-01"), count);
    days.days.iter().map(NaiveDate::to_string).collect()
}

/// A pattern, its first day, and the days that follow.
type Case = (Pattern, &'static str, [&'static str; 4]);

fn days_and_weeks() -> Vec<Case> {
    use Weekday::{Fri, Mon, Sun, Wed};
    vec![
        (
            Pattern::Daily { every: 3 },
            "2026-02-26",
            ["2026-02-26", "2026-03-01", "2026-03-04", "2026-03-07"],
        ),
        (
            Pattern::Weekly {
                every: 2,
                on: vec![Mon, Fri],
                week_start: Mon,
            },
            "2026-01-05",
            ["2026-01-05", "2026-01-09", "2026-01-19", "2026-01-23"],
        ),
        // A week that begins on Sunday leaves out another week than one that begins on Monday.
        (
            Pattern::Weekly {
                every: 2,
                on: vec![Sun, Wed],
                week_start: Sun,
            },
            "2026-01-07",
            ["2026-01-07", "2026-01-18", "2026-01-21", "2026-02-01"],
        ),
    ]
}

fn months_and_years() -> Vec<Case> {
    vec![
        (
            Pattern::MonthlyOn { every: 1, day: 31 },
            "2027-12-31",
            ["2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31"],
        ),
        (
            Pattern::MonthlyBy {
                every: 1,
                nth: Nth::Last,
                of: DayKind::Weekday,
            },
            "2026-01-01",
            ["2026-01-30", "2026-02-27", "2026-03-31", "2026-04-30"],
        ),
        (
            Pattern::MonthlyBy {
                every: 3,
                nth: Nth::From(2),
                of: DayKind::On(Weekday::Mon),
            },
            "2026-01-01",
            ["2026-01-12", "2026-04-13", "2026-07-13", "2026-10-12"],
        ),
        (
            Pattern::MonthlyBy {
                every: 1,
                nth: Nth::Last,
                of: DayKind::Day,
            },
            "2026-01-01",
            ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"],
        ),
        (
            Pattern::YearlyOn { month: 2, day: 29 },
            "2026-01-01",
            ["2026-02-28", "2027-02-28", "2028-02-29", "2029-02-28"],
        ),
        (
            Pattern::YearlyBy {
                month: 5,
                nth: Nth::From(1),
                of: DayKind::WeekendDay,
            },
            "2026-01-01",
            ["2026-05-02", "2027-05-01", "2028-05-06", "2029-05-05"],
        ),
    ]
}

#[test]
fn each_pattern_sets_the_days_that_a_calendar_shows() {
    for (pattern, first, expected) in days_and_weeks().into_iter().chain(months_and_years()) {
        assert_eq!(
            first_days(&rule(pattern.clone(), first, Ends::Never), 4),
            expected,
            "{pattern:?}"
        );
    }
}

#[test]
fn an_end_by_day_includes_that_day_and_an_end_by_count_counts() {
    let every_day = Pattern::Daily { every: 1 };
    let until = rule(every_day.clone(), "2026-03-30", Ends::On(day("2026-04-01")));
    assert_eq!(first_days(&until, 9), ["2026-03-30", "2026-03-31", "2026-04-01"]);
    let counted = rule(every_day, "2026-03-30", Ends::After(2));
    assert_eq!(first_days(&counted, 9), ["2026-03-30", "2026-03-31"]);
    assert_eq!(counted.days(day("2026-03-31"), day("2026-12-31"), 9).next, None);
}

#[test]
fn what_was_not_asked_for_any_more_names_the_day_on_which_to_go_on() {
    let yearly = rule(Pattern::YearlyOn { month: 7, day: 1 }, "2020-07-01", Ends::Never);
    let found = yearly.days(day("2026-01-01"), day("2027-06-30"), 9);
    assert_eq!(
        (found.days, found.next),
        (vec![day("2026-07-01")], Some(day("2027-07-01")))
    );
    let daily = rule(Pattern::Daily { every: 1 }, "2020-07-01", Ends::Never);
    let found = daily.days(day("2026-01-01"), day("2027-06-30"), 2);
    assert_eq!(found.next, Some(day("2026-01-03")));
}

#[test]
fn a_meeting_at_nine_stays_at_nine_on_both_hemispheres() {
    for (zone, first, expected) in [
        (
            Tz::Europe__Berlin,
            "2026-03-27T08:00:00Z",
            ["2026-03-27T08:00:00Z", "2026-03-30T07:00:00Z"],
        ),
        (
            Tz::Australia__Sydney,
            "2026-04-02T22:00:00Z",
            ["2026-04-02T22:00:00Z", "2026-04-05T23:00:00Z"],
        ),
    ] {
        let start: DateTime<Utc> = first.parse().expect("an instant");
        let when = When::Timed {
            start,
            end: start + TimeDelta::minutes(45),
        };
        let clock = Clock::of(&when, zone);
        let begins = start.with_timezone(&zone).date_naive();
        for (offset, expected) in [0, 3].into_iter().zip(expected) {
            let When::Timed { start, end } = clock.when(begins + TimeDelta::days(offset)) else {
                panic!("a timed date")
            };
            assert_eq!(start, expected.parse::<DateTime<Utc>>().expect("an instant"));
            assert_eq!((end - start).num_minutes(), 45);
        }
    }
}

#[test]
fn a_time_that_the_clocks_skip_or_repeat_is_known_to_be_doubtful() {
    let start = "2026-03-20T01:30:00Z".parse().expect("an instant");
    let when = When::Timed {
        start,
        end: start + TimeDelta::minutes(20),
    };
    let clock = Clock::of(&when, Tz::Europe__Berlin);
    assert!(
        clock.is_doubtful(day("2026-03-29")),
        "the clocks skip half past two"
    );
    assert!(
        clock.is_doubtful(day("2026-10-25")),
        "the clocks repeat half past two"
    );
    assert!(!clock.is_doubtful(day("2026-03-30")));
}

#[test]
fn whole_days_stay_whole_days_whatever_the_clocks_do() {
    let when = When::AllDay {
        first: day("2026-03-28"),
        last: day("2026-03-29"),
    };
    let clock = Clock::of(&when, Tz::America__New_York);
    assert_eq!(
        clock.when(day("2026-11-01")),
        When::AllDay {
            first: day("2026-11-01"),
            last: day("2026-11-02"),
        }
    );
}

#[test]
fn only_a_day_within_what_is_known_can_be_gone() {
    let days = |texts: &[&str]| texts.iter().copied().map(day).collect::<BTreeSet<_>>();
    let before = days(&["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"]);
    let now = days(&["2026-02-01"]);
    assert_eq!(
        gone(&before, &now, day("2026-01-15"), day("2026-03-15")),
        [day("2026-03-01")]
    );
    assert!(gone(&before, &now, day("2026-03-15"), day("2026-01-15")).is_empty());
}

fn patterns() -> impl Strategy<Value = Pattern> {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    let weekday = || prop::sample::select(vec![Mon, Tue, Wed, Thu, Fri, Sat, Sun]);
    let kind = || {
        prop_oneof![
            weekday().prop_map(DayKind::On),
            Just(DayKind::Day),
            Just(DayKind::Weekday),
            Just(DayKind::WeekendDay)
        ]
    };
    let nth = || prop_oneof![(1_u8..=4).prop_map(Nth::From), Just(Nth::Last)];
    prop_oneof![
        (1_u16..40).prop_map(|every| Pattern::Daily { every }),
        (1_u16..5, prop::collection::vec(weekday(), 1..4), weekday()).prop_map(|(every, on, week_start)| {
            Pattern::Weekly {
                every,
                on,
                week_start,
            }
        }),
        (1_u16..13, 1_u8..=31).prop_map(|(every, day)| Pattern::MonthlyOn { every, day }),
        (1_u16..13, nth(), kind()).prop_map(|(every, nth, of)| Pattern::MonthlyBy { every, nth, of }),
        (1_u8..=12, 1_u8..=31).prop_map(|(month, day)| Pattern::YearlyOn { month, day }),
        (1_u8..=12, nth(), kind()).prop_map(|(month, nth, of)| Pattern::YearlyBy { month, nth, of }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn days_ascend_and_each_has_the_number_of_its_place(pattern in patterns(), offset in 0_i64..800) {
        let first = day("2025-01-01") + TimeDelta::days(offset);
        let rule = Recurrence { pattern, first, ends: Ends::Never };
        let found = rule.days(first, first + TimeDelta::days(3000), 70).days;
        prop_assert!(!found.is_empty());
        prop_assert!(found.windows(2).all(|pair| pair[0] < pair[1]));
        for (place, day) in found.iter().enumerate().step_by(9) {
            prop_assert_eq!(rule.number(*day), Some(place + 1));
        }
    }

    #[test]
    fn a_span_has_the_same_days_however_it_is_cut(pattern in patterns(), cut in 1_i64..700) {
        let rule = Recurrence { pattern, first: day("2025-02-03"), ends: Ends::Never };
        let (from, to) = (day("2025-06-01"), day("2027-06-01"));
        let middle = from + TimeDelta::days(cut);
        let whole = rule.days(from, to, 10_000).days;
        let mut parts = rule.days(from, middle, 10_000).days;
        parts.extend(rule.days(middle + TimeDelta::days(1), to, 10_000).days);
        prop_assert_eq!(whole, parts);
    }
}
