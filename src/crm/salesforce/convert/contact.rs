//! Contact ("Contact", Object Reference): people's cards.
//!
//! The employer is not a column of a contact but an account. It is read by the account's name, and a new
//! contact is put under the one account of exactly that name, but it is no [`Field`] that is compared: a name
//! that is no account cannot be written, and would come back as if somebody had erased it.

use super::row::{self, Head, People, Row, text};
use super::sheet::{Sheet, text_value};
use super::time;
use crate::crm::error::CrmError;
use crate::foundation::content::Content;
use crate::record::Record;
use crate::record::contact::{Contact, PostalAddress};
use crate::record::field::Field;
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// See [`super::columns`].
pub(super) const COLUMNS: &[&str] = &[
    "FirstName",
    "LastName",
    "AccountId",
    "Title",
    "Department",
    "Email",
    "Phone",
    "HomePhone",
    "MobilePhone",
    "Fax",
    "MailingStreet",
    "MailingCity",
    "MailingState",
    "MailingPostalCode",
    "MailingCountry",
    "Description",
    "OwnerId",
    row::KEY,
];

/// See [`super::fields`].
pub(super) const FIELDS: &[(Field, &[&str])] = &[
    (Field::GivenName, &["FirstName"]),
    (Field::FamilyName, &["LastName"]),
    (Field::JobTitle, &["Title"]),
    (Field::Department, &["Department"]),
    (Field::Email, &["Email"]),
    (Field::BusinessPhone, &["Phone"]),
    (Field::HomePhone, &["HomePhone"]),
    (Field::MobilePhone, &["MobilePhone"]),
    (Field::Fax, &["Fax"]),
    (
        Field::Address,
        &[
            "MailingStreet",
            "MailingCity",
            "MailingState",
            "MailingPostalCode",
            "MailingCountry",
        ],
    ),
    (Field::Body, &["Description"]),
];

/// A row.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::crm::salesforce) struct ContactRow {
    id: String,
    #[serde(deserialize_with = "time::required")]
    system_modstamp: DateTime<Utc>,
    #[serde(default)]
    is_deleted: bool,
    #[serde(rename = "Holdfast_Key__c")]
    key: Option<String>,
    owner_id: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    account: Option<AccountRow>,
    title: Option<String>,
    department: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    home_phone: Option<String>,
    mobile_phone: Option<String>,
    fax: Option<String>,
    mailing_street: Option<String>,
    mailing_city: Option<String>,
    mailing_state: Option<String>,
    mailing_postal_code: Option<String>,
    mailing_country: Option<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AccountRow {
    name: Option<String>,
}

impl Row for ContactRow {
    fn head(&self) -> Head {
        Head {
            id: self.id.clone(),
            modified: self.system_modstamp,
            deleted: self.is_deleted,
            key: self.key.clone(),
            owner: self.owner_id.clone(),
            fixed: false,
        }
    }

    fn record(self, _people: &People) -> Option<Record> {
        Some(Record::Contact(Contact {
            given_name: text(self.first_name),
            family_name: text(self.last_name),
            company: text(self.account.and_then(|account| account.name)),
            job_title: text(self.title),
            department: text(self.department),
            email: text(self.email),
            business_phone: text(self.phone),
            home_phone: text(self.home_phone),
            mobile_phone: text(self.mobile_phone),
            business_fax: text(self.fax),
            address: PostalAddress {
                street: text(self.mailing_street),
                city: text(self.mailing_city),
                state: text(self.mailing_state),
                postal_code: text(self.mailing_postal_code),
                country: text(self.mailing_country),
            },
            notes: text(self.description),
            is_private: false,
        }))
    }
}

/// The columns of a contact, without its account.
///
/// # Errors
/// [`CrmError::RuleRefused`] where nothing in it can serve as the name that Salesforce demands.
pub(super) fn fill(sheet: &mut Sheet<'_>, contact: &Contact) -> Result<(), CrmError> {
    fill_name(sheet, contact)?;
    let texts = [
        (Field::JobTitle, "Title", &contact.job_title),
        (Field::Department, "Department", &contact.department),
        (Field::Email, "Email", &contact.email),
        (Field::BusinessPhone, "Phone", &contact.business_phone),
        (Field::HomePhone, "HomePhone", &contact.home_phone),
        (Field::MobilePhone, "MobilePhone", &contact.mobile_phone),
        (Field::Fax, "Fax", &contact.business_fax),
        (Field::Body, "Description", &contact.notes),
        (Field::Address, "MailingStreet", &contact.address.street),
        (Field::Address, "MailingCity", &contact.address.city),
        (Field::Address, "MailingState", &contact.address.state),
        (Field::Address, "MailingPostalCode", &contact.address.postal_code),
        (Field::Address, "MailingCountry", &contact.address.country),
    ];
    for (field, column, value) in texts {
        sheet.text(field, column, value);
    }
    Ok(())
}

/// LastName is the one column that every contact must have. A card without a family name is filed under the
/// next best thing; the given name then stands there alone instead of twice.
fn fill_name(sheet: &mut Sheet<'_>, contact: &Contact) -> Result<(), CrmError> {
    let (given, family) = (&contact.given_name, &contact.family_name);
    let given_is_known = sheet.wants(Field::GivenName);
    if !sheet.wants(Field::FamilyName) || !is_blank(family) {
        sheet.text(Field::GivenName, "FirstName", given);
        sheet.text(Field::FamilyName, "LastName", family);
        return Ok(());
    }
    let candidates = [
        (given_is_known, given),
        (sheet.creating, &contact.company),
        (sheet.wants(Field::Email), &contact.email),
    ];
    let name = candidates.iter().find(|(known, text)| *known && !is_blank(text));
    let Some((_, name)) = name else {
        return Err(CrmError::RuleRefused {
            code: "REQUIRED_FIELD_MISSING".to_owned(),
            fields: vec!["LastName".to_owned()],
        });
    };
    sheet.put("LastName", text_value(name.expose()));
    if given_is_known {
        sheet.put("FirstName", serde_json::Value::Null);
    }
    Ok(())
}

fn is_blank(text: &Content<String>) -> bool {
    text.expose().trim().is_empty()
}
