//! Between Salesforce's objects and our records, one file per kind.
//!
//! Each file holds three things: the columns that are read and how a row of them becomes a record; the table
//! that says which columns a [`Field`] lives in; and how a record's fields become the columns of a write.
//! Columns that the user may not see or set are left out of what is asked and sent.

pub(super) mod contact;
pub(super) mod email;
pub(super) mod event;
pub(super) mod relation;
pub(super) mod row;
pub(super) mod sheet;
pub(super) mod task;
pub(super) mod time;

use self::row::HEAD;
use self::sheet::Sheet;
use super::wire::describe::Object;
use crate::crm::error::CrmError;
use crate::record::Record;
use crate::record::field::Field;
use crate::record::kind::RecordKind;

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

/// The columns of a record.
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
