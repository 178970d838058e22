//! `project.task`: things to do. What a mailbox sends becomes a private to-do, a task of no project that is
//! assigned to its owner; tasks of projects that are assigned to him take part as well.
//!
//! Odoo knows open and done. When something is due is an instant from version 17 on: noon where the user is, so
//! that it is the same day everywhere on earth but for its ends.

use super::event::living;
use super::html;
use super::names::{Form, KEY};
use super::row::{Around, Head, Row};
use super::sheet::Sheet;
use crate::crm::odoo::model::Person;
use crate::crm::odoo::wire::value;
use crate::foundation::content::Content;
use crate::record::Record;
use crate::record::field::Field;
use crate::record::task::{Priority, Status, Task};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::Deserialize;

/// What is read of it, where the user may see it.
pub(super) const COLUMNS: &[&str] = &[
    "name",
    "description",
    "date_deadline",
    "state",
    "priority",
    "user_ids",
    "recurring_task",
    "active",
    "write_date",
    KEY,
];

/// The columns in which each field lives.
pub(super) const FIELDS: &[(Field, &[&str])] = &[
    (Field::Subject, &["name"]),
    (Field::Body, &["description"]),
    (Field::Due, &["date_deadline"]),
    (Field::Status, &["state"]),
    (Field::Priority, &["priority"]),
];

const DONE: &str = "1_done";
const OPEN: &str = "01_in_progress";

/// A row.
#[derive(Deserialize)]
pub(in crate::crm::odoo) struct TaskRow {
    id: i64,
    #[serde(deserialize_with = "value::instant")]
    write_date: DateTime<Utc>,
    #[serde(default = "living")]
    active: bool,
    #[serde(default, deserialize_with = "value::string")]
    x_holdfast_key: Option<String>,
    #[serde(default)]
    user_ids: Vec<i64>,
    #[serde(default, deserialize_with = "value::text")]
    name: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    description: Content<String>,
    #[serde(default, deserialize_with = "value::string")]
    date_deadline: Option<String>,
    #[serde(default, deserialize_with = "value::string")]
    state: Option<String>,
    #[serde(default, deserialize_with = "value::string")]
    priority: Option<String>,
    #[serde(default)]
    recurring_task: bool,
}

impl Row for TaskRow {
    const FORM: Form = Form::Task;

    fn head(&self, me: i64) -> Head {
        let mine = self.user_ids.iter().find(|user| **user == me);
        Head {
            id: self.id,
            modified: self.write_date,
            archived: !self.active,
            key: self.x_holdfast_key.clone(),
            owner: mine.or(self.user_ids.first()).copied(),
        }
    }

    fn record(self, around: &Around) -> Option<Record> {
        Some(Record::Task(Task {
            due: self
                .date_deadline
                .as_deref()
                .and_then(|text| day_in(text, around.zone)),
            // A cancelled task is nothing to do any more either.
            status: match self.state.as_deref() {
                Some(DONE | "1_canceled") => Status::Completed,
                _ => Status::NotStarted,
            },
            priority: match self.priority.as_deref() {
                None | Some("0") => Priority::Normal,
                Some(_) => Priority::High,
            },
            body: html::to_text(&self.description),
            subject: self.name,
            reminder: None,
            is_private: false,
            is_recurring: self.recurring_task,
        }))
    }
}

/// The day of a day, or of an instant where the user is.
fn day_in(text: &str, zone: Tz) -> Option<NaiveDate> {
    match value::parse_instant(text) {
        Some(at) => Some(at.with_timezone(&zone).date_naive()),
        None => text.parse().ok(),
    }
}

fn noon(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let noon = day.and_time(NaiveTime::MIN) + TimeDelta::hours(12);
    let there = zone.from_local_datetime(&noon).earliest();
    there.map_or(noon.and_utc(), |at| at.to_utc())
}

/// The cells of a task.
pub(super) fn fill(sheet: &mut Sheet<'_>, owner: &Person, task: &Task) {
    if sheet.wants(Field::Subject) {
        let subject = task.subject.expose();
        sheet.put_text("name", if subject.is_empty() { " " } else { subject.as_str() });
    }
    if sheet.wants(Field::Body) {
        sheet.put_text("description", html::of_text(task.body.expose()));
    }
    if sheet.wants(Field::Due) {
        let due = task.due.map(|day| match sheet.model.is_instant("date_deadline") {
            true => value::write_instant(noon(day, owner.zone)),
            false => day.to_string(),
        });
        sheet.put_text("date_deadline", due.unwrap_or_default());
    }
    if sheet.wants(Field::Status) {
        let done = task.status == Status::Completed;
        sheet.put_text("state", if done { DONE } else { OPEN });
    }
    if sheet.wants(Field::Priority) {
        let high = task.priority == Priority::High;
        sheet.put_text("priority", if high { "1" } else { "0" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_comes_back_from_its_noon_wherever_the_user_is() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 29).expect("a day");
        for zone in [
            Tz::UTC,
            Tz::Europe__Berlin,
            Tz::Pacific__Auckland,
            Tz::America__Los_Angeles,
        ] {
            let sent = value::write_instant(noon(day, zone));
            assert_eq!(day_in(&sent, zone), Some(day));
        }
        assert_eq!(day_in("2026-03-29", Tz::Europe__Berlin), Some(day));
    }
}
