//! Failures whose time has come.

use crate::crm::model::CrmId;
use crate::mailbox::model::ItemId;
use crate::sync::model::Side;
use crate::sync::store::outcome::Due;

/// The mailbox's items among failures that are due.
pub fn due_items(failures: &[Due]) -> Vec<ItemId> {
    failures
        .iter()
        .filter(|failure| failure.due && failure.side == Side::Mailbox)
        .filter_map(|failure| failure.item.clone())
        .collect()
}

/// The CRM's records among failures that are due.
pub fn due_records(failures: &[Due]) -> Vec<CrmId> {
    failures
        .iter()
        .filter(|failure| failure.due && failure.side == Side::Crm)
        .filter_map(|failure| failure.crm.clone())
        .collect()
}
