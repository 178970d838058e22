//! Whole items out of CreateItem and attachments, and single properties out of UpdateItem.

use super::path::{self, Path};
use super::value;
use crate::exchange::extended;
use crate::exchange::field::{Field, Form};
use crate::exchange::item::{Attachment, AttachmentContent, Dictionary, Extended, Item, Kind};
use crate::exchange::layout;
use crate::exchange::mime;
use crate::exchange::refusal::Refusal;
use crate::exchange::value::{Binary, Value};
use crate::exchange::version::Version;
use crate::exchange::xml::read::{Element, Ns};
use crate::exchange::zone::{Rules, Zone};
use chrono::{DateTime, Utc};

/// What reading needs to know beside the elements.
#[derive(Clone, Copy)]
pub struct Reading {
    /// The schema asked for.
    pub version: Version,
    /// The rules of times without an offset.
    pub rules: Rules,
    /// Now.
    pub at: DateTime<Utc>,
}

/// The kind that an element in a request makes; none for one that is no item.
pub fn kind(element: &Element) -> Option<Kind> {
    if element.ns != Ns::Types {
        return None;
    }
    Some(match element.name.as_str() {
        "Item" => Kind::Item,
        "Message" => Kind::Message,
        "CalendarItem" => Kind::CalendarItem,
        "Contact" => Kind::Contact,
        "Task" => Kind::Task,
        "DistributionList" => Kind::DistributionList,
        "PostItem" => Kind::PostItem,
        "MeetingRequest" => Kind::MeetingRequest,
        "MeetingResponse" => Kind::MeetingResponse,
        "MeetingCancellation" => Kind::MeetingCancellation,
        _ => return None,
    })
}

/// An item as its element describes it.
///
/// # Errors
/// A child is unknown, out of order, read-only, or not of its type.
pub fn item(element: &Element, reading: Reading) -> Result<Item, Refusal> {
    let kind = kind(element)
        .ok_or_else(|| Refusal::schema(format!("The element '{}' is not an item.", element.name)))?;
    let reading = Reading {
        rules: own_rules(element).unwrap_or(reading.rules),
        ..reading
    };
    let mut item = Item::new(kind);
    let mut reached = 0;
    for child in &element.children {
        let field = ordered(kind, child, &mut reached, reading.version)?;
        if field == Field::MimeContent {
            from_mime(&mut item, child)?;
        } else {
            set(&mut item, field, child, reading)?;
        }
    }
    Ok(item)
}

/// The zone in which an item's own times are meant.
fn own_rules(element: &Element) -> Option<Rules> {
    let zone = element
        .t("StartTimeZone")
        .or_else(|| element.t("MeetingTimeZone"))?;
    value::zone(zone).rules()
}

fn ordered(kind: Kind, child: &Element, reached: &mut usize, version: Version) -> Result<Field, Refusal> {
    let unexpected = || {
        Refusal::schema(format!(
            "The element '{}' in namespace '{}' has invalid child element '{}'.",
            kind.element(),
            crate::exchange::xml::TYPES,
            child.name
        ))
    };
    if child.ns != Ns::Types {
        return Err(unexpected());
    }
    let (place, field) = layout::place(kind, &child.name).ok_or_else(unexpected)?;
    let repeats = field == Field::ExtendedProperties;
    if place < *reached || field.since() > version {
        return Err(unexpected());
    }
    // The next child has to come after this one; extended properties may come again.
    *reached = if repeats { place } else { place + 1 };
    Ok(field)
}

/// Starts an item from its MIME text; what the request says beside it overrides.
fn from_mime(item: &mut Item, element: &Element) -> Result<(), Refusal> {
    let octets = value::octets("MimeContent", &element.text)?;
    let read = match item.kind {
        Kind::CalendarItem => mime::icalendar::read(&String::from_utf8_lossy(&octets)),
        _ => Some(mime::read(octets)),
    };
    let Some(mut read) = read else {
        return Err(Refusal::new(
            "ErrorMimeContentInvalid",
            "The MIME content is invalid.",
        ));
    };
    read.kind = item.kind;
    *item = read;
    Ok(())
}

