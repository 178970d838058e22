//! Mail on its way into a mailbox, and what of it the CRM has in the end.

use super::Office;
use chrono::Utc;
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast_lab::cast::OutsiderKind;
use serde_json::Value;

/// What a letter says unless it is told otherwise.
pub const WORDS: &str = "The words of the letter.";

/// A letter before it is put into a mailbox.
pub struct Letter {
    from: String,
    to: String,
    number: u32,
    head: String,
    body: String,
}

impl Letter {
    pub fn from(from: &str, to: &str) -> Self {
        Self {
            from: from.to_owned(),
            to: to.to_owned(),
            number: 1,
            head: String::new(),
            body: format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{WORDS}\r\n"),
        }
    }

    pub fn number(self, number: u32) -> Self {
        Self { number, ..self }
    }

    /// With this line more at its head.
    pub fn head(self, line: &str) -> Self {
        let head = format!("{}{line}\r\n", self.head);
        Self { head, ..self }
    }

    /// With this media type and body instead of a plain text.
    pub fn body(self, body: &str) -> Self {
        let body = body.to_owned();
        Self { body, ..self }
    }

    fn text(&self) -> String {
        let date = match self.head.contains("Date: ") {
            true => String::new(),
            false => format!("Date: {}\r\n", Utc::now().to_rfc2822()),
        };
        let id = match self.head.contains("Message-ID: ") {
            true => String::new(),
            false => format!("Message-ID: <letter-{}@lab.example>\r\n", self.number),
        };
        format!(
            "From: {}\r\nTo: {}\r\nSubject: Letter {}\r\n{id}{date}{}MIME-Version: 1.0\r\n{}",
            self.from, self.to, self.number, self.head, self.body
        )
    }

    /// Lets it lie in the inbox; gives its id.
    pub fn arrive(&self, office: &Office, row: &MailboxRow) -> String {
        let exchange = &office.lab.parts.exchange;
        let text = self.text().into_bytes().into();
        exchange.import_eml(&row.mailbox.address, "inbox", text).unwrap()
    }
}

/// Mails in the CRM that are not deleted.
pub fn saved(office: &Office) -> Vec<Value> {
    let content = office.lab.parts.salesforce.content();
    let rows = content["EmailMessage"].as_array().unwrap().clone();
    rows.into_iter().filter(|row| row["IsDeleted"] != true).collect()
}

/// The ids of people whom a mail in the CRM is related to.
pub fn related(office: &Office, mail: &Value) -> Vec<String> {
    let content = office.lab.parts.salesforce.content();
    let rows = content["EmailMessageRelation"].as_array().unwrap().clone();
    let mut ids: Vec<String> = rows
        .iter()
        .filter(|row| row["IsDeleted"] != true && row["EmailMessageId"] == mail["Id"])
        .filter_map(|row| row["RelationId"].as_str().map(str::to_owned))
        .collect();
    ids.sort();
    ids
}

/// Somebody whom the CRM knows as a contact, or as a lead: address and record.
pub fn known(office: &Office, kind: OutsiderKind) -> (String, String) {
    let outsiders = &office.lab.cast.outsiders;
    let found = outsiders.iter().find(|one| one.kind == kind).unwrap();
    (found.email.clone(), found.sf_id.clone())
}

pub fn customer(office: &Office) -> String {
    known(office, OutsiderKind::Contact).0
}
