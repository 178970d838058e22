//! Series: what the mailbox shows date by date, the CRM shows event by event, and the other way round. Each thing that
//! can happen to a series is a function of a desk, so that it is asked of every CRM.
//!
//! What the mailbox shows is asked of the server itself, which takes its series apart on its own.

// long: one table of patterns, and then each thing that can happen to a series

use crate::harness::outlook::{Entry, Outlook, item, nth, rule};
use crate::harness::{Office, began};
use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use holdfast::crm::model::{CrmId, CrmWrite};
use holdfast::foundation::clock::Clock;
use holdfast::record::Record;
use holdfast::record::event::{Event, When};
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::sync::explain::explain;
use holdfast::sync::model::Reason;
use holdfast::sync::policy::Policy;
use holdfast::sync::preview::preview;
use holdfast::sync::report::{Counts, Quiet};
use holdfast::sync::store::mailboxes::MailboxRow;
use std::collections::{BTreeMap, BTreeSet};

pub const BERLIN: (&str, Tz) = ("W. Europe Standard Time", Tz::Europe__Berlin);
const NEW_YORK: (&str, Tz) = ("Eastern Standard Time", Tz::America__New_York);
const SYDNEY: (&str, Tz) = ("AUS Eastern Standard Time", Tz::Australia__Sydney);

pub fn today() -> NaiveDate {
    began().date_naive()
}

pub fn at(day: NaiveDate, hour: u32, zone: Tz) -> DateTime<Utc> {
    let local = day.and_hms_opt(hour, 30, 0).unwrap();
    zone.from_local_datetime(&local).earliest().unwrap().to_utc()
}

pub fn daily(every: u32) -> String {
    format!("<t:DailyRecurrence><t:Interval>{every}</t:Interval></t:DailyRecurrence>")
}

fn weekly(days: &str) -> String {
    format!(
        "<t:WeeklyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>{days}</t:DaysOfWeek></t:WeeklyRecurrence>"
    )
}

fn weekday(day: NaiveDate) -> String {
    day.format("%A").to_string()
}

fn endless(from: NaiveDate) -> String {
    format!("<t:NoEndRecurrence><t:StartDate>{from}</t:StartDate></t:NoEndRecurrence>")
}

fn until(from: NaiveDate, to: NaiveDate) -> String {
    format!(
        "<t:EndDateRecurrence><t:StartDate>{from}</t:StartDate><t:EndDate>{to}</t:EndDate></t:EndDateRecurrence>"
    )
}

pub fn times(from: NaiveDate, count: u32) -> String {
    format!(
        "<t:NumberedRecurrence><t:StartDate>{from}</t:StartDate><t:NumberOfOccurrences>{count}\
         </t:NumberOfOccurrences></t:NumberedRecurrence>"
    )
}

/// A person with an empty calendar, synchronised.
pub struct Desk {
    pub office: Office,
    pub row: MailboxRow,
}

/// One test for each case, at a desk of this kind.
macro_rules! series_cases {
    ($desk:path) => {
        $crate::series::series_cases!(
            $desk,
            [
                every_pattern_with_every_end_shows_the_same_dates_on_both_sides,
                a_series_keeps_its_time_of_day_over_a_whole_year_of_changing_clocks,
                a_moved_a_changed_and_a_deleted_date_arrive_as_they_are,
                a_series_that_begins_an_hour_later_keeps_its_records,
                a_changed_rule_takes_away_its_old_dates_and_brings_its_new_ones,
                a_series_that_is_cut_short_loses_the_dates_after_the_cut_and_a_deleted_one_all,
                a_meeting_that_becomes_a_series_and_a_meeting_again_keeps_its_record,
                a_series_of_whole_days_has_the_same_days_on_both_sides,
                an_endless_series_grows_with_the_days_and_nothing_else_is_read_for_it,
                an_edit_of_one_event_in_the_crm_changes_that_date_alone,
                an_event_that_is_deleted_in_the_crm_takes_that_date_alone_with_it,
                a_private_series_stays_in_the_mailbox_with_one_reason_for_all_of_its_dates,
                a_series_beyond_the_cap_says_so_and_explanation_and_preview_count_its_dates,
            ]
        );
    };
    ($desk:path, [$($case:ident),* $(,)?]) => {
        $(
            #[tokio::test]
            async fn $case() {
                $crate::series::$case($desk().await).await;
            }
        )*
    };
}
pub(crate) use series_cases;

