//! What becomes what: a meeting is a `calendar.event`, a card a `res.partner`, something to do a `project.task`, a
//! mail a `mail.message` in the chatter of whom it concerns. One file for each.

pub(super) mod contact;
pub(super) mod email;
pub(super) mod event;
pub(super) mod html;
pub(super) mod names;
pub(super) mod row;
pub(super) mod sheet;
pub(super) mod task;

pub(super) use self::names::{KEY, can_be_archived, model_name, owner_column};
use self::sheet::Sheet;
use super::model::Person;
use crate::crm::error::CrmError;
use crate::record::Record;
use crate::record::field::Field;
use crate::record::kind::RecordKind;
use crate::record::places::Places;

/// The columns that are read of a kind, where the user may see them.
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

/// The cells of a record, without those that name other records.
///
/// # Errors
/// [`CrmError::RuleRefused`] for a record that the model can never hold.
pub(super) fn fill(
    sheet: &mut Sheet<'_>,
    places: &Places,
    owner: &Person,
    record: &Record,
) -> Result<(), CrmError> {
    match record {
        Record::Event(event) => event::fill(sheet, event),
        Record::Contact(contact) => return contact::fill(sheet, places, contact),
        Record::Task(task) => task::fill(sheet, owner, task),
        Record::Email(email) => email::fill(sheet, email),
    }
    Ok(())
}
