//! Holdfast keeps Exchange mailboxes and a CRM in step, inside the customer's network.
//!
//! The rooms, in reading order:

pub mod appliance;
pub mod crm;
pub mod foundation;
pub mod mailbox;
pub mod record;
pub mod sync;
