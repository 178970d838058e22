//! UpdateItem's changes carried out on an item in memory: set, append and delete, on plain,
//! indexed and extended properties.
//!
//! Source: "UpdateItem operation", "SetItemField", "AppendToItemField", "DeleteItemField".

use super::extended;
use super::field::Field;
use super::item::{Dictionary, Item, Kind};
use super::layout;
use super::mapi;
use super::read::item::{self, Reading};
use super::read::path::{self, Path};
use super::read::value;
use super::refusal::Refusal;
use super::value::Value;
use super::xml::read::Element;

/// Carries out the changes of an Updates element; gives the properties written, in order.
///
/// # Errors
/// A change breaks the schema, or may not be made on such an item.
pub fn apply(item: &mut Item, updates: &Element, reading: Reading) -> Result<Vec<Field>, Refusal> {
    let mut written = Vec::new();
    // A zone set in the same request places times without an offset.
    let reading = Reading {
        rules: zone_of(updates).unwrap_or(reading.rules),
        ..reading
    };
    for change in &updates.children {
        let path = path::child_path(change, reading.version)?;
        match change.name.as_str() {
            "SetItemField" => set(item, &path, content(change)?, reading, &mut written)?,
            "AppendToItemField" => append(item, &path, content(change)?, reading, &mut written)?,
            "DeleteItemField" => delete(item, &path, &mut written)?,
            other => {
                return Err(Refusal::schema(format!(
                    "Invalid child element '{other}' of Updates."
                )));
            }
        }
    }
    Ok(written)
}

fn zone_of(updates: &Element) -> Option<super::zone::Rules> {
    let zones = updates
        .children
        .iter()
        .filter_map(|change| change.t("CalendarItem"));
    let mut zones = zones.filter_map(|item| item.t("StartTimeZone").or_else(|| item.t("MeetingTimeZone")));
    value::zone(zones.next()?).rules()
}

/// The one property element in the item element of a change.
fn content(change: &Element) -> Result<&Element, Refusal> {
    let item = change.children.iter().find(|child| item::kind(child).is_some());
    match item.ok_or_else(|| Refusal::missing("Item"))?.children.as_slice() {
        [property] => Ok(property),
        _ => Err(Refusal::new(
            "ErrorIncorrectUpdatePropertyCount",
            "An object within a change description must contain one and only one property to modify.",
        )),
    }
}

fn mismatch() -> Refusal {
    Refusal::new(
        "ErrorUpdatePropertyMismatch",
        "The property in the change description does not match its path.",
    )
}

fn check(item: &Item, field: Field) -> Result<(), Refusal> {
    if !layout::has(item.kind, field) {
        return Err(Refusal::new(
            "ErrorInvalidPropertyRequest",
            "Property is not valid for this object type.",
        )
        .with("FieldURI", field.uri()));
    }
    // A message that was sent keeps what its recipients saw.
    let fixed = matches!(
        field,
        Field::ToRecipients
            | Field::CcRecipients
            | Field::BccRecipients
            | Field::From
            | Field::Sender
            | Field::InternetMessageId
            | Field::References
            | Field::ReplyTo
    );
    if item.kind == Kind::Message && fixed && !item.flag(Field::IsDraft) {
        return Err(Refusal::new(
            "ErrorInvalidPropertyUpdateSentMessage",
            "Update operation is invalid for property of a sent message.",
        )
        .with("FieldURI", field.uri()));
    }
    Ok(())
}

// long: one arm a kind of path
fn set(
    item: &mut Item,
    path: &Path,
    property: &Element,
    reading: Reading,
    written: &mut Vec<Field>,
) -> Result<(), Refusal> {
    match path {
        Path::Field(field) => {
            if property.name != field.element() {
                return Err(mismatch());
            }
            check(item, *field)?;
            if matches!(field, Field::Attachments | Field::MimeContent | Field::Uid)
                && *field != Field::MimeContent
            {
                return Err(
                    Refusal::new("ErrorInvalidPropertySet", "Set action is invalid for property.")
                        .with("FieldURI", field.uri()),
                );
            }
            if *field == Field::MimeContent {
                return Err(Refusal::new(
                    "ErrorInvalidPropertySet",
                    "Set action is invalid for property.",
                ));
            }
            item::set(item, *field, property, reading)?;
            written.push(*field);
        }
        Path::Entry(dictionary, key) => {
            let (field, inner) = dictionary_field(*dictionary);
            let entry = property
                .children
                .first()
                .filter(|_| property.name == field.element());
            let entry = entry.ok_or_else(mismatch)?;
            if entry.attribute("Key") != Some(key) || inner.is_some_and(|part| entry.t(part).is_none()) {
                return Err(mismatch());
            }
            if inner.is_some() && entry.children.len() != 1 {
                return Err(Refusal::new(
                    "ErrorIncorrectUpdatePropertyCount",
                    "An object within a change description must contain one and only one property to modify.",
                ));
            }
            check(item, field)?;
            item::set_entry(item, field, entry)?;
            written.push(field);
        }
        Path::Extended(key, _) => {
            let property = item::extended_property(property, reading)?;
            if property.key != *key {
                return Err(mismatch());
            }
            extended::set(item, property);
            written.push(Field::ExtendedProperties);
        }
        Path::Header(_) | Path::Folder(_) | Path::Unkept(_) => {
            return Err(Refusal::new(
                "ErrorInvalidPropertySet",
                "Set action is invalid for property.",
            ));
        }
    }
    // What the properties say is no longer what the text says.
    if item.mime.is_some() && written.last().is_some_and(|field| in_mime(*field)) {
        item.mime = None;
    }
    Ok(())
}

