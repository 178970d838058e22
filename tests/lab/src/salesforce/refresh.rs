//! A sandbox that is refreshed. The copy engine makes an org of its own with another org id at each refresh ("Servers and
//! IDs", Salesforce Help: Sandboxes), and every session of the former one is over. Users come with the copy. What was in
//! the sandbox is gone; records that an administrator then loads from files get ids of their own, and have the values of
//! external id columns where the files had them. The recycle bin is not copied.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use serde_json::{Value, json};

use super::sessions::Event;
use super::store::{Fields, Row};
use super::{World, id, schema};

/// Further than any org of the lab counts.
const APART: u64 = 10_000_000;

/// What comes with the copy.
const COPIED: [&str; 3] = ["User", "PermissionSet", "PermissionSetAssignment"];

/// The column that the synchronising app leaves its keys in.
const KEY: &str = "Holdfast_Key__c";

/// Makes the org anew, with all its records under other ids; without these ones, which were not in the files.
pub fn refresh(world: &World, keeps_keys: bool, without: &[String]) -> Value {
    let settings = {
        let mut state = world.state.write().unwrap_or_else(PoisonError::into_inner);
        let times = state.settings.refreshes + 1;
        let mut ids: HashMap<String, String> = HashMap::new();
        let mut rows: Vec<(&'static str, Arc<Row>)> = Vec::new();
        for object in schema::objects().filter(|object| !COPIED.contains(&object.name)) {
            for row in state.table(object.name).rows() {
                let old = row.text("Id").to_owned();
                let number = id::number_of(&old).unwrap_or_default() % APART;
                ids.insert(old, id::id18(object.prefix, number + APART * times));
                rows.push((object.name, Arc::clone(row)));
            }
        }
        let mut loaded = Vec::new();
        for (object, row) in rows {
            let old = row.text("Id").to_owned();
            state.take(object, &old);
            world.note(&json!({"purged": [object, old]}));
            if row.flag("IsDeleted") || without.contains(&old) {
                continue;
            }
            let mut row = Row::clone(&row);
            for value in row.values_mut() {
                renamed(value, &ids);
            }
            if !keeps_keys {
                row.retain(|name, _| *name != KEY);
            }
            loaded.push(json!([object, row]));
            state.put(object, Arc::new(row));
        }
        world.note(&json!({"rows": loaded}));
        state.settings.refreshes = times;
        state.settings.clone()
    };
    world.note(&json!({"settings": settings}));
    world.session_event(Event::Ended { user: None });
    json!({"organization_id": super::app::organization_id(settings.refreshes)})
}

/// Ids of other records, alone or in lists.
fn renamed(value: &mut Value, ids: &HashMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(new) = ids.get(text) {
                new.clone_into(text);
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|one| renamed(one, ids)),
        _ => {}
    }
}
