//! Why the daemon ended.

use crate::foundation::explain::{Explain, Kind};
use crate::web::error::WebError;

/// Why the daemon ended.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The page.
    #[error("the page failed")]
    Web(#[from] WebError),
    /// Signals cannot be listened to.
    #[error("signals cannot be received")]
    Signals(#[source] std::io::Error),
    /// A task panicked.
    #[error("a task of the daemon ended in the middle")]
    Task(#[source] tokio::task::JoinError),
}

impl Explain for ServiceError {
    fn kind(&self) -> Kind {
        match self {
            Self::Web(error) => error.kind(),
            Self::Signals(_) | Self::Task(_) => Kind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Web(error) => error.code(),
            Self::Signals(_) => "service.signals",
            Self::Task(_) => "service.task",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Web(error) => error.sentence(),
            Self::Signals(source) => {
                format!("Holdfast cannot receive signals ({source}). Report it; nothing was changed.")
            }
            Self::Task(source) => format!(
                "A part of Holdfast ended in the middle ({source}). What was not committed is repeated at the next start; report it."
            ),
        }
    }
}
