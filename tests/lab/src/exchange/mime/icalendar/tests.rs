//! iCalendar there and back, and texts that others wrote.

use chrono::{TimeZone, Utc};

use super::super::super::field::Field;
use super::super::super::item::{Exception, Item, Kind};
use super::super::super::recurrence::{Day, Ends, Index, Pattern, Recurrence};
use super::super::super::value::{Address, Attendee, Body, Value};
use super::super::super::zone::Zone;
use super::*;

fn meeting() -> Item {
    let zone = Zone::iana(chrono_tz::Europe::Berlin);
    let start = Utc.with_ymd_and_hms(2026, 11, 24, 8, 0, 0).unwrap();
    let mut attendee = Attendee::new(Address::new("Novák, Jan; \"J\"", "jan@other.example"));
    attendee.response = "Accept".to_owned();
    Item::new(Kind::CalendarItem)
        .with(
            Field::Subject,
            "Schůzka; 50 % sleva, \\n není konec 会議 🎉 – a line that is long enough to be folded",
        )
        .with(Field::Location, "Room 1, 2nd floor")
        .with(
            Field::Body,
            Body {
                html: false,
                text: "first line\r\n\r\nthird, line; with \\ all".into(),
            },
        )
        .with(Field::Start, start)
        .with(Field::End, start + chrono::Duration::hours(1))
        .with(Field::StartTimeZone, zone.clone())
        .with(Field::EndTimeZone, zone)
        .with(Field::Uid, "040000008200E00074C5B7101A82E008")
        .with(Field::Organizer, Address::new("Anna", "anna@lab.example"))
        .with(Field::RequiredAttendees, vec![attendee])
        .with(Field::Sensitivity, "Private")
        .with(Field::LegacyFreeBusyStatus, "OOF")
        .with(Field::Importance, "High")
        .with(Field::IsAllDayEvent, false)
        .with(Field::ReminderIsSet, true)
        .with(Field::ReminderMinutesBeforeStart, 15)
}

#[test]
fn a_meeting_survives_the_way_there_and_back() {
    let text = render(&meeting(), METHOD_PUBLISH);
    assert!(text.starts_with("BEGIN:VCALENDAR\r\n"), "{text}");
    let back = read(&text).unwrap();
    for field in [
        Field::Subject,
        Field::Location,
        Field::Body,
        Field::Start,
        Field::End,
        Field::StartTimeZone,
        Field::Uid,
        Field::Organizer,
        Field::Sensitivity,
        Field::LegacyFreeBusyStatus,
        Field::Importance,
        Field::IsAllDayEvent,
        Field::ReminderIsSet,
        Field::ReminderMinutesBeforeStart,
    ] {
        assert_eq!(back.get(field), meeting().get(field), "{field:?} in {text}");
    }
    let attendees = back.attendees(Field::RequiredAttendees);
    assert_eq!(
        attendees[0].mailbox,
        Address::new("Novák, Jan; J", "jan@other.example")
    );
    assert_eq!(attendees[0].response, "Accept");
}

