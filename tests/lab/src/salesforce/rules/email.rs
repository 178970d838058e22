//! EmailMessage and EmailMessageRelation.
//!
//! Object Reference, "EmailMessage": once it is no draft, only custom fields and
//! `IsExternallyVisible` can be updated, and its status only from new to read. An e-mail that
//! belongs to no case gets a task that shows it in the activity timeline.

use serde_json::Value;

use super::people::ids;
use crate::salesforce::changes::Changes;
use crate::salesforce::error::{ApiError, ApiResult};
use crate::salesforce::moment::{parse_moment, stamp};
use crate::salesforce::store::{Fields, Row};
use crate::salesforce::transaction::Transaction;

const DRAFT: &str = "5";
const RECIPIENTS: [(&str, &str); 3] = [
    ("ToIds", "ToAddress"),
    ("CcIds", "CcAddress"),
    ("BccIds", "BccAddress"),
];

/// Guards what is no draft; dates what has no date.
pub fn before(old: Option<&Row>, row: &mut Row, changes: &Changes) -> ApiResult<()> {
    match old {
        Some(old) => guard(old, row, changes)?,
        None => {
            if !row.text("ActivityId").is_empty() && row.text("ParentId").is_empty() {
                let message = "ActivityId can be specified only for emails on cases";
                return Err(ApiError::on(
                    "FIELD_INTEGRITY_EXCEPTION",
                    message,
                    &["ActivityId"],
                ));
            }
            row.set("HasAttachment", false);
        }
    }
    for (list, _) in RECIPIENTS {
        let people = row
            .get(list)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        for person in people {
            if !["003", "00Q", "005"]
                .iter()
                .any(|prefix| person.starts_with(prefix))
            {
                let message = format!("{list} takes contacts, leads and users only");
                return Err(ApiError::on("FIELD_INTEGRITY_EXCEPTION", message, &[list]));
            }
        }
    }
    Ok(())
}

fn guard(old: &Row, row: &Row, changes: &Changes) -> ApiResult<()> {
    if old.text("Status") == DRAFT {
        return Ok(());
    }
    let read = old.text("Status") == "0" && row.text("Status") == "1";
    let frozen = changes.keys().find(|name| {
        !(name.ends_with("__c") || **name == "IsExternallyVisible" || (**name == "Status" && read))
    });
    match frozen {
        None => Ok(()),
        Some(name) => {
            let message = format!("{name} can be updated only while the email message is a draft");
            Err(ApiError::on("INSUFFICIENT_ACCESS_OR_READONLY", message, &[name]))
        }
    }
}

/// Recipients become relation rows; an e-mail without a case gets its task.
pub fn after(tx: &mut Transaction, id: &str, old: Option<&Row>, changes: &Changes) -> ApiResult<()> {
    let Some(row) = tx.state.row("EmailMessage", id).cloned() else {
        return Ok(());
    };
    for (list, kind) in RECIPIENTS {
        if changes.contains_key(list) {
            recipients(tx, id, &row, list, kind)?;
        }
    }
    if old.is_none() && !row.text("ParentId").starts_with("500") {
        let task = task_for(tx, &row);
        let task = tx.create_named("Task", task)?;
        super::activity::relate(tx, "Task", &task)?;
        tx.amend("EmailMessage", id, |row| row.set("ActivityId", task.as_str()))?;
    }
    Ok(())
}

fn recipients(tx: &mut Transaction, id: &str, row: &Row, list: &str, kind: &str) -> ApiResult<()> {
    for relation in ids(tx, "EmailMessageRelation", "EmailMessageId", id) {
        let same = tx
            .state
            .row("EmailMessageRelation", &relation)
            .is_some_and(|row| row.text("RelationType") == kind);
        if same {
            tx.recycle("EmailMessageRelation", &relation)?;
        }
    }
    let people: Vec<String> = row
        .get(list)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|id| id.as_str().map(str::to_owned))
        .collect();
    for person in people {
        let mut relation = Row::new();
        relation.set("EmailMessageId", id);
        relation.set("RelationId", person.as_str());
        relation.set("RelationType", kind);
        complete(tx, &mut relation);
        tx.create_named("EmailMessageRelation", relation)?;
    }
    Ok(())
}

