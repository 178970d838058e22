//! Between Exchange's items and our records. Pure.
//!
//! One file for each kind, with `read` for the way in and `properties` for the way out; [`parts`],
//! [`zone`] and [`time`] are what they share. `properties` lists what the schema calls the children of
//! an item in the schema's order, so that a new item can be written from the list as it is.

pub mod contact;
pub mod definition;
pub mod email;
pub mod event;
pub mod parts;
pub mod series;
pub mod task;
pub mod time;
pub mod zone;

#[cfg(test)]
mod tests;

use super::wire::path::Path;
use super::wire::property::Property;
use crate::mailbox::model::Stamp;
use crate::record::Record;
use crate::record::field::FieldSet;
use chrono_tz::Tz;

/// The properties of a new item: the stamp, and every field that the record fills. `home` is the zone for an
/// event that names none.
pub fn new_properties(stamp: &Stamp, record: &Record, home: Option<Tz>) -> Option<Vec<Property>> {
    let stamp = Some(Property::text(Path::Stamp, &stamp.0));
    let fields = FieldSet::of_kind(record.kind());
    match record {
        Record::Event(event) => Some(event::properties(event, fields, stamp, home)),
        Record::Contact(contact) => Some(contact::properties(contact, fields, stamp)),
        Record::Task(task) => Some(task::properties(task, fields, stamp)),
        Record::Email(_) => None,
    }
}

/// The properties that an update sets or empties. `home` is the zone for whole days that name none.
pub fn changed_properties(fields: FieldSet, record: &Record, home: Option<Tz>) -> Option<Vec<Property>> {
    match record {
        Record::Event(event) => Some(event::properties(event, fields, None, home)),
        Record::Contact(contact) => Some(contact::properties(contact, fields, None)),
        Record::Task(task) => Some(task::properties(task, fields, None)),
        Record::Email(_) => None,
    }
}
