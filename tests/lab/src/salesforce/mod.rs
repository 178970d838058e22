//! The lab's Salesforce, written from the REST API Developer Guide, the Object Reference and the help
//! pages on OAuth flows.
//!
//! From the outside in: [`front`] takes an HTTP request apart, signs the caller in by his token and meets the
//! faults; [`oauth`] gives tokens; [`rest`] is the API; [`soql`] reads queries; [`write`] makes, changes and
//! deletes records by the objects' [`rules`] and the caller's [`rights`]; [`store`] holds the rows of the
//! [`schema`]. Every change is one [`transaction`], whose images go to the journal before it is acknowledged.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::Options;
use crate::cast::Cast;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::journal::{Durable, Journal};
use crate::ledger::Ledger;

pub mod app;
pub mod changes;
pub mod coerce;
pub mod error;
mod front;
pub mod id;
pub mod locators;
pub mod moment;
pub mod oauth;
pub mod rest;
pub mod rights;
pub mod rules;
pub mod schema;
mod seed;
pub mod settings;
pub mod soql;
pub mod store;
pub mod transaction;
pub mod write;

pub use front::handle;

use locators::Locators;
use oauth::Tokens;
use settings::Settings;
use store::{Fields, State};
use transaction::Caller;

/// One org.
pub struct World {
    cast: Arc<Cast>,
    clock: Clock,
    faults: Faults,
    state: RwLock<State>,
    /// Open query results.
    pub locators: Locators,
    tokens: Tokens,
    calls: Mutex<BTreeMap<String, u64>>,
    journal: Mutex<Journal>,
    settings_changed: Mutex<DateTime<Utc>>,
}

impl World {
    /// The seeded world.
    pub fn new(cast: Arc<Cast>, clock: Clock, _: Ledger, faults: Faults, options: &Options) -> World {
        let mut state = State::new();
        seed::fill(&mut state, &cast, options);
        World {
            settings_changed: Mutex::new(cast.start),
            cast,
            clock,
            faults,
            state: RwLock::new(state),
            locators: Locators::default(),
            tokens: Tokens::default(),
            calls: Mutex::default(),
            journal: Mutex::default(),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn journal(&self) -> Journal {
        lock(&self.journal).clone()
    }

    /// Counts an API call of a user.
    pub fn count_call(&self, username: &str) {
        *lock(&self.calls).entry(username.to_owned()).or_default() += 1;
    }

    /// API calls of the whole org so far.
    pub fn calls_used(&self) -> u64 {
        lock(&self.calls).values().sum()
    }

    /// When the administrator changed something last.
    pub fn settings_changed(&self) -> DateTime<Utc> {
        *lock(&self.settings_changed)
    }

    /// Changes the administrator's settings by a JSON merge patch (RFC 7396) and gives them whole.
    ///
    /// # Errors
    /// The patched settings are not of the right form; nothing is changed then.
    pub fn patch_settings(&self, patch: &Value) -> Result<Value, serde_json::Error> {
        let mut state = self.write();
        let mut all = serde_json::to_value(&state.settings)?;
        merge(&mut all, patch);
        state.settings = serde_json::from_value(all.clone())?;
        *lock(&self.settings_changed) = self.clock.now();
        self.journal().append("salesforce", &json!({"settings": all}));
        Ok(all)
    }

    /// A user as a caller of the API; `None` for one that is not there.
    fn caller(&self, state: &State, username: &str) -> Option<Caller> {
        let row = state
            .table("User")
            .rows()
            .find(|row| row.text("Username").eq_ignore_ascii_case(username))?;
        let rights = state.settings.users.get(username).cloned().unwrap_or_default();
        let integration = username == app::INTEGRATION_USERNAME;
        let person = self
            .cast
            .people
            .iter()
            .find(|person| person.sf_username == username);
        Some(Caller {
            id: row.text("Id").to_owned(),
            username: row.text("Username").to_owned(),
            view_all: rights.view_all || integration,
            modify_all: rights.modify_all || integration,
            zone: person.map_or(chrono_tz::UTC, |person| person.zone),
        })
    }

    /// The whole content for GET /world: every row of every object, those in the recycle bin marked by
    /// `IsDeleted`.
    pub fn content(&self) -> Value {
        let state = self.read();
        schema::objects()
            .map(|object| {
                let rows: Vec<Value> = state
                    .table(object.name)
                    .rows()
                    .map(|row| json!(row.as_ref()))
                    .collect();
                (object.name.to_owned(), Value::Array(rows))
            })
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    /// What GET /stats adds for this side.
    pub fn stats(&self) -> Value {
        let state = self.read();
        let records: serde_json::Map<String, Value> = schema::objects()
            .map(|object| {
                let live = state
                    .table(object.name)
                    .rows()
                    .filter(|row| !row.flag("IsDeleted"))
                    .count();
                (object.name.to_owned(), json!(live))
            })
            .collect();
        json!({"calls": *lock(&self.calls), "records": records})
    }

    /// Forgets the counts of calls.
    pub fn reset_stats(&self) {
        lock(&self.calls).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn merge(target: &mut Value, patch: &Value) {
    let (Value::Object(target), Value::Object(patch)) = (&mut *target, patch) else {
        *target = patch.clone();
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            merge(target.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

impl Durable for World {
    fn name(&self) -> &'static str {
        "salesforce"
    }

    fn replay(&self, entry: Value) {
        let mut state = self.write();
        if let Some(settings) = entry.get("settings") {
            if let Ok(settings) = serde_json::from_value::<Settings>(settings.clone()) {
                state.settings = settings;
            }
        }
        let rows = entry.get("rows").and_then(Value::as_array).into_iter().flatten();
        for pair in rows {
            if let (Some(object), Some(Value::Object(fields))) =
                (pair.get(0).and_then(Value::as_str), pair.get(1))
            {
                state.restore(object, fields.clone());
            }
        }
    }

    fn attach(&self, journal: Journal) {
        *lock(&self.journal) = journal;
    }
}
