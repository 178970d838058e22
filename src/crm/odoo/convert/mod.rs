//! What becomes what: a meeting is a `calendar.event`, a card a `res.partner`, something to do a `project.task` or a
//! `mail.activity`, a mail a `mail.message` in the chatter of whom it concerns. One file for each.

pub(super) mod activity;
pub(super) mod contact;
pub(super) mod email;
pub(super) mod event;
pub(super) mod html;
pub(super) mod names;
pub(super) mod row;
pub(super) mod sheet;
pub(super) mod task;

pub(super) use self::names::{Form, KEY};
use self::sheet::Sheet;
use super::model::Person;
use crate::crm::error::CrmError;
use crate::record::Record;
use crate::record::field::Field;
use crate::record::places::Places;

/// The columns that are read, where the user may see them.
pub(super) fn columns(form: Form) -> &'static [&'static str] {
    match form {
        Form::Event => event::COLUMNS,
        Form::Contact => contact::COLUMNS,
        Form::Task => task::COLUMNS,
        Form::Activity => activity::COLUMNS,
        Form::Mail => email::COLUMNS,
    }
}

/// The columns in which each field lives.
pub(super) fn fields(form: Form) -> &'static [(Field, &'static [&'static str])] {
    match form {
        Form::Event => event::FIELDS,
        Form::Contact => contact::FIELDS,
        Form::Task => task::FIELDS,
        Form::Activity => activity::FIELDS,
        Form::Mail => &[],
    }
}

/// The cells of a record, without those that name other records.
///
/// # Errors
/// [`CrmError::RuleRefused`] for a record that the model can never hold.
pub(super) fn fill(
    sheet: &mut Sheet<'_>,
    form: Form,
    places: &Places,
    owner: &Person,
    record: &Record,
) -> Result<(), CrmError> {
    match record {
        Record::Event(event) => event::fill(sheet, event),
        Record::Contact(contact) => return contact::fill(sheet, places, contact),
        Record::Task(task) if form == Form::Activity => activity::fill(sheet, task),
        Record::Task(task) => task::fill(sheet, owner, task),
        Record::Email(email) => email::fill(sheet, email),
    }
    Ok(())
}
