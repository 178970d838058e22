//! Rules of series.

use crate::mailbox::exchange::wire::recurrence::RawRecurrence;
use crate::record::recurrence::{DayKind, Ends, Nth, Pattern, Recurrence};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;

const DAYS: &[(&str, Weekday)] = &[
    ("Sunday", Weekday::Sun),
    ("Monday", Weekday::Mon),
    ("Tuesday", Weekday::Tue),
    ("Wednesday", Weekday::Wed),
    ("Thursday", Weekday::Thu),
    ("Friday", Weekday::Fri),
    ("Saturday", Weekday::Sat),
];

const MONTHS: &[&str] = &[
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The rule; none for one that we do not know, which no calendar should have.
pub fn rule(raw: &RawRecurrence) -> Option<Recurrence> {
    let every = || raw.interval.trim().parse().ok().filter(|every| *every > 0);
    let day_of_month = || raw.day.trim().parse().ok();
    let pattern = match raw.pattern.as_str() {
        "DailyRecurrence" => Pattern::Daily { every: every()? },
        "WeeklyRecurrence" => Pattern::Weekly {
            every: every()?,
            on: weekdays(&raw.days)?,
            // "FirstDayOfWeek" in the reference: Sunday where nothing is said.
            week_start: weekday(&raw.first_day).unwrap_or(Weekday::Sun),
        },
        "AbsoluteMonthlyRecurrence" => Pattern::MonthlyOn {
            every: every()?,
            day: day_of_month()?,
        },
        "RelativeMonthlyRecurrence" => Pattern::MonthlyBy {
            every: every()?,
            nth: nth(&raw.index)?,
            of: kind(&raw.days)?,
        },
        "AbsoluteYearlyRecurrence" => Pattern::YearlyOn {
            month: month(&raw.month)?,
            day: day_of_month()?,
        },
        "RelativeYearlyRecurrence" => Pattern::YearlyBy {
            month: month(&raw.month)?,
            nth: nth(&raw.index)?,
            of: kind(&raw.days)?,
        },
        _ => return None,
    };
    let ends = match (raw.end.is_empty(), raw.count.is_empty()) {
        (false, _) => Ends::On(date(&raw.end)?),
        (true, false) => Ends::After(raw.count.trim().parse().ok()?),
        (true, true) => Ends::Never,
    };
    Some(Recurrence {
        pattern,
        first: date(&raw.start)?,
        ends,
    })
}

/// `xs:date`, which may bear an offset that says nothing here: a rule's days belong to its own zone.
fn date(text: &str) -> Option<NaiveDate> {
    text.trim().get(..10)?.parse().ok()
}

pub(super) fn weekday(name: &str) -> Option<Weekday> {
    let name = name.trim();
    DAYS.iter().find(|(of, _)| *of == name).map(|(_, day)| *day)
}

/// The days of a weekly rule; servers write its collective names out, and we take both.
fn weekdays(names: &str) -> Option<Vec<Weekday>> {
    let mut days = Vec::new();
    for name in names.split_whitespace() {
        match name {
            "Day" => days.extend(DAYS.iter().map(|(_, day)| *day)),
            "Weekday" => days.extend(DAYS.iter().skip(1).take(5).map(|(_, day)| *day)),
            "WeekendDay" => days.extend([Weekday::Sat, Weekday::Sun]),
            name => days.push(weekday(name)?),
        }
    }
    (!days.is_empty()).then_some(days)
}

fn kind(name: &str) -> Option<DayKind> {
    Some(match name.trim() {
        "Day" => DayKind::Day,
        "Weekday" => DayKind::Weekday,
        "WeekendDay" => DayKind::WeekendDay,
        name => DayKind::On(weekday(name)?),
    })
}

fn nth(name: &str) -> Option<Nth> {
    Some(match name.trim() {
        "First" => Nth::From(1),
        "Second" => Nth::From(2),
        "Third" => Nth::From(3),
        "Fourth" => Nth::From(4),
        "Last" => Nth::Last,
        _ => return None,
    })
}

pub(super) fn month(name: &str) -> Option<u8> {
    let place = MONTHS.iter().position(|month| *month == name.trim())?;
    u8::try_from(place + 1).ok()
}

/// The day on which a rule set a date that would have begun at this instant. Without a zone it is taken from
/// the nearest midnight for whole days, as [`super::time::days`] does.
pub fn day_of(original: DateTime<Utc>, all_day: bool, zone: Option<Tz>, home: Option<Tz>) -> NaiveDate {
    match (zone, all_day) {
        (Some(zone), _) => original.with_timezone(&zone).date_naive(),
        (None, true) => (original + TimeDelta::hours(12)).date_naive(),
        (None, false) => original.with_timezone(&home.unwrap_or(Tz::UTC)).date_naive(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_no_calendar_has_is_no_rule() {
        let raw = |pattern: &str| RawRecurrence {
            pattern: pattern.to_owned(),
            interval: "1".to_owned(),
            start: "2026-03-02+01:00".to_owned(),
            ..RawRecurrence::default()
        };
        assert!(rule(&raw("DailyRecurrence")).is_some());
        assert!(rule(&raw("DailyRegeneration")).is_none());
        assert!(rule(&raw("WeeklyRecurrence")).is_none(), "without days");
    }

    #[test]
    fn an_offset_behind_a_day_does_not_shift_it() {
        assert_eq!(date("2026-03-02+11:00"), NaiveDate::from_ymd_opt(2026, 3, 2));
        assert_eq!(date("2026-03-02Z"), NaiveDate::from_ymd_opt(2026, 3, 2));
    }
}
