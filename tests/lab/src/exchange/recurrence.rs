//! Repetition of calendar items and tasks: the six patterns, the four regenerating ones and the
//! three ranges of EWS, and their expansion by the `rrule` crate.
//!
//! A pattern is expanded on wall-clock time and only then turned into instants, so that a meeting
//! at nine stays at nine over a change of clocks.
//!
//! Source: "Recurrence (RecurrenceType)" and "TaskRecurrenceType" in the EWS reference.

use super::zone::Rules;
use chrono::{
    DateTime, Datelike, Duration, Month, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc, Weekday,
};
use rrule::{Frequency, NWeekday, RRule, RRuleSet, Tz};
use serde::{Deserialize, Serialize};

/// A day of the week, or one of the three collective names relative patterns may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each variant is the schema's value")]
pub enum Day {
    Sunday,
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Day,
    Weekday,
    WeekendDay,
}

/// Which of the matching days of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each variant is the schema's value")]
pub enum Index {
    First,
    Second,
    Third,
    Fourth,
    Last,
}

/// How often a task that regenerates comes back after it is completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each variant is the schema's prefix")]
pub enum Unit {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A pattern. Months count from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the schema's elements")]
pub enum Pattern {
    Daily {
        interval: u16,
    },
    Weekly {
        interval: u16,
        days: Vec<Day>,
        first_day: Option<Day>,
    },
    AbsoluteMonthly {
        interval: u16,
        day: u8,
    },
    RelativeMonthly {
        interval: u16,
        days: Day,
        index: Index,
    },
    AbsoluteYearly {
        day: u8,
        month: u8,
    },
    RelativeYearly {
        days: Day,
        index: Index,
        month: u8,
    },
    Regeneration {
        unit: Unit,
        interval: u16,
    },
}

/// Where a repetition ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ends {
    /// NoEndRecurrence.
    Never,
    /// EndDateRecurrence: the last day on which an occurrence may fall.
    On(NaiveDate),
    /// NumberedRecurrence.
    After(u32),
}

/// A repetition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurrence {
    /// The pattern.
    pub pattern: Pattern,
    /// First day on which an occurrence may fall.
    pub start: NaiveDate,
    /// The end.
    pub ends: Ends,
}

/// No expansion goes further; Exchange itself refuses an end after 1 September 4500.
const LIMIT: u16 = 5_000;

impl Recurrence {
    /// Starts of the occurrences in time order that fall in `from..until`, at most 5,000 counted
    /// from the first one asked for. `time` is the wall-clock time of day in the zone of `rules`.
    pub fn starts(
        &self,
        rules: Rules,
        time: NaiveTime,
        from: Option<DateTime<Utc>>,
        until: Option<DateTime<Utc>>,
    ) -> Vec<DateTime<Utc>> {
        let first = wall(self.start.and_time(time));
        let Some(rule) = self.rule() else {
            return Vec::new();
        };
        let Ok(rule) = rule.validate(first) else {
            return Vec::new();
        };
        let mut set = RRuleSet::new(first).rrule(rule);
        // A time that the clocks skip is shown later than the rule says: the bounds on the wall's clock are
        // wider, and the instants are compared afterwards.
        if let Some(from) = from {
            set = set.after(wall(rules.to_local(from) - Duration::days(1)));
        }
        if let Some(until) = until {
            set = set.before(wall(rules.to_local(until) + Duration::days(1)));
        }
        let dates = set.all(LIMIT).dates;
        dates
            .into_iter()
            .map(|date| rules.to_utc(date.naive_utc()))
            .filter(|start| {
                until.is_none_or(|until| *start < until) && from.is_none_or(|from| *start >= from)
            })
            .collect()
    }

    /// The start of the last occurrence; none for an endless series.
    pub fn last(&self, rules: Rules, time: NaiveTime) -> Option<DateTime<Utc>> {
        match self.ends {
            Ends::Never => None,
            _ => self.starts(rules, time, None, None).last().copied(),
        }
    }

    fn rule(&self) -> Option<RRule<rrule::Unvalidated>> {
        let rule = match &self.pattern {
            Pattern::Daily { interval } => RRule::new(Frequency::Daily).interval(*interval),
            Pattern::Weekly {
                interval,
                days,
                first_day,
            } => RRule::new(Frequency::Weekly)
                .interval(*interval)
                .week_start(first_day.and_then(Day::weekday).unwrap_or(Weekday::Sun))
                .by_weekday(
                    days.iter()
                        .flat_map(|day| day.weekdays())
                        .map(NWeekday::Every)
                        .collect(),
                ),
            Pattern::AbsoluteMonthly { interval, day } => RRule::new(Frequency::Monthly)
                .interval(*interval)
                .by_month_day(days_up_to(*day))
                .by_set_pos(vec![-1]),
            Pattern::RelativeMonthly {
                interval,
                days,
                index,
            } => relative(RRule::new(Frequency::Monthly).interval(*interval), *days, *index),
            Pattern::AbsoluteYearly { day, month } => RRule::new(Frequency::Yearly)
                .by_month(&[month_of(*month)?])
                .by_month_day(days_up_to(*day))
                .by_set_pos(vec![-1]),
            Pattern::RelativeYearly { days, index, month } => relative(
                RRule::new(Frequency::Yearly).by_month(&[month_of(*month)?]),
                *days,
                *index,
            ),
            Pattern::Regeneration { .. } => return None,
        };
        Some(match self.ends {
            Ends::Never => rule,
            Ends::On(day) => rule.until(wall(day.and_time(NaiveTime::from_hms_opt(23, 59, 59)?))),
            Ends::After(count) => rule.count(count),
        })
    }
}

