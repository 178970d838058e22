//! What is to be said of an item that is on both sides, and not there as a whole. Codes with a number; never who.

use super::guests::Guests;
use serde::Serialize;

/// Something to say. The words are stored and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// So many people whom the CRM knows are beyond what it links to one meeting.
    AttendeesLeftOut,
    /// So many the CRM refused to link.
    AttendeesRefused,
    /// So many distribution lists are not taken apart.
    GroupsUnexpanded,
}

impl Note {
    /// Every note.
    pub const ALL: [Self; 3] = [
        Self::AttendeesLeftOut,
        Self::AttendeesRefused,
        Self::GroupsUnexpanded,
    ];

    /// What is to be said of a meeting with these people.
    pub fn of(guests: &Guests) -> Vec<(Self, u32)> {
        let notes = [
            (Self::AttendeesLeftOut, guests.left_out),
            (Self::GroupsUnexpanded, guests.hidden),
        ];
        let said = notes.into_iter().filter(|(_, count)| *count > 0);
        said.map(|(note, count)| (note, u32::try_from(count).unwrap_or(u32::MAX)))
            .collect()
    }

    /// The stored word.
    pub fn word(self) -> &'static str {
        match self {
            Self::AttendeesLeftOut => "attendees_left_out",
            Self::AttendeesRefused => "attendees_refused",
            Self::GroupsUnexpanded => "groups_unexpanded",
        }
    }

    /// The inverse of [`word`](Self::word).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|note| note.word() == word)
    }

    /// The note as a sentence that follows its number.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::AttendeesLeftOut => {
                "attendees are beyond what the CRM links to one meeting; they stay in the mailbox's meeting alone."
            }
            Self::AttendeesRefused => {
                "attendees the CRM refused to link to the record; they stay in the mailbox's meeting alone. Look whether the user may see these people in the CRM."
            }
            Self::GroupsUnexpanded => {
                "distribution lists the mail server does not take apart (hidden membership, too many members, or no such list); they stay in the mailbox's meeting as they are."
            }
        }
    }
}
