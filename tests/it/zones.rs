//! Zones of a client's own making: the rules beside the name say what time it is.

use crate::harness::Office;
use crate::harness::outlook::{item, nth};
use crate::series::{BERLIN, Desk, at, daily, times, today};
use chrono::{DateTime, NaiveTime, TimeDelta, Timelike as _, Utc};
use chrono_tz::Tz;
use holdfast::record::Record;
use holdfast::record::event::{Event, When};
use holdfast::record::kind::RecordKind;
use std::collections::BTreeSet;

/// A zone with its rules, as Outlook and Exchange write them: two periods, one group, two changes on Sundays.
fn told(element: &str, id: &str, offsets: [&str; 2], changes: [(u8, i8, &str); 2]) -> String {
    let [standard, daylight] = offsets;
    let transition = |to: &str, (month, occurrence, time): (u8, i8, &str)| {
        format!(
            "<t:RecurringDayTransition><t:To Kind=\"Period\">{to}</t:To><t:TimeOffset>{time}</t:TimeOffset>\
             <t:Month>{month}</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek><t:Occurrence>{occurrence}</t:Occurrence>\
             </t:RecurringDayTransition>"
        )
    };
    let [spring, autumn] = changes;
    format!(
        "<t:{element} Id=\"{id}\" Name=\"Own\"><t:Periods><t:Period Bias=\"{standard}\" Name=\"Standard\" Id=\"Std\"/>\
         <t:Period Bias=\"{daylight}\" Name=\"Daylight\" Id=\"Dlt\"/></t:Periods><t:TransitionsGroups>\
         <t:TransitionsGroup Id=\"0\">{}{}</t:TransitionsGroup></t:TransitionsGroups><t:Transitions><t:Transition>\
         <t:To Kind=\"Group\">0</t:To></t:Transition></t:Transitions></t:{element}>",
        transition("Dlt", spring),
        transition("Std", autumn)
    )
}

fn series(pattern: &str, range: &str, id: &str, offsets: [&str; 2], changes: [(u8, i8, &str); 2]) -> String {
    let zones = ["StartTimeZone", "EndTimeZone"].map(|element| told(element, id, offsets, changes));
    format!("<t:Recurrence>{pattern}{range}</t:Recurrence>{}", zones.concat())
}

const EUROPE: [(u8, i8, &str); 2] = [(3, -1, "PT120M"), (10, -1, "PT180M")];
const MIDDLE: [&str; 2] = ["-PT60M", "-PT120M"];

async fn desk() -> Desk {
    let office = Office::open(2, 0).await;
    let row = office.add(0).await;
    Desk { office, row }
}

/// The times of day of these events on a clock.
async fn times_of_day(desk: &Desk, title: &str, zone: Tz) -> BTreeSet<NaiveTime> {
    let starts = desk.events(title).await.into_keys();
    starts.map(|start| start.with_timezone(&zone).time()).collect()
}

async fn assert_shown(desk: &Desk, title: &str) -> BTreeSet<DateTime<Utc>> {
    let (from, to) = (today() - TimeDelta::days(2), today() + TimeDelta::days(170));
    let shown = desk.outlook().view(from, to).await;
    let shown: BTreeSet<DateTime<Utc>> = shown
        .into_iter()
        .filter(|entry| entry.0 == title)
        .map(|entry| entry.1)
        .collect();
    let recorded: BTreeSet<DateTime<Utc>> = desk.events(title).await.into_keys().collect();
    assert_eq!(recorded, shown);
    shown
}

