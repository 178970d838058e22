//! What every room may use. Foundation knows no domain: no meeting, no mailbox, no CRM.

pub mod content;
pub mod explain;
pub mod failure;
pub mod ids;
