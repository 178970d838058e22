//! A year of edges: every change of the clocks and every turn of a year in ten zones of both hemispheres, met by
//! meetings that begin, end and lie across it, and by whole days beside it. Each crosses to the same instant, or the
//! same days, whichever side it was made on, and rests there.
//!
//! The edges are worked out from the zones' own rules for the year that lies ahead, so that no year is a special one.

use crate::harness::outlook::Outlook;
use crate::harness::sales;
use crate::harness::{Office, began};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Offset as _, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use holdfast::record::kind::RecordKind;
use holdfast::sync::policy::Policy;
use holdfast::sync::store::mailboxes::MailboxRow;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Windows' name of a zone, and its rules: quarters and halves of hours, clocks that jump by half an hour, over
/// midnight, in autumn and in spring, and none.
const ZONES: [(&str, Tz); 10] = [
    ("W. Europe Standard Time", Tz::Europe__Berlin),
    ("Eastern Standard Time", Tz::America__New_York),
    ("AUS Eastern Standard Time", Tz::Australia__Sydney),
    ("Lord Howe Standard Time", Tz::Australia__Lord_Howe),
    ("New Zealand Standard Time", Tz::Pacific__Auckland),
    ("Pacific SA Standard Time", Tz::America__Santiago),
    ("Egypt Standard Time", Tz::Africa__Cairo),
    ("Nepal Standard Time", Tz::Asia__Kathmandu),
    ("Line Islands Standard Time", Tz::Pacific__Kiritimati),
    ("Hawaiian Standard Time", Tz::Pacific__Honolulu),
];

/// When an appointment is: instants, or days of its zone, the last one included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Time {
    At(DateTime<Utc>, DateTime<Utc>),
    Days(NaiveDate, NaiveDate),
}

fn first_day() -> NaiveDate {
    began().date_naive() + Days::new(2)
}

fn midnight(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let local = day.and_time(NaiveTime::MIN);
    let exists = (0..=4).find_map(|quarters| {
        zone.from_local_datetime(&(local + TimeDelta::minutes(15 * quarters)))
            .earliest()
    });
    exists.unwrap().to_utc()
}

/// The instants of the year ahead at which the zone's clocks change.
fn changes(zone: Tz) -> Vec<DateTime<Utc>> {
    let begin = midnight(first_day(), Tz::UTC);
    let offset = |at: DateTime<Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    let quarters = (1..365 * 96).map(|n| begin + TimeDelta::minutes(15 * n));
    quarters
        .filter(|at| offset(*at) != offset(*at - TimeDelta::minutes(15)))
        .collect()
}

/// Everything that is to be met in a zone.
fn edges(zone: Tz) -> Vec<Time> {
    let mut edges = Vec::new();
    let mut around = |at: DateTime<Utc>| {
        for (before, length) in [
            (60, 30),
            (30, 60),
            (1, 1),
            (1, 2),
            (0, 30),
            (-1, 59),
            (-60, 45),
            (720, 1440),
        ] {
            let start = at - TimeDelta::minutes(before);
            edges.push(Time::At(start, start + TimeDelta::minutes(length)));
        }
        let day = at.with_timezone(&zone).date_naive();
        for (before, after) in [(0, 0), (1, -1), (-1, 1), (1, 1), (3, 3)] {
            let shifted = |days: i64| day + TimeDelta::days(days);
            edges.push(Time::Days(shifted(-before), shifted(after)));
        }
    };
    changes(zone).into_iter().for_each(&mut around);
    let new_year = (0..366)
        .map(|n| first_day() + Days::new(n))
        .find(|day| day.format("%m-%d").to_string() == "01-01");
    around(midnight(new_year.unwrap(), zone));
    edges
}

/// An office with one person for each zone, whose calendar looks far enough ahead.
async fn office() -> (Office, Vec<MailboxRow>) {
    let office = Office::open(ZONES.len(), 0).await;
    let mut policy = Policy::default();
    policy.calendar.future_days = 400;
    office.policy("a year", policy).await;
    let mut rows = Vec::new();
    for person in 0..ZONES.len() {
        rows.push(office.add_with(person, "a year").await);
    }
    (office, rows)
}

/// Makes an appointment in Outlook, which says its zone where there is one.
async fn make_in_outlook(outlook: &Outlook<'_>, title: &str, time: Time, zone: Option<(&str, Tz)>) {
    let named = zone.map_or(String::new(), |(name, _)| {
        format!("<t:StartTimeZone Id=\"{name}\"/><t:EndTimeZone Id=\"{name}\"/>")
    });
    match time {
        Time::At(start, end) => {
            outlook
                .create(title, start, (end - start).num_minutes(), &named)
                .await
        }
        Time::Days(first, last) => {
            let rules = zone.map_or(Tz::UTC, |(_, rules)| rules);
            let (start, end) = (midnight(first, rules), midnight(last + Days::new(1), rules));
            let whole = format!("<t:IsAllDayEvent>true</t:IsAllDayEvent>{named}");
            outlook
                .create(title, start, (end - start).num_minutes(), &whole)
                .await
        }
    };
}

/// Makes an event in the CRM's own page.
async fn make_in_crm(office: &Office, person: usize, title: &str, time: Time) {
    let stamp = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let fields = match time {
        Time::At(start, end) => json!({
            "Subject": title, "StartDateTime": stamp(start), "EndDateTime": stamp(end),
        }),
        Time::Days(first, last) => json!({
            "Subject": title, "IsAllDayEvent": true, "ActivityDate": first.to_string(),
            "DurationInMinutes": ((last - first).num_days() + 1) * 1440,
        }),
    };
    sales::make(&office.lab, person, "Event", fields).await;
}

