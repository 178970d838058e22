//! What people wrote, or what tells of them, out of the lab's whole world.

use super::scan::SHORTEST;
use crate::harness::Site;
use serde_json::Value;
use std::collections::BTreeSet;

/// Fields of the CRM's objects that hold what people wrote or what tells of them.
const IN_CRM: [(&str, &[&str]); 9] = [
    ("Contact", PERSON),
    ("Lead", PERSON),
    ("Account", &["Name", "Website"]),
    ("Opportunity", &["Name"]),
    ("Case", &["Subject"]),
    ("Event", &["Subject", "Description", "Location"]),
    ("Task", &["Subject", "Description"]),
    (
        "EmailMessage",
        &[
            "Subject",
            "TextBody",
            "HtmlBody",
            "FromName",
            "FromAddress",
            "ToAddress",
            "CcAddress",
            "BccAddress",
            "MessageIdentifier",
        ],
    ),
    ("ContentVersion", &["Title", "PathOnClient", "Description"]),
];

const PERSON: &[&str] = &[
    "FirstName",
    "LastName",
    "Name",
    "Company",
    "Title",
    "Department",
    "Email",
    "Phone",
    "MobilePhone",
    "HomePhone",
    "Fax",
    "MailingStreet",
    "MailingCity",
    "MailingState",
    "MailingPostalCode",
    "MailingCountry",
    "Street",
    "City",
    "PostalCode",
    "Country",
    "Description",
];

/// Properties of Exchange's items of the same sort. Numbers, times, flags and words of the schema are not.
const IN_EXCHANGE: &[&str] = &[
    "item:Subject",
    "item:Body",
    "item:Categories",
    "item:InReplyTo",
    "message:From",
    "message:Sender",
    "message:ToRecipients",
    "message:CcRecipients",
    "message:BccRecipients",
    "message:ReplyTo",
    "message:InternetMessageId",
    "message:References",
    "message:ConversationTopic",
    "calendar:Location",
    "calendar:Organizer",
    "calendar:RequiredAttendees",
    "calendar:OptionalAttendees",
    "contacts:FileAs",
    "contacts:DisplayName",
    "contacts:GivenName",
    "contacts:Surname",
    "contacts:CompanyName",
    "contacts:Department",
    "contacts:JobTitle",
    "contacts:Notes",
    "task:Owner",
];

/// Within a property: words of the schema.
const WORDS: &[&str] = &["response", "answered", "routing", "html"];

/// All of it, piece by piece: what stands between tags, separators of lists and ends of lines.
pub fn world_texts(site: &Site) -> BTreeSet<String> {
    let world = site.control("GET", "/world", b"");
    let mut texts = BTreeSet::new();
    for (object, fields) in IN_CRM {
        for row in world["salesforce"][object].as_array().unwrap() {
            fields
                .iter()
                .for_each(|field| pieces_of(&row[*field], &mut texts));
        }
    }
    for mailbox in world["exchange"].as_array().unwrap() {
        for item in mailbox["items"].as_array().unwrap() {
            let fields = IN_EXCHANGE.iter().map(|field| &item["fields"][*field]);
            fields
                .chain([&item["entries"], &item["files"]])
                .for_each(|value| pieces_of(value, &mut texts));
        }
    }
    texts
}

fn pieces_of(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let pieces = text.split(|c: char| "<>;\r\n\t".contains(c)).map(str::trim);
            texts.extend(pieces.filter(|piece| piece.len() >= SHORTEST).map(str::to_owned));
        }
        Value::Array(all) => all.iter().for_each(|one| pieces_of(one, texts)),
        Value::Object(all) => {
            let inner = all.iter().filter(|(name, _)| !WORDS.contains(&name.as_str()));
            inner.for_each(|(_, one)| pieces_of(one, texts));
        }
        _ => {}
    }
}
