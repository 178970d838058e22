//! The CRM's side of the house: the port that the engine sees, and the connectors behind it.
//!
//! The mirror of [`mailbox`](crate::mailbox). A CRM keeps records of its own kinds; the connector decides
//! which of them a meeting, a contact, a task or a mail becomes, and says by [`model::CrmCapabilities`] what
//! it cannot hold, so that the engine brings both sides to a common form before it compares them.

pub mod budget;
pub mod error;
pub mod filing;
pub mod known;
pub mod model;
pub mod news;
pub mod odoo;
pub mod port;
pub mod salesforce;
pub mod seen;
pub mod settled;
pub mod task_form;
