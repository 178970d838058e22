//! What mail alone has.
//!
//! Source: "Message (Exchange Web Services)" and "Mailbox" in the EWS reference.

use super::scalar::{flag, instant};
use super::xml::{Document, Ns, XmlError};
use chrono::{DateTime, Utc};

/// A mailbox in an answer. `address` is not an SMTP address where the routing type is EX.
#[derive(Default)]
pub struct RawMailbox {
    /// Display name.
    pub name: String,
    /// Address.
    pub address: String,
    /// `Mailbox`, `PublicDL`, `PrivateDL`, `Contact`, `OneOff`, …; empty where the server does not say.
    pub kind: String,
}

impl RawMailbox {
    /// True for a list in the directory, whose members the server can be asked for.
    pub fn is_list(&self) -> bool {
        self.kind == "PublicDL"
    }
}

/// The properties of mail.
#[derive(Default)]
pub struct RawMessage {
    /// Message-ID with its angle brackets.
    pub message_id: String,
    /// Whose mail it is.
    pub from: Option<RawMailbox>,
    /// Who sent it, perhaps on another's behalf.
    pub sender: Option<RawMailbox>,
    /// To.
    pub to: Vec<RawMailbox>,
    /// Cc.
    pub cc: Vec<RawMailbox>,
    /// Bcc; in the sender's copy only.
    pub bcc: Vec<RawMailbox>,
    /// When it was sent.
    pub sent: Option<DateTime<Utc>>,
    /// When it arrived.
    pub received: Option<DateTime<Utc>>,
    /// True for a draft.
    pub is_draft: bool,
    /// The header References, as it was written.
    pub references: String,
    /// The header In-Reply-To, as it was written.
    pub in_reply_to: String,
}

impl RawMessage {
    /// Reads the element if it is one of these; false leaves it unread.
    ///
    /// # Errors
    /// The answer is damaged.
    pub fn read(&mut self, name: &str, doc: &mut Document<'_>) -> Result<bool, XmlError> {
        match name {
            "InternetMessageId" => self.message_id = doc.text()?,
            "From" => self.from = mailboxes(doc)?.pop(),
            "Sender" => self.sender = mailboxes(doc)?.pop(),
            "ToRecipients" => self.to = mailboxes(doc)?,
            "CcRecipients" => self.cc = mailboxes(doc)?,
            "BccRecipients" => self.bcc = mailboxes(doc)?,
            "DateTimeSent" => self.sent = instant(doc)?,
            "DateTimeReceived" => self.received = instant(doc)?,
            "IsDraft" => self.is_draft = flag(doc)?,
            "References" => self.references = doc.text()?,
            "InReplyTo" => self.in_reply_to = doc.text()?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Reads `Mailbox` children.
///
/// # Errors
/// The answer is damaged.
pub fn mailboxes(doc: &mut Document<'_>) -> Result<Vec<RawMailbox>, XmlError> {
    let mut found = Vec::new();
    while let Some(element) = doc.child()? {
        match element.key() {
            (Ns::Types, "Mailbox") => found.push(mailbox(doc)?),
            _ => doc.skip()?,
        }
    }
    Ok(found)
}

/// Reads the inside of one `Mailbox`.
///
/// # Errors
/// The answer is damaged.
pub fn mailbox(doc: &mut Document<'_>) -> Result<RawMailbox, XmlError> {
    let mut mailbox = RawMailbox::default();
    while let Some(element) = doc.child()? {
        match element.key() {
            (Ns::Types, "Name") => mailbox.name = doc.text()?,
            (Ns::Types, "EmailAddress") => mailbox.address = doc.text()?,
            (Ns::Types, "MailboxType") => mailbox.kind = doc.text()?,
            _ => doc.skip()?,
        }
    }
    Ok(mailbox)
}
