//! A request body into checked field changes: names in any case, references by external id,
//! field-level security.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::coerce::coerce;
use super::error::{ApiError, ApiResult, deleted, invalid_reference, unreadable};
use super::id;
use super::rights;
use super::schema::{self, Field, Kind, Object};
use super::store::{Fields, State};
use super::transaction::Caller;

/// New values by field name; null clears.
pub type Changes = BTreeMap<&'static str, Value>;

/// Whether a body makes or changes a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// A new record.
    Create,
    /// A change of an old one.
    Update,
}

/// The changes a body asks for.
///
/// # Errors
/// An unknown or forbidden field, a value of the wrong form, a reference to nothing.
pub fn read(
    state: &State,
    caller: &Caller,
    object: &'static Object,
    body: &Map<String, Value>,
    intent: Intent,
) -> ApiResult<Changes> {
    let mut changes = Changes::new();
    for (name, value) in body {
        if name == "attributes" {
            continue;
        }
        if let Some(field) = object.field(name) {
            permit(state, caller, object, field, intent)?;
            let value = coerce(field, value)?;
            check_reference(state, caller, field, &value)?;
            changes.insert(field.name, value);
        } else if let (Some(field), Value::Object(key)) = (object.relationship(name), value) {
            permit(state, caller, object, field, intent)?;
            changes.insert(field.name, Value::String(by_external_id(state, field, key)?));
        } else {
            return Err(no_such_field(object, name));
        }
    }
    Ok(changes)
}

fn no_such_field(object: &Object, name: &str) -> ApiError {
    let message = format!("No such column '{name}' on sobject of type {}", object.name);
    ApiError::new("INVALID_FIELD", message)
}

fn permit(
    state: &State,
    caller: &Caller,
    object: &Object,
    field: &'static Field,
    intent: Intent,
) -> ApiResult<()> {
    let rights = rights::field_rights(state, caller, object, field);
    if !rights.read {
        return Err(no_such_field(object, field.name));
    }
    let allowed = match intent {
        Intent::Create => field.create,
        Intent::Update => field.update,
    };
    if allowed && rights.edit {
        return Ok(());
    }
    let message = if field.name == "Id" {
        "cannot specify Id in an insert call".to_owned()
    } else {
        format!(
            "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.",
            field.name
        )
    };
    Err(ApiError::on(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        message,
        &[field.name],
    ))
}

/// A reference must point at a live record of a right object that the caller may see.
fn check_reference(state: &State, caller: &Caller, field: &Field, value: &Value) -> ApiResult<()> {
    let ids: Vec<&str> = match value {
        Value::String(id) if matches!(field.kind, Kind::Reference { .. }) => vec![id],
        Value::Array(ids) => ids.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    for id in ids {
        let target = schema::object_of_id(id).ok_or_else(|| invalid_reference(&[field.name]))?;
        if !field.targets().is_empty() && !field.targets().contains(&target.name) {
            let message = format!("{}: id value of incorrect type: {id}", field.label());
            return Err(ApiError::on("FIELD_INTEGRITY_EXCEPTION", message, &[field.name]));
        }
        let row = state
            .row(target.name, id)
            .ok_or_else(|| invalid_reference(&[field.name]))?;
        if row.flag("IsDeleted") {
            return Err(deleted());
        }
        if row.flag("IsConverted") {
            let message = "cannot reference converted lead";
            return Err(ApiError::on(
                "CANNOT_UPDATE_CONVERTED_LEAD",
                message,
                &[field.name],
            ));
        }
        if target.name == "User" && !row.flag("IsActive") {
            let message = format!("operation performed with inactive user [{id}] as owner of record");
            return Err(ApiError::on("INACTIVE_OWNER_OR_USER", message, &[field.name]));
        }
        if !rights::may_read(state, caller, target, row) {
            let message = "insufficient access rights on cross-reference id";
            return Err(ApiError::on(
                "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
                message,
                &[field.name],
            ));
        }
    }
    Ok(())
}

/// `{"Account": {"External__c": "x"}}` in place of an id.
fn by_external_id(state: &State, field: &Field, key: &Map<String, Value>) -> ApiResult<String> {
    let named = key
        .get("attributes")
        .and_then(|attributes| attributes.get("type"))
        .and_then(Value::as_str);
    let target = named
        .or_else(|| field.targets().first().copied())
        .and_then(schema::object);
    let target = target.ok_or_else(|| invalid_reference(&[field.name]))?;
    let mut keys = key.iter().filter(|(name, _)| *name != "attributes");
    let (Some((name, value)), None) = (keys.next(), keys.next()) else {
        return Err(unreadable("a reference by external id names exactly one field"));
    };
    let lookup = target
        .field(name)
        .filter(|field| field.id_lookup)
        .ok_or_else(|| no_such_field(target, name))?;
    let value = value.as_str().unwrap_or_default();
    let found = matches(state, target, lookup, value);
    match found.as_slice() {
        [id] => Ok(id.clone()),
        [] => {
            let message = format!(
                "Foreign key external ID: {value} not found for field {} in entity {}",
                lookup.name, target.name
            );
            Err(ApiError::on("INVALID_FIELD", message, &[]))
        }
        _ => Err(ApiError::on(
            "DUPLICATE_EXTERNAL_ID",
            "several records have this external id",
            &[field.name],
        )),
    }
}

/// The live records whose lookup field has this value.
pub fn matches(state: &State, object: &Object, field: &Field, value: &str) -> Vec<String> {
    if field.name == "Id" {
        let id = id::normalize(value).filter(|id| state.live(id).is_some());
        return id.into_iter().collect();
    }
    state
        .table(object.name)
        .live_where(field.name, value)
        .map(|row| row.text("Id").to_owned())
        .collect()
}
