//! From an iCalendar text to an item.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use icalendar::parser::{Component, Property, read_calendar, unfold};

use super::super::super::field::Field;
use super::super::super::item::{Exception, Item, Kind};
use super::super::super::value::{Address, Attendee, Body};
use super::super::super::zone::{Rules, Zone};
use super::{ANSWERS, BUSY, CLASSES, rules, writing};

/// The calendar item that a text describes; none if it has no event that can be read.
pub fn read(text: &str) -> Option<Item> {
    let text = unfold(text);
    let calendar = read_calendar(&text).ok()?;
    let events: Vec<_> = calendar
        .components
        .iter()
        .filter(|part| part.name == "VEVENT")
        .collect();
    let (exceptions, masters): (Vec<_>, Vec<_>) = events
        .into_iter()
        .partition(|event| event.find_prop("RECURRENCE-ID").is_some());
    // An exception that came alone stands for the whole meeting.
    let master = masters.first().or(exceptions.first())?;
    let mut item = event(master)?;
    if !masters.is_empty() {
        item.exceptions = exceptions.iter().filter_map(|event| exception(event)).collect();
        item.exceptions.sort_by_key(|exception| exception.original);
    }
    Some(item)
}

/// The meeting message that a mail with this calendar part is; the mail itself if the part is
/// no scheduling message.
pub fn read_meeting(text: &str, mut mail: Item) -> Item {
    let unfolded = unfold(text);
    let Ok(calendar) = read_calendar(&unfolded) else {
        return mail;
    };
    let method = calendar
        .properties
        .iter()
        .find(|property| property.name == "METHOD");
    let (kind, class) = match method
        .map(|method| method.val.as_str().to_ascii_uppercase())
        .as_deref()
    {
        Some("REQUEST") => (Kind::MeetingRequest, "IPM.Schedule.Meeting.Request"),
        Some("CANCEL") => (Kind::MeetingCancellation, "IPM.Schedule.Meeting.Canceled"),
        Some("REPLY") => (Kind::MeetingResponse, response_class(&unfolded)),
        _ => return mail,
    };
    let Some(event) = read(text) else { return mail };
    mail.kind = kind;
    mail.set(Field::ItemClass, class);
    for field in [
        Field::Uid,
        Field::Start,
        Field::End,
        Field::Location,
        Field::Organizer,
        Field::RequiredAttendees,
        Field::OptionalAttendees,
        Field::IsAllDayEvent,
        Field::Recurrence,
        Field::StartTimeZone,
        Field::EndTimeZone,
    ] {
        if let Some(value) = event.get(field) {
            mail.set(field, value.clone());
        }
    }
    mail
}

fn response_class(text: &str) -> &'static str {
    if text.contains("PARTSTAT=DECLINED") {
        "IPM.Schedule.Meeting.Resp.Neg"
    } else if text.contains("PARTSTAT=TENTATIVE") {
        "IPM.Schedule.Meeting.Resp.Tent"
    } else {
        "IPM.Schedule.Meeting.Resp.Pos"
    }
}

fn exception(event_part: &Component<'_>) -> Option<Exception> {
    let original = time(event_part.find_prop("RECURRENCE-ID")?)?.instant;
    Some(Exception {
        original,
        item: event(event_part)?,
    })
}

fn event(part: &Component<'_>) -> Option<Item> {
    let value = |name: &str| {
        part.find_prop(name)
            .map(|property| property.val.as_str())
            .unwrap_or_default()
    };
    let start = time(part.find_prop("DTSTART")?)?;
    let length = || duration(value("DURATION")).unwrap_or(writing::default_length(start.all_day));
    let end = part
        .find_prop("DTEND")
        .and_then(time)
        .map_or_else(|| start.instant + length(), |end| end.instant);
    let mut item = Item::new(Kind::CalendarItem)
        .with(Field::Subject, value("SUMMARY"))
        .with(Field::Location, value("LOCATION"))
        .with(
            Field::Body,
            Body {
                html: false,
                text: value("DESCRIPTION").replace('\n', "\r\n"),
            },
        )
        .with(Field::Start, start.instant)
        .with(Field::End, end.max(start.instant))
        .with(Field::IsAllDayEvent, start.all_day)
        .with(Field::StartTimeZone, start.zone.clone())
        .with(Field::EndTimeZone, start.zone.clone())
        .with(
            Field::Sensitivity,
            first(&CLASSES, value("CLASS")).unwrap_or("Normal"),
        )
        .with(
            Field::LegacyFreeBusyStatus,
            busy(value("X-MICROSOFT-CDO-BUSYSTATUS"), value("TRANSP")),
        )
        .with(Field::Importance, importance(value("PRIORITY")));
    if !value("UID").is_empty() {
        item.set(Field::Uid, value("UID"));
    }
    set_people(&mut item, part);
    set_categories(&mut item, part);
    set_alarm(&mut item, part);
    if let Some(recurrence) = rules::read(value("RRULE"), &start) {
        item.set(Field::Recurrence, recurrence);
        let skipped = part
            .properties
            .iter()
            .filter(|property| property.name == "EXDATE");
        item.deleted = skipped.flat_map(times).map(|time| time.instant).collect();
        item.deleted.sort();
    }
    Some(item)
}