mod salesforce {
    use super::{Desk, Office};

    async fn desk() -> Desk {
        let office = Office::open(2, 0).await;
        let row = office.add(0).await;
        Desk { office, row }
    }

    series_cases!(desk);
}

impl Desk {
    pub fn outlook(&self) -> Outlook<'_> {
        Outlook::of(&self.office.lab, 0)
    }

    pub async fn sync(&self) -> Counts {
        self.office
            .sync(&self.row)
            .await
            .remove(&RecordKind::Calendar)
            .unwrap()
    }

    /// The events of a title in the CRM, by begin.
    pub async fn events(&self, title: &str) -> BTreeMap<DateTime<Utc>, (CrmId, Event)> {
        let records = self.office.records(&self.row, RecordKind::Calendar).await;
        let events = records.into_iter().filter_map(|record| match record.record {
            Record::Event(event) if event.subject.expose() == title => {
                Some((begin(&event), (record.id, event)))
            }
            _ => None,
        });
        events.collect()
    }

    async fn in_crm(&self, titles: &[&str]) -> BTreeSet<Entry> {
        let mut shown = BTreeSet::new();
        for title in titles {
            for (start, (_, event)) in self.events(title).await {
                let end = match event.when {
                    When::Timed { end, .. } => end,
                    When::AllDay { last, .. } => {
                        (last + TimeDelta::days(1)).and_time(Default::default()).and_utc()
                    }
                };
                shown.insert(((*title).to_owned(), start, end));
            }
        }
        shown
    }

    /// Both sides show the same dates from a little after the window's begin to the horizon.
    pub async fn assert_same(&self, titles: &[&str]) {
        let (from, to) = (today() - TimeDelta::days(80), today() + TimeDelta::days(175));
        let within = |(_, start, _): &Entry| (from..to).contains(&start.date_naive());
        let shown = self.outlook().view(from, to).await;
        let shown: BTreeSet<Entry> = shown
            .into_iter()
            .filter(|entry| titles.contains(&entry.0.as_str()) && within(entry))
            .collect();
        let recorded: BTreeSet<Entry> = self.in_crm(titles).await.into_iter().filter(within).collect();
        let missing: Vec<_> = shown.difference(&recorded).collect();
        let surplus: Vec<_> = recorded.difference(&shown).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "missing in the CRM: {missing:?}; surplus there: {surplus:?}"
        );
        for title in titles {
            assert!(shown.iter().any(|entry| entry.0 == *title), "{title} has no date");
        }
        let noticed = self.office.lab.parts.ledger.entries();
        assert!(noticed.is_empty(), "{noticed:?}");
    }

    async fn update(&self, id: &CrmId, fields: &[Field], event: Event) {
        let write = CrmWrite::Update {
            id: id.clone(),
            fields: FieldSet::of(fields),
            record: Record::Event(event),
            matches: Vec::new(),
        };
        self.office.in_crm(&self.row, RecordKind::Calendar, write).await;
    }
}

fn begin(event: &Event) -> DateTime<Utc> {
    match event.when {
        When::Timed { start, .. } => start,
        When::AllDay { first, .. } => first.and_time(Default::default()).and_utc(),
    }
}

/// Every pattern, with days that lie around both changes of the clocks of a year.
fn patterns(first: NaiveDate) -> Vec<(&'static str, String)> {
    let month = first.format("%B").to_string();
    vec![
        ("daily", daily(5)),
        ("weekly", weekly("Monday Thursday")),
        (
            "every other week",
            "<t:WeeklyRecurrence><t:Interval>2</t:Interval><t:DaysOfWeek>Sunday Wednesday</t:DaysOfWeek>\
                 <t:FirstDayOfWeek>Monday</t:FirstDayOfWeek></t:WeeklyRecurrence>"
                .to_owned(),
        ),
        (
            "monthly",
            "<t:AbsoluteMonthlyRecurrence><t:Interval>1</t:Interval><t:DayOfMonth>31</t:DayOfMonth>\
             </t:AbsoluteMonthlyRecurrence>"
                .to_owned(),
        ),
        (
            "last weekday",
            "<t:RelativeMonthlyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>Weekday</t:DaysOfWeek>\
             <t:DayOfWeekIndex>Last</t:DayOfWeekIndex></t:RelativeMonthlyRecurrence>"
                .to_owned(),
        ),
        (
            "yearly",
            format!(
                "<t:AbsoluteYearlyRecurrence><t:DayOfMonth>{}</t:DayOfMonth><t:Month>{month}</t:Month>\
                 </t:AbsoluteYearlyRecurrence>",
                first.day()
            ),
        ),
        (
            "second Tuesday of the year's month",
            format!(
                "<t:RelativeYearlyRecurrence><t:DaysOfWeek>Tuesday</t:DaysOfWeek>\
                 <t:DayOfWeekIndex>Second</t:DayOfWeekIndex><t:Month>{month}</t:Month></t:RelativeYearlyRecurrence>"
            ),
        ),
    ]
}

