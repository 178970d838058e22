//! Things to do.

use super::parts::{body, sensitivity};
use super::time;
use crate::foundation::content::Content;
use crate::mailbox::exchange::wire::item::RawItem;
use crate::mailbox::exchange::wire::path::Path;
use crate::mailbox::exchange::wire::property::Property;
use crate::record::field::{Field, FieldSet};
use crate::record::task::{Priority, Status, Task};

/// The record of a task.
pub fn read(raw: &mut RawItem) -> Task {
    let task = std::mem::take(&mut raw.task);
    Task {
        subject: Content::new(std::mem::take(&mut raw.subject)),
        body: Content::new(std::mem::take(&mut raw.body)),
        due: task.due.map(|instant| instant.date_naive()),
        status: match task.status.as_str() {
            "InProgress" => Status::InProgress,
            "Completed" => Status::Completed,
            "WaitingOnOthers" => Status::Waiting,
            "Deferred" => Status::Deferred,
            _ => Status::NotStarted,
        },
        priority: match raw.importance.as_str() {
            "Low" => Priority::Low,
            "High" => Priority::High,
            _ => Priority::Normal,
        },
        reminder: raw.reminder_at.filter(|_| raw.reminder_is_set),
        is_private: sensitivity(&raw.sensitivity).is_private(),
        is_recurring: task.is_recurring,
    }
}

/// These fields of a task as properties, with the stamp in its place.
pub fn properties(task: &Task, fields: FieldSet, stamp: Option<Property>) -> Vec<Property> {
    let mut list = Vec::new();
    if fields.has(Field::Subject) {
        list.push(Property::text(Path::Field("item:Subject"), task.subject.expose()));
    }
    if stamp.is_some() && task.is_private {
        list.push(Property::word("item:Sensitivity", "Private"));
    }
    if fields.has(Field::Body) {
        list.push(body(task.body.expose()));
    }
    if fields.has(Field::Priority) {
        let word = match task.priority {
            Priority::Low => "Low",
            Priority::Normal => "Normal",
            Priority::High => "High",
        };
        list.push(Property::word("item:Importance", word));
    }
    if fields.has(Field::Reminder) {
        if let Some(instant) = task.reminder {
            list.push(Property::word("item:ReminderDueBy", time::literal(instant)));
        }
        list.push(Property::word(
            "item:ReminderIsSet",
            task.reminder.is_some().to_string(),
        ));
    }
    list.extend(stamp);
    if fields.has(Field::Due) {
        let day = task.due.map(time::day_literal).unwrap_or_default();
        list.push(Property::text(Path::Field("task:DueDate"), &day));
    }
    if fields.has(Field::Status) {
        let word = match task.status {
            Status::NotStarted => "NotStarted",
            Status::InProgress => "InProgress",
            Status::Completed => "Completed",
            Status::Waiting => "WaitingOnOthers",
            Status::Deferred => "Deferred",
        };
        list.push(Property::word("task:Status", word));
    }
    list
}