/// The documentation's rule that a day beyond the month's end means the month's last day, said
/// as "the last of the days 28 to `day` that the month has".
fn days_up_to(day: u8) -> Vec<i8> {
    let day = i8::try_from(day.clamp(1, 31)).unwrap_or(31);
    if day <= 28 {
        vec![day]
    } else {
        (28..=day).collect()
    }
}

fn month_of(number: u8) -> Option<Month> {
    Month::try_from(number).ok()
}

fn relative(rule: RRule<rrule::Unvalidated>, days: Day, index: Index) -> RRule<rrule::Unvalidated> {
    let position = match index {
        Index::First => 1,
        Index::Second => 2,
        Index::Third => 3,
        Index::Fourth => 4,
        Index::Last => -1,
    };
    rule.by_weekday(days.weekdays().into_iter().map(NWeekday::Every).collect())
        .by_set_pos(vec![position])
}

/// Wall-clock time dressed as UTC, so that the crate does no zone arithmetic of its own.
fn wall(local: NaiveDateTime) -> DateTime<Tz> {
    Tz::UTC.from_utc_datetime(&local)
}

impl Day {
    /// The weekday of a day that names one.
    pub fn weekday(self) -> Option<Weekday> {
        match self.weekdays().as_slice() {
            [day] => Some(*day),
            _ => None,
        }
    }

    /// The day that a date falls on.
    pub fn of(date: NaiveDate) -> Day {
        match date.weekday() {
            Weekday::Sun => Day::Sunday,
            Weekday::Mon => Day::Monday,
            Weekday::Tue => Day::Tuesday,
            Weekday::Wed => Day::Wednesday,
            Weekday::Thu => Day::Thursday,
            Weekday::Fri => Day::Friday,
            Weekday::Sat => Day::Saturday,
        }
    }

    fn weekdays(self) -> Vec<Weekday> {
        use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
        match self {
            Day::Sunday => vec![Sun],
            Day::Monday => vec![Mon],
            Day::Tuesday => vec![Tue],
            Day::Wednesday => vec![Wed],
            Day::Thursday => vec![Thu],
            Day::Friday => vec![Fri],
            Day::Saturday => vec![Sat],
            Day::Day => vec![Sun, Mon, Tue, Wed, Thu, Fri, Sat],
            Day::Weekday => vec![Mon, Tue, Wed, Thu, Fri],
            Day::WeekendDay => vec![Sat, Sun],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Berlin;

    fn date(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    fn starts(pattern: Pattern, start: NaiveDate, ends: Ends) -> Vec<String> {
        Recurrence { pattern, start, ends }
            .starts(
                Rules::Named(Berlin),
                NaiveTime::from_hms_opt(9, 0, 0).unwrap(),
                None,
                None,
            )
            .iter()
            .map(|start| start.format("%Y-%m-%dT%H").to_string())
            .collect()
    }

    #[test]
    fn a_weekly_meeting_keeps_its_wall_clock_time_over_a_change_of_clocks() {
        let pattern = Pattern::Weekly {
            interval: 1,
            days: vec![Day::Monday],
            first_day: None,
        };
        let got = starts(pattern, date(2026, 3, 23), Ends::After(2));
        assert_eq!(got, ["2026-03-23T08", "2026-03-30T07"]);
    }

    #[test]
    fn the_thirty_first_of_a_short_month_is_its_last_day() {
        let pattern = Pattern::AbsoluteMonthly { interval: 1, day: 31 };
        let got = starts(pattern, date(2026, 1, 31), Ends::After(3));
        assert_eq!(got, ["2026-01-31T08", "2026-02-28T08", "2026-03-31T07"]);
    }

    #[test]
    fn the_last_weekday_of_a_month_is_found() {
        let pattern = Pattern::RelativeMonthly {
            interval: 1,
            days: Day::Weekday,
            index: Index::Last,
        };
        let got = starts(pattern, date(2026, 10, 1), Ends::After(2));
        assert_eq!(got, ["2026-10-30T08", "2026-11-30T08"]);
    }

    #[test]
    fn an_end_date_includes_that_day() {
        let got = starts(
            Pattern::Daily { interval: 2 },
            date(2026, 1, 1),
            Ends::On(date(2026, 1, 5)),
        );
        assert_eq!(got.len(), 3);
    }

    #[test]
    fn yearly_patterns_stay_in_their_month() {
        let pattern = Pattern::RelativeYearly {
            days: Day::Sunday,
            index: Index::Second,
            month: 5,
        };
        assert_eq!(
            starts(pattern, date(2026, 1, 1), Ends::After(2)),
            ["2026-05-10T07", "2027-05-09T07"]
        );
        let pattern = Pattern::AbsoluteYearly { day: 29, month: 2 };
        assert_eq!(
            starts(pattern, date(2027, 1, 1), Ends::After(2)),
            ["2027-02-28T08", "2028-02-29T08"]
        );
    }
}