pub async fn every_pattern_with_every_end_shows_the_same_dates_on_both_sides(desk: Desk) {
    // From the first of a month, so that a yearly rule of that month has a date within the window.
    let first = (today() + TimeDelta::days(20)).with_day(1).unwrap();
    let mut titles = Vec::new();
    for (place, (name, pattern)) in patterns(first).into_iter().enumerate() {
        let ranges = [
            ("for ever", endless(first)),
            ("until", until(first, first + TimeDelta::days(150))),
            ("counted", times(first, 6)),
        ];
        for (ends, range) in ranges {
            let (windows, zone) = [BERLIN, NEW_YORK, SYDNEY][place % 3];
            let title = format!("{name} {ends}");
            desk.outlook()
                .create(&title, at(first, 9, zone), 45, &rule(&pattern, &range, windows))
                .await;
            titles.push(title);
        }
    }
    let counts = desk.sync().await;
    assert_eq!(counts.failed, 0, "{counts:?}");
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    desk.assert_same(&titles).await;
    let again = desk.sync().await;
    assert_eq!(again.written() + again.matched, 0, "{again:?}");
}

pub async fn a_series_keeps_its_time_of_day_over_a_whole_year_of_changing_clocks(desk: Desk) {
    let first = today() - TimeDelta::days(60);
    for (title, (windows, zone)) in [("Berlin", BERLIN), ("New York", NEW_YORK), ("Sydney", SYDNEY)] {
        let range = until(first, today() + TimeDelta::days(360));
        desk.outlook()
            .create(title, at(first, 9, zone), 30, &rule(&daily(3), &range, windows))
            .await;
    }
    // The hour that the clocks skip and repeat.
    let night = until(first, today() + TimeDelta::days(330));
    desk.outlook()
        .create(
            "Night",
            at(first, 2, BERLIN.1),
            30,
            &rule(&daily(1), &night, BERLIN.0),
        )
        .await;
    let counts = desk.sync().await;
    assert_eq!(counts.failed, 0, "{counts:?}");
    let from = today() - TimeDelta::days(50);
    let to = today() + TimeDelta::days(350);
    let shown = desk.outlook().view(from, to).await;
    let titles = ["Berlin", "New York", "Sydney", "Night"];
    let recorded = desk.in_crm(&titles).await;
    let recorded: BTreeSet<Entry> = recorded
        .into_iter()
        .filter(|(_, start, _)| (from..to).contains(&start.date_naive()))
        .collect();
    let missing: Vec<_> = shown.difference(&recorded).collect();
    let surplus: Vec<_> = recorded.difference(&shown).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "missing: {missing:?}, surplus: {surplus:?}"
    );
    assert!(shown.len() > 600, "{}", shown.len());
    for (start, _) in desk.events("Sydney").await {
        assert_eq!(
            start.with_timezone(&SYDNEY.1).time(),
            at(first, 9, SYDNEY.1).with_timezone(&SYDNEY.1).time()
        );
    }
}

pub async fn a_moved_a_changed_and_a_deleted_date_arrive_as_they_are(desk: Desk) {
    let first = today() + TimeDelta::days(3);
    let start = at(first, 9, BERLIN.1);
    let master = desk
        .outlook()
        .create(
            "Stand-up",
            start,
            15,
            &rule(&daily(1), &times(first, 8), BERLIN.0),
        )
        .await;
    desk.outlook()
        .set_times(&nth(&master, 2), start + TimeDelta::hours(30), 60)
        .await;
    desk.sync().await;
    desk.assert_same(&["Stand-up"]).await;
    let before: BTreeSet<CrmId> = desk
        .events("Stand-up")
        .await
        .into_values()
        .map(|(id, _)| id)
        .collect();
    // And when the series is known already.
    desk.outlook()
        .set_times(&nth(&master, 5), start + TimeDelta::hours(100), 20)
        .await;
    desk.outlook().delete(&nth(&master, 7)).await;
    let title = "<t:Subject>Stand-up with guests</t:Subject>".to_owned();
    desk.outlook()
        .set(&nth(&master, 3), &[("item:Subject", title)])
        .await;
    let counts = desk.sync().await;
    assert_eq!(
        (
            counts.updated_in_crm,
            counts.deleted_in_crm,
            counts.created_in_crm
        ),
        (2, 1, 0),
        "{counts:?}"
    );
    desk.assert_same(&["Stand-up", "Stand-up with guests"]).await;
    let after: BTreeSet<CrmId> = desk
        .events("Stand-up")
        .await
        .into_values()
        .map(|(id, _)| id)
        .collect();
    assert!(
        after.is_subset(&before),
        "a date that was there already is the same record"
    );
}