/// Whether a property is part of the MIME text. Flags and categories are not.
fn in_mime(field: Field) -> bool {
    matches!(
        field,
        Field::Subject
            | Field::Body
            | Field::ToRecipients
            | Field::CcRecipients
            | Field::BccRecipients
            | Field::From
    )
}

/// The property that a dictionary is kept in, and for addresses the element of its part.
fn dictionary_field(dictionary: Dictionary) -> (Field, Option<&'static str>) {
    match dictionary {
        Dictionary::EmailAddress | Dictionary::EmailName => (Field::EmailAddresses, None),
        Dictionary::PhoneNumber => (Field::PhoneNumbers, None),
        Dictionary::ImAddress => (Field::ImAddresses, None),
        Dictionary::Street => (Field::PhysicalAddresses, Some("Street")),
        Dictionary::City => (Field::PhysicalAddresses, Some("City")),
        Dictionary::State => (Field::PhysicalAddresses, Some("State")),
        Dictionary::CountryOrRegion => (Field::PhysicalAddresses, Some("CountryOrRegion")),
        Dictionary::PostalCode => (Field::PhysicalAddresses, Some("PostalCode")),
    }
}

fn append(
    item: &mut Item,
    path: &Path,
    property: &Element,
    reading: Reading,
    written: &mut Vec<Field>,
) -> Result<(), Refusal> {
    let Path::Field(field) = path else {
        return Err(Refusal::new(
            "ErrorInvalidPropertyAppend",
            "Append action is invalid for property.",
        ));
    };
    if property.name != field.element() {
        return Err(mismatch());
    }
    check(item, *field)?;
    if !item::can_append(*field) || field.is_read_only() {
        return Err(Refusal::new(
            "ErrorInvalidPropertyAppend",
            "Append action is invalid for property.",
        )
        .with("FieldURI", field.uri()));
    }
    let more = value::value(*field, property, reading.rules)?;
    let joined = match (item.unset(*field), more) {
        (Some(Value::Body(mut body)), Value::Body(more)) => {
            body.text.push_str(&more.text);
            Value::Body(body)
        }
        (Some(Value::Recipients(mut list)), Value::Recipients(more)) => {
            list.extend(more);
            Value::Recipients(list)
        }
        (Some(Value::Attendees(mut list)), Value::Attendees(more)) => {
            list.extend(more);
            Value::Attendees(list)
        }
        (Some(Value::Strings(mut list)), Value::Strings(more)) => {
            list.extend(more);
            Value::Strings(list)
        }
        (_, more) => more,
    };
    item.set(*field, joined);
    written.push(*field);
    Ok(())
}

fn delete(item: &mut Item, path: &Path, written: &mut Vec<Field>) -> Result<(), Refusal> {
    let refused = |uri: &str| {
        Refusal::new(
            "ErrorInvalidPropertyDelete",
            "Delete action is invalid for property.",
        )
        .with("FieldURI", uri)
    };
    match path {
        Path::Field(field) => {
            check(item, *field)?;
            let needed = matches!(
                field,
                Field::ItemClass | Field::Start | Field::End | Field::Attachments | Field::Uid
            );
            if field.is_read_only() || needed {
                return Err(refused(field.uri()));
            }
            match field {
                Field::EmailAddresses => clear(item, &[Dictionary::EmailAddress, Dictionary::EmailName]),
                Field::PhoneNumbers => clear(item, &[Dictionary::PhoneNumber]),
                Field::ImAddresses => clear(item, &[Dictionary::ImAddress]),
                Field::PhysicalAddresses => {
                    clear(
                        item,
                        &item::ADDRESS_PARTS
                            .iter()
                            .map(|(_, part)| *part)
                            .collect::<Vec<_>>(),
                    );
                }
                Field::Recurrence => {
                    item.unset(Field::Recurrence);
                    item.exceptions.clear();
                    item.deleted.clear();
                }
                Field::Notes => {
                    item.unset(Field::Body);
                }
                Field::EnhancedLocation => {
                    item.unset(Field::Location);
                }
                other => {
                    item.unset(*other);
                }
            }
            written.push(*field);
        }
        Path::Entry(dictionary, key) => {
            item.unset_entry(*dictionary, key);
            if *dictionary == Dictionary::EmailAddress {
                item.unset_entry(Dictionary::EmailName, key);
            }
            written.push(dictionary_field(*dictionary).0);
        }
        Path::Extended(key, _) => {
            item.unset_extended(key);
            mapi::unset(item, key);
            written.push(Field::ExtendedProperties);
        }
        Path::Header(name) => return Err(refused(name)),
        Path::Folder(uri) | Path::Unkept(uri) => return Err(refused(uri)),
    }
    if item.mime.is_some() && written.last().is_some_and(|field| in_mime(*field)) {
        item.mime = None;
    }
    Ok(())
}

fn clear(item: &mut Item, dictionaries: &[Dictionary]) {
    for dictionary in dictionaries {
        let keys: Vec<String> = item.entries(*dictionary).map(|(key, _)| key.to_owned()).collect();
        for key in keys {
            item.unset_entry(*dictionary, &key);
        }
    }
}
