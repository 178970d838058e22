//! Series between Exchange and a real Odoo: every case of the table, and series that were made in Odoo.

use crate::harness::outlook::{item, rule};
use crate::odoo_office::office_beside;
use crate::odoo_server::{Odoo, Rep};
use crate::series::{BERLIN, Desk, at, daily, series_cases, times, today};
use chrono::{DateTime, TimeDelta, Utc};
use holdfast::crm::model::CrmId;
use holdfast::mailbox::model::ItemId;
use holdfast::record::Record;
use holdfast::record::event::When;
use holdfast::record::kind::RecordKind;
use serde_json::{Value, json};

async fn desk() -> Desk {
    desk_of(&Odoo::up()).await.0
}

async fn desk_of(odoo: &Odoo) -> (Desk, Rep) {
    let rep = odoo.rep();
    let (office, row) = office_beside(odoo, &rep).await;
    (Desk { office, row }, rep)
}

series_cases!(desk);

/// An instant as Odoo takes it.
fn wire(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A person at Odoo's calendar.
struct Calendar {
    odoo: Odoo,
    rep: Rep,
    desk: Desk,
    /// What Odoo told anybody before, in this person's name.
    told: u64,
}

impl Calendar {
    async fn open() -> Self {
        let odoo = Odoo::up();
        let (desk, rep) = desk_of(&odoo).await;
        let told = odoo.told(&[&rep]).await;
        Self {
            odoo,
            rep,
            desk,
            told,
        }
    }

    /// Makes a series of so many days, of an hour each.
    async fn series(&self, title: &str, start: DateTime<Utc>, days: u32) {
        let values = json!({
            "name": title,
            "start": wire(start),
            "stop": wire(start + TimeDelta::hours(1)),
            "recurrency": true,
            "rrule_type": "daily",
            "interval": 1,
            "end_type": "count",
            "count": days,
            "event_tz": "UTC",
        });
        let values = json!({ "vals_list": [values] });
        self.odoo
            .call(&self.rep.key, "calendar.event", "create", values)
            .await;
    }

    async fn write(&self, id: &CrmId, values: Value) {
        let arguments = json!({ "ids": [id.0.parse::<i64>().unwrap()], "vals": values });
        self.odoo
            .call(&self.rep.key, "calendar.event", "write", arguments)
            .await;
    }

    async fn unlink(&self, id: &CrmId) {
        let arguments = json!({ "ids": [id.0.parse::<i64>().unwrap()] });
        self.odoo
            .call(&self.rep.key, "calendar.event", "unlink", arguments)
            .await;
    }

    async fn ids(&self, title: &str) -> Vec<CrmId> {
        let events = self.desk.events(title).await;
        events.into_values().map(|(id, _)| id).collect()
    }

    /// The item in the mailbox that begins at this instant.
    async fn item_at(&self, at: DateTime<Utc>) -> ItemId {
        let items = self.desk.office.items(&self.desk.row, RecordKind::Calendar).await;
        let found = items.into_iter().find(|item| match &item.record {
            Record::Event(event) => matches!(event.when, When::Timed { start, .. } if start == at),
            _ => false,
        });
        found.expect("an item begins then").item.id
    }

    /// Both sides show so many dates, nothing is left to do, and nobody was mailed.
    async fn assert_at_rest(&self, titles: &[&str], dates: usize) {
        self.desk.assert_same(titles).await;
        let shown = self
            .desk
            .outlook()
            .view(today(), today() + TimeDelta::days(60))
            .await;
        assert_eq!(shown.len(), dates, "{shown:?}");
        let counts = self.desk.sync().await;
        assert_eq!(counts.written() + counts.failed, 0, "{counts:?}");
        let told = self.odoo.told(&[&self.rep]).await;
        assert_eq!(told, self.told, "nobody is mailed or told");
    }
}

#[tokio::test]
async fn a_series_that_is_made_in_odoo_comes_as_meetings_of_which_each_goes_its_own_way() {
    let calendar = Calendar::open().await;
    let desk = &calendar.desk;
    let start = at(today() + TimeDelta::days(3), 9, chrono_tz::UTC);
    calendar.series("Rehearsal", start, 5).await;
    let counts = desk.sync().await;
    assert_eq!(
        (counts.created_in_mailbox, counts.written()),
        (5, 5),
        "{counts:?}"
    );
    calendar.assert_at_rest(&["Rehearsal"], 5).await;

    let ids = calendar.ids("Rehearsal").await;
    let moved = start + TimeDelta::hours(29);
    let only_this = json!({
        "name": "Rehearsal with choir",
        "start": wire(moved),
        "stop": wire(moved + TimeDelta::hours(2)),
        "recurrence_update": "self_only",
    });
    calendar.write(&ids[1], only_this).await;
    let counts = desk.sync().await;
    assert_eq!(
        (counts.updated_in_mailbox, counts.written()),
        (1, 1),
        "{counts:?}"
    );

    let fourth = calendar.item_at(start + TimeDelta::days(3)).await;
    let later = start + TimeDelta::days(3) + TimeDelta::hours(4);
    desk.outlook().set_times(&item(&fourth.0), later, 30).await;
    let counts = desk.sync().await;
    assert_eq!((counts.updated_in_crm, counts.written()), (1, 1), "{counts:?}");

    let fifth = calendar.item_at(start + TimeDelta::days(4)).await;
    desk.outlook().delete(&item(&fifth.0)).await;
    let counts = desk.sync().await;
    assert_eq!((counts.deleted_in_crm, counts.written()), (1, 1), "{counts:?}");

    calendar.unlink(&ids[0]).await;
    let counts = desk.sync().await;
    assert_eq!(
        (counts.deleted_in_mailbox, counts.written()),
        (1, 1),
        "{counts:?}"
    );
    assert_eq!(
        calendar.ids("Rehearsal").await,
        ids[2..4],
        "the others are as they were"
    );
    calendar
        .assert_at_rest(&["Rehearsal", "Rehearsal with choir"], 3)
        .await;
}

#[tokio::test]
async fn an_edit_of_all_events_of_a_series_in_odoo_doubles_none_of_them() {
    let calendar = Calendar::open().await;
    let desk = &calendar.desk;
    let start = at(today() + TimeDelta::days(3), 9, chrono_tz::UTC);
    calendar.series("Briefing", start, 5).await;
    desk.sync().await;
    let first = calendar.ids("Briefing").await[0].clone();
    let title = json!({ "name": "Morning briefing", "recurrence_update": "all_events" });
    calendar.write(&first, title).await;
    let counts = desk.sync().await;
    assert_eq!(
        (counts.updated_in_mailbox, counts.written()),
        (5, 5),
        "{counts:?}"
    );
    calendar.assert_at_rest(&["Morning briefing"], 5).await;
    // Odoo makes the rows of a series anew when its time changes.
    let later = start + TimeDelta::hours(2);
    let times = json!({
        "start": wire(later),
        "stop": wire(later + TimeDelta::hours(1)),
        "recurrence_update": "all_events",
    });
    calendar.write(&first, times).await;
    desk.office.settle(&desk.row).await;
    calendar.assert_at_rest(&["Morning briefing"], 5).await;
    calendar.item_at(later + TimeDelta::days(2)).await;
}

#[tokio::test]
async fn a_meeting_of_exchanges_that_becomes_a_series_in_odoo_stays_and_the_other_dates_come() {
    let calendar = Calendar::open().await;
    let desk = &calendar.desk;
    let start = at(today() + TimeDelta::days(3), 9, chrono_tz::UTC);
    let made = desk.outlook().create("Tutorial", start, 60, "").await;
    desk.sync().await;
    let first = calendar.ids("Tutorial").await[0].clone();
    let repeated = json!({
        "recurrency": true,
        "rrule_type": "daily",
        "interval": 1,
        "end_type": "count",
        "count": 4,
        "event_tz": "UTC",
    });
    calendar.write(&first, repeated).await;
    let counts = desk.sync().await;
    assert_eq!(
        (counts.created_in_mailbox, counts.written()),
        (3, 3),
        "{counts:?}"
    );
    assert_eq!(calendar.item_at(start).await.0, made, "the meeting is the same");
    calendar.assert_at_rest(&["Tutorial"], 4).await;
}

#[tokio::test]
async fn a_series_that_somebody_entered_on_both_sides_is_taken_for_one_date_by_date() {
    let calendar = Calendar::open().await;
    let desk = &calendar.desk;
    let first = today() + TimeDelta::days(3);
    let start = at(first, 9, BERLIN.1);
    let rest = rule(&daily(1), &times(first, 3), BERLIN.0);
    desk.outlook().create("Yoga", start, 60, &rest).await;
    calendar.series("Yoga", start, 3).await;
    let ids = calendar.ids("Yoga").await;
    let counts = desk.sync().await;
    assert_eq!(
        (counts.matched, counts.created_in_crm + counts.created_in_mailbox),
        (3, 0),
        "{counts:?}"
    );
    desk.office.settle(&desk.row).await;
    assert_eq!(calendar.ids("Yoga").await, ids);
    calendar.assert_at_rest(&["Yoga"], 3).await;
}
