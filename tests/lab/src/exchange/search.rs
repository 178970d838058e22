//! What restrictions and sort orders look at: the value of a path in an item, in a form that can
//! be compared.

use super::context::Found;
use super::extended;
use super::field::{Field, Form};
use super::item::Item;
use super::read::path::Path;
use super::read::value::instant;
use super::render::value;
use super::series::Role;
use super::value::{Address, Value};
use super::zone::Rules;
use chrono::DateTime;
use std::cmp::Ordering;

/// A value that can be compared with others of its sort.
#[derive(Clone, Debug, PartialEq)]
pub enum Comparable {
    /// Compared without regard to case, as the store does.
    Text(String),
    /// A number.
    Number(f64),
    /// Seconds since 1970.
    Time(i64),
    /// A truth value.
    Bool(bool),
}

impl Comparable {
    /// How two values stand to each other; none when they are of different sorts.
    pub fn compare(&self, other: &Comparable) -> Option<Ordering> {
        match (self, other) {
            (Comparable::Text(a), Comparable::Text(b)) => Some(a.to_lowercase().cmp(&b.to_lowercase())),
            (Comparable::Number(a), Comparable::Number(b)) => a.partial_cmp(b),
            (Comparable::Time(a), Comparable::Time(b)) => Some(a.cmp(b)),
            (Comparable::Bool(a), Comparable::Bool(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// A constant read as the sort that this value is of.
    pub fn like(&self, constant: &str) -> Option<Comparable> {
        let trimmed = constant.trim();
        Some(match self {
            Comparable::Text(_) => Comparable::Text(constant.to_owned()),
            Comparable::Number(_) => Comparable::Number(trimmed.parse().ok()?),
            Comparable::Time(_) => Comparable::Time(
                instant("Value", trimmed, Rules::Named(chrono_tz::Tz::UTC))
                    .ok()?
                    .timestamp(),
            ),
            Comparable::Bool(_) => Comparable::Bool(matches!(trimmed, "true" | "1")),
        })
    }
}

/// The values of a path in an item; several for a property that holds several, none where absent.
pub fn values(found: &Found, path: &Path) -> Vec<Comparable> {
    match path {
        Path::Field(field) => field_values(found, *field),
        Path::Entry(dictionary, key) => found
            .item
            .entry(*dictionary, key)
            .map(|text| Comparable::Text(text.to_owned()))
            .into_iter()
            .collect(),
        Path::Header(name) => {
            let values = found
                .item
                .headers
                .iter()
                .filter(|(known, _)| known.eq_ignore_ascii_case(name));
            values.map(|(_, value)| Comparable::Text(value.clone())).collect()
        }
        Path::Extended(key, kind) => {
            let values = extended::get(&found.item, &found.stored, found.role, key, kind).unwrap_or_default();
            values.iter().filter_map(|value| typed(kind, value)).collect()
        }
        Path::Folder(_) | Path::Unkept(_) => Vec::new(),
    }
}

/// An extended property's value by its type.
pub fn typed(kind: &str, text: &str) -> Option<Comparable> {
    Some(match kind.strip_suffix("Array").unwrap_or(kind) {
        "Integer" | "Short" | "Long" | "Double" | "Float" | "Currency" => {
            Comparable::Number(text.parse().ok()?)
        }
        "Boolean" => Comparable::Bool(text == "true"),
        "SystemTime" => Comparable::Time(DateTime::parse_from_rfc3339(text).ok()?.timestamp()),
        _ => Comparable::Text(text.to_owned()),
    })
}

fn field_values(found: &Found, field: Field) -> Vec<Comparable> {
    let item = &found.item;
    let one = |value: Comparable| vec![value];
    match field {
        Field::Size => one(Comparable::Number(found.stored.size as f64)),
        Field::HasAttachments => one(Comparable::Bool(item.attachments.iter().any(|a| !a.inline))),
        Field::DateTimeCreated => one(Comparable::Time(found.stored.created.timestamp())),
        Field::LastModifiedTime => one(Comparable::Time(found.stored.modified.timestamp())),
        Field::LastModifiedName => one(Comparable::Text(found.stored.modified_by.clone())),
        Field::DateTimeReceived => one(Comparable::Time(
            item.time(field).unwrap_or(found.stored.created).timestamp(),
        )),
        Field::IsRecurring => one(Comparable::Bool(found.role != Role::Single)),
        Field::CalendarItemType => one(Comparable::Text(found.role.name().to_owned())),
        Field::IsComplete => one(Comparable::Bool(item.text(Field::Status) == "Completed")),
        Field::TaskIsRecurring => one(Comparable::Bool(item.get(Field::TaskRecurrence).is_some())),
        Field::IsOrganizer => one(Comparable::Bool(super::meeting::is_organizer(item))),
        Field::DisplayTo => people(item, Field::ToRecipients),
        Field::DisplayCc => people(item, Field::CcRecipients),
        Field::Sensitivity | Field::Importance if item.get(field).is_none() => {
            one(Comparable::Text("Normal".to_owned()))
        }
        Field::Notes | Field::TextBody | Field::Body => item
            .body()
            .map(|body| Comparable::Text(value::text(body).into_owned()))
            .into_iter()
            .collect(),
        _ => match item.get(field) {
            Some(value) => plain(value),
            // The flags that every item has.
            None if field.form() == Form::Bool => one(Comparable::Bool(false)),
            None => Vec::new(),
        },
    }
}

fn plain(value: &Value) -> Vec<Comparable> {
    match value {
        Value::Text(text) => vec![Comparable::Text(text.clone())],
        Value::Bool(value) => vec![Comparable::Bool(*value)],
        Value::Int(value) => vec![Comparable::Number(*value as f64)],
        Value::Double(value) => vec![Comparable::Number(*value)],
        Value::Time(value) => vec![Comparable::Time(value.timestamp())],
        Value::Strings(strings) => strings.iter().cloned().map(Comparable::Text).collect(),
        Value::Recipient(address) => names(address),
        Value::Recipients(addresses) => addresses.iter().flat_map(names).collect(),
        Value::Attendees(attendees) => attendees
            .iter()
            .flat_map(|attendee| names(&attendee.mailbox))
            .collect(),
        Value::Body(_) | Value::Binary(_) | Value::Recurrence(_) | Value::Zone(_) => Vec::new(),
    }
}

fn people(item: &Item, field: Field) -> Vec<Comparable> {
    item.recipients(field).iter().flat_map(names).collect()
}

fn names(address: &Address) -> Vec<Comparable> {
    vec![
        Comparable::Text(address.name.clone()),
        Comparable::Text(address.email.clone()),
    ]
}
