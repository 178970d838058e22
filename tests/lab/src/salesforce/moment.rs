//! Dates and moments in the API's written forms.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, SubsecRound, TimeZone, Utc};
use chrono_tz::Tz;

/// A moment as answers write it: `2026-11-23T06:55:08.000+0000`, always whole seconds. Texts of
/// this form sort by time.
pub fn stamp(at: DateTime<Utc>) -> String {
    at.trunc_subsecs(0)
        .format("%Y-%m-%dT%H:%M:%S.000+0000")
        .to_string()
}

/// A moment in any form the API takes; a bare date is midnight UTC, a time without zone is UTC.
pub fn parse_moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.with_timezone(&Utc));
    }
    for form in ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M%z"] {
        if let Ok(at) = DateTime::parse_from_str(text, form) {
            return Some(at.with_timezone(&Utc));
        }
    }
    if let Ok(at) = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f") {
        return Some(at.and_utc());
    }
    parse_date(text).map(midnight)
}

/// A calendar date, `2026-11-23`.
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    (text.len() == 10)
        .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
        .flatten()
}

/// Midnight UTC of a date.
pub fn midnight(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(chrono::NaiveTime::MIN).and_utc()
}

/// The moment at which a date begins in a zone; the first one if the clock repeats it.
pub fn day_start(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let wall = date.and_time(chrono::NaiveTime::MIN);
    let at = zone.from_local_datetime(&wall).earliest();
    at.map_or_else(|| midnight(date), |at| at.with_timezone(&Utc))
}

/// The date so many days away.
pub fn shifted(date: NaiveDate, days: i64) -> NaiveDate {
    let distance = Days::new(days.unsigned_abs());
    let moved = if days < 0 {
        date.checked_sub_days(distance)
    } else {
        date.checked_add_days(distance)
    };
    moved.unwrap_or(date)
}
