//! Items and folders as response elements, children in the order of the schema.

pub mod attachment;
mod calendar;
mod computed;
pub mod folder;
pub mod value;

use super::context::{Context, Found};
use super::extended;
use super::field::Field;
use super::item::{Dictionary, Item, PropertyKey};
use super::layout;
use super::read::item::ADDRESS_PARTS;
use super::read::path::{Path, property_set_name};
use super::shape::Shape;
use super::value::Value;
use super::xml::write::Writer;

/// An item in the form a shape asks for.
pub fn item(writer: &mut Writer, cx: &Context, found: &Found, shape: &Shape) {
    let name = format!("t:{}", found.item.kind.element());
    writer.open(&name);
    for field in layout::layout(found.item.kind) {
        if shape.wants(found.item.kind, field) {
            property(writer, cx, &found.item, Some(found), field, shape);
        } else if let Some(dictionary) = dictionaries(field) {
            entries(writer, &found.item, field, dictionary, shape);
        }
    }
    writer.close(&name);
}

/// An item within an attachment: it has no id and no folder.
pub fn embedded(writer: &mut Writer, cx: &Context, item: &Item, shape: &Shape) {
    let name = format!("t:{}", item.kind.element());
    writer.open(&name);
    for field in layout::layout(item.kind) {
        if shape.wants(item.kind, field) {
            property(writer, cx, item, None, field, shape);
        }
    }
    writer.close(&name);
}

/// The id of an item: all that most answers of writing operations give.
pub fn item_id(writer: &mut Writer, cx: &Context, found: &Found) {
    let id = cx.world.ids.encode(found.target());
    let key = change_key(cx, found);
    writer.empty("t:ItemId", &[("Id", &id), ("ChangeKey", &key)]);
}

/// The change key of an item; that of the series for an occurrence.
pub fn change_key(cx: &Context, found: &Found) -> String {
    let calendar = found.item.kind == super::item::Kind::CalendarItem;
    cx.world
        .ids
        .change_key(found.key.mailbox, found.stored.change, calendar)
}

fn property(
    writer: &mut Writer,
    cx: &Context,
    item: &Item,
    found: Option<&Found>,
    field: Field,
    shape: &Shape,
) {
    if field == Field::ExtendedProperties {
        if let Some(found) = found {
            extended_properties(writer, found, shape);
        }
        return;
    }
    if let Some(all) = dictionaries(field) {
        let keys: Vec<(Dictionary, String)> = all
            .iter()
            .flat_map(|dictionary| {
                item.entries(*dictionary)
                    .map(|(key, _)| (*dictionary, key.to_owned()))
            })
            .collect();
        dictionary(writer, item, field, &keys);
        return;
    }
    if computed::write(writer, cx, item, found, field, shape) {
        return;
    }
    match item.get(field) {
        Some(value) => value::write(writer, cx, field, value),
        None => {
            if let Some(value) = default(field) {
                value::write(writer, cx, field, &value);
            }
        }
    }
}

/// What a property reads as while nobody has set it.
fn default(field: Field) -> Option<Value> {
    Some(match field {
        Field::Sensitivity | Field::Importance => Value::from("Normal"),
        Field::Culture => Value::from("en-US"),
        Field::ReminderMinutesBeforeStart => Value::Int(0),
        Field::Flag => Value::from("NotFlagged"),
        Field::IsSubmitted
        | Field::IsDraft
        | Field::IsFromMe
        | Field::IsResend
        | Field::IsUnmodified
        | Field::IsAssociated
        | Field::ReminderIsSet
        | Field::IsReadReceiptRequested
        | Field::IsDeliveryReceiptRequested
        | Field::IsRead
        | Field::MessageIsResponseRequested
        | Field::IsDelegated
        | Field::IsOutOfDate
        | Field::HasBeenProcessed
        | Field::IsAllDayEvent
        | Field::IsMeeting
        | Field::IsCancelled
        | Field::MeetingRequestWasSent => Value::Bool(false),
        Field::IsResponseRequested | Field::AllowNewTimeProposal => Value::Bool(true),
        _ => return None,
    })
}