pub async fn a_series_that_begins_an_hour_later_keeps_its_records(desk: Desk) {
    let first = today() + TimeDelta::days(2);
    let start = at(first, 9, NEW_YORK.1);
    let master = desk
        .outlook()
        .create(
            "Review",
            start,
            60,
            &rule(&daily(2), &times(first, 6), NEW_YORK.0),
        )
        .await;
    desk.sync().await;
    let ids =
        |events: BTreeMap<_, (CrmId, Event)>| events.into_values().map(|(id, _)| id).collect::<BTreeSet<_>>();
    let before = ids(desk.events("Review").await);
    desk.outlook()
        .set_times(&item(&master), start + TimeDelta::hours(1), 60)
        .await;
    let counts = desk.sync().await;
    assert_eq!((counts.updated_in_crm, counts.written()), (6, 6), "{counts:?}");
    desk.assert_same(&["Review"]).await;
    assert_eq!(ids(desk.events("Review").await), before);
}

pub async fn a_changed_rule_takes_away_its_old_dates_and_brings_its_new_ones(desk: Desk) {
    let first = today() + TimeDelta::days(2);
    let start = at(first, 9, BERLIN.1);
    let master = desk
        .outlook()
        .create(
            "Jour fixe",
            start,
            60,
            &rule(&daily(1), &times(first, 10), BERLIN.0),
        )
        .await;
    desk.sync().await;
    let fresh = format!("<t:Recurrence>{}{}</t:Recurrence>", daily(3), times(first, 10));
    desk.outlook()
        .set(&item(&master), &[("calendar:Recurrence", fresh)])
        .await;
    let counts = desk.sync().await;
    assert_eq!(
        (counts.created_in_crm, counts.deleted_in_crm),
        (6, 6),
        "{counts:?}"
    );
    desk.assert_same(&["Jour fixe"]).await;
}

pub async fn a_series_that_is_cut_short_loses_the_dates_after_the_cut_and_a_deleted_one_all(desk: Desk) {
    let first = today() - TimeDelta::days(14);
    let pattern = weekly(&weekday(first));
    let master = desk
        .outlook()
        .create(
            "Choir",
            at(first, 18, BERLIN.1),
            90,
            &rule(&pattern, &endless(first), BERLIN.0),
        )
        .await;
    desk.sync().await;
    let all = desk.events("Choir").await.len();
    let short = until(first, today() + TimeDelta::days(30));
    let short = format!("<t:Recurrence>{pattern}{short}</t:Recurrence>");
    desk.outlook()
        .set(&item(&master), &[("calendar:Recurrence", short)])
        .await;
    let counts = desk.sync().await;
    let left = desk.events("Choir").await.len();
    assert!(
        left < all && counts.written() == (all - left) as u64,
        "{counts:?}, {all} before, {left} left"
    );
    desk.assert_same(&["Choir"]).await;
    desk.outlook().delete(&item(&master)).await;
    desk.sync().await;
    assert!(desk.events("Choir").await.is_empty());
    assert_eq!(desk.sync().await.written(), 0);
}

