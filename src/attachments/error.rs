//! Why an attachment could not be carried.

use crate::crm::error::CrmError;
use crate::foundation::db::DbError;
use crate::foundation::explain::{Explain, Kind};
use crate::foundation::failure::Class;
use crate::mailbox::error::MailboxError;

/// A failure of one attachment, or of a side.
#[derive(Debug, thiserror::Error)]
pub enum AttachmentError {
    /// The mail server.
    #[error("the mail server failed")]
    Mailbox(#[from] MailboxError),
    /// The CRM.
    #[error("the CRM failed")]
    Crm(#[from] CrmError),
    /// The database.
    #[error("the database failed")]
    Database(#[from] DbError),
    /// Its bytes were others when they were read again.
    #[error("the attachment changed while it was read")]
    Changed,
    /// Another turn is sending the same content at this moment.
    #[error("the same content is being stored by another turn")]
    Elsewhere,
}

impl From<diesel::result::Error> for AttachmentError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(DbError::from(error))
    }
}

impl AttachmentError {
    /// What it means for a second try.
    pub fn class(&self) -> Class {
        match self {
            Self::Mailbox(error) => error.class(),
            Self::Crm(error) => error.class(),
            Self::Database(_) | Self::Changed | Self::Elsewhere => Class::Again,
        }
    }
}

impl Explain for AttachmentError {
    fn kind(&self) -> Kind {
        match self {
            Self::Mailbox(error) => error.kind(),
            Self::Crm(error) => error.kind(),
            Self::Database(error) => error.kind(),
            Self::Changed | Self::Elsewhere => Kind::Conflict,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Mailbox(error) => error.code(),
            Self::Crm(error) => error.code(),
            Self::Database(error) => error.code(),
            Self::Changed => "attachments.changed",
            Self::Elsewhere => "attachments.elsewhere",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Mailbox(error) => error.sentence(),
            Self::Crm(error) => error.sentence(),
            Self::Database(error) => error.sentence(),
            Self::Changed => "The attachment was changed in the mailbox while it was read. Holdfast tries again by itself.".to_owned(),
            Self::Elsewhere => "Another mailbox's turn is storing the same content at this moment. Holdfast links it when it is there.".to_owned(),
        }
    }
}
