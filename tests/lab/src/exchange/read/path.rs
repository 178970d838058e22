//! Property paths: FieldURI, IndexedFieldURI and ExtendedFieldURI, as shapes, restrictions, sort
//! orders and updates use them.
//!
//! Source: "Path" and "ExtendedFieldURI" in the EWS reference, "Commonly used property sets" in
//! \[MS-OXPROPS\].

use crate::exchange::field::Field;
use crate::exchange::item::{Dictionary, PropertyKey};
use crate::exchange::refusal::Refusal;
use crate::exchange::version::Version;
use crate::exchange::xml::read::Element;
use uuid::Uuid;

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// A property of items.
    Field(Field),
    /// A property of folders, by its local name.
    Folder(String),
    /// One entry of a dictionary.
    Entry(Dictionary, String),
    /// One internet header.
    Header(String),
    /// An extended property with its type.
    Extended(PropertyKey, String),
    /// A property that the schema has and this server does not keep.
    Unkept(String),
}

const TYPES: &[&str] = &[
    "ApplicationTime",
    "ApplicationTimeArray",
    "Binary",
    "BinaryArray",
    "Boolean",
    "CLSID",
    "CLSIDArray",
    "Currency",
    "CurrencyArray",
    "Double",
    "DoubleArray",
    "Error",
    "Float",
    "FloatArray",
    "Integer",
    "IntegerArray",
    "Long",
    "LongArray",
    "Null",
    "Object",
    "ObjectArray",
    "Short",
    "ShortArray",
    "SystemTime",
    "SystemTimeArray",
    "String",
    "StringArray",
];

/// Prefixes of field URIs that the schema has.
const PREFIXES: &[&str] = &[
    "folder",
    "item",
    "message",
    "sharingMessage",
    "meeting",
    "meetingRequest",
    "calendar",
    "task",
    "contacts",
    "distributionlist",
    "postitem",
    "conversation",
    "persona",
    "person",
    "rolemember",
    "network",
    "abchperson",
    "booking",
    "insight",
];

/// The distinguished property sets that requests may name.
pub fn property_set(name: &str) -> Option<Uuid> {
    let text = match name {
        "Meeting" => "6ed8da90-450b-101b-98da-00aa003f1305",
        "Appointment" => "00062002-0000-0000-c000-000000000046",
        "Common" => "00062008-0000-0000-c000-000000000046",
        "PublicStrings" => "00020329-0000-0000-c000-000000000046",
        "Address" => "00062004-0000-0000-c000-000000000046",
        "InternetHeaders" => "00020386-0000-0000-c000-000000000046",
        "CalendarAssistant" => "11000e07-b51b-40d6-af21-caa85edab1d0",
        "UnifiedMessaging" => "4442858e-a9e3-4e80-b900-317a210cc15b",
        "Task" => "00062003-0000-0000-c000-000000000046",
        "Sharing" => "00062040-0000-0000-c000-000000000046",
        _ => return None,
    };
    Uuid::parse_str(text).ok()
}

/// The name of a distinguished property set.
pub fn property_set_name(set: Uuid) -> Option<&'static str> {
    const NAMES: &[&str] = &[
        "Meeting",
        "Appointment",
        "Common",
        "PublicStrings",
        "Address",
        "InternetHeaders",
        "CalendarAssistant",
        "UnifiedMessaging",
        "Task",
        "Sharing",
    ];
    NAMES.iter().copied().find(|name| property_set(name) == Some(set))
}

/// Whether an element is a property path.
pub fn is_path(element: &Element) -> bool {
    matches!(
        element.name.as_str(),
        "FieldURI" | "IndexedFieldURI" | "ExtendedFieldURI"
    )
}

/// The path that an element holds as one of its children.
///
/// # Errors
/// It has none, or one that breaks the schema.
pub fn child_path(element: &Element, version: Version) -> Result<Path, Refusal> {
    let path = element.children.iter().find(|child| is_path(child));
    read(path.ok_or_else(|| Refusal::missing("Path"))?, version)
}

/// The path of a path element.
///
/// # Errors
/// It breaks the schema of the version asked for.
pub fn read(element: &Element, version: Version) -> Result<Path, Refusal> {
    match element.name.as_str() {
        "FieldURI" => field(element.attribute("FieldURI"), version),
        "IndexedFieldURI" => {
            let uri = element
                .attribute("FieldURI")
                .ok_or_else(|| Refusal::missing_attribute("FieldURI"))?;
            let index = element
                .attribute("FieldIndex")
                .ok_or_else(|| Refusal::missing_attribute("FieldIndex"))?;
            indexed(uri, index)
        }
        "ExtendedFieldURI" => extended(element),
        other => Err(Refusal::schema(format!("Invalid child element '{other}'."))),
    }
}

