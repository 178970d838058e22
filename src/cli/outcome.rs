//! How a command ends: well, with something not in step, or with an error that says what to do.

use crate::access::AccessError;
use crate::app::AppError;
use crate::foundation::explain::{Explain, Kind};
use crate::foundation::keyring::KeyringError;
use crate::foundation::telemetry::logging::TelemetryError;
use crate::identity::IdentityError;
use crate::mailbox::model::AccountNameError;
use crate::service::ServiceError;
use crate::sync::error::SyncError;
use std::path::PathBuf;
use std::process::ExitCode;

/// A command that did what it was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// And all is well.
    Well,
    /// And found something that is not in step, or failed for some items.
    NotInStep,
}

impl Done {
    /// 0 or 1.
    pub fn code(self) -> ExitCode {
        match self {
            Self::Well => ExitCode::SUCCESS,
            Self::NotInStep => ExitCode::from(1),
        }
    }
}

/// A command that could not do it.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Something could not be opened.
    #[error(transparent)]
    App(#[from] AppError),
    /// The engine.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// The keyring.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// A right.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Codes and sessions.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The daemon.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The log.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// No threads to run on.
    #[error("the runtime could not start")]
    Runtime(#[source] std::io::Error),
    /// An input file, or standard input.
    #[error("an input cannot be read")]
    Input {
        /// Its name.
        name: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A list of mailboxes that is no such list.
    #[error("a list of mailboxes is malformed")]
    List {
        /// The file.
        name: PathBuf,
        /// Line and reason.
        #[source]
        source: csv::Error,
    },
    /// A policy file that is no policy; `reason` is the parser's, with its place.
    #[error("a policy file is malformed")]
    PolicyFile {
        /// The file.
        name: PathBuf,
        /// What the parser said.
        reason: String,
    },
    /// A secret of a name that no connection asks for.
    #[error("no connection asks for this secret")]
    UnknownSecret {
        /// As typed.
        name: String,
        /// The names that the settings ask for.
        known: Vec<String>,
    },
    /// An empty secret.
    #[error("the secret is empty")]
    EmptySecret,
    /// An account's name that cannot be one.
    #[error("an account's name is malformed")]
    AccountName(#[from] AccountNameError),
    /// Which connection is meant cannot be guessed.
    #[error("several connections are configured")]
    WhichOne {
        /// The option to give.
        option: &'static str,
    },
    /// Neither side knows the item.
    #[error("neither side knows the item")]
    UnknownItem,
    /// No mailbox was named.
    #[error("no mailbox was named")]
    NoMailbox,
}

impl CliError {
    fn inner(&self) -> Option<&dyn Explain> {
        Some(match self {
            Self::App(error) => error,
            Self::Sync(error) => error,
            Self::Keyring(error) => error,
            Self::Access(error) => error,
            Self::Identity(error) => error,
            Self::Service(error) => error,
            Self::Telemetry(error) => error,
            _ => return None,
        })
    }

    /// 2 to 5, or 70.
    pub fn exit(&self) -> u8 {
        if matches!(self, Self::App(AppError::Settings(_))) {
            return 5;
        }
        match self.kind() {
            Kind::Refused => 3,
            Kind::Unavailable => 4,
            Kind::Invalid | Kind::NotFound | Kind::Conflict => 5,
            Kind::Internal => 70,
        }
    }
}

impl Explain for CliError {
    fn kind(&self) -> Kind {
        match (self.inner(), self) {
            (Some(inner), _) => inner.kind(),
            (None, Self::Runtime(_)) => Kind::Internal,
            (None, Self::UnknownItem) => Kind::NotFound,
            (None, _) => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match (self.inner(), self) {
            (Some(inner), _) => inner.code(),
            (None, Self::Runtime(_)) => "cli.runtime",
            (None, Self::Input { .. }) => "cli.input",
            (None, Self::List { .. }) => "cli.list",
            (None, Self::PolicyFile { .. }) => "cli.policy_file",
            (None, Self::UnknownSecret { .. }) => "cli.unknown_secret",
            (None, Self::EmptySecret) => "cli.empty_secret",
            (None, Self::AccountName(AccountNameError::Upn)) => "cli.not_a_upn",
            (None, Self::AccountName(AccountNameError::Sid)) => "cli.not_a_sid",
            (None, Self::WhichOne { .. }) => "cli.which_one",
            (None, Self::UnknownItem) => "cli.unknown_item",
            (None, _) => "cli.no_mailbox",
        }
    }

    fn sentence(&self) -> String {
        match (self.inner(), self) {
            (Some(inner), _) => inner.sentence(),
            (None, Self::Runtime(source)) => {
                format!("Holdfast could not start its threads ({source}). Check the limits of its user.")
            }
            (None, Self::Input { name, source }) => {
                format!("{} cannot be read ({source}). Check the name and its permissions.", name.display())
            }
            (None, Self::List { name, source }) => format!(
                "{} is not a list of mailboxes: {source}. It needs a header line with the columns address, mail_server, crm, crm_user, policy, upn, sid; only address is required.",
                name.display()
            ),
            (None, Self::PolicyFile { name, reason }) => format!(
                "{} is not a policy: {reason}. `holdfast policy show default` prints one to start from.",
                name.display()
            ),
            (None, Self::UnknownSecret { name, known }) => format!(
                "No connection asks for a secret named {name}. The settings ask for: {}.",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            ),
            (None, Self::EmptySecret) => {
                "The secret that came on standard input is empty. Nothing was stored.".to_owned()
            }
            (None, Self::AccountName(AccountNameError::Upn)) => "A user principal name looks like ada@corp.example. The directory knows it as the attribute userPrincipalName. Nothing was stored.".to_owned(),
            (None, Self::AccountName(AccountNameError::Sid)) => "A security identifier looks like S-1-5-21-1004336348-1177238915-682003330-512. The directory knows it as the attribute objectSid. Nothing was stored.".to_owned(),
            (None, Self::WhichOne { option }) => format!(
                "The settings do not have exactly one such connection, so Holdfast cannot choose. Name it with {option}."
            ),
            (None, Self::UnknownItem) => "Neither the mailbox nor the CRM knows an item with this id. Copy the id from `holdfast preview` or `holdfast failures`.".to_owned(),
            (None, _) => "No mailbox was named. Give one or more addresses, or --all.".to_owned(),
        }
    }
}
