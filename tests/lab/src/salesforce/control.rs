//! What tests may do to the org besides calling its API, below `/salesforce/` of the control surface.
//!
//! | call | what it does |
//! |---|---|
//! | GET, PATCH /salesforce/settings | shows the settings; changes them by a JSON merge patch (RFC 7396) |
//! | PATCH /salesforce/users/USERNAME | sets fields of a user, for example `{"IsActive": false}` |
//! | POST /salesforce/token `{"username"}` | an access token without OAuth |
//! | POST /salesforce/expire `{"username"}` | ends the user's access tokens, everybody's without a name |
//! | POST /salesforce/usage `{"used": n}` | sets how many API calls count as used |
//! | POST /salesforce/undelete `{"id"}` | takes a record out of the recycle bin |
//! | POST /salesforce/purge `{"id"}` | empties the recycle bin of a record: it is gone for good |
//! | PATCH /salesforce/records/ID | sets fields of a record as an administrator would, for example its OwnerId |
//! | POST /salesforce/convert `{"id", "contact"}` | marks a lead as converted into a contact |
//! | POST /salesforce/refresh `{"keys", "without"}` | refreshes the sandbox: another org, all records under other ids; keys "kept" or "lost" |
//! | POST /salesforce/merge `{"master", "losers", "fields"}` | merges contacts or leads into one, which gets these fields |

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::merge::merge;
use super::refresh::refresh;
use super::schema;
use super::sessions::{Event, new_token};
use super::store::Fields;
use super::transaction::{Caller, WriteOptions};
use super::{World, app, id};

/// Answers a call; `None` if the path is not one of these.
pub fn answer(world: &World, method: &str, path: &str, body: &[u8]) -> Option<Result<Value, String>> {
    let body: Value = if body.is_empty() {
        json!({})
    } else {
        serde_json::from_slice(body).unwrap_or(Value::Null)
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    Some(match (method, path.strip_prefix("/salesforce/")?) {
        ("GET", "settings") => Ok(json!(world.read().settings)),
        ("PATCH", "settings") => world.patch_settings(&body).map_err(|error| error.to_string()),
        ("POST", "token") => token(world, text("username")),
        ("POST", "expire") => {
            world.session_event(Event::Ended {
                user: user_named(world, text("username")).ok(),
            });
            Ok(json!({}))
        }
        ("POST", "usage") => {
            world.set_calls_used(body.get("used").and_then(Value::as_u64).unwrap_or(0));
            Ok(json!({}))
        }
        ("POST", "undelete") => amend(world, text("id"), |row| row.set("IsDeleted", false)),
        ("POST", "purge") => world.purge(text("id")).map(|id| json!({"id": id})),
        ("PATCH", record) if record.starts_with("records/") => {
            let record = record.strip_prefix("records/").unwrap_or_default();
            set_fields(world, record, body.as_object())
        }
        ("POST", "refresh") => {
            let without = body
                .get("without")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            let without: Vec<String> = without.filter_map(Value::as_str).map(str::to_owned).collect();
            Ok(refresh(world, text("keys") != "lost", &without))
        }
        ("POST", "merge") => {
            let losers = body.get("losers").and_then(Value::as_array).into_iter().flatten();
            let losers: Vec<String> = losers.filter_map(Value::as_str).map(str::to_owned).collect();
            let none = Map::new();
            let picked = body.get("fields").and_then(Value::as_object).unwrap_or(&none);
            merge(world, &system(), text("master"), &losers, picked)
        }
        ("POST", "convert") => amend(world, text("id"), |row| {
            row.set("IsConverted", true);
            row.set("Status", "Closed - Converted");
            row.set("ConvertedContactId", text("contact"));
        }),
        ("PATCH", user) if user.starts_with("users/") => {
            let username = user.strip_prefix("users/").unwrap_or_default();
            user_named(world, username).and_then(|id| set_fields(world, &id, body.as_object()))
        }
        _ => return None,
    })
}

fn user_named(world: &World, username: &str) -> Result<String, String> {
    let state = world.read();
    let row = state.table("User").live_where("Username", username).next();
    row.map(|row| row.text("Id").to_owned())
        .ok_or_else(|| format!("there is no user {username}"))
}

fn token(world: &World, username: &str) -> Result<Value, String> {
    let user = user_named(world, username)?;
    let access = new_token("00D5f0000000001!AQ");
    world.session_event(Event::Granted {
        access: access.clone(),
        user: user.clone(),
        expires: world.clock.now() + TimeDelta::days(365),
        refresh: None,
        syncs: false,
    });
    Ok(json!({"access_token": access, "user_id": user}))
}

fn system() -> Caller {
    Caller {
        id: app::integration_user_id(),
        username: app::INTEGRATION_USERNAME.to_owned(),
        view_all: true,
        modify_all: true,
        zone: chrono_tz::UTC,
        syncs: false,
    }
}

fn amend(world: &World, record: &str, change: impl FnOnce(&mut super::store::Row)) -> Result<Value, String> {
    let missing = || format!("there is no record {record}");
    let id = id::normalize(record).ok_or_else(missing)?;
    let object = schema::object_of_id(&id).ok_or_else(missing)?;
    let caller = system();
    world.change(&caller, WriteOptions::default(), |tx| {
        tx.amend(object.name, &id, change).map_err(|error| error.message)
    })?;
    Ok(json!({"id": id}))
}

fn set_fields(world: &World, id: &str, fields: Option<&Map<String, Value>>) -> Result<Value, String> {
    let object = id::normalize(id)
        .and_then(|id| schema::object_of_id(&id))
        .ok_or("no such object")?;
    let fields = fields.ok_or("a JSON object of fields is needed")?;
    amend(world, id, |row| {
        for (name, value) in fields {
            if let Some(field) = object.field(name) {
                row.set(field.name, value.clone());
            }
        }
    })
}