fn set_people(item: &mut Item, part: &Component<'_>) {
    if let Some(organizer) = part.find_prop("ORGANIZER") {
        item.set(Field::Organizer, address(organizer));
    }
    let mut lists = [Vec::new(), Vec::new(), Vec::new()];
    for property in part
        .properties
        .iter()
        .filter(|property| property.name == "ATTENDEE")
    {
        let list = match (param(property, "ROLE"), param(property, "CUTYPE")) {
            (Some("NON-PARTICIPANT"), _) | (_, Some("RESOURCE" | "ROOM")) => &mut lists[2],
            (Some("OPT-PARTICIPANT"), _) => &mut lists[1],
            _ => &mut lists[0],
        };
        let answer = param(property, "PARTSTAT").and_then(|answer| first(&ANSWERS, answer));
        list.push(Attendee {
            mailbox: address(property),
            response: answer.unwrap_or("Unknown").to_owned(),
            answered: None,
        });
    }
    let fields = [
        Field::RequiredAttendees,
        Field::OptionalAttendees,
        Field::Resources,
    ];
    for (field, list) in fields.into_iter().zip(lists) {
        if !list.is_empty() {
            item.set(field, list);
        }
    }
}

fn address(property: &Property<'_>) -> Address {
    let value = property.val.as_str();
    let scheme = value
        .get(..7)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
    let email = if scheme { &value[7..] } else { value };
    Address::new(param(property, "CN").unwrap_or_default().trim_matches('"'), email)
}

fn set_categories(item: &mut Item, part: &Component<'_>) {
    let lines = part
        .properties
        .iter()
        .filter(|property| property.name == "CATEGORIES");
    let names = lines.flat_map(|line| line.val.as_str().split(','));
    let names: Vec<String> = names
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    if !names.is_empty() {
        item.set(Field::Categories, names);
    }
}

fn set_alarm(item: &mut Item, part: &Component<'_>) {
    let alarm = part.components.iter().find(|part| part.name == "VALARM");
    let trigger = alarm.and_then(|alarm| alarm.find_prop("TRIGGER"));
    let before = trigger.and_then(|trigger| duration(trigger.val.as_str()));
    item.set(Field::ReminderIsSet, before.is_some());
    if let Some(before) = before {
        item.set(Field::ReminderMinutesBeforeStart, (-before.num_minutes()).max(0));
    }
}

fn busy(status: &str, transparency: &str) -> &'static str {
    let otherwise = if transparency.eq_ignore_ascii_case("TRANSPARENT") {
        "Free"
    } else {
        "Busy"
    };
    first(&BUSY, status).unwrap_or(otherwise)
}

fn importance(priority: &str) -> &'static str {
    match priority.parse() {
        Ok(1..=4) => "High",
        Ok(6..=9) => "Low",
        _ => "Normal",
    }
}

/// The first of the pair whose second is `second`, whatever its case.
fn first(pairs: &[(&'static str, &str)], second: &str) -> Option<&'static str> {
    pairs
        .iter()
        .find(|pair| pair.1.eq_ignore_ascii_case(second))
        .map(|pair| pair.0)
}

fn param<'a>(property: &'a Property<'_>, name: &str) -> Option<&'a str> {
    let found = property
        .params
        .iter()
        .find(|param| param.key.as_str().eq_ignore_ascii_case(name));
    found
        .and_then(|param| param.val.as_ref())
        .map(|value| value.as_str())
}

/// A DATE or DATE-TIME value with its zone.
pub(super) struct Time {
    pub instant: DateTime<Utc>,
    pub all_day: bool,
    pub zone: Zone,
    pub rules: Rules,
}

fn time(property: &Property<'_>) -> Option<Time> {
    times(property).into_iter().next()
}

fn times(property: &Property<'_>) -> Vec<Time> {
    let named = param(property, "TZID").map(|name| named_zone(name.trim_matches('"')));
    let zone = named.unwrap_or_else(|| Zone::iana(chrono_tz::UTC));
    let rules = zone.rules().unwrap_or(Rules::Named(chrono_tz::UTC));
    let values = property.val.as_str().split(',');
    values
        .filter_map(|value| {
            let (wall, all_day, utc) = wall_clock(value.trim())?;
            let instant = if utc { wall.and_utc() } else { rules.to_utc(wall) };
            Some(Time {
                instant,
                all_day,
                zone: zone.clone(),
                rules,
            })
        })
        .collect()
}

/// A zone by its Windows or IANA name; kept under the Windows name, as Exchange does.
fn named_zone(name: &str) -> Zone {
    match name.parse() {
        Ok(zone) => Zone::iana(zone),
        Err(_) => Zone::windows(name),
    }
}

/// The wall-clock value, whether it is a date, whether it is in UTC.
fn wall_clock(value: &str) -> Option<(NaiveDateTime, bool, bool)> {
    if value.len() == 8 {
        let day = NaiveDate::parse_from_str(value, "%Y%m%d").ok()?;
        return Some((day.and_time(NaiveTime::MIN), true, false));
    }
    let (value, utc) = match value.strip_suffix('Z') {
        Some(value) => (value, true),
        None => (value, false),
    };
    NaiveDateTime::parse_from_str(value, "%Y%m%dT%H%M%S")
        .ok()
        .map(|time| (time, false, utc))
}

/// RFC 5545 3.3.6: `-P1DT2H3M4S`, or weeks. None for what is not one, dates included.
fn duration(value: &str) -> Option<Duration> {
    let (negative, rest) = match value.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, value.strip_prefix('+').unwrap_or(value)),
    };
    let rest = rest.strip_prefix('P')?;
    let mut total = Duration::zero();
    let mut number = String::new();
    for letter in rest.chars() {
        if letter.is_ascii_digit() {
            number.push(letter);
            continue;
        }
        let unit = match letter {
            'T' => continue,
            'W' => 7 * 24 * 3600,
            'D' => 24 * 3600,
            'H' => 3600,
            'M' => 60,
            'S' => 1,
            _ => return None,
        };
        let amount: i32 = number.parse().ok()?;
        total += Duration::seconds(i64::from(amount) * unit);
        number.clear();
    }
    Some(if negative { -total } else { total })
}