pub async fn a_meeting_that_becomes_a_series_and_a_meeting_again_keeps_its_record(desk: Desk) {
    let first = today() + TimeDelta::days(4);
    let zone = format!(
        "<t:StartTimeZone Id=\"{0}\"/><t:EndTimeZone Id=\"{0}\"/>",
        BERLIN.0
    );
    let id = desk
        .outlook()
        .create("Kick-off", at(first, 10, BERLIN.1), 60, &zone)
        .await;
    desk.sync().await;
    let record = desk.events("Kick-off").await.into_values().next().unwrap().0;
    let rule = format!("<t:Recurrence>{}{}</t:Recurrence>", daily(7), times(first, 4));
    desk.outlook()
        .set(&item(&id), &[("calendar:Recurrence", rule)])
        .await;
    let counts = desk.sync().await;
    assert_eq!((counts.created_in_crm, counts.written()), (3, 3), "{counts:?}");
    desk.assert_same(&["Kick-off"]).await;
    assert_eq!(
        desk.events("Kick-off").await.into_values().next().unwrap().0,
        record
    );
    desk.outlook().clear(&item(&id), "calendar:Recurrence").await;
    let counts = desk.sync().await;
    assert_eq!((counts.deleted_in_crm, counts.written()), (3, 3), "{counts:?}");
    let left: Vec<CrmId> = desk
        .events("Kick-off")
        .await
        .into_values()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(left, [record]);
    assert_eq!(desk.sync().await.written(), 0);
}

pub async fn a_series_of_whole_days_has_the_same_days_on_both_sides(desk: Desk) {
    let first = today() + TimeDelta::days(5);
    for (title, (windows, zone)) in [("Fair", BERLIN), ("Expo", SYDNEY)] {
        let midnight = |day: NaiveDate| {
            zone.from_local_datetime(&day.and_time(Default::default()))
                .earliest()
                .unwrap()
        };
        let start = midnight(first).to_utc();
        let minutes = (midnight(first + TimeDelta::days(2)).to_utc() - start).num_minutes();
        let rest = format!(
            "<t:IsAllDayEvent>true</t:IsAllDayEvent>{}",
            rule(&daily(10), &times(first, 15), windows)
        );
        desk.outlook().create(title, start, minutes, &rest).await;
    }
    desk.sync().await;
    for title in ["Fair", "Expo"] {
        let days: Vec<When> = desk
            .events(title)
            .await
            .into_values()
            .map(|(_, event)| event.when)
            .collect();
        let expected: Vec<When> = (0..15)
            .map(|place| first + TimeDelta::days(10 * place))
            .map(|first| When::AllDay {
                first,
                last: first + TimeDelta::days(1),
            })
            .collect();
        assert_eq!(days, expected, "{title}");
    }
    assert_eq!(desk.sync().await.written(), 0);
}

pub async fn an_endless_series_grows_with_the_days_and_nothing_else_is_read_for_it(mut desk: Desk) {
    desk.office.engine.clock = Clock::manual(Utc::now());
    let first = today() + TimeDelta::days(1);
    let pattern = weekly(&weekday(first));
    for (title, range) in [("Endless", endless(first)), ("Finite", times(first, 3))] {
        let start = at(first, 9, BERLIN.1);
        desk.outlook()
            .create(title, start, 30, &rule(&pattern, &range, BERLIN.0))
            .await;
    }
    desk.sync().await;
    let before = desk.events("Endless").await.len();
    let quiet = desk.sync().await;
    assert_eq!(quiet.written(), 0);
    desk.office
        .engine
        .clock
        .advance(std::time::Duration::from_secs(28 * 86_400));
    let asked = || {
        let stats = desk
            .office
            .lab
            .parts
            .stats
            .side(holdfast_lab::faults::Side::Exchange);
        stats.operations.get("GetItem").copied().unwrap_or_default()
    };
    let calls = asked();
    let counts = desk.sync().await;
    assert_eq!((counts.created_in_crm, counts.written()), (4, 4), "{counts:?}");
    assert_eq!(desk.events("Endless").await.len(), before + 4);
    assert_eq!(asked() - calls, 1, "one question for the one series");
    let calls = asked();
    assert_eq!(desk.sync().await.written(), 0);
    assert_eq!(
        asked() - calls,
        0,
        "and none until the next date comes within reach"
    );
}

