//! Two or three records of one person made into one, as a user does it with "Merge Contacts" in the UI ("merge()", SOAP
//! API Developer Guide; "Merge Duplicate Contacts", Salesforce Help): the others go to the recycle bin and name the
//! survivor in MasterRecordId, what hung on them hangs on the survivor, and the survivor has the values that the user
//! picked.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::error::{ApiError, ApiResult};
use super::schema::{self, Object};
use super::store::{Fields, Row};
use super::transaction::{Caller, Transaction, WriteOptions};
use super::{World, id};

/// At most so many records are merged into one at a time.
const MOST: usize = 2;

/// Merges; `picked` are the values that the survivor gets.
///
/// # Errors
/// A sentence, where the API would refuse; nothing is changed then.
pub fn merge(
    world: &World,
    caller: &Caller,
    master: &str,
    losers: &[String],
    picked: &Map<String, Value>,
) -> Result<Value, String> {
    let merged = world.change(caller, WriteOptions::default(), |tx| {
        let mergeable = |id: &str| {
            let object =
                schema::object_of_id(id).filter(|object| ["Contact", "Lead"].contains(&object.name))?;
            Some(object).filter(|object| {
                tx.state
                    .row(object.name, id)
                    .is_some_and(|row| !row.flag("IsDeleted"))
            })
        };
        let all: Vec<String> = [master.to_owned()]
            .iter()
            .chain(losers)
            .filter_map(|id| id::normalize(id))
            .collect();
        let objects: Vec<&'static Object> = all.iter().filter_map(|id| mergeable(id)).collect();
        let distinct: BTreeSet<&String> = all.iter().collect();
        let [first, rest @ ..] = objects.as_slice() else {
            return Err(refused().message);
        };
        let same = rest.iter().all(|object| object.name == first.name);
        if !same
            || rest.is_empty()
            || rest.len() > MOST
            || distinct.len() != losers.len() + 1
            || objects.len() != all.len()
        {
            return Err(refused().message);
        }
        let merge = |tx: &mut Transaction| -> ApiResult<()> {
            let [master, losers @ ..] = all.as_slice() else {
                return Err(refused());
            };
            for loser in losers {
                reparent(tx, loser, master)?;
                tx.amend(first.name, loser, |row| {
                    row.set("IsDeleted", true);
                    row.set("MasterRecordId", master.as_str());
                })?;
            }
            tx.amend(first.name, master, |row| {
                for (name, value) in picked {
                    if let Some(field) = first.field(name) {
                        row.set(field.name, value.clone());
                    }
                }
            })
        };
        merge(tx).map_err(|error| error.message)
    });
    merged.map(|()| json!({"id": master, "merged": losers}))
}

fn refused() -> ApiError {
    ApiError::new(
        "INVALID_ID_FIELD",
        "one to two living records of the master's object are merged into it",
    )
}

/// Everything that names one record names the other.
fn reparent(tx: &mut Transaction, from: &str, to: &str) -> ApiResult<()> {
    for object in schema::objects() {
        let naming: Vec<Row> = tx
            .state
            .table(object.name)
            .rows()
            .filter(|row| {
                !row.flag("IsDeleted")
                    && row.text("Id") != from
                    && row.values().any(|value| names(value, from))
            })
            .map(|row| Row::clone(row))
            .collect();
        for row in naming {
            let id = row.text("Id").to_owned();
            let mut changed = row.clone();
            for (name, value) in row
                .into_iter()
                .filter(|(name, value)| *name != "MasterRecordId" && names(value, from))
            {
                changed.set(name, renamed(&value, from, to));
            }
            // Of two relations of one activity to the survivor one is left.
            match super::rules::merges_into(tx, object, &changed).filter(|other| *other != id) {
                Some(_) => tx.recycle(object.name, &id)?,
                None => tx.store(object, changed),
            }
        }
    }
    Ok(())
}

fn names(value: &Value, id: &str) -> bool {
    match value {
        Value::String(text) => text == id,
        Value::Array(all) => all.iter().any(|value| names(value, id)),
        _ => false,
    }
}

fn renamed(value: &Value, from: &str, to: &str) -> Value {
    match value {
        Value::String(text) if text == from => json!(to),
        Value::Array(all) => {
            let mut seen = BTreeSet::new();
            let all = all.iter().map(|value| renamed(value, from, to));
            Value::Array(all.filter(|value| seen.insert(value.to_string())).collect())
        }
        other => other.clone(),
    }
}
