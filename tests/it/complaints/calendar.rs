//! Meetings that multiply, vanish, shift or invite: the complaints 1 and 6 to 11.

use super::{assert_nobody_noticed, items, records};
use crate::harness::acts::{self, made_by_owner, made_by_user};
use crate::harness::outlook::{Outlook, nth, rule};
use crate::harness::pages::Stage;
use crate::harness::{Office, began};
use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use holdfast::record::Record;
use holdfast::record::event::{Attendance, Attendee, Event, Response, When};
use holdfast::record::kind::RecordKind;
use holdfast::record::person::Person;
use holdfast::sync::policy::Policy;
use holdfast::sync::store::mailboxes::MailboxRow;
use std::collections::BTreeSet;

const CALENDAR: RecordKind = RecordKind::Calendar;

fn event(title: &str, when: When, zone: Tz) -> Event {
    Event {
        zone: Some(zone),
        ..acts::event(title, when)
    }
}

fn today() -> NaiveDate {
    began().date_naive()
}

/// Half past nine on a day in a zone.
fn morning(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let local = day.and_hms_opt(9, 30, 0).unwrap();
    zone.from_local_datetime(&local).earliest().unwrap().to_utc()
}

fn timed(start: DateTime<Utc>) -> When {
    When::Timed {
        start,
        end: start + TimeDelta::minutes(45),
    }
}

/// The people of an office, all of them synchronised.
async fn everybody(office: &Office, count: usize) -> Vec<MailboxRow> {
    let mut rows = Vec::new();
    for person in 0..count {
        rows.push(office.add(person).await);
    }
    for row in &rows {
        office.settle(row).await;
    }
    rows
}

/// The first person invites the others, who find the meeting in their calendars; `rest` follows the attendees.
async fn invite(office: &Office, rows: &[MailboxRow], title: &str, rest: &str) {
    let start = morning(today() + TimeDelta::days(2), Tz::Europe__Berlin);
    let guests: Vec<&str> = rows[1..].iter().map(|row| row.mailbox.address.as_str()).collect();
    Outlook::of(&office.lab, 0)
        .invite(&guests, title, (start, 45), rest)
        .await;
}

fn starts(events: &[holdfast::crm::model::CrmRecord]) -> BTreeSet<DateTime<Utc>> {
    let start = |record: &Record| match record {
        Record::Event(Event {
            when: When::Timed { start, .. },
            ..
        }) => *start,
        _ => panic!("a timed event"),
    };
    events.iter().map(|event| start(&event.record)).collect()
}

pub async fn complaint_01_a_meeting_stood_in_the_crm_once_for_each_attendee<S: Stage>() {
    let office = S::open(3, 0).await;
    let rows = everybody(&office, 3).await;
    invite(&office, &rows, "Board", "").await;
    // Whoever's turn comes first.
    for row in rows.iter().rev() {
        office.settle(row).await;
    }
    assert_eq!(records(&office, &rows, CALENDAR, "Board").await.len(), 1);
    for row in &rows {
        assert_eq!(items(&office, row, CALENDAR, "Board").await, 1);
    }
    assert_eq!(office.pages.told().await, 0, "the colleagues were told again");
}

pub async fn complaint_06_attendees_were_flooded_with_invitations<S: Stage>() {
    let office = S::open(2, 0).await;
    let rows = everybody(&office, 1).await;
    let guest = |address: &str| Attendee {
        person: Person::at(address),
        attendance: Attendance::Required,
        response: Response::None,
    };
    let customer = office.pages.customer();
    let mut meeting = event(
        "Pitch",
        timed(morning(today() + TimeDelta::days(2), Tz::Europe__Berlin)),
        Tz::Europe__Berlin,
    );
    meeting.attendees = vec![guest(&customer), guest(&office.lab.cast.people[1].smtp)];
    office
        .in_crm(
            &rows[0],
            CALENDAR,
            made_by_user("pitch", Record::Event(meeting.clone())),
        )
        .await;
    meeting.subject = "Old pitch".into();
    meeting.when = timed(morning(today() - TimeDelta::days(20), Tz::Europe__Berlin));
    office
        .in_mailbox(&rows[0], CALENDAR, made_by_owner(Record::Event(meeting)))
        .await;
    office.settle(&rows[0]).await;
    assert_eq!(items(&office, &rows[0], CALENDAR, "Pitch").await, 1);
    assert_eq!(records(&office, &rows, CALENDAR, "Old pitch").await.len(), 1);
    assert_nobody_noticed(&office).await;
}

