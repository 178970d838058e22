//! Task ("Task", Object Reference): things to do. Mails and calls are tasks too, by their TaskSubtype; those
//! are none of ours.

use super::row::{self, Head, People, Row, text};
use super::sheet::Sheet;
use super::time;
use crate::crm::salesforce::wire::describe::Object;
use crate::record::Record;
use crate::record::field::Field;
use crate::record::task::{Priority, Status, Task};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

/// See [`super::columns`].
pub(super) const COLUMNS: &[&str] = &[
    "Subject",
    "Description",
    "ActivityDate",
    "Status",
    "IsClosed",
    "Priority",
    "ReminderDateTime",
    "IsReminderSet",
    "OwnerId",
    "IsRecurrence",
    "TaskSubtype",
    row::KEY,
];

/// See [`super::fields`].
pub(super) const FIELDS: &[(Field, &[&str])] = &[
    (Field::Subject, &["Subject"]),
    (Field::Body, &["Description"]),
    (Field::Due, &["ActivityDate"]),
    (Field::Status, &["Status"]),
    (Field::Priority, &["Priority"]),
    (Field::Reminder, &["ReminderDateTime", "IsReminderSet"]),
];

const NOT_STARTED: &str = "Not Started";
const IN_PROGRESS: &str = "In Progress";
const COMPLETED: &str = "Completed";
const WAITING: &str = "Waiting on someone else";
const DEFERRED: &str = "Deferred";

/// True where the org has the values for waiting and for put off.
pub(in crate::crm::salesforce) fn can_wait(object: &Object) -> bool {
    has_status(object, WAITING) && has_status(object, DEFERRED)
}

fn has_status(object: &Object, value: &str) -> bool {
    object
        .field("Status")
        .is_some_and(|facts| facts.values.iter().any(|held| held == value))
}

/// A row.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::crm::salesforce) struct TaskRow {
    id: String,
    #[serde(deserialize_with = "time::required")]
    system_modstamp: DateTime<Utc>,
    #[serde(default)]
    is_deleted: bool,
    #[serde(rename = "Holdfast_Key__c")]
    key: Option<String>,
    owner_id: Option<String>,
    subject: Option<String>,
    description: Option<String>,
    activity_date: Option<NaiveDate>,
    status: Option<String>,
    #[serde(default)]
    is_closed: bool,
    priority: Option<String>,
    #[serde(default, deserialize_with = "time::optional")]
    reminder_date_time: Option<DateTime<Utc>>,
    #[serde(default)]
    is_reminder_set: bool,
    #[serde(default)]
    is_recurrence: bool,
}

impl Row for TaskRow {
    fn head(&self) -> Head {
        Head {
            id: self.id.clone(),
            modified: self.system_modstamp,
            deleted: self.is_deleted,
            key: self.key.clone(),
            owner: self.owner_id.clone(),
            fixed: false,
        }
    }

    fn record(self, _people: &People) -> Option<Record> {
        Some(Record::Task(Task {
            status: self.status(),
            subject: text(self.subject),
            body: text(self.description),
            due: self.activity_date,
            priority: match self.priority.as_deref() {
                Some("High") => Priority::High,
                Some("Low") => Priority::Low,
                _ => Priority::Normal,
            },
            reminder: self.reminder_date_time.filter(|_| self.is_reminder_set),
            is_private: false,
            is_recurring: self.is_recurrence,
        }))
    }
}

impl TaskRow {
    /// Orgs name their own statuses; whether one means done, IsClosed says.
    fn status(&self) -> Status {
        match self.status.as_deref() {
            _ if self.is_closed => Status::Completed,
            Some(COMPLETED) => Status::Completed,
            Some(IN_PROGRESS) => Status::InProgress,
            Some(WAITING) => Status::Waiting,
            Some(DEFERRED) => Status::Deferred,
            _ => Status::NotStarted,
        }
    }
}

/// The columns of a task.
pub(super) fn fill(sheet: &mut Sheet<'_>, task: &Task) {
    sheet.text(Field::Subject, "Subject", &task.subject);
    sheet.text(Field::Body, "Description", &task.body);
    if sheet.wants(Field::Due) {
        sheet.put("ActivityDate", task.due.map(time::day));
    }
    if sheet.wants(Field::Status) {
        sheet.put("Status", status_value(sheet.object, task.status));
    }
    if sheet.wants(Field::Priority) {
        sheet.put(
            "Priority",
            match task.priority {
                Priority::High => "High",
                Priority::Normal => "Normal",
                Priority::Low => "Low",
            },
        );
    }
    if sheet.wants(Field::Reminder) {
        sheet.put("IsReminderSet", task.reminder.is_some());
        sheet.put("ReminderDateTime", task.reminder.map(time::instant));
    }
}

/// The standard value, or the nearest standard value that the org has kept; the standard one again where it
/// has kept none, so that the org's own refusal names the field.
fn status_value(object: &Object, status: Status) -> &'static str {
    let wanted: &[&'static str] = match status {
        Status::NotStarted => &[NOT_STARTED],
        Status::InProgress => &[IN_PROGRESS, NOT_STARTED],
        Status::Completed => &[COMPLETED],
        Status::Waiting => &[WAITING, IN_PROGRESS, NOT_STARTED],
        Status::Deferred => &[DEFERRED, NOT_STARTED],
    };
    let held = wanted.iter().find(|value| has_status(object, value));
    held.or(wanted.first()).copied().unwrap_or(NOT_STARTED)
}
