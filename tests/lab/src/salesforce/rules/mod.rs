//! What each object demands of its records beyond types: the vendor's Object Reference, page by page.
//!
//! `before` checks and completes a row, `after` does what the org does by itself as a consequence,
//! `delete` takes along what hangs on a record.

mod activity;
pub mod content;
mod email;
mod event;
mod event_series;
mod people;
mod sales;
mod task;

use super::changes::Changes;
use super::error::ApiResult;
use super::schema::Object;
use super::store::{Fields, Row};
use super::transaction::Transaction;

/// Checks a row and fills in what the org computes; `old` is the row before an update.
pub fn before(
    tx: &Transaction,
    object: &'static Object,
    old: Option<&Row>,
    row: &mut Row,
    changes: &Changes,
) -> ApiResult<()> {
    match object.name {
        "Contact" => people::contact(tx, old, row, changes),
        "Lead" => people::lead(old, row),
        "Opportunity" => sales::opportunity(row),
        "OpportunityContactRole" => Ok(()),
        "Case" => sales::case(tx, old, row),
        "Event" => event::before(tx, old, row, changes),
        "EventRelation" => event::relation(tx, old, row),
        "Task" => task::before(tx, old, row, changes),
        "TaskRelation" => activity::relation_flags(row),
        "EmailMessage" => email::before(old, row, changes),
        "EmailMessageRelation" => email::relation(tx, row),
        "ContentVersion" => content::version(row),
        "ContentDocumentLink" => content::link(tx, row),
        _ => Ok(()),
    }
}

/// Does what follows from a stored row.
pub fn after(
    tx: &mut Transaction,
    object: &'static Object,
    id: &str,
    old: Option<&Row>,
    changes: &Changes,
) -> ApiResult<()> {
    match object.name {
        "Opportunity" => sales::after_opportunity(tx, id, old),
        "Event" => event::after(tx, id, old, changes),
        "EventRelation" => event::after_relation(tx, id, old),
        "Task" => activity::relate(tx, "Task", id),
        "EmailMessage" => email::after(tx, id, old, changes),
        "EmailMessageRelation" => email::after_relation(tx, id),
        "ContentVersion" => content::after_version(tx, id, old),
        "ContentDocumentLink" => content::after_link(tx, id),
        _ => Ok(()),
    }
}

/// Moves a record and what hangs on it to the recycle bin.
pub fn delete(tx: &mut Transaction, object: &'static Object, row: &Row) -> ApiResult<()> {
    let id = row.text("Id");
    match object.name {
        "Account" => people::delete_account(tx, id)?,
        "Contact" | "Lead" => people::release_activities(tx, id)?,
        "Event" => event::delete(tx, id)?,
        "EventRelation" => event::delete_relation(tx, row)?,
        "Task" => activity::delete_relations(tx, "Task", id)?,
        "EmailMessage" => email::delete(tx, id)?,
        "ContentDocument" => content::delete(tx, id)?,
        _ => {}
    }
    tx.recycle(object.name, id)
}

/// The record that a new row would only repeat, where the org keeps one record instead of two.
pub fn merges_into(tx: &Transaction, object: &Object, row: &Row) -> Option<String> {
    let (parent, relation) = match object.name {
        "EventRelation" => ("EventId", row.text("RelationId")),
        "TaskRelation" => ("TaskId", row.text("RelationId")),
        _ => return None,
    };
    let mut siblings = tx.state.table(object.name).live_where(parent, row.text(parent));
    siblings
        .find(|other| other.text("RelationId") == relation)
        .map(|other| other.text("Id").to_owned())
}
