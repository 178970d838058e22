//! Account, Contact, Lead.

use crate::salesforce::changes::Changes;
use crate::salesforce::error::{ApiError, ApiResult};
use crate::salesforce::store::{Fields, Row};
use crate::salesforce::transaction::Transaction;

fn full_name(row: &Row) -> String {
    format!("{} {}", row.text("FirstName"), row.text("LastName"))
        .trim()
        .to_owned()
}

/// Names the contact and asks the duplicate rule.
pub fn contact(tx: &Transaction, old: Option<&Row>, row: &mut Row, changes: &Changes) -> ApiResult<()> {
    row.set("Name", full_name(row));
    let email = row.text("Email");
    let asked = tx.state.settings.duplicate_rule && changes.contains_key("Email") && !email.is_empty();
    if !asked || tx.options.allow_duplicates {
        return Ok(());
    }
    let own_id = old.map(|old| old.text("Id")).unwrap_or_default();
    let mut others = tx.state.table("Contact").live_where("Email", email);
    if others.any(|other| other.text("Id") != own_id) {
        return Err(ApiError::on(
            "DUPLICATES_DETECTED",
            "Use one of these records?",
            &[],
        ));
    }
    Ok(())
}

/// Names the lead; a converted one is closed for ever.
pub fn lead(old: Option<&Row>, row: &mut Row) -> ApiResult<()> {
    if old.is_some_and(|old| old.flag("IsConverted")) {
        return Err(ApiError::on(
            "CANNOT_UPDATE_CONVERTED_LEAD",
            "cannot reference converted lead",
            &[],
        ));
    }
    row.set("Name", full_name(row));
    Ok(())
}

/// The contacts, opportunities and cases of an account go with it.
pub fn delete_account(tx: &mut Transaction, id: &str) -> ApiResult<()> {
    for object in ["Contact", "Opportunity", "Case"] {
        let hanging = ids(tx, object, "AccountId", id);
        for record in hanging {
            if object == "Contact" {
                release_activities(tx, &record)?;
            }
            tx.recycle(object, &record)?;
        }
    }
    release_activities(tx, id)
}

/// Activities that hang on this record alone go with it; others only forget it.
pub fn release_activities(tx: &mut Transaction, id: &str) -> ApiResult<()> {
    for object in ["Event", "Task"] {
        for (field, other) in [("WhoId", "WhatId"), ("WhatId", "WhoId")] {
            for activity in ids(tx, object, field, id) {
                let row = tx.state.row(object, &activity);
                if row.is_some_and(|row| row.text(other).is_empty()) {
                    tx.recycle(object, &activity)?;
                } else {
                    tx.amend(object, &activity, |row| row.set(field, serde_json::Value::Null))?;
                }
            }
        }
    }
    for object in ["EventRelation", "TaskRelation"] {
        for relation in ids(tx, object, "RelationId", id) {
            tx.recycle(object, &relation)?;
        }
    }
    Ok(())
}

/// The live records of an object whose field has this value.
pub fn ids(tx: &Transaction, object: &str, field: &str, value: &str) -> Vec<String> {
    tx.state
        .table(object)
        .live_where(field, value)
        .map(|row| row.text("Id").to_owned())
        .collect()
}