/// Sets a property out of its element.
///
/// # Errors
/// It is read-only or not of its type.
pub fn set(item: &mut Item, field: Field, element: &Element, reading: Reading) -> Result<(), Refusal> {
    if field.is_read_only() {
        return Err(
            Refusal::new("ErrorInvalidPropertySet", "Set action is invalid for property.")
                .with("FieldURI", field.uri()),
        );
    }
    match field {
        Field::ExtendedProperties => {
            let property = extended_property(element, reading)?;
            extended::set(item, property);
        }
        Field::Attachments => {
            for attachment in &element.children {
                item.attachments.push(self::attachment(attachment, reading)?);
            }
        }
        Field::EmailAddresses | Field::PhoneNumbers | Field::PhysicalAddresses | Field::ImAddresses => {
            for entry in &element.children {
                set_entry(item, field, entry)?;
            }
        }
        Field::Flag => {
            let status = element
                .t_text("FlagStatus")
                .ok_or_else(|| Refusal::missing("FlagStatus"))?;
            item.set(Field::Flag, status.trim());
        }
        Field::EnhancedLocation => {
            item.set(Field::Location, element.t_text("DisplayName").unwrap_or_default());
        }
        Field::Notes => {
            let text = element.text.clone();
            item.set(Field::Body, crate::exchange::value::Body { html: false, text });
        }
        Field::Subject if element.text.chars().count() > 255 => {
            return Err(
                Refusal::new("ErrorPropertyValidationFailure", "Property validation failed.")
                    .with("FieldURI", field.uri()),
            );
        }
        Field::ItemClass => set_class(item, element.text.trim())?,
        _ => {
            let value = value::value(field, element, reading.rules)?;
            item.set(field, value);
        }
    }
    Ok(())
}

/// An item class must stay within what the element's kind stands for.
fn set_class(item: &mut Item, class: &str) -> Result<(), Refusal> {
    let root = match item.kind {
        Kind::CalendarItem | Kind::Contact | Kind::Task | Kind::DistributionList => item.kind.item_class(),
        _ => "IPM",
    };
    let fits = class
        .get(..root.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(root))
        && matches!(class.as_bytes().get(root.len()), None | Some(b'.'));
    if !fits && item.kind != Kind::Item && item.kind != Kind::Message {
        return Err(Refusal::new("ErrorObjectTypeChanged", "Object type changed."));
    }
    item.set(Field::ItemClass, class);
    Ok(())
}

/// Sets or clears one entry of a dictionary property out of its Entry element.
///
/// # Errors
/// The key is not one of the dictionary's.
pub fn set_entry(item: &mut Item, field: Field, entry: &Element) -> Result<(), Refusal> {
    let key = entry
        .attribute("Key")
        .ok_or_else(|| Refusal::missing_attribute("Key"))?;
    let (dictionary, text) = match field {
        Field::PhoneNumbers => (Dictionary::PhoneNumber, entry.text.as_str()),
        Field::ImAddresses => (Dictionary::ImAddress, entry.text.as_str()),
        Field::PhysicalAddresses => return set_address(item, key, entry),
        _ => (Dictionary::EmailAddress, entry.text.trim()),
    };
    if !path::is_key(dictionary, key) {
        return Err(Refusal::invalid_value("Key", key));
    }
    put(item, dictionary, key, text);
    if dictionary == Dictionary::EmailAddress {
        put(
            item,
            Dictionary::EmailName,
            key,
            entry.attribute("Name").unwrap_or(text),
        );
    }
    Ok(())
}

fn put(item: &mut Item, dictionary: Dictionary, key: &str, text: &str) {
    if text.is_empty() {
        item.unset_entry(dictionary, key)
    } else {
        item.set_entry(dictionary, key, text)
    }
}