pub async fn complaint_07_series_were_missing_flattened_or_overwritten<S: Stage>() {
    let office = S::open(1, 0).await;
    let rows = everybody(&office, 1).await;
    let outlook = Outlook::of(&office.lab, 0);
    let first = today() + TimeDelta::days(2);
    let pattern = "<t:DailyRecurrence><t:Interval>1</t:Interval></t:DailyRecurrence>";
    let range = format!(
        "<t:NumberedRecurrence><t:StartDate>{first}</t:StartDate><t:NumberOfOccurrences>5</t:NumberOfOccurrences>\
         </t:NumberedRecurrence>"
    );
    let start = morning(first, Tz::Europe__Berlin);
    let master = outlook
        .create(
            "Round",
            start,
            45,
            &rule(pattern, &range, "W. Europe Standard Time"),
        )
        .await;
    office.settle(&rows[0]).await;
    let moved = morning(first + TimeDelta::days(1), Tz::Europe__Berlin) + TimeDelta::hours(3);
    outlook.set_times(&nth(&master, 2), moved, 45).await;
    outlook.delete(&nth(&master, 4)).await;
    office.settle(&rows[0]).await;
    let shown: BTreeSet<_> = outlook
        .view(first, first + TimeDelta::days(10))
        .await
        .into_iter()
        .map(|(_, start, _)| start)
        .collect();
    assert_eq!(shown.len(), 4);
    assert_eq!(starts(&records(&office, &rows, CALENDAR, "Round").await), shown);
    assert_nobody_noticed(&office).await;
}

pub async fn complaint_08_another_attendee_took_over_the_organisers_series<S: Stage>() {
    let office = S::open(2, 0).await;
    let rows = everybody(&office, 2).await;
    let first = today() + TimeDelta::days(2);
    let pattern = "<t:DailyRecurrence><t:Interval>1</t:Interval></t:DailyRecurrence>";
    let range = format!(
        "<t:NumberedRecurrence><t:StartDate>{first}</t:StartDate><t:NumberOfOccurrences>4</t:NumberOfOccurrences>\
         </t:NumberedRecurrence>"
    );
    invite(
        &office,
        &rows,
        "Sync",
        &rule(pattern, &range, "W. Europe Standard Time"),
    )
    .await;
    for row in rows.iter().rev() {
        office.settle(row).await;
    }
    let before = records(&office, &rows, CALENDAR, "Sync").await;
    assert_eq!(before.len(), 4);
    // The other one drops it from his own calendar.
    let copy = office.items(&rows[1], CALENDAR).await;
    let copy = copy
        .iter()
        .find(|item| crate::harness::office::subject(&item.record) == "Sync")
        .unwrap();
    Outlook::of(&office.lab, 1)
        .delete(&crate::harness::outlook::item(&copy.item.id.0))
        .await;
    for row in rows.iter().rev() {
        office.settle(row).await;
    }
    assert_eq!(
        starts(&records(&office, &rows, CALENDAR, "Sync").await),
        starts(&before)
    );
    assert_eq!(items(&office, &rows[0], CALENDAR, "Sync").await, 1);
}

