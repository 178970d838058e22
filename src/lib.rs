//! Holdfast keeps Exchange mailboxes and a CRM in step, inside the customer's network.

pub mod foundation;
