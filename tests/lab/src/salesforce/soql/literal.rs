//! Values in a query: texts, numbers, dates, moments, and date literals such as `LAST_N_DAYS:7`.

use chrono::{DateTime, Datelike, NaiveDate, Utc, Weekday};
use chrono_tz::Tz;

use crate::salesforce::moment::shifted;

/// A value as written.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A quoted text.
    Text(String),
    /// A number.
    Number(f64),
    /// TRUE or FALSE.
    Flag(bool),
    /// NULL.
    Null,
    /// A date.
    Date(NaiveDate),
    /// A moment.
    Moment(DateTime<Utc>),
    /// A date literal: its upper-case name and its number if it has one.
    Relative(String, i64),
}

/// The days a date literal covers, first and first after, in the user's zone; `None` for an unknown name.
pub fn days(name: &str, number: i64, now: DateTime<Utc>, zone: Tz) -> Option<(NaiveDate, NaiveDate)> {
    let today = now.with_timezone(&zone).date_naive();
    let span = |from: i64, to: i64| Some((shifted(today, from), shifted(today, to)));
    let week_start = i64::from(
        today
            .week(Weekday::Sun)
            .first_day()
            .signed_duration_since(today)
            .num_days() as i32,
    );
    match name {
        "YESTERDAY" => span(-1, 0),
        "TODAY" => span(0, 1),
        "TOMORROW" => span(1, 2),
        "LAST_N_DAYS" => span(-number, 1),
        "NEXT_N_DAYS" => span(1, number + 1),
        "N_DAYS_AGO" => span(-number, 1 - number),
        "LAST_WEEK" => span(week_start - 7, week_start),
        "THIS_WEEK" => span(week_start, week_start + 7),
        "NEXT_WEEK" => span(week_start + 7, week_start + 14),
        "LAST_90_DAYS" => span(-90, 1),
        "NEXT_90_DAYS" => span(1, 91),
        "LAST_MONTH" => months(today, -1),
        "THIS_MONTH" => months(today, 0),
        "NEXT_MONTH" => months(today, 1),
        "THIS_YEAR" => years(today, 0),
        "LAST_YEAR" => years(today, -1),
        "NEXT_YEAR" => years(today, 1),
        _ => None,
    }
}

fn months(today: NaiveDate, distance: i32) -> Option<(NaiveDate, NaiveDate)> {
    let month = today.year() * 12 + today.month0() as i32 + distance;
    let first =
        |month: i32| NaiveDate::from_ymd_opt(month.div_euclid(12), month.rem_euclid(12) as u32 + 1, 1);
    Some((first(month)?, first(month + 1)?))
}

fn years(today: NaiveDate, distance: i32) -> Option<(NaiveDate, NaiveDate)> {
    let first = |year: i32| NaiveDate::from_ymd_opt(year, 1, 1);
    Some((
        first(today.year() + distance)?,
        first(today.year() + distance + 1)?,
    ))
}
