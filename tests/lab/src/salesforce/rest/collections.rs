//! sObject Collections: up to 200 records a call, each with its own result
//! (REST API Developer Guide, "sObject Collections").

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::ask::{Answer, Ask};
use super::call::Call;
use super::records::{all, chosen, lookup_field};
use super::wrong_method;
use crate::salesforce::error::{ApiError, ApiResult, unreadable};
use crate::salesforce::id;
use crate::salesforce::rights;
use crate::salesforce::schema::{self, Field, Object};
use crate::salesforce::store::{Fields, Row};
use crate::salesforce::transaction::Transaction;
use crate::salesforce::write;

/// Records a writing call may carry.
const ROW_LIMIT: usize = 200;
/// Ids a retrieving call may carry.
const READ_LIMIT: usize = 2000;
/// Runs of records of one type a call may carry.
const CHUNK_LIMIT: usize = 10;

/// One record's outcome: its id and whether it is new, or what is wrong.
type Outcome = ApiResult<(String, Option<bool>)>;

/// POST, PATCH, DELETE composite/sobjects
pub fn rows(call: &mut Call, ask: &Ask) -> ApiResult<Answer> {
    match ask.method.as_str() {
        "POST" => {
            let (records, all_or_none) = records(ask)?;
            let share = call.share(records.len());
            let outcomes = each(
                call.tx()?,
                records.iter().take(share),
                all_or_none,
                |tx, record| Ok((write::insert(tx, type_of(record)?, record)?, None)),
            );
            outcomes.map(answer)
        }
        "PATCH" => {
            let (records, all_or_none) = records(ask)?;
            let share = call.share(records.len());
            let mut seen = HashSet::new();
            let outcomes = each(
                call.tx()?,
                records.iter().take(share),
                all_or_none,
                |tx, record| update(tx, record, &mut seen),
            );
            outcomes.map(answer)
        }
        "DELETE" => {
            let ids: Vec<&str> = ask.required("ids")?.split(',').map(str::trim).collect();
            within(ids.len(), ROW_LIMIT)?;
            let share = call.share(ids.len());
            let outcomes = each(
                call.tx()?,
                ids.iter().take(share),
                ask.says("allOrNone"),
                |tx, record| {
                    let object = schema::object_of_id(record).ok_or_else(|| malformed_id(record))?;
                    write::delete(tx, object, record)?;
                    Ok((id::normalize(record).unwrap_or_default(), None))
                },
            );
            outcomes.map(answer)
        }
        _ => Err(wrong_method(ask, "POST,PATCH,DELETE")),
    }
}

/// PATCH composite/sobjects/T/Field
pub fn upsert(call: &mut Call, object: &'static Object, key: &str, ask: &Ask) -> ApiResult<Answer> {
    let key = lookup_field(object, key)?;
    let (records, all_or_none) = records(ask)?;
    let twice = twice(&records, key);
    let share = call.share(records.len());
    let outcomes = each(
        call.tx()?,
        records.iter().take(share),
        all_or_none,
        |tx, record| {
            let mut record = record.clone();
            let name = record
                .keys()
                .find(|name| name.eq_ignore_ascii_case(key.name))
                .cloned()
                .unwrap_or_default();
            let value = record.remove(&name);
            let value = value
                .as_ref()
                .and_then(Value::as_str)
                .map(str::trim)
                .unwrap_or_default();
            if value.is_empty() && key.name != "Id" {
                let message = format!("{} not specified", key.name);
                return Err(ApiError::on("MISSING_ARGUMENT", message, &[key.name]));
            }
            if twice.contains(&value.to_lowercase()) {
                let message = format!("Duplicate external id specified: {value}");
                return Err(ApiError::on("DUPLICATE_VALUE", message, &[key.name]));
            }
            if type_of(&record)?.name != object.name {
                let message = format!("the record's type is not {}", object.name);
                return Err(ApiError::on("INVALID_TYPE", message, &[]));
            }
            if key.name == "Id" && value.is_empty() {
                return Ok((write::insert(tx, object, &record)?, Some(true)));
            }
            let (id, new) = write::upsert(tx, object, key, value, &record, false)?;
            Ok((id, Some(new)))
        },
    );
    outcomes.map(answer)
}

/// External ids that the call names more than once.
fn twice(records: &[Map<String, Value>], key: &Field) -> HashSet<String> {
    let (mut seen, mut twice) = (HashSet::new(), HashSet::new());
    for record in records {
        let named = record
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(key.name));
        let value = named.and_then(|(_, value)| value.as_str()).map(str::to_lowercase);
        if let Some(value) = value.filter(|value| !value.is_empty())
            && !seen.insert(value.clone())
        {
            twice.insert(value);
        }
    }
    twice
}

fn update(tx: &mut Transaction, record: &Map<String, Value>, seen: &mut HashSet<String>) -> Outcome {
    let object = type_of(record)?;
    let mut record = record.clone();
    let name = record
        .keys()
        .find(|name| name.eq_ignore_ascii_case("id"))
        .cloned()
        .unwrap_or_default();
    let Some(Value::String(given)) = record.remove(&name) else {
        return Err(ApiError::on(
            "MISSING_ARGUMENT",
            "Id not specified in an update call",
            &["Id"],
        ));
    };
    let full = id::normalize(&given).ok_or_else(|| malformed_id(&given))?;
    if !seen.insert(full.clone()) {
        return Err(ApiError::on(
            "DUPLICATE_VALUE",
            format!("Duplicate id in list: {full}"),
            &["Id"],
        ));
    }
    write::update(tx, object, &full, &record)?;
    Ok((full, None))
}

