//! The guard's thresholds, as they stand in a policy.

use crate::record::kind::RecordKind;
use serde::{Deserialize, Serialize};

/// From how many deletions on a person is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Up to so many within the period are carried out, whatever their share.
    pub more_than: u32,
    /// Up to this share of the stream's links is carried out, however many they are.
    pub percent: u32,
}

/// One record type's limits, by where the deletions would be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// In the CRM.
    pub in_crm: Limit,
    /// In the mailbox.
    pub in_mailbox: Limit,
}

impl Default for Limits {
    fn default() -> Self {
        let limit = Limit {
            more_than: 20,
            percent: 10,
        };
        Self {
            in_crm: limit,
            in_mailbox: limit,
        }
    }
}

/// The deletion guard of a policy. Mail has none: it is never deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Guard {
    /// The rolling period over which deletions are counted.
    pub period_hours: u32,
    /// Calendar.
    pub calendar: Limits,
    /// Contacts.
    pub contacts: Limits,
    /// Tasks.
    pub tasks: Limits,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            period_hours: 24,
            calendar: Limits::default(),
            contacts: Limits::default(),
            tasks: Limits::default(),
        }
    }
}

impl Guard {
    /// The limits of a record type; `None` for mail.
    pub fn of(&self, kind: RecordKind) -> Option<Limits> {
        match kind {
            RecordKind::Calendar => Some(self.calendar),
            RecordKind::Contacts => Some(self.contacts),
            RecordKind::Tasks => Some(self.tasks),
            RecordKind::Mail => None,
        }
    }
}