pub async fn complaint_09_endless_series_flooded_the_crm<S: Stage>() {
    let office = S::open(1, 0).await;
    let mut policy = Policy::default();
    policy.calendar.series.endless_days = 30;
    office.policy("short", policy).await;
    let row = office.add_with(0, "short").await;
    let first = today();
    let pattern = "<t:DailyRecurrence><t:Interval>1</t:Interval></t:DailyRecurrence>";
    let range = format!("<t:NoEndRecurrence><t:StartDate>{first}</t:StartDate></t:NoEndRecurrence>");
    Outlook::of(&office.lab, 0)
        .create(
            "For ever",
            morning(first, Tz::UTC),
            15,
            &rule(pattern, &range, "UTC"),
        )
        .await;
    office.settle(&row).await;
    let count = records(&office, &[row], CALENDAR, "For ever").await.len();
    assert!((30..=32).contains(&count), "{count}");
}

pub async fn complaint_10_times_shifted_by_the_hours_of_the_zone<S: Stage>() {
    let office = S::open(1, 0).await;
    let rows = everybody(&office, 1).await;
    let zones = [
        Tz::Europe__Berlin,
        Tz::America__New_York,
        Tz::Australia__Sydney,
        Tz::Asia__Kolkata,
    ];
    for (number, zone) in zones.into_iter().enumerate() {
        // On both sides of a change of the clocks, wherever in the year the test runs.
        for days in [10, 100, 190, 280] {
            let when = timed(morning(today() + TimeDelta::days(days), zone));
            let title = format!("{zone} {days}");
            let record = Record::Event(event(&title, when, zone));
            match number % 2 {
                0 => drop(office.in_mailbox(&rows[0], CALENDAR, made_by_owner(record)).await),
                _ => drop(
                    office
                        .in_crm(&rows[0], CALENDAR, made_by_user(&title, record))
                        .await,
                ),
            }
        }
    }
    office.settle(&rows[0]).await;
    let of_mailbox = office.items(&rows[0], CALENDAR).await;
    let of_crm = office.records(&rows[0], CALENDAR).await;
    for zone in zones {
        for days in [10, 100, 190, 280] {
            let (title, day) = (format!("{zone} {days}"), today() + TimeDelta::days(days));
            let all = of_mailbox
                .iter()
                .map(|item| &item.record)
                .chain(of_crm.iter().map(|record| &record.record));
            let times: Vec<_> = all
                .filter_map(|record| match record {
                    Record::Event(event) if event.subject.expose() == &title => Some(event.when.clone()),
                    _ => None,
                })
                .collect();
            assert_eq!(times.len(), 2, "{title}");
            assert!(
                times.iter().all(|when| *when == timed(morning(day, zone))),
                "{title}"
            );
        }
    }
}

pub async fn complaint_11_whole_days_moved_by_one_or_got_a_time<S: Stage>() {
    let office = S::open(1, 0).await;
    let rows = everybody(&office, 1).await;
    let zones = [Tz::Pacific__Auckland, Tz::Pacific__Honolulu, Tz::Europe__Berlin];
    let days = |number: i64| When::AllDay {
        first: today() + TimeDelta::days(5 + 10 * number),
        last: today() + TimeDelta::days(5 + 11 * number),
    };
    for (number, zone) in zones.into_iter().enumerate() {
        let when = days(number.try_into().unwrap());
        let mine = Record::Event(event(&format!("Off {number}"), when.clone(), zone));
        office.in_mailbox(&rows[0], CALENDAR, made_by_owner(mine)).await;
        let title = format!("Fair {number}");
        let theirs = Record::Event(event(&title, when, zone));
        office
            .in_crm(&rows[0], CALENDAR, made_by_user(&title, theirs))
            .await;
    }
    office.settle(&rows[0]).await;
    let of_mailbox = office.items(&rows[0], CALENDAR).await;
    let of_crm = office.records(&rows[0], CALENDAR).await;
    for number in 0..3 {
        for title in [format!("Off {number}"), format!("Fair {number}")] {
            let all = of_mailbox
                .iter()
                .map(|item| &item.record)
                .chain(of_crm.iter().map(|record| &record.record));
            let found: Vec<_> = all
                .filter_map(|record| match record {
                    Record::Event(event) if event.subject.expose() == &title => Some(event.when.clone()),
                    _ => None,
                })
                .collect();
            assert!(
                found.len() == 2 && found.iter().all(|when| *when == days(number)),
                "{title}"
            );
        }
    }
}
