//! `mail.activity`: what is to be done next. What a mailbox sends hangs on no record, so that its owner alone sees it;
//! of those on records the ones that are assigned to him take part as well.
//!
//! One that is done is in the archive. It is put there as any record is, not by `action_feedback`, which is Odoo's own
//! way: that posts a message to the followers of the record and makes the next activity of a chain. A deleted one is
//! gone for good.
//!
//! Odoo gives each a day by which it is due: the present one where none is said.

use super::event::living;
use super::html;
use super::names::{Form, KEY};
use super::row::{Around, Head, Row};
use super::sheet::{Cell, Sheet};
use crate::crm::odoo::model::Model;
use crate::crm::odoo::wire::value;
use crate::foundation::content::Content;
use crate::record::Record;
use crate::record::field::Field;
use crate::record::task::{Status, Task};
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// What is read of it, where the user may see it.
pub(super) const COLUMNS: &[&str] = &[
    "display_name",
    "note",
    "date_deadline",
    "user_id",
    "active",
    "write_date",
    KEY,
];

/// The columns in which each field lives.
pub(super) const FIELDS: &[(Field, &[&str])] = &[
    (Field::Subject, &["summary"]),
    (Field::Body, &["note"]),
    (Field::Due, &["date_deadline"]),
    (Field::Status, &["active"]),
];

/// True where an activity can be without a record, and is kept when it is done: from Odoo 19 on.
pub(in crate::crm::odoo) fn can_hold(model: &Model) -> bool {
    model.has("active") && !model.requires("res_model_id")
}

/// A row.
#[derive(Deserialize)]
pub(in crate::crm::odoo) struct ActivityRow {
    id: i64,
    #[serde(deserialize_with = "value::instant")]
    write_date: DateTime<Utc>,
    #[serde(default = "living")]
    active: bool,
    #[serde(default, deserialize_with = "value::string")]
    x_holdfast_key: Option<String>,
    #[serde(default, deserialize_with = "value::reference")]
    user_id: Option<i64>,
    /// The summary, or without one the name of the type, such as "Call": what Odoo shows.
    #[serde(default, deserialize_with = "value::text")]
    display_name: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    note: Content<String>,
    #[serde(default, deserialize_with = "value::string")]
    date_deadline: Option<String>,
}

impl Row for ActivityRow {
    const FORM: Form = Form::Activity;

    fn head(&self, _me: i64) -> Head {
        Head {
            id: self.id,
            modified: self.write_date,
            archived: false,
            key: self.x_holdfast_key.clone(),
            owner: self.user_id,
        }
    }

    fn record(self, _around: &Around) -> Option<Record> {
        Some(Record::Task(Task {
            subject: self.display_name,
            body: html::to_text(&self.note),
            due: self.date_deadline.and_then(|day| day.parse().ok()),
            status: match self.active {
                true => Status::NotStarted,
                false => Status::Completed,
            },
            ..Task::default()
        }))
    }
}

/// The cells of an activity.
pub(super) fn fill(sheet: &mut Sheet<'_>, task: &Task) {
    if sheet.wants(Field::Subject) {
        let subject = task.subject.expose();
        sheet.put_text("summary", if subject.is_empty() { " " } else { subject.as_str() });
    }
    if sheet.wants(Field::Body) {
        sheet.put_text("note", html::of_text(task.body.expose()));
    }
    if let (Some(due), true) = (task.due, sheet.wants(Field::Due)) {
        sheet.put_text("date_deadline", due.to_string());
    }
    if sheet.wants(Field::Status) {
        sheet.put("active", Cell::Flag(task.status != Status::Completed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn model(record_is_required: bool, columns: &[&str]) -> Model {
        let facts = |column: &&str| {
            let required = *column == "res_model_id" && record_is_required;
            let facts = json!({ "type": "char", "required": required });
            (
                (*column).to_owned(),
                serde_json::from_value(facts).expect("facts"),
            )
        };
        Model {
            fields: columns.iter().map(facts).collect(),
            creatable: true,
            writable: true,
        }
    }

    #[test]
    fn an_odoo_whose_activities_hang_on_records_or_vanish_when_they_are_done_has_none_for_tasks() {
        assert!(can_hold(&model(false, &["active", "res_model_id"])));
        assert!(!can_hold(&model(true, &["active", "res_model_id"])));
        assert!(!can_hold(&model(false, &["res_model_id"])));
    }
}