/// The relation's address and object follow its record.
fn complete(tx: &Transaction, relation: &mut Row) {
    let Some((object, person)) = tx.state.live(relation.text("RelationId")) else {
        return;
    };
    let address = person.text("Email").to_owned();
    if relation.text("RelationAddress").is_empty() && !address.is_empty() {
        relation.set("RelationAddress", address);
    }
    relation.set("RelationObjectType", object.name);
}

fn task_for(tx: &Transaction, email: &Row) -> Row {
    let mut task = Row::new();
    let subject: String = email.text("Subject").chars().take(240).collect();
    task.set(
        "Subject",
        if subject.is_empty() {
            "Email".to_owned()
        } else {
            format!("Email: {subject}")
        },
    );
    let body: String = email.text("TextBody").chars().take(15_000).collect();
    task.set("Description", body);
    task.set("Status", "Completed");
    task.set("Priority", "Normal");
    task.set("TaskSubtype", "Email");
    for (flag, value) in [
        ("IsClosed", true),
        ("IsHighPriority", false),
        ("IsArchived", false),
    ] {
        task.set(flag, value);
    }
    task.set("IsRecurrence", false);
    task.set("IsReminderSet", false);
    task.set("CompletedDateTime", stamp(tx.now));
    let day = parse_moment(email.text("MessageDate")).unwrap_or(tx.now);
    task.set("ActivityDate", day.date_naive().to_string());
    let first = |field: &str| {
        let list = email.get(field).and_then(Value::as_array)?;
        list.iter()
            .filter_map(Value::as_str)
            .find(|id| !id.starts_with("005"))
            .map(str::to_owned)
    };
    if let Some(who) = first("ToIds").or_else(|| first("CcIds")) {
        set_who(&mut task, who);
    }
    if !email.text("RelatedToId").is_empty() && !task.text("WhoId").starts_with("00Q") {
        task.set("WhatId", email.text("RelatedToId"));
    }
    task.set("WhatCount", i64::from(!task.text("WhatId").is_empty()));
    task
}

fn set_who(task: &mut Row, who: String) {
    task.set("TaskWhoIds", serde_json::json!([who]));
    task.set("WhoCount", 1);
    task.set("WhoId", who);
}

/// A relation names a record or an address.
pub fn relation(tx: &Transaction, row: &mut Row) -> ApiResult<()> {
    if row.text("RelationId").is_empty() && row.text("RelationAddress").is_empty() {
        let message = "Required fields are missing: [RelationAddress]";
        return Err(ApiError::on(
            "REQUIRED_FIELD_MISSING",
            message,
            &["RelationAddress"],
        ));
    }
    complete(tx, row);
    Ok(())
}

/// The first person an e-mail relates to is the one its task relates to.
pub fn after_relation(tx: &mut Transaction, id: &str) -> ApiResult<()> {
    let Some(relation) = tx.state.row("EmailMessageRelation", id).cloned() else {
        return Ok(());
    };
    let person = relation.text("RelationId").to_owned();
    let email = tx.state.row("EmailMessage", relation.text("EmailMessageId"));
    let task = email
        .map(|email| email.text("ActivityId").to_owned())
        .unwrap_or_default();
    let Some(row) = tx.state.row("Task", &task) else {
        return Ok(());
    };
    let outside = person.starts_with("003") || (person.starts_with("00Q") && row.text("WhatId").is_empty());
    if !outside || !row.text("WhoId").is_empty() {
        return Ok(());
    }
    tx.amend("Task", &task, |row| set_who(row, person))?;
    super::activity::relate(tx, "Task", &task)
}

/// Relations go with the e-mail; the task stays.
pub fn delete(tx: &mut Transaction, id: &str) -> ApiResult<()> {
    for relation in ids(tx, "EmailMessageRelation", "EmailMessageId", id) {
        tx.recycle("EmailMessageRelation", &relation)?;
    }
    Ok(())
}
