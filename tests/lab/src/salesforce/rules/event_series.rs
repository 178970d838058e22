//! Events that repeat: recurring events of Salesforce Classic, and event series of Lightning Experience.
//!
//! Object Reference, "Event", "Event Series and Recurring Events":
//! * Classic: the record that is created with IsRecurrence is the main one; each date is a record of its own that names
//!   it in RecurrenceActivityId. Deleting the main record through the API removes all dates, past and future.
//! * Lightning: a record that is created with Recurrence2PatternText is the first date of a series; IsRecurrence2 is
//!   true on all of them, no field says which belong together, and one more record whose GroupEventType is 3 stands for
//!   the pattern. From version 58.0 on a change of a future date changes the whole series; a change of a past one
//!   makes it an exception and stays with it.
//!
//! How far ahead a series without an end is laid out is not said there; here it is a year.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rrule::RRuleSet;
use serde_json::Value;

use super::activity;
use super::people::ids;
use crate::salesforce::changes::Changes;
use crate::salesforce::error::{ApiError, ApiResult};
use crate::salesforce::moment::{midnight, parse_date, parse_moment, stamp};
use crate::salesforce::store::{EVENT_SERIES, Fields, Row};
use crate::salesforce::transaction::Transaction;
use crate::salesforce::write::require;

/// "COUNT: allowed values are 1 to 999".
const MOST: u16 = 999;
const AHEAD_DAYS: i64 = 365;
/// "RRULE parts are placed in the following order".
const PARTS: [&str; 9] = [
    "FREQ",
    "BYMONTH",
    "BYMONTHDAY",
    "BYDAY",
    "WKST",
    "BYSETPOS",
    "INTERVAL",
    "UNTIL",
    "COUNT",
];
const DAYS: [&str; 7] = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
/// What a date does not share with its series.
const OWN: &[&str] = &["Holdfast_Key__c", "IsReminderSet", "ReminderDateTime"];
const TIMES: &[&str] = &[
    "StartDateTime",
    "ActivityDateTime",
    "ActivityDate",
    "EndDateTime",
    "EndDate",
];

/// Checks what a new record says of its repetition.
pub fn before(row: &mut Row) -> ApiResult<()> {
    let pattern = row.text("Recurrence2PatternText").to_owned();
    if row.flag("IsRecurrence") {
        if !pattern.is_empty() {
            let message = "IsRecurrence and IsRecurrence2 can't both be set";
            return Err(ApiError::on(
                "FIELD_INTEGRITY_EXCEPTION",
                message,
                &["IsRecurrence"],
            ));
        }
        let wanted = [
            "RecurrenceEndDateOnly",
            "RecurrenceStartDateTime",
            "RecurrenceType",
        ];
        require(wanted.into_iter(), row)?;
        require(wanted_of(row.text("RecurrenceType")).iter().copied(), row)?;
    } else if !pattern.is_empty() {
        row.set("Recurrence2PatternText", in_order(&pattern)?);
    }
    Ok(())
}

fn wanted_of(kind: &str) -> &'static [&'static str] {
    match kind {
        "RecursDaily" => &["RecurrenceInterval"],
        "RecursEveryWeekday" => &["RecurrenceDayOfWeekMask"],
        "RecursMonthly" => &["RecurrenceDayOfMonth", "RecurrenceInterval"],
        "RecursMonthlyNth" => &[
            "RecurrenceInterval",
            "RecurrenceInstance",
            "RecurrenceDayOfWeekMask",
        ],
        "RecursWeekly" => &["RecurrenceInterval", "RecurrenceDayOfWeekMask"],
        "RecursYearly" => &["RecurrenceDayOfMonth", "RecurrenceMonthOfYear"],
        _ => &[
            "RecurrenceDayOfWeekMask",
            "RecurrenceInstance",
            "RecurrenceMonthOfYear",
        ],
    }
}

fn in_order(pattern: &str) -> ApiResult<String> {
    let text = pattern.strip_prefix("RRULE:").unwrap_or(pattern);
    let mut parts: Vec<(&str, &str)> = text.split(';').filter_map(|part| part.split_once('=')).collect();
    let unknown = parts.iter().find(|(name, _)| !PARTS.contains(name));
    if parts.is_empty() || unknown.is_some() {
        let message = "The recurrence pattern isn't a valid RRULE";
        return Err(ApiError::on(
            "FIELD_INTEGRITY_EXCEPTION",
            message,
            &["Recurrence2PatternText"],
        ));
    }
    if !parts.iter().any(|(name, _)| *name == "INTERVAL") {
        parts.push(("INTERVAL", "1"));
    }
    parts.sort_by_key(|(name, _)| PARTS.iter().position(|part| part == name));
    let parts: Vec<String> = parts
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    Ok(format!("RRULE:{}", parts.join(";")))
}