#[test]
fn the_time_zone_has_its_windows_name_and_both_changes() {
    let text = render(&meeting(), METHOD_PUBLISH);
    for line in [
        "TZID:W. Europe Standard Time",
        "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3",
        "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10",
        "DTSTART:16010101T030000",
        "DTSTART;TZID=W. Europe Standard Time:20261124T090000",
    ] {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
}

#[test]
fn a_zone_without_changes_has_one_part() {
    let mut meeting = meeting();
    meeting.set(Field::StartTimeZone, Zone::iana(chrono_tz::Asia::Tokyo));
    let text = render(&meeting, METHOD_PUBLISH);
    assert!(text.contains("TZOFFSETFROM:+0900\r\nTZOFFSETTO:+0900"), "{text}");
    assert!(!text.contains("BEGIN:DAYLIGHT"));
}

#[test]
fn every_pattern_and_end_comes_back() {
    let day = |day| chrono::NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
    let patterns = [
        Pattern::Daily { interval: 3 },
        Pattern::Weekly {
            interval: 2,
            days: vec![Day::Monday, Day::Thursday],
            first_day: Some(Day::Monday),
        },
        Pattern::AbsoluteMonthly { interval: 1, day: 24 },
        Pattern::RelativeMonthly {
            interval: 1,
            days: Day::Weekday,
            index: Index::Last,
        },
        Pattern::RelativeMonthly {
            interval: 2,
            days: Day::Tuesday,
            index: Index::Second,
        },
        Pattern::AbsoluteYearly { day: 24, month: 11 },
        Pattern::RelativeYearly {
            days: Day::WeekendDay,
            index: Index::First,
            month: 5,
        },
    ];
    for pattern in patterns {
        for ends in [Ends::Never, Ends::After(7), Ends::On(day(30))] {
            let recurrence = Recurrence {
                pattern: pattern.clone(),
                start: day(24),
                ends,
            };
            let text = render(
                &meeting().with(Field::Recurrence, recurrence.clone()),
                METHOD_PUBLISH,
            );
            assert_eq!(
                read(&text).unwrap().get(Field::Recurrence),
                Some(&Value::Recurrence(recurrence))
            );
        }
    }
}

#[test]
fn a_series_carries_its_exceptions_and_deleted_days() {
    let day = |day| Utc.with_ymd_and_hms(2026, 11, day, 8, 0, 0).unwrap();
    let start = chrono::NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
    let recurrence = Recurrence {
        pattern: Pattern::Daily { interval: 1 },
        start,
        ends: Ends::After(5),
    };
    let mut series = meeting().with(Field::Recurrence, recurrence);
    series.deleted = vec![day(25)];
    let moved = meeting().with(Field::Start, day(27) + chrono::Duration::hours(3));
    series.exceptions = vec![Exception {
        original: day(27),
        item: moved,
    }];
    let back = read(&render(&series, METHOD_PUBLISH)).unwrap();
    assert_eq!(back.deleted, series.deleted);
    assert_eq!(back.exceptions.len(), 1);
    assert_eq!(back.exceptions[0].original, day(27));
    assert_eq!(
        back.exceptions[0].item.time(Field::Start),
        Some(day(27) + chrono::Duration::hours(3))
    );
}

#[test]
fn an_all_day_event_is_dates_in_its_zone() {
    let start = Utc.with_ymd_and_hms(2026, 11, 23, 23, 0, 0).unwrap();
    let event = meeting()
        .with(Field::IsAllDayEvent, true)
        .with(Field::Start, start)
        .with(Field::End, start + chrono::Duration::days(2));
    let text = render(&event, METHOD_PUBLISH);
    assert!(text.contains("DTSTART;VALUE=DATE:20261124"), "{text}");
    assert!(text.contains("DTEND;VALUE=DATE:20261126"), "{text}");
    assert!(read(&text).unwrap().flag(Field::IsAllDayEvent));
}

#[test]
fn foreign_texts_are_read_with_iana_zones_and_durations() {
    let text = "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID=America/New_York:20261201T100000\n\
        DURATION:PT1H30M\nSUMMARY:x\nTRANSP:TRANSPARENT\nATTENDEE;CUTYPE=ROOM:MAILTO:room@a.example\n\
        BEGIN:VALARM\nTRIGGER:-P1D\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n";
    let item = read(text).unwrap();
    assert_eq!(
        item.time(Field::Start),
        Some(Utc.with_ymd_and_hms(2026, 12, 1, 15, 0, 0).unwrap())
    );
    assert_eq!(
        item.time(Field::End),
        Some(Utc.with_ymd_and_hms(2026, 12, 1, 16, 30, 0).unwrap())
    );
    assert_eq!(
        item.get(Field::StartTimeZone),
        Some(&Value::Zone(Zone::windows("Eastern Standard Time")))
    );
    assert_eq!(item.text(Field::LegacyFreeBusyStatus), "Free");
    assert_eq!(
        item.attendees(Field::Resources)[0].mailbox.email,
        "room@a.example"
    );
    assert_eq!(item.int(Field::ReminderMinutesBeforeStart), Some(1440));
}

#[test]
fn no_cut_or_flipped_text_makes_it_stumble() {
    let text = render(&meeting(), METHOD_PUBLISH);
    for end in 0..text.len() {
        let _item = read(&String::from_utf8_lossy(&text.as_bytes()[..end]));
        let mut flipped = text.clone().into_bytes();
        flipped[end] ^= 0x15;
        let _item = read(&String::from_utf8_lossy(&flipped));
    }
}