fn field(uri: Option<&str>, version: Version) -> Result<Path, Refusal> {
    let uri = uri.ok_or_else(|| Refusal::missing_attribute("FieldURI"))?;
    if let Some(field) = Field::from_uri(uri).filter(|field| *field != Field::ExtendedProperties) {
        if field.since() > version {
            return Err(Refusal::invalid_value("FieldURI", uri));
        }
        return Ok(Path::Field(field));
    }
    match uri.split_once(':') {
        Some(("folder", name)) => Ok(Path::Folder(name.to_owned())),
        Some((prefix, name))
            if PREFIXES.contains(&prefix) && name.starts_with(|c: char| c.is_ascii_uppercase()) =>
        {
            Ok(Path::Unkept(uri.to_owned()))
        }
        _ => Err(Refusal::invalid_value("FieldURI", uri)),
    }
}

fn indexed(uri: &str, index: &str) -> Result<Path, Refusal> {
    let dictionary = match uri {
        "item:InternetMessageHeader" => return Ok(Path::Header(index.to_owned())),
        "contacts:EmailAddress" => Dictionary::EmailAddress,
        "contacts:PhoneNumber" => Dictionary::PhoneNumber,
        "contacts:ImAddress" => Dictionary::ImAddress,
        "contacts:PhysicalAddress:Street" => Dictionary::Street,
        "contacts:PhysicalAddress:City" => Dictionary::City,
        "contacts:PhysicalAddress:State" => Dictionary::State,
        "contacts:PhysicalAddress:CountryOrRegion" => Dictionary::CountryOrRegion,
        "contacts:PhysicalAddress:PostalCode" => Dictionary::PostalCode,
        "distributionlist:Members:Member" => return Ok(Path::Unkept(uri.to_owned())),
        _ => return Err(Refusal::invalid_value("FieldURI", uri)),
    };
    if !is_key(dictionary, index) {
        return Err(
            Refusal::new("ErrorInvalidPropertyRequest", "The dictionary has no such key.")
                .with("FieldIndex", index),
        );
    }
    Ok(Path::Entry(dictionary, index.to_owned()))
}

const PHONES: &[&str] = &[
    "AssistantPhone",
    "BusinessFax",
    "BusinessPhone",
    "BusinessPhone2",
    "Callback",
    "CarPhone",
    "CompanyMainPhone",
    "HomeFax",
    "HomePhone",
    "HomePhone2",
    "Isdn",
    "MobilePhone",
    "OtherFax",
    "OtherTelephone",
    "Pager",
    "PrimaryPhone",
    "RadioPhone",
    "Telex",
    "TtyTddPhone",
];

/// Whether a dictionary has a key.
pub fn is_key(dictionary: Dictionary, key: &str) -> bool {
    match dictionary {
        Dictionary::EmailAddress | Dictionary::EmailName => {
            matches!(key, "EmailAddress1" | "EmailAddress2" | "EmailAddress3")
        }
        Dictionary::ImAddress => matches!(key, "ImAddress1" | "ImAddress2" | "ImAddress3"),
        Dictionary::PhoneNumber => PHONES.contains(&key),
        _ => matches!(key, "Business" | "Home" | "Other"),
    }
}

fn extended(element: &Element) -> Result<Path, Refusal> {
    let kind = element
        .attribute("PropertyType")
        .ok_or_else(|| Refusal::missing_attribute("PropertyType"))?;
    if !TYPES.contains(&kind) {
        return Err(Refusal::invalid_value("PropertyType", kind));
    }
    let invalid = || {
        Refusal::new(
            "ErrorInvalidExtendedProperty",
            "Extended properties must have a valid combination of attributes.",
        )
    };
    if let Some(tag) = element.attribute("PropertyTag") {
        if element
            .attribute("PropertySetId")
            .or(element.attribute("DistinguishedPropertySetId"))
            .is_some()
        {
            return Err(invalid());
        }
        let tag = number(tag).and_then(|tag| u16::try_from(tag).ok());
        let tag = tag.ok_or_else(|| {
            Refusal::invalid_value("PropertyTag", element.attribute("PropertyTag").unwrap_or(""))
        })?;
        // Tags of the named range mean something else in every mailbox.
        if (0x8000..=0xfffe).contains(&tag) {
            return Err(invalid());
        }
        return Ok(Path::Extended(PropertyKey::Tag(tag), kind.to_owned()));
    }
    let set = match (
        element.attribute("DistinguishedPropertySetId"),
        element.attribute("PropertySetId"),
    ) {
        (Some(name), None) => {
            property_set(name).ok_or_else(|| Refusal::invalid_value("DistinguishedPropertySetId", name))?
        }
        (None, Some(guid)) => {
            Uuid::parse_str(guid).map_err(|_| Refusal::invalid_value("PropertySetId", guid))?
        }
        _ => return Err(invalid()),
    };
    let key = match (element.attribute("PropertyName"), element.attribute("PropertyId")) {
        (Some(name), None) => PropertyKey::Name(set, name.to_owned()),
        (None, Some(id)) => PropertyKey::Id(
            set,
            number(id).ok_or_else(|| Refusal::invalid_value("PropertyId", id))?,
        ),
        _ => return Err(invalid()),
    };
    Ok(Path::Extended(key, kind.to_owned()))
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
