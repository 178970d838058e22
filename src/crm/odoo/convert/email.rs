//! `mail.message`: a mail in the chatter of whom it concerns. It goes one way and never changes.
//!
//! The record is made directly and not by `message_post`: posting is what notifies followers, and a mail that was
//! sent long ago is nobody's news. It is filed where a rule says, or under the first contact or lead in it; other
//! contacts are named as its recipients. To and Cc are kept as texts, where the version has fields for them.

use super::html;
use super::names::{Form, KEY};
use super::row::{Around, Head, Row};
use super::sheet::Sheet;
use crate::crm::odoo::wire::value;
use crate::foundation::content::Content;
use crate::record::Record;
use crate::record::email::{Direction, Email};
use crate::record::event::Sensitivity;
use crate::record::person::Person;
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// What is read of it, where the user may see it.
pub(super) const COLUMNS: &[&str] = &[
    "subject",
    "body",
    "email_from",
    "incoming_email_to",
    "incoming_email_cc",
    "message_id",
    "message_type",
    "date",
    "write_date",
    KEY,
];

const SENT: &str = "email_outgoing";
const RECEIVED: &str = "email";

/// A row.
#[derive(Deserialize)]
pub(in crate::crm::odoo) struct EmailRow {
    id: i64,
    #[serde(deserialize_with = "value::instant")]
    write_date: DateTime<Utc>,
    #[serde(default, deserialize_with = "value::string")]
    x_holdfast_key: Option<String>,
    #[serde(default, deserialize_with = "value::text")]
    subject: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    body: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    email_from: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    incoming_email_to: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    incoming_email_cc: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    message_id: Content<String>,
    #[serde(default, deserialize_with = "value::string")]
    message_type: Option<String>,
    #[serde(default, deserialize_with = "value::maybe_instant")]
    date: Option<DateTime<Utc>>,
}

impl Row for EmailRow {
    const FORM: Form = Form::Mail;

    fn head(&self, _me: i64) -> Head {
        Head {
            id: self.id,
            modified: self.write_date,
            archived: false,
            key: self.x_holdfast_key.clone(),
            owner: None,
        }
    }

    fn record(self, _around: &Around) -> Option<Record> {
        let message_id = Some(self.message_id).filter(|id| !id.expose().is_empty());
        Some(Record::Email(Box::new(Email {
            message_id,
            direction: match self.message_type.as_deref() {
                Some(SENT) => Direction::Sent,
                _ => Direction::Received,
            },
            subject: self.subject,
            from: addresses(&self.email_from).into_iter().next(),
            to: addresses(&self.incoming_email_to),
            cc: addresses(&self.incoming_email_cc),
            bcc: Vec::new(),
            at: self.date.unwrap_or(self.write_date),
            text: html::to_text(&self.body),
            html: self.body,
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

/// The addresses of a list such as `"Ada" <ada@corp.example>, ben@out.example`, as [`list`] writes one.
fn addresses(text: &Content<String>) -> Vec<Person> {
    let parts = text.expose().split(',').filter_map(|part| {
        let part = part.trim();
        let address = part
            .rsplit_once('<')
            .map_or(part, |(_, rest)| rest.trim_end_matches('>'));
        address.contains('@').then(|| Person::at(address))
    });
    parts.collect()
}

/// People as a header names them. A name that would break the list is left out.
fn list<'a>(people: impl IntoIterator<Item = &'a Person>) -> String {
    let named = people.into_iter().map(|person| {
        let address = person.address.expose();
        match &person.name {
            Some(name) if is_plain(name.expose()) => format!("\"{}\" <{address}>", name.expose()),
            _ => address.clone(),
        }
    });
    named.collect::<Vec<_>>().join(", ")
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name
            .chars()
            .any(|c| c.is_control() || matches!(c, '"' | '\\' | ',' | '<' | '>'))
}

/// The cells of a mail, without what it is filed under.
pub(super) fn fill(sheet: &mut Sheet<'_>, email: &Email) {
    sheet.put_text("subject", email.subject.expose().as_str());
    sheet.put_text("body", body(email));
    sheet.put_text("email_from", list(&email.from));
    sheet.put_text("incoming_email_to", list(&email.to));
    sheet.put_text("incoming_email_cc", list(&email.cc));
    if let Some(id) = &email.message_id {
        sheet.put_text("message_id", id.expose().trim());
    }
    sheet.put_text("date", value::write_instant(email.at));
    let sent = email.direction == Direction::Sent && sheet.model.has_choice("message_type", SENT);
    sheet.put_text("message_type", if sent { SENT } else { RECEIVED });
}

fn body(email: &Email) -> String {
    if email.protection.is_some() {
        return String::new();
    }
    match email.html.expose().is_empty() {
        true => html::of_text(email.text.expose()),
        false => email.html.expose().clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_come_back_from_the_list_that_names_them() {
        let people = [
            Person {
                address: "ada@corp.example".into(),
                name: Some("Ada Lovelace".into()),
            },
            Person {
                address: "ben@out.example".into(),
                name: Some("Ben, \"the\" <builder>".into()),
            },
        ];
        let text = list(&people);
        assert_eq!(text, "\"Ada Lovelace\" <ada@corp.example>, ben@out.example");
        let keys: Vec<_> = addresses(&text.into()).iter().map(Person::key).collect();
        assert!(keys == [people[0].key(), people[1].key()]);
    }
}
