//! The neutral language: what a meeting, a contact, a task, a mail *is*, whoever keeps it.
//!
//! Connectors translate into and out of these types; the engine compares them and never learns how a vendor
//! spells a field. Everything here is pure: no clock, no network, no database. Whatever a person could read
//! is [`Content`](crate::foundation::content::Content); the rest are facts that rules need (times, flags).
//!
//! Two sides rarely hold the same shape, so records are brought to *common form* before they are compared:
//! [`normalise`] trims what no side keeps and cuts what the narrower side cannot hold. [`field`] names the
//! parts that are compared and merged one by one.

pub mod recurrence;

pub mod contact;
pub mod email;
pub mod event;
pub mod field;
pub mod kind;
pub mod normalise;
pub mod person;
pub mod places;
pub mod task;

use self::kind::RecordKind;

/// One item, in memory, on its way.
#[derive(Clone, PartialEq)]
pub enum Record {
    /// A meeting or an appointment.
    Event(event::Event),
    /// A person's card.
    Contact(contact::Contact),
    /// Something to do.
    Task(task::Task),
    /// A mail, received or sent.
    Email(Box<email::Email>),
}

impl Record {
    /// Which stream the record belongs to.
    pub fn kind(&self) -> RecordKind {
        match self {
            Self::Event(_) => RecordKind::Calendar,
            Self::Contact(_) => RecordKind::Contacts,
            Self::Task(_) => RecordKind::Tasks,
            Self::Email(_) => RecordKind::Mail,
        }
    }
}
