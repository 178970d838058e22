//! What the guard has to tell a person; shown like a failure, with its next step.

use crate::foundation::explain::{Explain, Kind};

/// Something that waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GuardNotice {
    /// Deletions are in quarantine.
    #[error("deletions wait for a person")]
    DeletionsHeld,
}

impl Explain for GuardNotice {
    fn kind(&self) -> Kind {
        match self {
            Self::DeletionsHeld => Kind::Conflict,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::DeletionsHeld => "sync.deletions_held",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::DeletionsHeld => "More was deleted than the policy lets pass unasked. `holdfast quarantine list` shows it; approve it or refuse it.".to_owned(),
        }
    }
}
