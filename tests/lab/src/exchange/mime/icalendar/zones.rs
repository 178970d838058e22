//! VTIMEZONE: the rules of a zone as yearly changes, the way Exchange writes them.

use chrono::{DateTime, Datelike, Duration, TimeZone, Utc};
use icalendar::parser::{Component, Property};

use super::super::super::zone::{Rules, Zone};

/// A moment when the clocks change: wall-clock time before it, and both offsets in seconds.
struct Change {
    at: DateTime<Utc>,
    from: i32,
    to: i32,
}

/// The VTIMEZONE of a zone as it is in the year of `around`. A zone without changes in that
/// year has one STANDARD part.
pub(super) fn component(zone: &Zone, around: DateTime<Utc>) -> Component<'static> {
    let rules = zone.rules().unwrap_or(Rules::Named(chrono_tz::UTC));
    let changes = changes(rules, around.year());
    let parts = if changes.is_empty() {
        let offset = rules.offset_seconds(around);
        vec![part(
            "STANDARD",
            "16010101T000000".to_owned(),
            offset,
            offset,
            None,
        )]
    } else {
        changes.iter().map(yearly).collect()
    };
    Component {
        name: "VTIMEZONE".into(),
        properties: vec![Property {
            name: "TZID".into(),
            val: zone.id.clone().into(),
            params: Vec::new(),
        }],
        components: parts,
    }
}

/// The changes of one year, found by halving every day on which the offset differs.
fn changes(rules: Rules, year: i32) -> Vec<Change> {
    let midnight = |year| Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).single();
    let (Some(mut day), Some(end)) = (midnight(year), midnight(year + 1)) else {
        return Vec::new();
    };
    let mut changes = Vec::new();
    while day < end {
        let next = day + Duration::days(1);
        let (from, to) = (rules.offset_seconds(day), rules.offset_seconds(next));
        if from != to {
            let (mut before, mut after) = (day, next);
            while after - before > Duration::minutes(1) {
                let middle = before + Duration::minutes((after - before).num_minutes() / 2);
                if rules.offset_seconds(middle) == from {
                    before = middle
                } else {
                    after = middle
                }
            }
            changes.push(Change { at: after, from, to });
        }
        day = next;
    }
    changes
}

/// A change as "the nth weekday of a month, every year".
fn yearly(change: &Change) -> Component<'static> {
    let wall = (change.at + Duration::seconds(change.from.into())).naive_utc();
    // The fourth and the last are told apart by whether a fifth could follow: zones that
    // change in the last week say so with the last.
    let week = if wall.day() > 21 {
        -1
    } else {
        wall.day0() as i32 / 7 + 1
    };
    let day = &wall.weekday().to_string().to_uppercase()[..2];
    let rule = format!(
        "FREQ=YEARLY;INTERVAL=1;BYDAY={week}{day};BYMONTH={}",
        wall.month()
    );
    let name = if change.to > change.from {
        "DAYLIGHT"
    } else {
        "STANDARD"
    };
    part(
        name,
        wall.format("16010101T%H%M%S").to_string(),
        change.from,
        change.to,
        Some(rule),
    )
}

fn part(name: &'static str, start: String, from: i32, to: i32, rule: Option<String>) -> Component<'static> {
    let mut properties = vec![
        Property {
            name: "DTSTART".into(),
            val: start.into(),
            params: Vec::new(),
        },
        Property {
            name: "TZOFFSETFROM".into(),
            val: offset(from).into(),
            params: Vec::new(),
        },
        Property {
            name: "TZOFFSETTO".into(),
            val: offset(to).into(),
            params: Vec::new(),
        },
    ];
    properties.extend(rule.map(|rule| Property {
        name: "RRULE".into(),
        val: rule.into(),
        params: Vec::new(),
    }));
    Component {
        name: name.into(),
        properties,
        components: Vec::new(),
    }
}

fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
}
