//! The refusal.

use super::permission::Permission;
use super::principal::Principal;
use crate::foundation::explain::{Explain, Kind};

/// Why a right was not granted.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The principal does not have it.
    #[error("not permitted")]
    NotPermitted {
        /// Who asked.
        principal: Principal,
        /// For what.
        permission: Permission,
    },
}

impl Explain for AccessError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotPermitted { .. } => Kind::Refused,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotPermitted { .. } => "access.not_permitted",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::NotPermitted {
                principal,
                permission,
            } => format!(
                "{} may not {}. Use the command line on the appliance for it.",
                principal.title(),
                permission.deed()
            ),
        }
    }
}
