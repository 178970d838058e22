//! From an item to an iCalendar text.

use chrono::{DateTime, Duration, Utc};
use icalendar::parser::{Calendar, Component, Parameter, Property};

use super::super::super::field::Field;
use super::super::super::item::Item;
use super::super::super::recurrence::{Day, Ends, Index, Pattern, Recurrence};
use super::super::super::value::{Address, Value};
use super::super::super::zone::{Rules, Zone};
use super::{ANSWERS, BUSY, CLASSES, zones};
use mail_parser::decoders::html::html_to_text;

/// The iCalendar text of a calendar item or meeting message, with `method` as METHOD.
pub fn render(item: &Item, method: &str) -> String {
    let zone = match item.get(Field::StartTimeZone) {
        Some(Value::Zone(zone)) => zone.clone(),
        _ => Zone::iana(chrono_tz::UTC),
    };
    let start = item.time(Field::Start).unwrap_or(DateTime::UNIX_EPOCH);
    let writer = Writer {
        rules: zone.rules().unwrap_or(Rules::Named(chrono_tz::UTC)),
        zone: &zone,
    };
    let mut components = vec![zones::component(&zone, start), writer.event(item, None)];
    for exception in &item.exceptions {
        let mut event = writer.event(&exception.item, Some(exception.original));
        // An exception is the same meeting: it has its master's UID.
        event.properties.retain(|property| property.name != "UID");
        event.properties.push(text("UID", item.text(Field::Uid)));
        components.push(event);
    }
    let calendar = Calendar {
        properties: vec![
            plain("METHOD", method),
            plain("PRODID", "Microsoft Exchange Server 2010"),
            plain("VERSION", "2.0"),
        ],
        components,
    };
    calendar.to_string()
}

struct Writer<'a> {
    zone: &'a Zone,
    rules: Rules,
}

impl Writer<'_> {
    fn event(&self, item: &Item, original: Option<DateTime<Utc>>) -> Component<'static> {
        let mut properties = people(item);
        let all_day = item.flag(Field::IsAllDayEvent);
        if let Some(body) = item.body() {
            let description = if body.html {
                html_to_text(&body.text)
            } else {
                body.text.clone()
            };
            properties.push(text("DESCRIPTION", &description));
        }
        if let Some(Value::Recurrence(recurrence)) = item.get(Field::Recurrence) {
            properties.extend(rule(recurrence, self.rules, item).map(|rule| plain("RRULE", rule)));
        }
        properties.extend(
            item.deleted
                .iter()
                .map(|start| self.time("EXDATE", *start, all_day)),
        );
        properties.push(text("SUMMARY", item.text(Field::Subject)));
        for (name, field) in [("DTSTART", Field::Start), ("DTEND", Field::End)] {
            properties.extend(item.time(field).map(|time| self.time(name, time, all_day)));
        }
        properties.push(text("UID", item.text(Field::Uid)));
        properties.extend(original.map(|start| self.time("RECURRENCE-ID", start, all_day)));
        properties.push(text("LOCATION", item.text(Field::Location)));
        properties.extend(state(item));
        let categories: Vec<_> = item
            .strings(Field::Categories)
            .iter()
            .map(|name| escaped(name))
            .collect();
        if !categories.is_empty() {
            properties.push(plain("CATEGORIES", categories.join(",")));
        }
        Component {
            name: "VEVENT".into(),
            properties,
            components: alarm(item).into_iter().collect(),
        }
    }

    /// A date for all-day events, else wall-clock time in the item's zone.
    fn time(&self, name: &'static str, time: DateTime<Utc>, all_day: bool) -> Property<'static> {
        let local = self.rules.to_local(time);
        if all_day {
            let kind = parameter("VALUE", "DATE");
            return Property {
                params: vec![kind],
                ..plain(name, local.format("%Y%m%d").to_string())
            };
        }
        let zone = parameter("TZID", &self.zone.id);
        Property {
            params: vec![zone],
            ..plain(name, local.format("%Y%m%dT%H%M%S").to_string())
        }
    }
}

