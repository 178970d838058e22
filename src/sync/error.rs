//! Why a turn, or a question about one, failed.

use crate::crm::error::CrmError;
use crate::foundation::db::DbError;
use crate::foundation::explain::{Explain, Kind};
use crate::foundation::failure::Class;
use crate::foundation::keyring::KeyringError;
use crate::mailbox::error::MailboxError;
use crate::record::kind::RecordKind;
use std::time::Duration;

/// A failed turn or a failed question. What the turn had committed before it failed stays committed.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The database.
    #[error("the database failed")]
    Database(#[from] DbError),
    /// The mail server, for the whole mailbox.
    #[error("the mail server failed")]
    Mailbox(#[from] MailboxError),
    /// The CRM, for the whole user.
    #[error("the CRM failed")]
    Crm(#[from] CrmError),
    /// The mailbox's key.
    #[error("the keyring failed")]
    Keyring(#[from] KeyringError),
    /// Another node has the stream now; what this one had not committed is dropped.
    #[error("the lease was lost")]
    LeaseLost,
    /// Another turn of the same stream is running.
    #[error("the stream is being synchronised elsewhere")]
    Leased,
    /// First readings have taken their share of the CRM's calls.
    #[error("first readings have taken their share of the CRM's calls")]
    BackfillWaits {
        /// Until calls may be there again.
        wait: Duration,
    },
    /// No mailbox with this address.
    #[error("there is no such mailbox here")]
    UnknownMailbox,
    /// No failure of this number.
    #[error("there is no such failure")]
    UnknownFailure,
    /// The CRM turned out to be another organisation in the middle of a turn.
    #[error("the CRM is another organisation now")]
    OrganisationChanged,
    /// The mailbox is paused.
    #[error("the mailbox is paused")]
    Paused,
    /// The stored policy does not parse: it was written by another version.
    #[error("a stored policy cannot be read")]
    PolicyUnreadable(#[source] serde_json::Error),
    /// A policy chooses no folder of a record type that it synchronises.
    #[error("a policy chooses no folder")]
    NoFolders {
        /// Which type.
        kind: RecordKind,
    },
    /// No policy of this name.
    #[error("there is no such policy")]
    UnknownPolicy,
    /// The mailbox names a mail server or a CRM that the settings do not have.
    #[error("a connection is not configured")]
    NotConfigured {
        /// The name in the mailbox's row, such as `mail_server.main`.
        name: String,
    },
}

impl From<diesel::result::Error> for SyncError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(DbError::from(error))
    }
}

impl SyncError {
    /// What it means for the stream's next turn.
    pub fn class(&self) -> Class {
        match self {
            Self::Database(error) => error.class(),
            Self::Mailbox(error) => error.class(),
            Self::Crm(error) => error.class(),
            Self::BackfillWaits { wait } => Class::Throttled { wait: *wait },
            Self::OrganisationChanged => Class::CursorLost,
            Self::LeaseLost | Self::Leased => Class::Again,
            Self::Keyring(_) | Self::Paused | Self::UnknownMailbox | Self::UnknownPolicy => Class::Refused,
            Self::UnknownFailure
            | Self::PolicyUnreadable(_)
            | Self::NoFolders { .. }
            | Self::NotConfigured { .. } => Class::Refused,
        }
    }
}

impl Explain for SyncError {
    fn kind(&self) -> Kind {
        match self {
            Self::Database(error) => error.kind(),
            Self::Mailbox(error) => error.kind(),
            Self::Crm(error) => error.kind(),
            Self::Keyring(error) => error.kind(),
            Self::BackfillWaits { .. } => Kind::Unavailable,
            Self::LeaseLost | Self::Leased | Self::Paused | Self::OrganisationChanged => Kind::Conflict,
            Self::UnknownMailbox | Self::UnknownPolicy | Self::UnknownFailure => Kind::NotFound,
            Self::PolicyUnreadable(_) | Self::NoFolders { .. } | Self::NotConfigured { .. } => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Database(error) => error.code(),
            Self::Mailbox(error) => error.code(),
            Self::Crm(error) => error.code(),
            Self::Keyring(error) => error.code(),
            Self::LeaseLost => "sync.lease_lost",
            Self::Leased => "sync.leased",
            Self::BackfillWaits { .. } => "sync.backfill_waits",
            Self::UnknownMailbox => "sync.unknown_mailbox",
            Self::UnknownFailure => "sync.unknown_failure",
            Self::OrganisationChanged => "sync.organisation_changed",
            Self::Paused => "sync.paused",
            Self::PolicyUnreadable(_) => "sync.policy_unreadable",
            Self::NoFolders { .. } => "sync.no_folders",
            Self::UnknownPolicy => "sync.unknown_policy",
            Self::NotConfigured { .. } => "sync.not_configured",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Database(error) => error.sentence(),
            Self::Mailbox(error) => error.sentence(),
            Self::Crm(error) => error.sentence(),
            Self::Keyring(error) => error.sentence(),
            Self::LeaseLost => "Another node has taken this stream over. Nothing to do.".to_owned(),
            Self::Leased => "This stream is being synchronised by another process right now. Wait for it to finish, then try again.".to_owned(),
            Self::BackfillWaits { .. } => "First readings have taken their share of the CRM's calls of a day (backfill_call_percent of the CRM's section). They go on by themselves; what people do crosses meanwhile.".to_owned(),
            Self::UnknownMailbox => "Holdfast knows no mailbox with this address. `holdfast mailbox list` shows all; `holdfast mailbox add` adds one.".to_owned(),
            Self::UnknownFailure => "There is no failure of this number; what failed may have been carried out meanwhile. `holdfast failures` lists those that there are.".to_owned(),
            Self::OrganisationChanged => "The CRM is another organisation than at the last turn: a sandbox that was refreshed, say. Nothing to do; the next turn joins its records again.".to_owned(),
            Self::Paused => "The mailbox is paused. `holdfast mailbox resume ADDRESS` lets it go on.".to_owned(),
            Self::PolicyUnreadable(source) => format!("A stored policy cannot be read: {source}. Set it again with `holdfast policy set`."),
            Self::NoFolders { kind } => {
                let kind = kind.word();
                format!("The policy was not stored: {kind}.folders leaves the default folder out and names no other, so nothing of {kind} would take part. Name one in {kind}.folders.also, or switch the record type off with {kind}.common.flow.")
            }
            Self::UnknownPolicy => "There is no policy of this name. `holdfast policy show` lists all; `holdfast policy set NAME FILE` makes one.".to_owned(),
            Self::NotConfigured { name } => format!("The settings have no [{name}]. Add it to the settings file, or move the mailbox to one that exists."),
        }
    }
}
