//! What is synchronised, which way, by which rules. Versioned and stored as JSON; it is a setting, not content.

pub use super::conflict_rule::{ConflictRule, FieldRules};
use super::guard::limits::Guard;
pub use super::invitations::Invitations;
pub use super::mail_policy::{MailBody, MailPolicy, MatchRule, OnDemand};
pub use super::scope_policy::{CategoryRules, FolderRules, OutOfScope};
use crate::attachments::policy::AttachmentPolicy;
pub use crate::crm::task_form::TaskForm;
use crate::mailbox::folders::FolderChoices;
use crate::record::kind::RecordKind;
use serde::{Deserialize, Serialize};

/// Which way a record type goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// Not at all.
    Off,
    /// From the mailbox to the CRM.
    ToCrm,
    /// From the CRM to the mailbox.
    ToMailbox,
    /// Both ways.
    Both,
}

impl Flow {
    /// May changes of the mailbox reach the CRM?
    pub fn to_crm(self) -> bool {
        matches!(self, Self::ToCrm | Self::Both)
    }

    /// May changes of the CRM reach the mailbox?
    pub fn to_mailbox(self) -> bool {
        matches!(self, Self::ToMailbox | Self::Both)
    }
}

/// What becomes of the counterpart of a deleted record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deletion {
    /// It is deleted too (into the deleted items, into the recycle bin).
    Follow,
    /// It stays, and the two are no longer linked.
    Keep,
}

/// What every record type has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Common {
    /// Which way.
    pub flow: Flow,
    /// Who wins.
    pub conflict: ConflictRule,
    /// Deletions.
    pub deletion: Deletion,
    /// Fields with a conflict rule of their own.
    #[serde(default)]
    pub conflict_fields: FieldRules,
    /// What becomes of two that are linked when one of them takes part no more.
    #[serde(default)]
    pub out_of_scope: OutOfScope,
}

/// What becomes of private items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivateItems {
    /// They stay in the mailbox.
    Skip,
    /// The CRM learns when their owner is busy, and nothing else.
    Mask,
    /// They are synchronised and marked private.
    Full,
}

/// What becomes of series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeriesMode {
    /// Each date within the window is an event of its own in the CRM.
    Expand,
    /// They stay in the mailbox.
    Skip,
}

/// Series of meetings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesPolicy {
    /// What becomes of them.
    pub mode: SeriesMode,
    /// How many days ahead the dates of a series without an end are made; the window's end counts if it is
    /// nearer.
    pub endless_days: u32,
    /// The most dates of one series at a time, the earliest first.
    pub most: u32,
}

impl Default for SeriesPolicy {
    fn default() -> Self {
        Self {
            mode: SeriesMode::Expand,
            endless_days: 180,
            most: 400,
        }
    }
}

/// Calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarPolicy {
    /// Direction, conflict, deletion.
    pub common: Common,
    /// How many days back a meeting may have ended.
    pub past_days: u32,
    /// How many days ahead a meeting may begin.
    pub future_days: u32,
    /// Private items.
    pub private: PrivateItems,
    /// What people who are asked to meetings learn of what is done in the CRM.
    #[serde(default)]
    pub invitations: Invitations,
    /// Series; policies from before there were any have the defaults.
    #[serde(default)]
    pub series: SeriesPolicy,
    /// Which of them, by their categories in the mailbox.
    #[serde(default)]
    pub categories: CategoryRules,
    /// Which of them, by the folders that they lie in.
    #[serde(default)]
    pub folders: FolderRules,
}

/// Whether a stream that is read from its start asks before it makes anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoLive {
    /// What is alike is taken for the same, and what has no counterpart is made.
    #[default]
    Automatic,
    /// Only what is certainly the same is linked; the rest waits for a person.
    Ask,
}

/// Contacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactsPolicy {
    /// Direction, conflict, deletion.
    pub common: Common,
    /// Which of them, by their categories in the mailbox.
    #[serde(default)]
    pub categories: CategoryRules,
    /// Which of the user's own contacts in the CRM, by the id of a list there (of a list view, in Salesforce).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// Which of them, by the folders that they lie in.
    #[serde(default)]
    pub folders: FolderRules,
    /// Whether a reading from the start asks before it makes anything.
    #[serde(default)]
    pub go_live: GoLive,
}

/// Tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TasksPolicy {
    /// Direction, conflict, deletion.
    pub common: Common,
    /// What they are in a CRM that has them in two forms.
    #[serde(default)]
    pub form: TaskForm,
    /// Which of them, by their categories in the mailbox.
    #[serde(default)]
    pub categories: CategoryRules,
    /// Which of them, by the folders that they lie in.
    #[serde(default)]
    pub folders: FolderRules,
    /// Whether a reading from the start asks before it makes anything.
    #[serde(default)]
    pub go_live: GoLive,
}

/// What becomes of an item whose record has got another owner in the CRM. It is never deleted: the new owner's
/// own mailbox, where it is synchronised, gets the record from the CRM by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reassigned {
    /// It stays in the mailbox and goes its own way.
    #[default]
    Unlink,
    /// It stays linked: its changes go to the record as far as the user may still change it.
    Keep,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Calendar.
    pub calendar: CalendarPolicy,
    /// Contacts.
    pub contacts: ContactsPolicy,
    /// Tasks.
    pub tasks: TasksPolicy,
    /// Mail.
    pub mail: MailPolicy,
    /// From how many deletions on a person is asked.
    #[serde(default)]
    pub guard: Guard,
    /// Records that get another owner in the CRM.
    #[serde(default)]
    pub reassigned: Reassigned,
    /// Attachments of all of them.
    #[serde(default)]
    pub attachments: AttachmentPolicy,
}

impl Default for Policy {
    fn default() -> Self {
        let common = Common {
            flow: Flow::Both,
            conflict: ConflictRule::MergeByField,
            deletion: Deletion::Follow,
            conflict_fields: FieldRules::default(),
            out_of_scope: OutOfScope::default(),
        };
        Self {
            calendar: CalendarPolicy {
                common,
                past_days: 90,
                future_days: 365,
                private: PrivateItems::Skip,
                invitations: Invitations::default(),
                series: SeriesPolicy::default(),
                categories: CategoryRules::default(),
                folders: FolderRules::default(),
            },
            contacts: ContactsPolicy {
                common,
                categories: CategoryRules::default(),
                list: None,
                folders: FolderRules::default(),
                go_live: GoLive::default(),
            },
            tasks: TasksPolicy {
                common,
                form: TaskForm::default(),
                categories: CategoryRules::default(),
                folders: FolderRules::default(),
                go_live: GoLive::default(),
            },
            mail: MailPolicy::default(),
            guard: Guard::default(),
            reassigned: Reassigned::default(),
            attachments: AttachmentPolicy::default(),
        }
    }
}

impl Policy {
    /// Which folders take part; `None` for mail, whose folders are not chosen so.
    pub fn folders(&self, kind: RecordKind) -> Option<&FolderRules> {
        match kind {
            RecordKind::Calendar => Some(&self.calendar.folders),
            RecordKind::Contacts => Some(&self.contacts.folders),
            RecordKind::Tasks => Some(&self.tasks.folders),
            RecordKind::Mail => None,
        }
    }

    /// The same for all of them, in the words of the port.
    pub fn folder_choices(&self) -> FolderChoices {
        FolderChoices {
            calendar: self.calendar.folders.choice(),
            contacts: self.contacts.folders.choice(),
            tasks: self.tasks.folders.choice(),
        }
    }

    /// True where a stream of this type that is read from its start asks before it makes anything. Mail is never alike to
    /// anything, and of meetings each copy has the same key.
    pub fn asks(&self, kind: RecordKind) -> bool {
        let go_live = match kind {
            RecordKind::Contacts => self.contacts.go_live,
            RecordKind::Tasks => self.tasks.go_live,
            RecordKind::Calendar | RecordKind::Mail => GoLive::Automatic,
        };
        go_live == GoLive::Ask
    }

    /// What applies to every record type.
    pub fn common(&self, kind: RecordKind) -> Common {
        match kind {
            RecordKind::Calendar => self.calendar.common,
            RecordKind::Contacts => self.contacts.common,
            RecordKind::Tasks => self.tasks.common,
            RecordKind::Mail => Common {
                flow: if self.mail.enabled { Flow::ToCrm } else { Flow::Off },
                conflict: ConflictRule::MailboxWins,
                deletion: Deletion::Keep,
                conflict_fields: FieldRules::default(),
                // What was saved stays.
                out_of_scope: OutOfScope::Keep,
            },
        }
    }
}