/// The dictionaries that a property consists of.
fn dictionaries(field: Field) -> Option<&'static [Dictionary]> {
    Some(match field {
        Field::EmailAddresses => &[Dictionary::EmailAddress],
        Field::PhoneNumbers => &[Dictionary::PhoneNumber],
        Field::ImAddresses => &[Dictionary::ImAddress],
        Field::PhysicalAddresses => &[
            Dictionary::Street,
            Dictionary::City,
            Dictionary::State,
            Dictionary::CountryOrRegion,
            Dictionary::PostalCode,
        ],
        _ => return None,
    })
}

/// The entries asked for one by one with IndexedFieldURI.
fn entries(writer: &mut Writer, item: &Item, field: Field, of: &[Dictionary], shape: &Shape) {
    let keys: Vec<(Dictionary, String)> = shape
        .indexed
        .iter()
        .filter_map(|path| match path {
            Path::Entry(dictionary, key) if of.contains(dictionary) => Some((*dictionary, key.clone())),
            _ => None,
        })
        .filter(|(dictionary, key)| item.entry(*dictionary, key).is_some())
        .collect();
    dictionary(writer, item, field, &keys);
}

fn dictionary(writer: &mut Writer, item: &Item, field: Field, keys: &[(Dictionary, String)]) {
    if keys.is_empty() {
        return;
    }
    let name = format!("t:{}", field.element());
    writer.open(&name);
    if field == Field::PhysicalAddresses {
        for key in ["Business", "Home", "Other"] {
            address(writer, item, key, keys);
        }
    } else {
        for (dictionary, key) in keys {
            let text = item.entry(*dictionary, key).unwrap_or_default();
            if *dictionary == Dictionary::EmailAddress {
                let shown = item.entry(Dictionary::EmailName, key).unwrap_or(text);
                let attributes = [
                    ("Key", key.as_str()),
                    ("Name", shown),
                    ("RoutingType", "SMTP"),
                    ("MailboxType", "Contact"),
                ];
                writer.leaf_with("t:Entry", &attributes, text);
            } else {
                writer.leaf_with("t:Entry", &[("Key", key)], text);
            }
        }
    }
    writer.close(&name);
}

fn address(writer: &mut Writer, item: &Item, key: &str, keys: &[(Dictionary, String)]) {
    if !keys.iter().any(|(_, other)| other == key) {
        return;
    }
    writer.open_with("t:Entry", &[("Key", key)]);
    for (name, part) in ADDRESS_PARTS {
        if keys
            .iter()
            .any(|(dictionary, other)| dictionary == part && other == key)
            && let Some(text) = item.entry(*part, key)
        {
            writer.leaf(&format!("t:{name}"), text);
        }
    }
    writer.close("t:Entry");
}

fn extended_properties(writer: &mut Writer, found: &Found, shape: &Shape) {
    for (key, kind) in &shape.extended {
        if let Some(values) = extended::get(&found.item, &found.stored, found.role, key, kind) {
            extended_property(writer, key, kind, &values);
        }
    }
}

/// An ExtendedProperty element.
pub fn extended_property(writer: &mut Writer, key: &PropertyKey, kind: &str, values: &[String]) {
    writer.open("t:ExtendedProperty");
    extended_path(writer, key, kind);
    if kind.ends_with("Array") {
        writer.open("t:Values");
        for value in values {
            writer.leaf("t:Value", value);
        }
        writer.close("t:Values");
    } else {
        writer.leaf("t:Value", values.first().map(String::as_str).unwrap_or_default());
    }
    writer.close("t:ExtendedProperty");
}

fn extended_path(writer: &mut Writer, key: &PropertyKey, kind: &str) {
    let kind = ("PropertyType", kind);
    let (set, last) = match key {
        PropertyKey::Tag(tag) => {
            writer.empty(
                "t:ExtendedFieldURI",
                &[("PropertyTag", &format!("0x{tag:x}")), kind],
            );
            return;
        }
        PropertyKey::Id(set, id) => (set, ("PropertyId", id.to_string())),
        PropertyKey::Name(set, name) => (set, ("PropertyName", name.clone())),
    };
    let guid = set.to_string();
    let set = match property_set_name(*set) {
        Some(name) => ("DistinguishedPropertySetId", name),
        None => ("PropertySetId", guid.as_str()),
    };
    writer.empty("t:ExtendedFieldURI", &[set, (last.0, &last.1), kind]);
}
