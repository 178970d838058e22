//! A mail, received or sent. Mail goes one way, from the mailbox to the CRM, and never changes afterwards.

use super::event::Sensitivity;
use super::person::Person;
use crate::foundation::content::Content;
use chrono::{DateTime, Utc};

/// Which way it went, seen from the mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It arrived.
    Received,
    /// Its owner sent it.
    Sent,
}

/// Why a body must not be read by anybody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// S/MIME, signed or encrypted: the visible body is not the message.
    Smime,
    /// Information rights management.
    Rights,
}

/// A mail.
#[derive(Clone, PartialEq)]
pub struct Email {
    /// The Message-ID with its angle brackets (RFC 5322 section 3.6.4); `None` where the mail has none.
    pub message_id: Option<Content<String>>,
    /// Which way.
    pub direction: Direction,
    /// Title.
    pub subject: Content<String>,
    /// From.
    pub from: Option<Person>,
    /// To.
    pub to: Vec<Person>,
    /// Cc.
    pub cc: Vec<Person>,
    /// Bcc; known on sent mail only.
    pub bcc: Vec<Person>,
    /// When it was sent, or else when it arrived.
    pub at: DateTime<Utc>,
    /// The body as plain text; empty where there is only HTML.
    pub text: Content<String>,
    /// The body as HTML; empty where there is only text.
    pub html: Content<String>,
    /// Sensitivity as its sender set it.
    pub sensitivity: Sensitivity,
    /// Set where the body is not ours to copy.
    pub protection: Option<Protection>,
    /// True for a draft: not a mail yet.
    pub is_draft: bool,
    /// True for what is not a mail between people: meeting messages, reports, notices of delivery.
    pub is_report: bool,
    /// Attachments that are not part of the body.
    pub attachments: u32,
    /// The Message-IDs of the mails before it in its thread, the nearest last.
    pub references: Vec<Content<String>>,
    /// Categories that its owner gave it.
    pub categories: Vec<Content<String>>,
    /// True where it lies in a folder for mail that is to be saved.
    pub dropped: bool,
}
