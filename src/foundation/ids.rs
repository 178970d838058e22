//! Identifiers as types, so that one cannot be taken for another.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The appliance's own number of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MailboxId(pub i32);

impl fmt::Display for MailboxId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}