fn people(item: &Item) -> Vec<Property<'static>> {
    let mut properties = Vec::new();
    if let Some(organizer) = item.recipient(Field::Organizer) {
        properties.push(person("ORGANIZER", organizer, Vec::new()));
    }
    for (field, role) in [
        (Field::RequiredAttendees, "REQ-PARTICIPANT"),
        (Field::OptionalAttendees, "OPT-PARTICIPANT"),
        (Field::Resources, "NON-PARTICIPANT"),
    ] {
        for attendee in item.attendees(field) {
            let answer = second(&ANSWERS, &attendee.response).unwrap_or("NEEDS-ACTION");
            let params = vec![
                parameter("ROLE", role),
                parameter("PARTSTAT", answer),
                parameter("RSVP", "TRUE"),
            ];
            properties.push(person("ATTENDEE", &attendee.mailbox, params));
        }
    }
    properties
}

fn person(name: &'static str, who: &Address, mut params: Vec<Parameter<'static>>) -> Property<'static> {
    if !who.name.is_empty() {
        params.push(parameter("CN", &who.name));
    }
    Property {
        params,
        ..plain(name, format!("mailto:{}", who.email))
    }
}

fn state(item: &Item) -> Vec<Property<'static>> {
    let busy = second(&BUSY, item.text(Field::LegacyFreeBusyStatus)).unwrap_or("BUSY");
    let (priority, importance) = match item.text(Field::Importance) {
        "High" => ("1", "2"),
        "Low" => ("9", "0"),
        _ => ("5", "1"),
    };
    let instance = match item.get(Field::Recurrence) {
        Some(_) => "1",
        None => "0",
    };
    let stamp = item
        .time(Field::DateTimeStamp)
        .or(item.time(Field::DateTimeCreated));
    let stamp = stamp
        .unwrap_or(DateTime::UNIX_EPOCH)
        .format("%Y%m%dT%H%M%SZ")
        .to_string();
    let cancelled = item.flag(Field::IsCancelled);
    let all_day = if item.flag(Field::IsAllDayEvent) {
        "TRUE"
    } else {
        "FALSE"
    };
    let sequence = item
        .int(Field::AppointmentSequenceNumber)
        .unwrap_or(0)
        .to_string();
    vec![
        plain(
            "CLASS",
            second(&CLASSES, item.text(Field::Sensitivity)).unwrap_or("PUBLIC"),
        ),
        plain("PRIORITY", priority),
        plain("DTSTAMP", stamp),
        plain("TRANSP", if busy == "FREE" { "TRANSPARENT" } else { "OPAQUE" }),
        plain("STATUS", if cancelled { "CANCELLED" } else { "CONFIRMED" }),
        plain("SEQUENCE", sequence.as_str()),
        plain("X-MICROSOFT-CDO-APPT-SEQUENCE", sequence.as_str()),
        plain("X-MICROSOFT-CDO-BUSYSTATUS", busy),
        plain("X-MICROSOFT-CDO-INTENDEDSTATUS", busy),
        plain("X-MICROSOFT-CDO-ALLDAYEVENT", all_day),
        plain("X-MICROSOFT-CDO-IMPORTANCE", importance),
        plain("X-MICROSOFT-CDO-INSTTYPE", instance),
    ]
}

fn alarm(item: &Item) -> Option<Component<'static>> {
    let minutes = item
        .int(Field::ReminderMinutesBeforeStart)
        .filter(|_| item.flag(Field::ReminderIsSet))?;
    let trigger = Property {
        params: vec![parameter("RELATED", "START")],
        ..plain("TRIGGER", format!("-PT{minutes}M"))
    };
    let properties = vec![
        plain("ACTION", "DISPLAY"),
        plain("DESCRIPTION", "REMINDER"),
        trigger,
    ];
    Some(Component {
        name: "VALARM".into(),
        properties,
        components: Vec::new(),
    })
}