#[tokio::test]
async fn a_series_in_a_customised_zone_keeps_its_time_of_day_over_a_change_of_the_clocks() {
    let desk = desk().await;
    let first = today() + TimeDelta::days(1);
    for (title, id) in [
        ("Customised", "Customized Time Zone"),
        ("Custom", "tzone://Microsoft/Custom"),
        (
            "In German",
            "(UTC+01:00) Amsterdam, Berlin, Bern, Rom, Stockholm, Wien",
        ),
    ] {
        let rest = series(&daily(1), &times(first, 160), id, MIDDLE, EUROPE);
        desk.outlook()
            .create(title, at(first, 9, BERLIN.1), 30, &rest)
            .await;
    }
    let counts = desk.sync().await;
    assert_eq!(counts.failed, 0, "{counts:?}");
    for title in ["Customised", "Custom", "In German"] {
        assert_eq!(assert_shown(&desk, title).await.len(), 160);
        assert_eq!(times_of_day(&desk, title, BERLIN.1).await.len(), 1, "{title}");
        let offsets: BTreeSet<u32> = desk
            .events(title)
            .await
            .keys()
            .map(|start| start.hour())
            .collect();
        assert_eq!(offsets.len(), 2, "{title}: the clocks changed in between");
    }
}

#[tokio::test]
async fn a_series_in_a_zone_that_no_place_has_takes_place_when_the_server_says() {
    let desk = desk().await;
    // An hour and twenty-five minutes ahead, and the clocks change in the middle of the window.
    let month = u8::try_from(chrono::Datelike::month(&(today() + TimeDelta::days(60)))).unwrap();
    let mut changes = [(month, 1, "PT60M"), (month % 12 + 4, 1, "PT60M")];
    if changes[1].0 > 12 {
        changes[1].0 -= 12;
    }
    changes.sort_unstable();
    // A quarter past midnight on that clock, which is the day before in UTC.
    let first = today() + TimeDelta::days(1);
    let rest = series(
        &daily(1),
        &times(first + TimeDelta::days(1), 120),
        "Customized Time Zone",
        ["-PT85M", "-PT145M"],
        changes,
    );
    let start = first.and_hms_opt(22, 50, 0).unwrap().and_utc();
    let master = desk.outlook().create("Odd", start, 30, &rest).await;
    // A date that is moved and one that is deleted are known by their days on that clock, which are others than UTC's.
    let moved = start + TimeDelta::days(4) + TimeDelta::hours(3);
    desk.outlook().set_times(&nth(&master, 5), moved, 30).await;
    desk.outlook().delete(&nth(&master, 7)).await;
    let counts = desk.sync().await;
    assert_eq!(counts.failed, 0, "{counts:?}");
    let shown = assert_shown(&desk, "Odd").await;
    assert_eq!(shown.len(), 119);
    assert!(shown.contains(&moved));
    let by_rule = shown.iter().filter(|start| **start != moved);
    let hours: BTreeSet<u32> = by_rule.map(|start| start.hour()).collect();
    assert_eq!(hours.len(), 2, "the clocks changed in between");
    let again = desk.sync().await;
    assert_eq!(again.written() + again.matched, 0, "{again:?}");
}

#[tokio::test]
async fn whole_days_in_a_customised_zone_are_the_days_of_that_zone() {
    let desk = desk().await;
    let day = today() + TimeDelta::days(5);
    // Fourteen hours ahead all year: the day begins on the day before in UTC, far from the nearest midnight.
    let zones = ["StartTimeZone", "EndTimeZone"]
        .map(|element| told(element, "Customized Time Zone", ["-PT840M", "-PT840M"], EUROPE));
    let start = day.and_hms_opt(0, 0, 0).unwrap().and_utc() - TimeDelta::hours(14);
    let rest = format!("<t:IsAllDayEvent>true</t:IsAllDayEvent>{}", zones.concat());
    let id = desk.outlook().create("Holiday", start, 24 * 60, &rest).await;
    desk.sync().await;
    let records = desk.office.records(&desk.row, RecordKind::Calendar).await;
    let [record] = records.as_slice() else {
        panic!("one event, {}", item(&id))
    };
    assert!(matches!(
        &record.record,
        Record::Event(Event { when: When::AllDay { first, last }, .. }) if *first == day && *last == day
    ));
}
