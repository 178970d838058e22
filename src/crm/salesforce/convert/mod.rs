//! Between Salesforce's objects and our records, one file per kind.
//!
//! Each file holds three things: the columns that are read and how a row of them becomes a record; the table
//! that says which columns a [`Field`] lives in; and how a record's fields become the columns of a write.
//! Columns that the user may not see or set are left out of what is asked and sent.

pub(super) mod contact;
pub(super) mod email;
pub(super) mod event;
pub(super) mod task;
pub(super) mod time;

use super::wire::collections::Fields;
use super::wire::describe::Object;
use crate::crm::error::CrmError;
use crate::crm::model::{CrmId, CrmRecord, ExternalKey};
use crate::foundation::content::Content;
use crate::record::Record;
use crate::record::field::{Field, FieldSet};
use crate::record::kind::RecordKind;
use crate::record::person::Person;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::HashMap;

/// The column that holds our key: text of 64 characters, unique, an external id. On activities it is made
/// once, on Activity, and serves events and tasks alike.
pub(super) const KEY: &str = "Holdfast_Key__c";

/// The columns that every object has.
pub(super) const HEAD: &str = "Id, SystemModstamp, IsDeleted";

/// The object that a kind becomes.
pub(super) fn object_name(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Calendar => "Event",
        RecordKind::Contacts => "Contact",
        RecordKind::Tasks => "Task",
        RecordKind::Mail => "EmailMessage",
    }
}

/// The object on which an administrator makes the key column for a kind.
pub(super) fn setup_object(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Calendar | RecordKind::Tasks => "Activity",
        other => object_name(other),
    }
}

/// Every column of a kind's object that we read, set or filter by.
pub(super) fn columns(kind: RecordKind) -> &'static [&'static str] {
    match kind {
        RecordKind::Calendar => event::COLUMNS,
        RecordKind::Contacts => contact::COLUMNS,
        RecordKind::Tasks => task::COLUMNS,
        RecordKind::Mail => email::COLUMNS,
    }
}

/// The columns in which each field of a kind lives.
pub(super) fn fields(kind: RecordKind) -> &'static [(Field, &'static [&'static str])] {
    match kind {
        RecordKind::Calendar => event::FIELDS,
        RecordKind::Contacts => contact::FIELDS,
        RecordKind::Tasks => task::FIELDS,
        RecordKind::Mail => &[],
    }
}

/// `SELECT … FROM …` with the columns that the user may see.
pub(super) fn select(kind: RecordKind, object: &Object) -> String {
    let mut query = format!("SELECT {HEAD}");
    for column in columns(kind).iter().filter(|column| object.has(column)) {
        // A list of ids cannot be selected on every object; the related rows say the same.
        if !column.ends_with("Ids") {
            query.push_str(", ");
            query.push_str(column);
        }
    }
    query.push_str(match kind {
        RecordKind::Calendar => ", (SELECT RelationId, Status FROM EventRelations)",
        RecordKind::Contacts if object.has("AccountId") => ", Account.Name",
        _ => "",
    });
    query.push_str(" FROM ");
    query.push_str(object_name(kind));
    query
}

/// What the feed needs of a row besides its content.
pub(super) struct Head {
    /// The record.
    pub(super) id: String,
    /// Last change, by the org's clock.
    pub(super) modified: DateTime<Utc>,
    /// In the recycle bin.
    pub(super) deleted: bool,
    /// Our key.
    pub(super) key: Option<String>,
    /// Whose it is.
    pub(super) owner: Option<String>,
}

/// The people behind record ids.
pub(super) type People = HashMap<String, Person>;

/// A row of an object.
pub(super) trait Row: DeserializeOwned + Send {
    /// Takes the head out.
    fn head(&self) -> Head;
    /// The ids of the people that it names without their addresses.
    fn people(&self) -> Vec<&str> {
        Vec::new()
    }
    /// What it says; `None` where it makes no sense (an event without a time).
    fn record(self, people: &People) -> Option<Record>;
}

/// A row as the port returns it.
pub(super) fn into_record<R: Row>(row: R, people: &People) -> Option<CrmRecord> {
    let head = row.head();
    let record = row.record(people)?;
    Some(CrmRecord {
        id: CrmId(head.id),
        modified: head.modified,
        key: head.key.map(ExternalKey),
        owner: head.owner.map(CrmId),
        record,
    })
}

/// An absent text is an empty one.
fn text(value: Option<String>) -> Content<String> {
    Content::new(value.unwrap_or_default())
}

/// The columns of a write under way.
pub(super) struct Sheet<'a> {
    object: &'a Object,
    set: FieldSet,
    creating: bool,
    fields: Fields,
}

impl<'a> Sheet<'a> {
    /// For a new record: every field that it has.
    pub(super) fn new_record(object: &'a Object, kind: RecordKind) -> Self {
        Self {
            object,
            set: FieldSet::of_kind(kind),
            creating: true,
            fields: Fields::new(),
        }
    }

    /// For a change of these fields.
    pub(super) fn change(object: &'a Object, set: FieldSet) -> Self {
        Self {
            object,
            set,
            creating: false,
            fields: Fields::new(),
        }
    }

    /// True where the field is to be written.
    fn wants(&self, field: Field) -> bool {
        self.set.has(field)
    }

    /// Sets a column, where the user may.
    pub(super) fn put(&mut self, column: &str, value: impl Into<Value>) {
        let may = self
            .object
            .field(column)
            .is_some_and(|facts| match self.creating {
                true => facts.createable,
                false => facts.updateable,
            });
        let value = value.into();
        // A null in a new record says nothing that leaving it out does not say.
        if may && !(self.creating && value.is_null()) {
            self.fields.insert(column.to_owned(), value);
        }
    }

    /// Sets a text column of a field, where the field is wanted.
    fn text(&mut self, field: Field, column: &str, value: &Content<String>) {
        if self.wants(field) {
            self.put(column, text_value(value.expose()));
        }
    }

    /// What is to be sent.
    pub(super) fn finish(self) -> Fields {
        self.fields
    }
}

fn text_value(text: &str) -> Value {
    match text.is_empty() {
        true => Value::Null,
        false => Value::String(text.to_owned()),
    }
}

/// The columns of a record; for mail see [`email::sheet`].
///
/// # Errors
/// [`CrmError::RuleRefused`] for a record that the object can never hold.
pub(super) fn fill(sheet: &mut Sheet<'_>, record: &Record) -> Result<(), CrmError> {
    match record {
        Record::Event(event) => {
            event::fill(sheet, event);
            Ok(())
        }
        Record::Contact(contact) => contact::fill(sheet, contact),
        Record::Task(task) => {
            task::fill(sheet, task);
            Ok(())
        }
        Record::Email(email) => {
            email::fill(sheet, email);
            Ok(())
        }
    }
}
