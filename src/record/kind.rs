//! The four record types.

use serde::{Deserialize, Serialize};

/// A record type; with a mailbox it names a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// Meetings and appointments.
    Calendar,
    /// People's cards.
    Contacts,
    /// Things to do.
    Tasks,
    /// Mail, received and sent.
    Mail,
}

impl RecordKind {
    /// All four, in the order in which a mailbox's first synchronisation runs: contacts first, so that
    /// meetings and mail find the people that they concern.
    pub const ALL: [Self; 4] = [Self::Contacts, Self::Calendar, Self::Tasks, Self::Mail];

    /// The number under which the database knows it.
    pub fn number(self) -> i16 {
        match self {
            Self::Calendar => 0,
            Self::Contacts => 1,
            Self::Tasks => 2,
            Self::Mail => 3,
        }
    }

    /// The inverse of [`number`](Self::number).
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The word in tables, logs and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Calendar => "calendar",
            Self::Contacts => "contacts",
            Self::Tasks => "tasks",
            Self::Mail => "mail",
        }
    }

    /// The inverse of [`word`](Self::word).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}
