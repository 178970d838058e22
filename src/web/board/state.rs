//! The states of a stream, in order of concern; the worst of its streams is a mailbox's state.

use serde::Serialize;

/// How a stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamState {
    /// An operator stopped the mailbox.
    Paused,
    /// Both sides say the same, as of the last turn.
    InStep,
    /// The mailbox is being read for the first time.
    Reading,
    /// Due for minutes, and nobody works on it.
    Late,
    /// The CRM's calls are used up, or down to the reserve for people.
    Waiting,
    /// The last turn failed; it is tried again by itself.
    Retrying,
    /// Turn after turn failed.
    Stopped,
    /// A counterpart does not let us in.
    Refused,
}

impl StreamState {
    /// Every state, in order.
    pub const ALL: [Self; 8] = [
        Self::Paused,
        Self::InStep,
        Self::Reading,
        Self::Late,
        Self::Waiting,
        Self::Retrying,
        Self::Stopped,
        Self::Refused,
    ];

    /// By its place in the order, as the SQL computes it.
    pub(super) fn from_rank(rank: i32) -> Self {
        usize::try_from(rank)
            .ok()
            .and_then(|rank| Self::ALL.get(rank).copied())
            .unwrap_or(Self::Refused)
    }

    /// The place in the order.
    pub(super) fn rank(self) -> i32 {
        self as i32
    }

    /// The word in addresses, JSON and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::InStep => "in_step",
            Self::Reading => "reading",
            Self::Late => "late",
            Self::Waiting => "waiting",
            Self::Retrying => "retrying",
            Self::Stopped => "stopped",
            Self::Refused => "refused",
        }
    }

    /// The inverse of [`word`](Self::word).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// The words for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Paused => "Paused",
            Self::InStep => "In step",
            Self::Reading => "First reading",
            Self::Late => "Late",
            Self::Waiting => "Waiting for the CRM's budget",
            Self::Retrying => "Trying again",
            Self::Stopped => "Stopped",
            Self::Refused => "Not let in",
        }
    }

    /// What colour may say beside the word: nothing, at work, a person is needed, broken now.
    pub fn tone(self) -> &'static str {
        match self {
            Self::Paused => "quiet",
            Self::InStep => "good",
            Self::Reading => "work",
            Self::Late | Self::Waiting | Self::Retrying => "attention",
            Self::Stopped | Self::Refused => "broken",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_and_word_lead_back_to_the_state() {
        for state in StreamState::ALL {
            assert_eq!(StreamState::from_rank(state.rank()), state);
            assert_eq!(StreamState::from_word(state.word()), Some(state));
        }
    }
}
