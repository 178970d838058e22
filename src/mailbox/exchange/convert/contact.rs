//! People's cards.

use super::parts::{body, sensitivity};
use crate::foundation::content::Content;
use crate::mailbox::exchange::wire::item::RawItem;
use crate::mailbox::exchange::wire::path::Path;
use crate::mailbox::exchange::wire::property::Property;
use crate::record::contact::{Contact, PostalAddress};
use crate::record::field::{Field, FieldSet};

/// The record of a contact.
pub fn read(raw: &mut RawItem) -> Contact {
    let contact = std::mem::take(&mut raw.contact);
    Contact {
        given_name: Content::new(contact.given_name),
        family_name: Content::new(contact.surname),
        company: Content::new(contact.company),
        job_title: Content::new(contact.job_title),
        department: Content::new(contact.department),
        email: Content::new(contact.email),
        business_phone: Content::new(contact.business_phone),
        home_phone: Content::new(contact.home_phone),
        mobile_phone: Content::new(contact.mobile_phone),
        business_fax: Content::new(contact.business_fax),
        address: PostalAddress {
            street: Content::new(contact.address.street),
            city: Content::new(contact.address.city),
            state: Content::new(contact.address.state),
            postal_code: Content::new(contact.address.postal_code),
            country: Content::new(contact.address.country),
        },
        notes: Content::new(std::mem::take(&mut raw.body)),
        is_private: sensitivity(&raw.sensitivity).is_private(),
    }
}

/// These fields of a contact as properties, with the stamp in its place.
pub fn properties(contact: &Contact, fields: FieldSet, stamp: Option<Property>) -> Vec<Property> {
    // A name that came as one is a given and a family name here.
    let fields = match fields.has(Field::FullName) {
        true => fields.with(Field::GivenName).with(Field::FamilyName),
        false => fields,
    };
    let mut list = Vec::new();
    let is_new = stamp.is_some();
    if is_new && contact.is_private {
        list.push(Property::word("item:Sensitivity", "Private"));
    }
    if fields.has(Field::Body) {
        list.push(body(contact.notes.expose()));
    }
    list.extend(stamp);
    if is_new {
        // Without it Outlook's lists show the card as a blank line.
        list.push(Property::word("contacts:FileAsMapping", file_as(contact)));
    }
    if fields.has(Field::GivenName) || fields.has(Field::FamilyName) {
        list.push(Property::text(
            Path::Field("contacts:DisplayName"),
            &display_name(contact),
        ));
    }
    for (field, path, text) in texts(contact) {
        if fields.has(field) {
            list.push(Property::text(path, text.expose()));
        }
    }
    list
}

/// The texts of a card, in the schema's order.
fn texts(contact: &Contact) -> [(Field, Path, &Content<String>); 15] {
    use Path::Field as Plain;
    let business = |uri| Path::Indexed(uri, "Business");
    let phone = |key| Path::Indexed("contacts:PhoneNumber", key);
    let email = Path::Indexed("contacts:EmailAddress", "EmailAddress1");
    let country = business("contacts:PhysicalAddress:CountryOrRegion");
    let post = &contact.address;
    [
        (Field::GivenName, Plain("contacts:GivenName"), &contact.given_name),
        (Field::Company, Plain("contacts:CompanyName"), &contact.company),
        (Field::Email, email, &contact.email),
        (
            Field::Address,
            business("contacts:PhysicalAddress:Street"),
            &post.street,
        ),
        (
            Field::Address,
            business("contacts:PhysicalAddress:City"),
            &post.city,
        ),
        (
            Field::Address,
            business("contacts:PhysicalAddress:State"),
            &post.state,
        ),
        (Field::Address, country, &post.country),
        (
            Field::Address,
            business("contacts:PhysicalAddress:PostalCode"),
            &post.postal_code,
        ),
        (Field::Fax, phone("BusinessFax"), &contact.business_fax),
        (
            Field::BusinessPhone,
            phone("BusinessPhone"),
            &contact.business_phone,
        ),
        (Field::HomePhone, phone("HomePhone"), &contact.home_phone),
        (Field::MobilePhone, phone("MobilePhone"), &contact.mobile_phone),
        (
            Field::Department,
            Plain("contacts:Department"),
            &contact.department,
        ),
        (Field::JobTitle, Plain("contacts:JobTitle"), &contact.job_title),
        (Field::FamilyName, Plain("contacts:Surname"), &contact.family_name),
    ]
}

/// How Exchange shall make the name under which the card is filed.
fn file_as(contact: &Contact) -> &'static str {
    if contact.given_name.is_empty() && contact.family_name.is_empty() {
        "Company"
    } else {
        "LastCommaFirst"
    }
}

fn display_name(contact: &Contact) -> String {
    let name = format!("{} {}", contact.given_name.expose(), contact.family_name.expose());
    name.trim().to_owned()
}
