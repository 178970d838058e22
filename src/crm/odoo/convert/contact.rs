//! `res.partner`: people's cards.
//!
//! Odoo keeps a person's name in one field. It is compared and written as one ([`Field::FullName`]); where it
//! becomes a given and a family name in a mailbox, the last word is the family name. The employer is a company
//! that is a partner itself, or a text where there is none; it is read, and given to a new card, but not compared.

use super::event::living;
use super::html;
use super::names::{Form, KEY};
use super::row::{Around, Head, Row};
use super::sheet::{Cell, Sheet};
use crate::crm::error::CrmError;
use crate::crm::odoo::wire::value;
use crate::foundation::content::Content;
use crate::record::Record;
use crate::record::contact::{Contact, PostalAddress};
use crate::record::field::Field;
use crate::record::places::Places;
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// What is read of it, where the user may see it.
pub(super) const COLUMNS: &[&str] = &[
    "name",
    "function",
    "email",
    "phone",
    "mobile",
    "street",
    "street2",
    "city",
    "state_id",
    "zip",
    "country_id",
    "comment",
    "parent_id",
    "company_name",
    "is_company",
    "user_id",
    "active",
    "write_date",
    KEY,
];

/// The columns in which each field lives.
pub(super) const FIELDS: &[(Field, &[&str])] = &[
    (Field::FullName, &["name"]),
    (Field::JobTitle, &["function"]),
    (Field::Email, &["email"]),
    (Field::BusinessPhone, &["phone"]),
    (Field::MobilePhone, &["mobile"]),
    (
        Field::Address,
        &["street", "street2", "city", "state_id", "zip", "country_id"],
    ),
    (Field::Body, &["comment"]),
];

/// A row.
#[derive(Deserialize)]
pub(in crate::crm::odoo) struct ContactRow {
    id: i64,
    #[serde(deserialize_with = "value::instant")]
    write_date: DateTime<Utc>,
    #[serde(default = "living")]
    active: bool,
    #[serde(default, deserialize_with = "value::string")]
    x_holdfast_key: Option<String>,
    #[serde(default, deserialize_with = "value::reference")]
    user_id: Option<i64>,
    #[serde(default)]
    is_company: bool,
    #[serde(default, deserialize_with = "value::text")]
    name: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    function: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    email: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    phone: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    mobile: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    street: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    street2: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    city: Content<String>,
    #[serde(default, deserialize_with = "value::name")]
    state_id: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    zip: Content<String>,
    #[serde(default, deserialize_with = "value::name")]
    country_id: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    comment: Content<String>,
    #[serde(default, deserialize_with = "value::name")]
    parent_id: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    company_name: Content<String>,
}

impl Row for ContactRow {
    const FORM: Form = Form::Contact;

    fn head(&self, _me: i64) -> Head {
        Head {
            id: self.id,
            modified: self.write_date,
            archived: !self.active,
            key: self.x_holdfast_key.clone(),
            owner: self.user_id,
        }
    }

    fn record(self, _around: &Around) -> Option<Record> {
        if self.is_company {
            return None;
        }
        let company = match self.parent_id.expose().is_empty() {
            true => self.company_name,
            false => self.parent_id,
        };
        let (given_name, family_name) = parts(&self.name, &self.email, &company);
        Some(Record::Contact(Contact {
            given_name,
            family_name,
            company,
            job_title: self.function,
            email: self.email,
            business_phone: self.phone,
            mobile_phone: self.mobile,
            address: PostalAddress {
                street: lines(&self.street, &self.street2),
                city: self.city,
                state: state(&self.state_id),
                postal_code: self.zip,
                country: self.country_id,
            },
            notes: html::to_text(&self.comment),
            ..Contact::default()
        }))
    }
}

/// Given and family name of a whole name. A name that only stands in for one is none.
fn parts(
    name: &Content<String>,
    email: &Content<String>,
    company: &Content<String>,
) -> (Content<String>, Content<String>) {
    let whole = name.expose().trim();
    if whole == email.expose().trim() || whole == company.expose().trim() {
        return Default::default();
    }
    match whole.rsplit_once(char::is_whitespace) {
        Some((given, family)) => (given.trim().into(), family.into()),
        None => (Content::default(), whole.into()),
    }
}

