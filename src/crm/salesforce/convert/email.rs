//! EmailMessage ("EmailMessage", Object Reference): mail, which goes one way and never changes.
//!
//! People whom the org knows are named by id in ToIds, CcIds and BccIds, the others by address in ToAddress,
//! CcAddress and BccAddress; naming somebody in both relates him twice. The sender has an address column, and
//! is related by a row of EmailMessageRelation after the insert. A mail that is no case's gets Status '3'
//! (Sent) when its owner sent it, and '1' (Read) when it arrived: '0' (New) would ask somebody to handle it.

use super::row::{self, Head, People, Row, person, text};
use super::sheet::{Sheet, text_value};
use super::time;
use crate::foundation::content::Content;
use crate::record::Record;
use crate::record::email::{Direction, Email};
use crate::record::event::Sensitivity;
use crate::record::person::Person;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

/// See [`super::columns`].
pub(super) const COLUMNS: &[&str] = &[
    "Subject",
    "TextBody",
    "HtmlBody",
    "FromAddress",
    "FromName",
    "ToAddress",
    "CcAddress",
    "BccAddress",
    "MessageIdentifier",
    "MessageDate",
    "Incoming",
    "Status",
    "RelatedToId",
    "IsClientManaged",
    "ToIds",
    "CcIds",
    "BccIds",
    row::KEY,
];

/// A row.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::crm::salesforce) struct EmailRow {
    id: String,
    #[serde(deserialize_with = "time::required")]
    system_modstamp: DateTime<Utc>,
    #[serde(default)]
    is_deleted: bool,
    #[serde(rename = "Holdfast_Key__c")]
    key: Option<String>,
    subject: Option<String>,
    text_body: Option<String>,
    html_body: Option<String>,
    from_address: Option<String>,
    from_name: Option<String>,
    to_address: Option<String>,
    cc_address: Option<String>,
    bcc_address: Option<String>,
    message_identifier: Option<String>,
    #[serde(default, deserialize_with = "time::optional")]
    message_date: Option<DateTime<Utc>>,
    #[serde(default)]
    incoming: bool,
}

impl Row for EmailRow {
    fn head(&self) -> Head {
        Head {
            id: self.id.clone(),
            modified: self.system_modstamp,
            deleted: self.is_deleted,
            key: self.key.clone(),
            owner: None,
            fixed: false,
        }
    }

    /// The addresses are those in the address columns: people who are related by id are not among them.
    fn record(self, _people: &People) -> Option<Record> {
        let from = self.from_address.map(|address| person(address, self.from_name));
        Some(Record::Email(Box::new(Email {
            message_id: self.message_identifier.map(Content::new),
            direction: match self.incoming {
                true => Direction::Received,
                false => Direction::Sent,
            },
            subject: text(self.subject),
            from,
            to: people(self.to_address),
            cc: people(self.cc_address),
            bcc: people(self.bcc_address),
            at: self.message_date.unwrap_or(self.system_modstamp),
            text: text(self.text_body),
            html: text(self.html_body),
            sensitivity: Sensitivity::Normal,
            protection: None,
            is_draft: false,
            is_report: false,
            attachments: 0,
            references: Vec::new(),
            categories: Vec::new(),
            dropped: false,
        })))
    }
}

fn people(list: Option<String>) -> Vec<Person> {
    let list = list.unwrap_or_default();
    let addresses = list
        .split(';')
        .map(str::trim)
        .filter(|address| !address.is_empty());
    addresses.map(Person::at).collect()
}

/// The columns of a mail, without its people.
pub(super) fn fill(sheet: &mut Sheet<'_>, email: &Email) {
    put_cut(sheet, "Subject", email.subject.expose());
    if email.protection.is_none() {
        put_cut(sheet, "TextBody", email.text.expose());
        put_cut(sheet, "HtmlBody", email.html.expose());
    }
    if let Some(from) = &email.from {
        put_cut(sheet, "FromAddress", from.address.expose());
        if let Some(name) = &from.name {
            put_cut(sheet, "FromName", name.expose());
        }
    }
    if let Some(id) = &email.message_id
        && fits(sheet, "MessageIdentifier", id.expose())
    {
        sheet.put("MessageIdentifier", id.expose().as_str());
    }
    sheet.put("MessageDate", time::instant(email.at));
    let sent = email.direction == Direction::Sent;
    sheet.put("Incoming", !sent);
    sheet.put("Status", if sent { "3" } else { "1" });
    // Without it a mail is closed for good when it is inserted, and no attachment can be added later.
    sheet.put("IsClientManaged", true);
}

/// Puts people into a pair of columns: ids for the known, addresses for the others.
pub(in crate::crm::salesforce) fn fill_people(
    sheet: &mut Sheet<'_>,
    (ids_column, address_column): (&str, &str),
    ids: Vec<String>,
    addresses: &[&str],
) {
    if !ids.is_empty() {
        let ids = ids.into_iter().map(Value::String).collect();
        sheet.put(ids_column, Value::Array(ids));
    }
    let most = length(sheet, address_column);
    let mut list = String::new();
    for address in addresses {
        // Half an address is worse than none.
        if most.is_some_and(|most| list.len() + address.len() + 2 > most) {
            break;
        }
        if !list.is_empty() {
            list.push_str("; ");
        }
        list.push_str(address);
    }
    sheet.put(address_column, text_value(&list));
}

fn length(sheet: &Sheet<'_>, column: &str) -> Option<usize> {
    sheet
        .object
        .field(column)
        .map(|facts| facts.length)
        .filter(|length| *length > 0)
}

fn fits(sheet: &Sheet<'_>, column: &str, text: &str) -> bool {
    length(sheet, column).is_none_or(|most| cut(text, most).len() == text.len())
}

fn put_cut(sheet: &mut Sheet<'_>, column: &str, text: &str) {
    let text = match length(sheet, column) {
        Some(most) => cut(text, most),
        None => text,
    };
    sheet.put(column, text_value(text));
}

/// The longest beginning of a text that Salesforce counts as so many characters. It counts as Java does, in
/// UTF-16 units.
fn cut(text: &str, most: usize) -> &str {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        units += c.len_utf16();
        if units > most {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_in_utf16_units_and_never_inside_a_character() {
        assert_eq!(cut("aé😀b", 4), "aé😀");
        assert_eq!(cut("aé😀b", 3), "aé");
        assert_eq!(cut("short", 100), "short");
    }
}
