//! Why somebody was not let in.

use crate::foundation::db::DbError;
use crate::foundation::explain::{Explain, Kind};
use std::time::Duration;

/// A failed sign-in.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The code is unknown, used, or too old. Which of these is not said: it would help to guess.
    #[error("the sign-in code is not valid")]
    CodeRefused,
    /// Too many codes were tried.
    #[error("too many tries")]
    TooManyTries {
        /// How long to wait.
        wait: Duration,
    },
    /// The system has no random numbers to give.
    #[error("no random numbers")]
    NoRandom,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<diesel::result::Error> for IdentityError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Explain for IdentityError {
    fn kind(&self) -> Kind {
        match self {
            Self::CodeRefused | Self::TooManyTries { .. } => Kind::Refused,
            Self::NoRandom => Kind::Internal,
            Self::Database(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::CodeRefused => "identity.code_refused",
            Self::TooManyTries { .. } => "identity.too_many_tries",
            Self::NoRandom => "identity.no_random",
            Self::Database(error) => error.code(),
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::CodeRefused => "This code is not valid. A code works once and for fifteen minutes; \
                 `holdfast code` on the appliance prints a fresh one."
                .into(),
            Self::TooManyTries { wait } => format!(
                "Too many codes were tried. Wait {} seconds, then try again with a fresh code from \
                 `holdfast code`.",
                wait.as_secs().max(1)
            ),
            Self::NoRandom => "The system gave no random numbers, so nobody can be let in. Restart the \
                 machine; if it stays, report it."
                .into(),
            Self::Database(error) => error.sentence(),
        }
    }
}
