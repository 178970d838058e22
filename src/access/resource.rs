//! What a right is asked for.

use crate::foundation::ids::MailboxId;

/// Something that can be looked at or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// The whole appliance, every mailbox in it included.
    Appliance,
    /// One mailbox.
    Mailbox(MailboxId),
}