/// The parts of a physical address, as elements and as dictionaries.
pub const ADDRESS_PARTS: &[(&str, Dictionary)] = &[
    ("Street", Dictionary::Street),
    ("City", Dictionary::City),
    ("State", Dictionary::State),
    ("CountryOrRegion", Dictionary::CountryOrRegion),
    ("PostalCode", Dictionary::PostalCode),
];

fn set_address(item: &mut Item, key: &str, entry: &Element) -> Result<(), Refusal> {
    for part in &entry.children {
        let known = ADDRESS_PARTS.iter().find(|(name, _)| *name == part.name);
        let (_, dictionary) = known
            .ok_or_else(|| Refusal::schema(format!("Invalid child element '{}' of Entry.", part.name)))?;
        if !path::is_key(*dictionary, key) {
            return Err(Refusal::invalid_value("Key", key));
        }
        put(item, *dictionary, key, &part.text);
    }
    Ok(())
}

/// An extended property with its value.
///
/// # Errors
/// The path or the value is not valid.
pub fn extended_property(element: &Element, reading: Reading) -> Result<Extended, Refusal> {
    let Path::Extended(key, kind) = path::child_path(element, reading.version)? else {
        return Err(Refusal::missing("ExtendedFieldURI"));
    };
    let values: Vec<String> = match (element.t("Value"), element.t("Values")) {
        (Some(value), _) => vec![value.text.clone()],
        (None, Some(values)) => values.children.iter().map(|value| value.text.clone()).collect(),
        (None, None) => return Err(Refusal::missing("Value")),
    };
    let base = kind.strip_suffix("Array").unwrap_or(&kind);
    let values = values
        .iter()
        .map(|value| extended::normal(base, value))
        .collect::<Option<Vec<String>>>();
    let values = values.ok_or_else(|| {
        Refusal::new(
            "ErrorInvalidExtendedPropertyValue",
            "The specified value is invalid for property.",
        )
    })?;
    Ok(Extended { key, kind, values })
}

/// An attachment.
///
/// # Errors
/// It is of no known sort or lacks a part.
pub fn attachment(element: &Element, reading: Reading) -> Result<Attachment, Refusal> {
    let content = match element.name.as_str() {
        "FileAttachment" => {
            let octets = value::octets("Content", element.t_text("Content").unwrap_or_default())?;
            AttachmentContent::File(Binary(octets.into()))
        }
        "ItemAttachment" => {
            let inner = element.children.iter().find(|child| kind(child).is_some());
            AttachmentContent::Item(Box::new(item(
                inner.ok_or_else(|| Refusal::missing("Item"))?,
                reading,
            )?))
        }
        "ReferenceAttachment" if reading.version >= Version::E2016 => AttachmentContent::Reference {
            url: element
                .t_text("AttachLongPathName")
                .unwrap_or_default()
                .to_owned(),
            provider: element.t_text("ProviderType").unwrap_or_default().to_owned(),
        },
        other => {
            return Err(Refusal::schema(format!(
                "Invalid child element '{other}' of Attachments."
            )));
        }
    };
    let text = |name| element.t_text(name).map(str::to_owned);
    let flag = |name| match element.t_text(name) {
        Some(text) => value::boolean(name, text.trim()),
        None => Ok(false),
    };
    Ok(Attachment {
        serial: 0,
        name: text("Name").unwrap_or_default(),
        content_type: text("ContentType"),
        content_id: text("ContentId").map(|id| id.trim_matches(['<', '>']).to_owned()),
        inline: flag("IsInline")?,
        contact_photo: flag("IsContactPhoto")?,
        modified: reading.at,
        content,
    })
}

/// The zone that a property names, if it is one.
pub fn zone_of(item: &Item, field: Field) -> Option<&Zone> {
    match item.get(field) {
        Some(Value::Zone(zone)) => Some(zone),
        _ => None,
    }
}

/// Whether a property's element may be appended to.
pub fn can_append(field: Field) -> bool {
    matches!(
        field.form(),
        Form::Body | Form::Recipients | Form::Attendees | Form::Strings
    )
}