pub async fn an_edit_of_one_event_in_the_crm_changes_that_date_alone(desk: Desk) {
    let first = today() + TimeDelta::days(3);
    let start = at(first, 9, BERLIN.1);
    let attendees = "<t:RequiredAttendees><t:Attendee><t:Mailbox><t:EmailAddress>guest@outside.example\
                     </t:EmailAddress></t:Mailbox></t:Attendee></t:RequiredAttendees>";
    let rest = format!("{attendees}{}", rule(&daily(1), &times(first, 5), BERLIN.0));
    desk.outlook().create("Sprint", start, 30, &rest).await;
    desk.sync().await;
    let before = desk.outlook().view(first, first + TimeDelta::days(6)).await;
    let events: Vec<(CrmId, Event)> = desk.events("Sprint").await.into_values().collect();
    for (place, hours) in [(1, 2), (3, 5)] {
        let (id, event) = events[place].clone();
        let start = begin(&event) + TimeDelta::hours(hours);
        let moved = Event {
            when: When::Timed {
                start,
                end: start + TimeDelta::minutes(50),
            },
            subject: "Sprint, longer".into(),
            ..event
        };
        desk.update(&id, &[Field::When, Field::Subject], moved).await;
    }
    let counts = desk.sync().await;
    assert_eq!(
        (counts.updated_in_mailbox, counts.written(), counts.failed),
        (2, 2, 0),
        "{counts:?}"
    );
    let after = desk.outlook().view(first, first + TimeDelta::days(6)).await;
    assert_eq!(
        before.intersection(&after).count(),
        3,
        "three dates are untouched: {after:?}"
    );
    desk.assert_same(&["Sprint", "Sprint, longer"]).await;
    assert_eq!(desk.sync().await.written(), 0);
}

pub async fn an_event_that_is_deleted_in_the_crm_takes_that_date_alone_with_it(desk: Desk) {
    let first = today() + TimeDelta::days(3);
    desk.outlook()
        .create(
            "Lunch",
            at(first, 12, NEW_YORK.1),
            30,
            &rule(&daily(2), &times(first, 6), NEW_YORK.0),
        )
        .await;
    desk.sync().await;
    let ids: Vec<CrmId> = desk
        .events("Lunch")
        .await
        .into_values()
        .map(|(id, _)| id)
        .collect();
    for place in [0, 4] {
        let write = CrmWrite::Delete {
            id: ids[place].clone(),
        };
        desk.office.in_crm(&desk.row, RecordKind::Calendar, write).await;
    }
    let counts = desk.sync().await;
    assert_eq!(
        (counts.deleted_in_mailbox, counts.written(), counts.failed),
        (2, 2, 0),
        "{counts:?}"
    );
    let shown = desk.outlook().view(first, first + TimeDelta::days(20)).await;
    assert_eq!(shown.len(), 4);
    desk.assert_same(&["Lunch"]).await;
    assert_eq!(desk.sync().await.written(), 0);
}

pub async fn a_private_series_stays_in_the_mailbox_with_one_reason_for_all_of_its_dates(desk: Desk) {
    let first = today() + TimeDelta::days(1);
    let head = "<t:Subject>Therapy</t:Subject><t:Sensitivity>Private</t:Sensitivity>";
    desk.outlook()
        .create_as(
            head,
            at(first, 8, BERLIN.1),
            50,
            &rule(&daily(1), &times(first, 9), BERLIN.0),
        )
        .await;
    let counts = desk.sync().await;
    assert_eq!(counts.written(), 0);
    assert_eq!(counts.skipped, BTreeMap::from([(Reason::Private, 1)]));
}

pub async fn a_series_beyond_the_cap_says_so_and_explanation_and_preview_count_its_dates(desk: Desk) {
    let mut policy = Policy::default();
    policy.calendar.series.most = 5;
    desk.office.policy("default", policy).await;
    let first = today() + TimeDelta::days(1);
    let master = desk
        .outlook()
        .create(
            "Drill",
            at(first, 8, BERLIN.1),
            50,
            &rule(&daily(1), &endless(first), BERLIN.0),
        )
        .await;
    let dry = preview(&desk.office.engine, &desk.row, &Quiet).await.unwrap();
    assert_eq!(dry.totals.get("create in CRM"), Some(&5), "{:?}", dry.totals);
    assert_eq!(dry.totals.get("skip"), Some(&1), "{:?}", dry.totals);
    let counts = desk.sync().await;
    assert_eq!(
        (counts.created_in_crm, counts.skipped.get(&Reason::SeriesCap)),
        (5, Some(&1))
    );
    let told = explain(&desk.office.engine, &desk.row, &master)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(told.verdict, "in step (5 dates)");
    let notes = told.notes.join("\n");
    assert!(notes.contains("are synchronised one by one: 5"), "{notes}");
    assert!(notes.contains(Reason::SeriesCap.sentence()), "{notes}");
    assert!(notes.contains("It has no end"), "{notes}");
    assert!(
        told.rules.iter().all(|(_, said)| said == "passes"),
        "{:?}",
        told.rules
    );
}
