//! Instants and whole days, as Exchange writes them.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// An instant as `xs:dateTime` in UTC: with its offset it means the same whatever zone the request names.
pub fn literal(instant: DateTime<Utc>) -> String {
    instant.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The day of a task: Exchange keeps a date as midnight in UTC.
pub fn day_literal(day: NaiveDate) -> String {
    day.format("%Y-%m-%dT00:00:00Z").to_string()
}

/// The first instant of a day in a zone. Where the clocks jump over midnight it is the first that exists.
pub fn start_of_day(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    (0..24)
        .find_map(|quarter| {
            zone.from_local_datetime(&(midnight + TimeDelta::minutes(15 * quarter)))
                .earliest()
        })
        .map_or_else(|| midnight.and_utc(), |instant| instant.to_utc())
}

/// From midnight to the midnight after the last day, in a zone.
pub fn span(first: NaiveDate, last: NaiveDate, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
    let after = last.max(first).checked_add_days(Days::new(1)).unwrap_or(last);
    (start_of_day(first, zone), start_of_day(after, zone))
}

/// The whole days from `start` to `end`, which is the first instant after them, seen in the zone in which the
/// item was made. Where the server names no zone that we know, midnight is taken to be the nearest one: half
/// a day on, every zone from twelve hours west to eleven hours east is still on the same day.
pub fn days(start: DateTime<Utc>, end: DateTime<Utc>, zone: Option<Tz>) -> (NaiveDate, NaiveDate) {
    let day = |instant: DateTime<Utc>| match zone {
        Some(zone) => instant.with_timezone(&zone).date_naive(),
        None => (instant + TimeDelta::hours(12)).date_naive(),
    };
    let first = day(start);
    let after = day(end);
    let last = if end > start {
        after.pred_opt().unwrap_or(after)
    } else {
        first
    };
    (first, last.max(first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whole_days_come_back_as_they_were_in_any_zone(
            offset in 0_u64..20_000, length in 0_u64..40, zone in proptest::sample::select(chrono_tz::TZ_VARIANTS.as_slice())
        ) {
            let first = NaiveDate::from_ymd_opt(1985, 1, 1).expect("a date") + Days::new(offset);
            let last = first + Days::new(length);
            let (start, end) = span(first, last, zone);
            // Samoa and Kwajalein once left out a whole day; an event on it has no start.
            prop_assume!(start.with_timezone(&zone).date_naive() == first && end > start);
            prop_assume!(end.with_timezone(&zone).date_naive() == last + Days::new(1));
            prop_assert_eq!(days(start, end, Some(zone)), (first, last));
        }
    }

    #[test]
    fn without_a_zone_a_midnight_of_berlin_and_one_of_new_york_are_the_same_day() {
        let day = NaiveDate::from_ymd_opt(2026, 7, 14).expect("a date");
        for zone in [Tz::Europe__Berlin, Tz::America__New_York, Tz::UTC] {
            let (start, end) = span(day, day, zone);
            assert_eq!(days(start, end, None), (day, day), "{zone}");
        }
    }
}