/// Lays a new series out, or carries a change of one date to the others.
pub fn after(tx: &mut Transaction, row: &Row, old: Option<&Row>, changes: &Changes) -> ApiResult<()> {
    match old {
        None if row.flag("IsRecurrence") => classic(tx, row),
        None if !row.text("Recurrence2PatternText").is_empty() => lightning(tx, row),
        Some(old) if row.flag("IsRecurrence2") => spread(tx, old, row, changes),
        _ => Ok(()),
    }
}

fn classic(tx: &mut Transaction, main: &Row) -> ApiResult<()> {
    let zone = zone_of(main.text("RecurrenceTimeZoneSidKey"), tx.caller.zone);
    let last = parse_date(main.text("RecurrenceEndDateOnly")).map(midnight);
    let until = last.map(|last| last + TimeDelta::days(1) - TimeDelta::seconds(1));
    let rule = format!(
        "{};UNTIL={}",
        rule_of(main),
        until.unwrap_or(tx.now).format("%Y%m%dT%H%M%SZ")
    );
    let id = main.text("Id").to_owned();
    tx.amend("Event", &id, |row| row.set("RecurrenceActivityId", id.as_str()))?;
    for start in starts(main, &rule, zone, None) {
        let mut date = date_of(main, start);
        date.set("IsRecurrence", false);
        date.set("RecurrenceActivityId", id.as_str());
        let made = tx.create_named("Event", date)?;
        activity::relate(tx, "Event", &made)?;
    }
    Ok(())
}