fn malformed_id(given: &str) -> ApiError {
    ApiError::on("MALFORMED_ID", format!("malformed id {given}"), &["Id"])
}

/// The records of a body and whether they stand or fall together.
fn records(ask: &Ask) -> ApiResult<(Vec<Map<String, Value>>, bool)> {
    let body = ask.object()?;
    let Some(Value::Array(list)) = body.get("records") else {
        return Err(unreadable("The records list is missing in the request body"));
    };
    within(list.len(), ROW_LIMIT)?;
    let records = list.iter().map(|record| match record {
        Value::Object(record) => Ok(record.clone()),
        _ => Err(unreadable("Every element of records is an object")),
    });
    let records = records.collect::<ApiResult<Vec<_>>>()?;
    let mut types: Vec<String> = Vec::new();
    for record in &records {
        types.push(type_name(record)?.to_lowercase());
    }
    types.dedup();
    if types.len() > CHUNK_LIMIT {
        let message = "Cannot have more than 10 chunks in a single operation. Please rearrange the data to reduce chunking.";
        return Err(ApiError::new("LIMIT_EXCEEDED", message));
    }
    let all_or_none = body.get("allOrNone").and_then(Value::as_bool).unwrap_or(false);
    Ok((records, all_or_none))
}

fn within(length: usize, limit: usize) -> ApiResult<()> {
    if length <= limit {
        return Ok(());
    }
    let message = format!("record limit reached. cannot submit more than {limit} records into this call");
    Err(ApiError::new("EXCEEDED_ID_LIMIT", message))
}

fn type_name(record: &Map<String, Value>) -> ApiResult<&str> {
    let name = record
        .get("attributes")
        .and_then(|attributes| attributes.get("type"))
        .and_then(Value::as_str);
    name.ok_or_else(|| unreadable("Every record has attributes with its type"))
}

fn type_of(record: &Map<String, Value>) -> ApiResult<&'static Object> {
    let name = type_name(record)?;
    schema::object(name).ok_or_else(|| {
        ApiError::on(
            "INVALID_TYPE",
            format!("sObject type '{name}' is not supported."),
            &[],
        )
    })
}

/// Applies records one by one; with `all_or_none` one failure undoes them all.
fn each<T>(
    tx: &mut Transaction,
    records: impl Iterator<Item = T>,
    all_or_none: bool,
    mut apply: impl FnMut(&mut Transaction, T) -> Outcome,
) -> ApiResult<Vec<Outcome>> {
    let savepoint = tx.savepoint();
    let mut outcomes: Vec<Outcome> = records.map(|record| apply(tx, record)).collect();
    if all_or_none && outcomes.iter().any(Result::is_err) {
        tx.rollback_to(savepoint);
        for outcome in outcomes.iter_mut().filter(|outcome| outcome.is_ok()) {
            let message = "Record rolled back because not all records were valid and the request was using AllOrNone header";
            *outcome = Err(ApiError::on("ALL_OR_NONE_OPERATION_ROLLED_BACK", message, &[]));
        }
    }
    Ok(outcomes)
}

fn answer(outcomes: Vec<Outcome>) -> Answer {
    let rows = outcomes.iter().map(|outcome| match outcome {
        Ok((id, None)) => json!({"id": id, "success": true, "errors": []}),
        Ok((id, Some(new))) => json!({"id": id, "success": true, "errors": [], "created": new}),
        Err(error) => json!({"success": false, "errors": [error.to_row()]}),
    });
    Answer::json(rows.collect())
}

/// GET and POST composite/sobjects/T: records by id, null for what is not there.
pub fn retrieve(call: &Call, object: &'static Object, ask: &Ask) -> ApiResult<Answer> {
    let (ids, fields) = if ask.method == http::Method::GET {
        let split = |name: &str| {
            ask.required(name)
                .map(|list| list.split(',').map(str::to_owned).collect())
        };
        (split("ids")?, split("fields")?)
    } else {
        let body = ask.object()?;
        let list = |name: &str| -> Vec<String> {
            let list = body.get(name).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        (list("ids"), list("fields"))
    };
    within(ids.len(), READ_LIMIT)?;
    let columns = if fields.is_empty() {
        all(call, object)
    } else {
        chosen(call, object, fields.iter().map(String::as_str))?
    };
    let evaluator = call.evaluator();
    let show = |row: &Row| evaluator.show(&call.version, object, &columns, row);
    let found = ids.iter().map(|record| {
        let row = id::normalize(record).and_then(|id| call.state().row(object.name, &id));
        let row = row
            .filter(|row| !row.flag("IsDeleted") && rights::may_read(call.state(), call.caller, object, row));
        row.map_or(Value::Null, |row| show(row))
    });
    Ok(Answer::json(found.collect()))
}
