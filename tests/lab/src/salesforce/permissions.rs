//! Who is assigned which permission set: rows that follow the administrator's settings.

use serde_json::{Map, Value, json};

use super::moment::stamp;
use super::settings::UserSettings;
use super::store::{Fields as _, State};
use super::{app, id};
use chrono::{DateTime, Utc};

const SET: &str = "PermissionSet";
const ASSIGNMENT: &str = "PermissionSetAssignment";

/// What a user may, of what the sets tell apart: view all, modify all, view setup.
type May = [bool; 3];

/// Makes the rows as the settings say.
pub fn settle(state: &mut State, now: DateTime<Utc>) {
    for object in [ASSIGNMENT, SET] {
        let rows: Vec<String> = state
            .table(object)
            .rows()
            .map(|row| row.text("Id").to_owned())
            .collect();
        for row in rows {
            state.take(object, &row);
        }
    }
    let users: Vec<(String, May)> = state
        .table("User")
        .rows()
        .map(|row| {
            let username = row.text("Username");
            (
                row.text("Id").to_owned(),
                may(state.settings.users.get(username), username),
            )
        })
        .collect();
    let mut sets: Vec<May> = Vec::new();
    for (number, (user, may)) in users.into_iter().enumerate() {
        let set = sets.iter().position(|set| *set == may).unwrap_or_else(|| {
            sets.push(may);
            put_set(state, sets.len() - 1, may, now);
            sets.len() - 1
        });
        let row = json!({
            "Id": id::id18("0Pa", 1 + number as u64), "AssigneeId": user, "PermissionSetId": set_id(set),
        });
        put(state, ASSIGNMENT, row, now);
    }
}

fn may(settings: Option<&UserSettings>, username: &str) -> May {
    let integration = username == app::INTEGRATION_USERNAME;
    let may = |of: fn(&UserSettings) -> bool| integration || settings.is_some_and(of);
    [
        may(|user| user.view_all || user.modify_all),
        may(|user| user.modify_all),
        may(|user| user.view_setup),
    ]
}

fn set_id(number: usize) -> String {
    id::id18("0PS", 1 + number as u64)
}

fn put_set(state: &mut State, number: usize, [view_all, modify_all, view_setup]: May, now: DateTime<Utc>) {
    let row = json!({
        "Id": set_id(number), "Name": format!("X00e{number}"), "Label": format!("00e{number}"),
        "IsOwnedByProfile": true, "PermissionsViewAllData": view_all, "PermissionsModifyAllData": modify_all,
        "PermissionsViewSetup": view_setup,
    });
    put(state, SET, row, now);
}

fn put(state: &mut State, object: &str, row: Value, now: DateTime<Utc>) {
    let mut fields: Map<String, Value> = row.as_object().cloned().unwrap_or_default();
    fields.insert("IsDeleted".to_owned(), json!(false));
    for field in ["CreatedDate", "LastModifiedDate", "SystemModstamp"] {
        fields.insert(field.to_owned(), json!(stamp(now)));
    }
    state.restore(object, fields);
}