fn lines(first: &Content<String>, second: &Content<String>) -> Content<String> {
    let (first, second) = (first.expose(), second.expose());
    match (first.is_empty(), second.is_empty()) {
        (_, true) => Content::new(first.clone()),
        (true, false) => Content::new(second.clone()),
        (false, false) => Content::new(format!("{first}\n{second}")),
    }
}

/// A state shows itself with its country's code behind it, such as `Bavaria (DE)`.
fn state(shown: &Content<String>) -> Content<String> {
    let text = shown.expose();
    let bare = text.strip_suffix(')').and_then(|text| text.rsplit_once(" ("));
    Content::new(bare.map_or(text.as_str(), |(name, _)| name).to_owned())
}

/// The cells of a card.
///
/// # Errors
/// [`CrmError::RuleRefused`] where nothing in it can serve as the name that Odoo demands.
pub(super) fn fill(sheet: &mut Sheet<'_>, places: &Places, contact: &Contact) -> Result<(), CrmError> {
    if sheet.wants(Field::FullName) {
        sheet.put_text("name", name(sheet, contact)?);
    }
    let texts = [
        (Field::JobTitle, "function", &contact.job_title),
        (Field::Email, "email", &contact.email),
        (Field::BusinessPhone, "phone", &contact.business_phone),
        (Field::MobilePhone, "mobile", &contact.mobile_phone),
        (Field::Address, "city", &contact.address.city),
        (Field::Address, "zip", &contact.address.postal_code),
    ];
    for (field, column, value) in texts {
        sheet.text(field, column, value);
    }
    if sheet.wants(Field::Address) {
        fill_address(sheet, places, &contact.address);
    }
    if sheet.wants(Field::Body) {
        sheet.put_text("comment", html::of_text(contact.notes.expose()));
    }
    if sheet.creating && !contact.company.expose().is_empty() {
        sheet.put_text("company_name", contact.company.expose().as_str());
    }
    Ok(())
}

fn fill_address(sheet: &mut Sheet<'_>, places: &Places, address: &PostalAddress) {
    let street = address.street.expose();
    let (first, rest) = street.split_once('\n').unwrap_or((street, ""));
    sheet.put_text("street", first.trim());
    sheet.put_text("street2", rest.split_whitespace().collect::<Vec<_>>().join(" "));
    let country = places.country(address.country.expose());
    let state = country.and_then(|country| places.state(&country.name, address.state.expose()));
    sheet.put("country_id", Cell::One(country.map(|place| place.id)));
    sheet.put("state_id", Cell::One(state.map(|place| place.id)));
}

/// A card without a name is filed under the next best thing.
fn name(sheet: &Sheet<'_>, contact: &Contact) -> Result<String, CrmError> {
    let whole = format!("{} {}", contact.given_name.expose(), contact.family_name.expose());
    let candidates = [
        (true, whole.as_str()),
        (sheet.creating, contact.company.expose()),
        (sheet.wants(Field::Email), contact.email.expose()),
    ];
    let found = candidates
        .iter()
        .find(|(known, text)| *known && !text.trim().is_empty());
    found
        .map(|(_, text)| text.trim().to_owned())
        .ok_or_else(|| CrmError::RuleRefused {
            code: "name missing".to_owned(),
            fields: vec!["name".to_owned()],
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_the_family_name_and_a_stand_in_is_no_name() {
        let parts = |name: &str| {
            let (given, family) = parts(&name.into(), &"zoe@x.example".into(), &"Acme".into());
            (given.expose().clone(), family.expose().clone())
        };
        assert_eq!(parts("Anna van der Berg"), ("Anna van der".into(), "Berg".into()));
        assert_eq!(parts("Cher"), (String::new(), "Cher".into()));
        assert_eq!(parts("zoe@x.example"), (String::new(), String::new()));
        assert_eq!(parts("Acme"), (String::new(), String::new()));
    }

    #[test]
    fn a_state_is_read_without_the_code_of_its_country() {
        assert_eq!(*state(&"Bavaria (DE)".into()).expose(), "Bavaria");
        assert_eq!(*state(&"Bavaria".into()).expose(), "Bavaria");
    }
}
