//! MAPI names of properties that EWS has names for too. A client may set a contact's family name
//! as tag 0x3A11 and read it as `contacts:Surname`: both are one property.
//!
//! Source: \[MS-OXPROPS\]; for contacts \[MS-OXOCNTC\].

use super::field::Field;
use super::item::{Dictionary, Item, Kind, PropertyKey};
use super::read::path::property_set;

/// Where a property is kept.
#[derive(Clone, Copy, Debug)]
enum Place {
    Field(Field),
    Entry(Dictionary, &'static str),
}

const TAGS: &[(u16, Place)] = &[
    (0x001a, Place::Field(Field::ItemClass)),
    (0x0037, Place::Field(Field::Subject)),
    (0x3001, Place::Field(Field::DisplayName)),
    (0x3a06, Place::Field(Field::GivenName)),
    (0x3a11, Place::Field(Field::Surname)),
    (0x3a44, Place::Field(Field::MiddleName)),
    (0x3a4f, Place::Field(Field::Nickname)),
    (0x3a0a, Place::Field(Field::Initials)),
    (0x3a05, Place::Field(Field::Generation)),
    (0x3a16, Place::Field(Field::CompanyName)),
    (0x3a17, Place::Field(Field::JobTitle)),
    (0x3a18, Place::Field(Field::Department)),
    (0x3a19, Place::Field(Field::OfficeLocation)),
    (0x3a46, Place::Field(Field::Profession)),
    (0x3a4e, Place::Field(Field::Manager)),
    (0x3a30, Place::Field(Field::AssistantName)),
    (0x3a48, Place::Field(Field::SpouseName)),
    (0x3a51, Place::Field(Field::BusinessHomePage)),
    (0x3a08, Place::Entry(Dictionary::PhoneNumber, "BusinessPhone")),
    (0x3a1b, Place::Entry(Dictionary::PhoneNumber, "BusinessPhone2")),
    (0x3a09, Place::Entry(Dictionary::PhoneNumber, "HomePhone")),
    (0x3a2f, Place::Entry(Dictionary::PhoneNumber, "HomePhone2")),
    (0x3a1c, Place::Entry(Dictionary::PhoneNumber, "MobilePhone")),
    (0x3a1f, Place::Entry(Dictionary::PhoneNumber, "OtherTelephone")),
    (0x3a21, Place::Entry(Dictionary::PhoneNumber, "Pager")),
    (0x3a24, Place::Entry(Dictionary::PhoneNumber, "BusinessFax")),
    (0x3a25, Place::Entry(Dictionary::PhoneNumber, "HomeFax")),
    (0x3a2e, Place::Entry(Dictionary::PhoneNumber, "AssistantPhone")),
    (0x3a57, Place::Entry(Dictionary::PhoneNumber, "CompanyMainPhone")),
];

/// Named properties of the address set.
const ADDRESS_IDS: &[(u32, Place)] = &[
    (0x8005, Place::Field(Field::ContactFileAs)),
    (0x8045, Place::Entry(Dictionary::Street, "Business")),
    (0x8046, Place::Entry(Dictionary::City, "Business")),
    (0x8047, Place::Entry(Dictionary::State, "Business")),
    (0x8048, Place::Entry(Dictionary::PostalCode, "Business")),
    (0x8049, Place::Entry(Dictionary::CountryOrRegion, "Business")),
    (0x8062, Place::Entry(Dictionary::ImAddress, "ImAddress1")),
    (0x8080, Place::Entry(Dictionary::EmailName, "EmailAddress1")),
    (0x8083, Place::Entry(Dictionary::EmailAddress, "EmailAddress1")),
    (0x8090, Place::Entry(Dictionary::EmailName, "EmailAddress2")),
    (0x8093, Place::Entry(Dictionary::EmailAddress, "EmailAddress2")),
    (0x80a0, Place::Entry(Dictionary::EmailName, "EmailAddress3")),
    (0x80a3, Place::Entry(Dictionary::EmailAddress, "EmailAddress3")),
];

fn place(kind: Kind, key: &PropertyKey) -> Option<Place> {
    let place = match key {
        PropertyKey::Tag(tag) => TAGS
            .iter()
            .find(|(known, _)| known == tag)
            .map(|(_, place)| *place),
        PropertyKey::Id(set, id) if Some(*set) == property_set("Address") => ADDRESS_IDS
            .iter()
            .find(|(known, _)| known == id)
            .map(|(_, place)| *place),
        _ => None,
    }?;
    let fits = match place {
        Place::Field(field) => super::layout::has(kind, field),
        Place::Entry(..) => kind == Kind::Contact,
    };
    fits.then_some(place)
}

/// The text of a property that EWS names too.
pub fn text(item: &Item, key: &PropertyKey) -> Option<String> {
    match place(item.kind, key)? {
        Place::Field(field) => item.get(field).map(|_| item.text(field).to_owned()),
        Place::Entry(dictionary, entry) => item.entry(dictionary, entry).map(str::to_owned),
    }
}

/// Sets a property that EWS names too. Says whether it is one.
pub fn set(item: &mut Item, key: &PropertyKey, text: &str) -> bool {
    match place(item.kind, key) {
        Some(Place::Field(field)) => item.set(field, text),
        Some(Place::Entry(dictionary, entry)) if text.is_empty() => item.unset_entry(dictionary, entry),
        Some(Place::Entry(dictionary, entry)) => item.set_entry(dictionary, entry, text),
        None => return false,
    }
    true
}

/// Removes a property that EWS names too.
pub fn unset(item: &mut Item, key: &PropertyKey) {
    match place(item.kind, key) {
        Some(Place::Field(field)) => {
            item.unset(field);
        }
        Some(Place::Entry(dictionary, entry)) => item.unset_entry(dictionary, entry),
        None => {}
    }
}