fn rule_of(main: &Row) -> String {
    let number = |name: &str| main.number(name).unwrap_or(1);
    let days: Vec<&str> = (0..7)
        .filter(|day| number("RecurrenceDayOfWeekMask") >> day & 1 == 1)
        .filter_map(|day| DAYS.get(day).copied())
        .collect();
    let (days, every) = (days.join(","), number("RecurrenceInterval"));
    let day = number("RecurrenceDayOfMonth");
    let nth = match main.text("RecurrenceInstance") {
        "First" => 1,
        "Second" => 2,
        "Third" => 3,
        "Fourth" => 4,
        _ => -1,
    };
    let months = [
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
    let month = months
        .iter()
        .position(|month| *month == main.text("RecurrenceMonthOfYear"));
    let month = month.map_or(1, |at| at + 1);
    match main.text("RecurrenceType") {
        "RecursDaily" => format!("FREQ=DAILY;INTERVAL={every}"),
        "RecursEveryWeekday" => format!("FREQ=WEEKLY;BYDAY={days}"),
        "RecursWeekly" => format!("FREQ=WEEKLY;INTERVAL={every};BYDAY={days}"),
        "RecursMonthly" => format!("FREQ=MONTHLY;INTERVAL={every};BYMONTHDAY={day}"),
        "RecursMonthlyNth" => format!("FREQ=MONTHLY;INTERVAL={every};BYDAY={days};BYSETPOS={nth}"),
        "RecursYearly" => format!("FREQ=YEARLY;BYMONTH={month};BYMONTHDAY={day}"),
        _ => format!("FREQ=YEARLY;BYMONTH={month};BYDAY={days};BYSETPOS={nth}"),
    }
}

fn lightning(tx: &mut Transaction, first: &Row) -> ApiResult<()> {
    let zone = tx.caller.zone;
    let id = first.text("Id").to_owned();
    let rule = first
        .text("Recurrence2PatternText")
        .trim_start_matches("RRULE:")
        .to_owned();
    let endless = !(rule.contains("UNTIL=") || rule.contains("COUNT="));
    let until = endless.then(|| tx.now + TimeDelta::days(AHEAD_DAYS));
    let starts = starts(first, &rule, zone, until);
    let mut of_series = first.clone();
    of_series.set("IsRecurrence2", true);
    of_series.set("Recurrence2PatternVersion", "1");
    of_series.set("Recurrence2PatternTimeZone", zone.name());
    of_series.set(
        "Recurrence2PatternStartDate",
        first.text("StartDateTime").to_owned(),
    );
    of_series.set(EVENT_SERIES, id.as_str());
    let mut starts = starts.into_iter();
    let Some(begin) = starts.next() else {
        let message = "The recurrence pattern has no occurrence";
        return Err(ApiError::on(
            "FIELD_INTEGRITY_EXCEPTION",
            message,
            &["Recurrence2PatternText"],
        ));
    };
    let moved = date_of(&of_series, begin);
    tx.amend("Event", &id, |row| row.extend(moved))?;
    for start in starts {
        let mut date = date_of(&of_series, start);
        date.remove("Holdfast_Key__c");
        let made = tx.create_named("Event", date)?;
        activity::relate(tx, "Event", &made)?;
    }
    let mut pattern = date_of(&of_series, begin);
    pattern.remove("Holdfast_Key__c");
    pattern.set("GroupEventType", "3");
    tx.create_named("Event", pattern)?;
    Ok(())
}

/// One date of a series: what all share, at this time.
fn date_of(of: &Row, start: DateTime<Utc>) -> Row {
    let mut date = of.clone();
    date.remove("Id");
    let old = parse_moment(of.text("StartDateTime")).unwrap_or(start);
    shift(&mut date, start - old);
    date
}

fn shift(row: &mut Row, by: TimeDelta) {
    for name in TIMES.iter().copied().chain(["ReminderDateTime"]) {
        let text = row.text(name).to_owned();
        if let Some(day) = parse_date(&text) {
            row.set(name, (midnight(day) + by).date_naive().to_string());
        } else if let Some(at) = parse_moment(&text) {
            row.set(name, stamp(at + by));
        }
    }
}

fn zone_of(name: &str, else_zone: Tz) -> Tz {
    name.parse().unwrap_or(else_zone)
}

/// When the dates begin: on the wall's clock of the zone, days of all-day events in none.
fn starts(row: &Row, rule: &str, zone: Tz, until: Option<DateTime<Utc>>) -> Vec<DateTime<Utc>> {
    let Some(first) = parse_moment(row.text("StartDateTime")) else {
        return Vec::new();
    };
    let zone = if row.flag("IsAllDayEvent") { Tz::UTC } else { zone };
    let local = first.with_timezone(&zone).format("%Y%m%dT%H%M%S");
    let text = format!("DTSTART;TZID={}:{local}\nRRULE:{rule}", zone.name());
    let Ok(set) = text.parse::<RRuleSet>() else {
        return Vec::new();
    };
    let all = set.all(MOST).dates.into_iter().map(|at| at.with_timezone(&Utc));
    all.filter(|at| until.is_none_or(|until| *at < until)).collect()
}

fn spread(tx: &mut Transaction, old: &Row, row: &Row, changes: &Changes) -> ApiResult<()> {
    let shared: Vec<&'static str> = changes
        .keys()
        .copied()
        .filter(|name| !OWN.contains(name))
        .collect();
    let start = |row: &Row| parse_moment(row.text("StartDateTime"));
    let (Some(before), Some(now)) = (start(old), start(row)) else {
        return Ok(());
    };
    let id = row.text("Id").to_owned();
    if shared.is_empty() || row.flag("IsRecurrence2Exclusion") {
        return Ok(());
    }
    if before < tx.now {
        return tx.amend("Event", &id, |row| row.set("IsRecurrence2Exception", true));
    }
    let length = row.get("DurationInMinutes").cloned().unwrap_or(Value::Null);
    let end = parse_moment(row.text("EndDateTime")).map(|end| end - now);
    for other in ids(tx, "Event", EVENT_SERIES, row.text(EVENT_SERIES)) {
        if other == id {
            continue;
        }
        tx.amend("Event", &other, |other| {
            for name in shared.iter().filter(|name| !TIMES.contains(name)) {
                other.set(name, row.get(name).cloned().unwrap_or(Value::Null));
            }
            shift(other, now - before);
            other.set("DurationInMinutes", length.clone());
            if let (Some(start), Some(length)) = (parse_moment(other.text("StartDateTime")), end) {
                other.set("EndDateTime", stamp(start + length));
            }
        })?;
    }
    Ok(())
}

/// The dates that go with a record: all of a recurring event of Classic, when its main record is deleted.
pub fn delete(tx: &mut Transaction, id: &str) -> ApiResult<()> {
    let is_main = tx
        .state
        .row("Event", id)
        .is_some_and(|row| row.flag("IsRecurrence"));
    if !is_main {
        return Ok(());
    }
    for date in ids(tx, "Event", "RecurrenceActivityId", id) {
        if date != id {
            activity::delete_relations(tx, "Event", &date)?;
            tx.recycle("Event", &date)?;
        }
    }
    Ok(())
}
