//! Making, changing and deleting one record, with every check in the vendor's order of effect:
//! object permission, fields, record access, required fields, the object's own rules, uniqueness.

use serde_json::{Map, Value, json};

use super::changes::{self, Changes, Intent};
use super::error::{ApiError, ApiResult, deleted, invalid_reference, not_found, read_only};
use super::id;
use super::rights;
use super::rules;
use super::schema::field::Default;
use super::schema::{Field, Object, Writable};
use super::store::{Fields, Row};
use super::transaction::Transaction;

/// Makes a record; gives its id.
///
/// # Errors
/// The vendor's error; nothing is changed then.
pub fn insert(tx: &mut Transaction, object: &'static Object, body: &Map<String, Value>) -> ApiResult<String> {
    atomically(tx, |tx| {
        if object.writable == Writable::Never {
            let message = format!("entity type cannot be inserted: {}", object.name);
            return Err(ApiError::on("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, &[]));
        }
        if !rights::object_rights(tx.state, tx.caller, object).create {
            return Err(read_only());
        }
        let changes = changes::read(tx.state, tx.caller, object, body, Intent::Create)?;
        tx.obstacle(parent_of(&changes))?;
        let row = new_row(object, &changes)?;
        insert_row(tx, object, row, &changes)
    })
}

/// Makes a record out of prepared values, as the org's own automation does.
pub(super) fn insert_row(
    tx: &mut Transaction,
    object: &'static Object,
    mut row: Row,
    changes: &Changes,
) -> ApiResult<String> {
    if let Some(existing) = rules::merges_into(tx, object, &row) {
        tx.amend(object.name, &existing, |old| {
            for (name, value) in changes {
                old.set(name, value.clone());
            }
        })?;
        return Ok(existing);
    }
    rules::before(tx, object, None, &mut row, changes)?;
    unique(tx, object, "", &row)?;
    let id = tx.create(object, row);
    rules::after(tx, object, &id, None, changes)?;
    Ok(id)
}

fn new_row(object: &'static Object, changes: &Changes) -> ApiResult<Row> {
    let mut row = Row::new();
    for field in object.fields() {
        match field.default {
            Some(Default::Text(text)) => row.set(field.name, text),
            Some(Default::Flag(flag)) => row.set(field.name, flag),
            None => {}
        }
    }
    for (name, value) in changes {
        row.set(name, value.clone());
    }
    require(
        object
            .fields()
            .filter(|field| field.required)
            .map(|field| field.name),
        &row,
    )?;
    Ok(row)
}

/// Fails if one of the fields is null.
pub(super) fn require<'a>(names: impl Iterator<Item = &'a str>, row: &Row) -> ApiResult<()> {
    let missing: Vec<&str> = names.filter(|name| !row.contains_key(*name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("Required fields are missing: [{}]", missing.join(", "));
    Err(ApiError::on("REQUIRED_FIELD_MISSING", message, &missing))
}

/// Changes a record.
///
/// # Errors
/// The vendor's error; nothing is changed then.
pub fn update(
    tx: &mut Transaction,
    object: &'static Object,
    record: &str,
    body: &Map<String, Value>,
) -> ApiResult<()> {
    atomically(tx, |tx| {
        let old = editable(tx, object, record)?;
        if !rights::object_rights(tx.state, tx.caller, object).edit {
            return Err(read_only());
        }
        let changes = changes::read(tx.state, tx.caller, object, body, Intent::Update)?;
        tx.obstacle(old.text("Id"))?;
        update_row(tx, object, &old, &changes)
    })
}

fn update_row(tx: &mut Transaction, object: &'static Object, old: &Row, changes: &Changes) -> ApiResult<()> {
    let mut row = old.clone();
    for (name, value) in changes {
        row.set(name, value.clone());
    }
    let required = |field: &&Field| field.required && changes.contains_key(field.name);
    require(object.fields().filter(required).map(|field| field.name), &row)?;
    rules::before(tx, object, Some(old), &mut row, changes)?;
    let id = old.text("Id");
    unique(tx, object, id, &row)?;
    tx.store(object, row);
    rules::after(tx, object, id, Some(old), changes)
}

/// Moves a record to the recycle bin, with what hangs on it.
///
/// # Errors
/// The vendor's error; nothing is changed then.
pub fn delete(tx: &mut Transaction, object: &'static Object, record: &str) -> ApiResult<()> {
    atomically(tx, |tx| {
        let old = editable(tx, object, record)?;
        if !rights::object_rights(tx.state, tx.caller, object).delete {
            return Err(read_only());
        }
        tx.obstacle(old.text("Id"))?;
        rules::delete(tx, object, &old)
    })
}

/// Makes or changes the record that an external id names; gives its id and whether it is new.
///
/// # Errors
/// The vendor's error; with several matches its status is 300.
pub fn upsert(
    tx: &mut Transaction,
    object: &'static Object,
    key: &'static Field,
    value: &str,
    body: &Map<String, Value>,
    update_only: bool,
) -> ApiResult<(String, bool)> {
    let named = body
        .keys()
        .find(|name| name.eq_ignore_ascii_case(key.name) || name.eq_ignore_ascii_case("Id"));
    if let Some(name) = named {
        let message = format!("The {name} field should not be specified in the sobject data.");
        return Err(ApiError::on("INVALID_FIELD", message, &[name]));
    }
    let found = changes::matches(tx.state, object, key, value);
    match found.as_slice() {
        [id] => {
            let id = id.clone();
            update(tx, object, &id, body)?;
            Ok((id, false))
        }
        [] if update_only || key.name == "Id" => Err(not_found()),
        [] => {
            let mut body = body.clone();
            body.insert(key.name.to_owned(), json!(value));
            Ok((insert(tx, object, &body)?, true))
        }
        _ => {
            let message = "Multiple records with the same external ID exist";
            Err(ApiError::on("DUPLICATE_EXTERNAL_ID", message, &[key.name]).status(300))
        }
    }
}

/// The live row that the caller may change.
fn editable(tx: &Transaction, object: &'static Object, record: &str) -> ApiResult<Row> {
    let malformed = || {
        let message = format!("{} ID: id value of incorrect type: {record}", object.name);
        ApiError::on("MALFORMED_ID", message, &["Id"])
    };
    let id = id::normalize(record)
        .filter(|id| id.starts_with(object.prefix))
        .ok_or_else(malformed)?;
    let row = tx
        .state
        .row(object.name, &id)
        .ok_or_else(|| invalid_reference(&[]))?;
    if row.flag("IsDeleted") {
        return Err(deleted());
    }
    if !rights::may_read(tx.state, tx.caller, object, row) {
        return Err(invalid_reference(&[]));
    }
    if !rights::may_edit(tx.state, tx.caller, object, row) {
        return Err(read_only());
    }
    Ok(Row::clone(row))
}

/// A custom external id is unique among live records without regard to case.
fn unique(tx: &Transaction, object: &'static Object, own_id: &str, row: &Row) -> ApiResult<()> {
    for field in object.fields().filter(|field| field.external_id) {
        let value = row.text(field.name);
        if value.is_empty() {
            continue;
        }
        let mut others = tx.state.table(object.name).live_where(field.name, value);
        if let Some(other) = others.find(|other| other.text("Id") != own_id) {
            let message = format!(
                "duplicate value found: {} duplicates value on record with id: {}",
                field.name,
                other.text("Id").get(..15).unwrap_or_default()
            );
            return Err(ApiError::on("DUPLICATE_VALUE", message, &[field.name]));
        }
    }
    Ok(())
}

/// The parent whose lock a new record needs.
fn parent_of(changes: &Changes) -> &str {
    let parents = ["WhatId", "WhoId", "AccountId", "EventId", "EmailMessageId"];
    parents
        .iter()
        .find_map(|name| changes.get(name)?.as_str())
        .unwrap_or_default()
}

fn atomically<T>(tx: &mut Transaction, work: impl FnOnce(&mut Transaction) -> ApiResult<T>) -> ApiResult<T> {
    let savepoint = tx.savepoint();
    let result = work(tx);
    if result.is_err() {
        tx.rollback_to(savepoint);
    }
    result
}
