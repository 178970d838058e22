//! How a mail server fails, in our words. Connectors map their vendor's codes to these by table.

use crate::foundation::explain::{Explain, Kind};
use crate::foundation::failure::Class;
use std::time::Duration;

/// A failure of the mail server, or of one item on it.
#[derive(Debug, thiserror::Error)]
pub enum MailboxError {
    /// The egress gate did not let us out, or the server could not be reached.
    #[error("the mail server could not be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer was cut, too large, not XML, a login page: `what` is one of a few fixed phrases.
    #[error("the mail server's answer could not be understood: {what}")]
    Unintelligible {
        /// Fixed words, never text from the answer.
        what: &'static str,
    },
    /// It asked for patience.
    #[error("the mail server is busy")]
    Busy {
        /// The wait that it asked for, or the connector's default.
        wait: Duration,
    },
    /// A fault that passes: fail-over, move in progress, time-out.
    #[error("the mail server has a passing fault: {code}")]
    Passing {
        /// The vendor's code.
        code: String,
    },
    /// The service account's name or password is wrong, expired or locked.
    #[error("the service account was not accepted")]
    SignInRefused {
        /// The vendor's code, where it gave one.
        code: Option<String>,
    },
    /// The service account may not act in this mailbox: it is outside the impersonation scope.
    #[error("the service account may not act in this mailbox")]
    OutsideScope,
    /// The service account may not impersonate at all.
    #[error("the service account may not impersonate")]
    MayNotImpersonate,
    /// No such mailbox.
    #[error("there is no such mailbox")]
    NoSuchMailbox,
    /// None of the folders that a stream is to read is there.
    #[error("none of the stream's folders is there")]
    NoSuchFolder,
    /// The item is not there any more.
    #[error("the item is gone")]
    Gone,
    /// The item has a newer version.
    #[error("the item changed meanwhile")]
    Conflict,
    /// The cursor is not accepted any more.
    #[error("the mail server does not accept the cursor any more")]
    CursorLost,
    /// It will not do this with this item.
    #[error("the mail server refused the item: {code}")]
    Refused {
        /// The vendor's code.
        code: String,
    },
    /// It says that we asked nonsense.
    #[error("the mail server rejected the request: {code}")]
    BadRequest {
        /// The vendor's code.
        code: String,
    },
}

impl MailboxError {
    /// What it means for a second try.
    pub fn class(&self) -> Class {
        match self {
            Self::Unreachable(_) | Self::Unintelligible { .. } | Self::Passing { .. } => Class::Again,
            Self::Busy { wait } => Class::Throttled { wait: *wait },
            Self::SignInRefused { .. }
            | Self::OutsideScope
            | Self::MayNotImpersonate
            | Self::NoSuchMailbox => Class::SignInExpired,
            Self::Gone => Class::Gone,
            Self::Conflict => Class::Conflict,
            Self::CursorLost => Class::CursorLost,
            Self::Refused { .. } | Self::NoSuchFolder => Class::Refused,
            Self::BadRequest { .. } => Class::Broken,
        }
    }
}

impl Explain for MailboxError {
    fn kind(&self) -> Kind {
        match self {
            Self::Unreachable(_) | Self::Unintelligible { .. } | Self::Busy { .. } | Self::Passing { .. } => {
                Kind::Unavailable
            }
            Self::SignInRefused { .. } | Self::OutsideScope | Self::MayNotImpersonate => Kind::Refused,
            Self::NoSuchMailbox | Self::NoSuchFolder | Self::Gone => Kind::NotFound,
            Self::Conflict | Self::CursorLost => Kind::Conflict,
            Self::Refused { .. } => Kind::Invalid,
            Self::BadRequest { .. } => Kind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "mailbox.unreachable",
            Self::Unintelligible { .. } => "mailbox.unintelligible",
            Self::Busy { .. } => "mailbox.busy",
            Self::Passing { .. } => "mailbox.passing_fault",
            Self::SignInRefused { .. } => "mailbox.sign_in_refused",
            Self::OutsideScope => "mailbox.outside_scope",
            Self::MayNotImpersonate => "mailbox.may_not_impersonate",
            Self::NoSuchMailbox => "mailbox.no_such_mailbox",
            Self::NoSuchFolder => "mailbox.no_such_folder",
            Self::Gone => "mailbox.gone",
            Self::Conflict => "mailbox.conflict",
            Self::CursorLost => "mailbox.cursor_lost",
            Self::Refused { .. } => "mailbox.refused",
            Self::BadRequest { .. } => "mailbox.bad_request",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Unreachable(source) => format!(
                "The mail server could not be reached: {source}. Check that it is up, that its address in the settings is right and that egress.allow lists it. Holdfast tries again by itself."
            ),
            Self::Unintelligible { what } => format!(
                "Something answered in the mail server's place, or its answer was damaged ({what}). Check that the address leads to EWS and not to a login or proxy page. Holdfast tries again by itself."
            ),
            Self::Busy { wait } => format!(
                "The mail server asks for patience; Holdfast waits {} seconds and goes on.",
                wait.as_secs()
            ),
            Self::Passing { code } => format!(
                "The mail server reported a passing fault ({code}). Holdfast tries again by itself; if it lasts for an hour, look at the server's health."
            ),
            Self::SignInRefused { code } => format!(
                "The mail server did not accept the service account's name and password{}. Set the right password with `holdfast secret set mail_server.NAME.password`, and check that the account is neither locked nor expired.",
                code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default()
            ),
            Self::OutsideScope => "The service account may not act in this mailbox: it is outside its impersonation scope. Widen the management scope of its ApplicationImpersonation role, or remove the mailbox here.".to_owned(),
            Self::MayNotImpersonate => "The service account may not act in other mailboxes at all. Assign it the ApplicationImpersonation role with a scope that covers these mailboxes.".to_owned(),
            Self::NoSuchMailbox => "The mail server knows no such mailbox. Check the address, and the account's name where one was given (`holdfast mailbox account`); if the person has moved, add the mailbox under its new address.".to_owned(),
            Self::NoSuchFolder => "The mailbox has none of the folders that the policy names for this record type (`folders.also`). Have its owner make one, of the right kind, or correct the names in the policy. Nothing was changed; Holdfast goes on by itself when one is there.".to_owned(),
            Self::Gone => "The item was removed from the mailbox meanwhile. Nothing to do.".to_owned(),
            Self::Conflict => "The item was changed in the mailbox at the same moment. Holdfast reads it again and decides anew.".to_owned(),
            Self::CursorLost => "The mail server does not remember where we stood. Holdfast reads the stream again from the start and matches what it knows; nothing is doubled.".to_owned(),
            Self::Refused { code } => format!(
                "The mail server refused this item ({code}). Open the item in the mailbox, correct it, and Holdfast takes it up at its next change."
            ),
            Self::BadRequest { code } => format!(
                "The mail server rejected our request ({code}). This is a fault in Holdfast: report it with this code."
            ),
        }
    }
}