/// RRULE; none for the regenerating patterns, which only tasks have.
fn rule(recurrence: &Recurrence, rules: Rules, item: &Item) -> Option<String> {
    let days = |days: &[Day]| {
        days.iter()
            .flat_map(|day| day_names(*day))
            .copied()
            .collect::<Vec<_>>()
            .join(",")
    };
    let mut rule = match &recurrence.pattern {
        Pattern::Daily { interval } => format!("FREQ=DAILY;INTERVAL={interval}"),
        Pattern::Weekly {
            interval,
            days: on,
            first_day,
        } => {
            let start = first_day.map_or("SU", |day| day_names(day).first().copied().unwrap_or("SU"));
            format!("FREQ=WEEKLY;INTERVAL={interval};BYDAY={};WKST={start}", days(on))
        }
        Pattern::AbsoluteMonthly { interval, day } => {
            format!("FREQ=MONTHLY;INTERVAL={interval};BYMONTHDAY={day}")
        }
        Pattern::RelativeMonthly {
            interval,
            days: on,
            index,
        } => {
            format!(
                "FREQ=MONTHLY;INTERVAL={interval};BYDAY={};BYSETPOS={}",
                days(&[*on]),
                position(*index)
            )
        }
        Pattern::AbsoluteYearly { day, month } => {
            format!("FREQ=YEARLY;INTERVAL=1;BYMONTHDAY={day};BYMONTH={month}")
        }
        Pattern::RelativeYearly {
            days: on,
            index,
            month,
        } => format!(
            "FREQ=YEARLY;INTERVAL=1;BYDAY={};BYMONTH={month};BYSETPOS={}",
            days(&[*on]),
            position(*index)
        ),
        Pattern::Regeneration { .. } => return None,
    };
    match recurrence.ends {
        Ends::Never => {}
        Ends::After(count) => rule.push_str(&format!(";COUNT={count}")),
        Ends::On(day) => {
            // UNTIL is the start of the last occurrence that may be, in UTC.
            let start = rules
                .to_local(item.time(Field::Start).unwrap_or(DateTime::UNIX_EPOCH))
                .time();
            let until = rules.to_utc(day.and_time(start));
            rule.push_str(&until.format(";UNTIL=%Y%m%dT%H%M%SZ").to_string());
        }
    }
    Some(rule)
}

fn position(index: Index) -> i8 {
    match index {
        Index::First => 1,
        Index::Second => 2,
        Index::Third => 3,
        Index::Fourth => 4,
        Index::Last => -1,
    }
}

fn day_names(day: Day) -> &'static [&'static str] {
    match day {
        Day::Sunday => &["SU"],
        Day::Monday => &["MO"],
        Day::Tuesday => &["TU"],
        Day::Wednesday => &["WE"],
        Day::Thursday => &["TH"],
        Day::Friday => &["FR"],
        Day::Saturday => &["SA"],
        Day::Day => &["SU", "MO", "TU", "WE", "TH", "FR", "SA"],
        Day::Weekday => &["MO", "TU", "WE", "TH", "FR"],
        Day::WeekendDay => &["SU", "SA"],
    }
}

/// The second of the pair whose first is `first`.
fn second(pairs: &[(&str, &'static str)], first: &str) -> Option<&'static str> {
    pairs.iter().find(|pair| pair.0 == first).map(|pair| pair.1)
}

/// A property whose value needs no escaping.
fn plain(name: &'static str, value: impl Into<String>) -> Property<'static> {
    Property {
        name: name.into(),
        val: value.into().into(),
        params: Vec::new(),
    }
}

/// A property of type TEXT.
fn text(name: &'static str, value: &str) -> Property<'static> {
    plain(name, escaped(value))
}

/// TEXT with what RFC 5545 3.3.11 wants escaped, and without other control characters.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 16);
    for letter in value.replace("\r\n", "\n").chars() {
        match letter {
            '\\' | ';' | ',' => out.extend(['\\', letter]),
            '\n' | '\r' => out.push_str("\\n"),
            letter if letter.is_control() && letter != '\t' => {}
            letter => out.push(letter),
        }
    }
    out
}

/// A parameter; its value is quoted where RFC 5545 3.2 asks for it, and can hold no quote.
fn parameter(name: &'static str, value: &str) -> Parameter<'static> {
    let value: String = value
        .chars()
        .filter(|letter| *letter != '"' && !letter.is_control())
        .collect();
    let quoted = value.contains([':', ';', ',']);
    let value = if quoted { format!("\"{value}\"") } else { value };
    Parameter {
        key: name.into(),
        val: Some(value.into()),
    }
}

/// How long an event without an end lasts: RFC 5545 3.6.1.
pub(super) fn default_length(all_day: bool) -> Duration {
    if all_day {
        Duration::days(1)
    } else {
        Duration::zero()
    }
}
