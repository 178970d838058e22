//! What events and tasks have in common: whom and what they relate to.
//!
//! With shared activities an activity relates to up to 50 contacts or one lead, kept as relation
//! rows; without, to one (help: "Considerations for Using Shared Activities").

use serde_json::{Value, json};

use super::people::ids;
use crate::salesforce::changes::Changes;
use crate::salesforce::error::{ApiError, ApiResult};
use crate::salesforce::store::{Fields, Row};
use crate::salesforce::transaction::Transaction;

/// How many contacts one activity may relate to.
const WHO_LIMIT: usize = 50;

/// Checks whom and what the row relates to; `list` is `EventWhoIds` or `TaskWhoIds`.
pub fn relations(
    tx: &Transaction,
    row: &mut Row,
    changes: &Changes,
    list: &'static str,
    code: &'static str,
) -> ApiResult<()> {
    if let Some(Value::Array(whos)) = changes.get(list) {
        if !tx.state.settings.shared_activities {
            let message = format!("{list} can be set only if Shared Activities is enabled");
            return Err(ApiError::on(code, message, &[list]));
        }
        check_list(whos, list, code)?;
        primary(row, whos, changes.contains_key("WhoId"), list, code)?;
    } else if changes.contains_key("WhoId") {
        let who = row.text("WhoId").to_owned();
        row.set(list, if who.is_empty() { Value::Null } else { json!([who]) });
    }
    if row.text("WhoId").starts_with("00Q") && !row.text("WhatId").is_empty() {
        let message = "An activity related to a lead can't be related to another record";
        return Err(ApiError::on("FIELD_INTEGRITY_EXCEPTION", message, &["WhatId"]));
    }
    let whos = row.get(list).and_then(Value::as_array).map_or(0, Vec::len);
    row.set("WhoCount", whos as i64);
    row.set("WhatCount", i64::from(!row.text("WhatId").is_empty()));
    let account = account(tx, row);
    row.set("AccountId", account.map_or(Value::Null, Value::String));
    Ok(())
}

fn check_list(whos: &[Value], list: &'static str, code: &'static str) -> ApiResult<()> {
    let leads = whos
        .iter()
        .filter_map(Value::as_str)
        .filter(|id| id.starts_with("00Q"))
        .count();
    let contacts = whos
        .iter()
        .filter_map(Value::as_str)
        .filter(|id| id.starts_with("003"))
        .count();
    if leads + contacts < whos.len() {
        return Err(ApiError::on(
            code,
            format!("{list} takes contacts and leads only"),
            &[list],
        ));
    }
    if contacts > WHO_LIMIT || leads > 1 || (leads == 1 && contacts > 0) {
        let message = "You can relate an activity to up to 50 contacts or one lead";
        return Err(ApiError::on(code, message, &[list]));
    }
    Ok(())
}

/// The first of the list is the primary one, unless the caller names another of the list.
fn primary(
    row: &mut Row,
    whos: &[Value],
    named: bool,
    list: &'static str,
    code: &'static str,
) -> ApiResult<()> {
    let who = row.text("WhoId").to_owned();
    let listed = whos.iter().any(|id| id.as_str() == Some(&who));
    if named && !who.is_empty() && !listed {
        return Err(ApiError::on(
            code,
            format!("WhoId must be one of {list}"),
            &[list],
        ));
    }
    if !listed {
        row.set("WhoId", whos.first().cloned().unwrap_or(Value::Null));
    }
    if whos.is_empty() {
        row.set(list, Value::Null);
    }
    Ok(())
}

/// The account is that of the related record, else that of the primary contact.
fn account(tx: &Transaction, row: &Row) -> Option<String> {
    let of = |id: &str| {
        let (object, record) = tx.state.live(id)?;
        let account = if object.name == "Account" {
            record.text("Id")
        } else {
            record.text("AccountId")
        };
        (!account.is_empty()).then(|| account.to_owned())
    };
    of(row.text("WhatId")).or_else(|| of(row.text("WhoId")))
}

/// Keeps the relation rows in step with the activity.
pub fn relate(tx: &mut Transaction, object: &'static str, id: &str) -> ApiResult<()> {
    if !tx.state.settings.shared_activities {
        return Ok(());
    }
    let (relation, parent, list) = names(object);
    let Some(row) = tx.state.row(object, id) else {
        return Ok(());
    };
    let mut wanted: Vec<(String, bool)> = Vec::new();
    for who in row
        .get(list)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        wanted.push((who.to_owned(), false));
    }
    if !row.text("WhatId").is_empty() {
        wanted.push((row.text("WhatId").to_owned(), true));
    }
    for existing in ids(tx, relation, parent, id) {
        let Some(row) = tx.state.row(relation, &existing) else {
            continue;
        };
        let still = wanted.iter().position(|(id, _)| id == row.text("RelationId"));
        let invitee = row.flag("IsInvitee");
        match still {
            Some(at) => {
                wanted.remove(at);
                if object == "Event" && !row.flag("IsParent") {
                    tx.amend(relation, &existing, |row| row.set("IsParent", true))?;
                }
            }
            None if invitee => tx.amend(relation, &existing, |row| row.set("IsParent", false))?,
            None => tx.recycle(relation, &existing)?,
        }
    }
    for (target, what) in wanted {
        let mut row = Row::new();
        row.set(parent, id);
        row.set("RelationId", target);
        row.set("IsWhat", what);
        if object == "Event" {
            row.set("IsParent", true);
            row.set("IsInvitee", false);
            row.set("Status", "New");
        }
        tx.create_named(relation, row)?;
    }
    Ok(())
}

/// The relation rows go with their activity.
pub fn delete_relations(tx: &mut Transaction, object: &'static str, id: &str) -> ApiResult<()> {
    let (relation, parent, _) = names(object);
    for row in ids(tx, relation, parent, id) {
        tx.recycle(relation, &row)?;
    }
    Ok(())
}

fn names(object: &str) -> (&'static str, &'static str, &'static str) {
    match object {
        "Event" => ("EventRelation", "EventId", "EventWhoIds"),
        _ => ("TaskRelation", "TaskId", "TaskWhoIds"),
    }
}

/// A relation to anything but a person is a "what".
pub fn relation_flags(row: &mut Row) -> ApiResult<()> {
    let person = ["003", "00Q", "005"]
        .iter()
        .any(|prefix| row.text("RelationId").starts_with(prefix));
    row.set("IsWhat", !person);
    Ok(())
}