/// The events of the CRM by title, as it keeps them.
fn in_crm(office: &Office) -> BTreeMap<String, Time> {
    let content = office.lab.parts.salesforce.content();
    let living = content["Event"].as_array().unwrap().iter();
    let living = living.filter(|row| row["IsDeleted"] != true);
    living
        .map(|row| (row["Subject"].as_str().unwrap().to_owned(), time_of(row)))
        .collect()
}

fn time_of(row: &Value) -> Time {
    let instant = |name: &str| {
        let text = row[name].as_str().unwrap();
        DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.3f%z")
            .unwrap()
            .to_utc()
    };
    if row["IsAllDayEvent"] != true {
        return Time::At(instant("StartDateTime"), instant("EndDateTime"));
    }
    let first: NaiveDate = row["ActivityDate"].as_str().unwrap().parse().unwrap();
    let minutes = row["DurationInMinutes"].as_i64().unwrap();
    Time::Days(first, first + TimeDelta::minutes(minutes) - TimeDelta::days(1))
}

/// What the calendar shows of a time, seen from a zone.
fn shown(time: Time, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
    match time {
        Time::At(start, end) => (start, end),
        Time::Days(first, last) => (midnight(first, zone), midnight(last + Days::new(1), zone)),
    }
}

async fn in_outlook(outlook: &Outlook<'_>) -> BTreeMap<String, (DateTime<Utc>, DateTime<Utc>)> {
    let until = first_day() + Days::new(380);
    let seen = outlook.view(first_day() - Days::new(2), until).await;
    seen.into_iter()
        .map(|(title, start, end)| (title, (start, end)))
        .collect()
}

/// Two more turns write nothing: what came over is read as it was meant.
async fn rests(office: &Office, row: &MailboxRow) {
    for _ in 0..2 {
        let counts = office.sync(row).await.remove(&RecordKind::Calendar).unwrap();
        assert_eq!(counts.written(), 0, "{counts:?}");
        assert_eq!(counts.failed, 0, "{counts:?}");
    }
}

#[test]
fn the_table_has_every_change_of_the_clocks_of_the_zones_that_have_any() {
    for (name, zone) in ZONES {
        let expected = match zone {
            Tz::Asia__Kathmandu | Tz::Pacific__Kiritimati | Tz::Pacific__Honolulu => 0,
            _ => 2,
        };
        assert_eq!(changes(zone).len(), expected, "{name}");
    }
}

#[tokio::test]
async fn a_year_of_edges_made_in_outlook_stands_in_the_crm_at_the_same_instants() {
    let (office, rows) = office().await;
    for (person, (zone, row)) in ZONES.into_iter().zip(&rows).enumerate() {
        let outlook = Outlook::of(&office.lab, person);
        let mut expected = BTreeMap::new();
        for (number, edge) in edges(zone.1).into_iter().enumerate() {
            let title = format!("{} {number}", zone.0);
            make_in_outlook(&outlook, &title, edge, Some(zone)).await;
            expected.insert(title, edge);
        }
        office.settle(row).await;
        let found = in_crm(&office);
        for (title, edge) in &expected {
            assert_eq!(found.get(title), Some(edge), "{title}");
        }
        rests(&office, row).await;
        let stays = in_outlook(&outlook).await;
        for (title, edge) in &expected {
            assert_eq!(stays.get(title), Some(&shown(*edge, zone.1)), "{title}");
        }
    }
}

#[tokio::test]
async fn a_year_of_edges_made_in_the_crm_stands_in_the_calendar_at_the_same_instants() {
    let (office, rows) = office().await;
    for (person, (zone, row)) in ZONES.into_iter().zip(&rows).enumerate() {
        let outlook = Outlook::of(&office.lab, person);
        // From what its owner made, the zone in which he lives is known.
        let lunch = midnight(first_day(), zone.1) + TimeDelta::hours(12);
        let lunch = Time::At(lunch, lunch + TimeDelta::hours(1));
        make_in_outlook(&outlook, "lunch", lunch, Some(zone)).await;
        let mut expected = BTreeMap::new();
        for (number, edge) in edges(zone.1).into_iter().enumerate() {
            let title = format!("{} {number}", zone.0);
            make_in_crm(&office, person, &title, edge).await;
            expected.insert(title, edge);
        }
        office.settle(row).await;
        let found = in_outlook(&outlook).await;
        for (title, edge) in &expected {
            assert_eq!(found.get(title), Some(&shown(*edge, zone.1)), "{title} {edge:?}");
        }
        rests(&office, row).await;
        let stays = in_crm(&office);
        for (title, edge) in &expected {
            assert_eq!(stays.get(title), Some(edge), "{title}");
        }
    }
}

#[tokio::test]
async fn an_item_without_a_zone_as_teams_makes_them_keeps_its_instants_and_its_days() {
    let (office, rows) = office().await;
    let outlook = Outlook::of(&office.lab, 0);
    let day = first_day() + Days::new(5);
    let start = midnight(day, Tz::UTC) + TimeDelta::minutes(90);
    let meeting = Time::At(start, start + TimeDelta::minutes(45));
    let whole = Time::Days(day, day + Days::new(1));
    make_in_outlook(&outlook, "meeting", meeting, None).await;
    make_in_outlook(&outlook, "holiday", whole, None).await;
    office.settle(&rows[0]).await;
    let found = in_crm(&office);
    assert_eq!(found.get("meeting"), Some(&meeting));
    assert_eq!(found.get("holiday"), Some(&whole));
    rests(&office, &rows[0]).await;
}
