//! RRULE to a recurrence. What EWS cannot say (several rules, hourly, BYSETPOS lists) gives none.

use std::collections::HashMap;

use chrono::{Datelike, NaiveDate, NaiveDateTime};

use super::super::super::recurrence::{Day, Ends, Index, Pattern, Recurrence};
use super::reading::Time;

/// The recurrence of an event that starts at `start`.
pub(super) fn read(rule: &str, start: &Time) -> Option<Recurrence> {
    let parts: HashMap<String, &str> = rule
        .split(';')
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| (name.trim().to_ascii_uppercase(), value.trim()))
        .collect();
    let first = start.rules.to_local(start.instant).date();
    let pattern = pattern(&parts, first)?;
    let ends = match (parts.get("COUNT"), parts.get("UNTIL")) {
        (Some(count), _) => Ends::After(count.parse().ok()?),
        (None, Some(until)) => Ends::On(last_day(until, start)?),
        (None, None) => Ends::Never,
    };
    Some(Recurrence {
        pattern,
        start: first,
        ends,
    })
}

fn last_day(until: &str, start: &Time) -> Option<NaiveDate> {
    if let Ok(day) = NaiveDate::parse_from_str(until, "%Y%m%d") {
        return Some(day);
    }
    let time = NaiveDateTime::parse_from_str(until.trim_end_matches('Z'), "%Y%m%dT%H%M%S").ok()?;
    let local = if until.ends_with('Z') {
        start.rules.to_local(time.and_utc())
    } else {
        time
    };
    Some(local.date())
}

fn pattern(parts: &HashMap<String, &str>, first: NaiveDate) -> Option<Pattern> {
    let number = |name: &str| parts.get(name).map(|value| value.parse::<u8>());
    let interval = parts.get("INTERVAL").map_or(Ok(1), |value| value.parse()).ok()?;
    let days = parts
        .get("BYDAY")
        .map(|list| list.split(',').collect::<Vec<_>>())
        .unwrap_or_default();
    let month = number("BYMONTH").unwrap_or(Ok(first.month() as u8)).ok()?;
    let day = number("BYMONTHDAY").unwrap_or(Ok(first.day() as u8)).ok()?;
    match *parts.get("FREQ")? {
        "DAILY" => Some(Pattern::Daily { interval }),
        "WEEKLY" => {
            let mut on: Vec<Day> = days.iter().filter_map(|name| day_of(name)).collect();
            if on.is_empty() {
                on.push(Day::of(first));
            }
            let first_day = parts.get("WKST").and_then(|name| day_of(name));
            Some(Pattern::Weekly {
                interval,
                days: on,
                first_day,
            })
        }
        "MONTHLY" if days.is_empty() => Some(Pattern::AbsoluteMonthly { interval, day }),
        "MONTHLY" => {
            let (days, index) = relative(&days, parts.get("BYSETPOS").copied())?;
            Some(Pattern::RelativeMonthly {
                interval,
                days,
                index,
            })
        }
        "YEARLY" if interval != 1 => None,
        "YEARLY" if days.is_empty() => Some(Pattern::AbsoluteYearly { day, month }),
        "YEARLY" => {
            let (days, index) = relative(&days, parts.get("BYSETPOS").copied())?;
            Some(Pattern::RelativeYearly { days, index, month })
        }
        _ => None,
    }
}

/// `2MO`, or `MO` with BYSETPOS=2, or one of the collective lists with BYSETPOS.
fn relative(days: &[&str], position: Option<&str>) -> Option<(Day, Index)> {
    let split = days.first()?.find(|letter: char| letter.is_ascii_alphabetic())?;
    let (ordinal, name) = days.first()?.split_at(split);
    let index = match position.unwrap_or(ordinal) {
        "1" | "+1" => Index::First,
        "2" | "+2" => Index::Second,
        "3" | "+3" => Index::Third,
        "4" | "+4" => Index::Fourth,
        "-1" | "5" => Index::Last,
        _ => return None,
    };
    let mut sorted = days.to_vec();
    sorted.sort_unstable();
    let day = match sorted.as_slice() {
        [_] => day_of(name)?,
        ["FR", "MO", "TH", "TU", "WE"] => Day::Weekday,
        ["SA", "SU"] => Day::WeekendDay,
        all if all.len() == 7 => Day::Day,
        _ => return None,
    };
    Some((day, index))
}

fn day_of(name: &str) -> Option<Day> {
    Some(match name {
        "SU" => Day::Sunday,
        "MO" => Day::Monday,
        "TU" => Day::Tuesday,
        "WE" => Day::Wednesday,
        "TH" => Day::Thursday,
        "FR" => Day::Friday,
        "SA" => Day::Saturday,
        _ => return None,
    })
}
