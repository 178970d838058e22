//! What a failure of the outside world means to whoever must decide about a second try.

use std::time::Duration;

/// The class of a failure at a port. Vendor codes are mapped to it inside the connector, by table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A passing fault: try again with back-off.
    Again,
    /// The other side asked for patience; do not call before this much time has passed.
    Throttled {
        /// The wait that was asked for, or the connector's default.
        wait: Duration,
    },
    /// The sign-in is no longer good; a person or an administrator must renew it.
    SignInExpired,
    /// The item is not there any more.
    Gone,
    /// The item changed under our hands: read it again, then decide again.
    Conflict,
    /// The change feed cannot be continued from this cursor: read everything again.
    CursorLost,
    /// The other side will not do this for this user or with this value; trying again unchanged is useless.
    Refused,
    /// The answer makes no sense, or we asked nonsense: a fault for the developers.
    Broken,
}

impl Class {
    /// The word that is stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Again => "again",
            Self::Throttled { .. } => "throttled",
            Self::SignInExpired => "sign_in_expired",
            Self::Gone => "gone",
            Self::Conflict => "conflict",
            Self::CursorLost => "cursor_lost",
            Self::Refused => "refused",
            Self::Broken => "broken",
        }
    }

    /// True where the whole turn must stop, not just one item: nothing else would succeed either.
    pub fn stops_the_turn(self) -> bool {
        matches!(
            self,
            Self::Throttled { .. } | Self::SignInExpired | Self::CursorLost
        )
    }
}
