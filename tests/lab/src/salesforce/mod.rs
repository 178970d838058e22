//! The lab's Salesforce: one org over HTTP, written from the vendor's REST API Developer Guide,
//! Object Reference, SOQL and SOSL Reference and help pages.
//!
//! In reading order: the org's objects ([`schema`]) and rows ([`store`], changed by a
//! [`transaction`]); who may do what ([`rights`], [`settings`], [`permissions`]); how a record is written
//! ([`changes`], [`coerce`], [`rules`], [`mod@write`]); how it is found ([`soql`], [`locators`]);
//! who calls ([`oauth`], [`sessions`], [`app`]); the API itself ([`rest`]) behind its front door
//! ([`front`]); what people notice ([`noticing`]); what is there at the start ([`seed`]); and what tests may do besides ([`control`]).
//!
//! Known not to be here: Bulk API, SOAP, triggers and validation rules, sharing rules and teams,
//! record types, recurring series, Platform Events.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use crate::Options;
use crate::cast::Cast;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::journal::{Durable, Journal};
use crate::ledger::Ledger;

pub mod app;
mod changes;
mod coerce;
pub mod control;
mod error;
mod front;
pub mod id;
mod locators;
mod merge;
mod moment;
mod noticing;
mod oauth;
pub mod past;
mod permissions;
mod refresh;
mod rest;
mod rights;
mod rules;
mod schema;
mod seed;
mod sessions;
pub mod settings;
mod soql;
mod store;
mod transaction;
mod write;

pub use front::handle;

use locators::Locators;
use noticing::Edits;
use sessions::{Event, Sessions};
use settings::Settings;
use store::{Fields, State};
use transaction::{Caller, Transaction, WriteOptions};

/// The world's name in the journal.
const WORLD: &str = "salesforce";

/// API calls counted since the window began.
#[derive(Clone, Default)]
struct Usage {
    since: DateTime<Utc>,
    used: u64,
    by_user: BTreeMap<String, u64>,
}

/// One org.
pub struct World {
    clock: Clock,
    ledger: Ledger,
    edits: Mutex<Edits>,
    faults: Faults,
    state: RwLock<State>,
    sessions: Mutex<Sessions>,
    locators: Locators,
    usage: Mutex<Usage>,
    settings_changed: Mutex<DateTime<Utc>>,
    journal: OnceLock<Journal>,
}

impl World {
    /// The seeded org.
    pub fn new(cast: Arc<Cast>, clock: Clock, ledger: Ledger, faults: Faults, options: &Options) -> World {
        let mut state = State::new();
        seed::fill(&mut state, &cast, options);
        World {
            clock,
            ledger,
            edits: Mutex::default(),
            faults,
            state: RwLock::new(state),
            sessions: Mutex::default(),
            locators: Locators::default(),
            usage: Mutex::new(Usage {
                since: cast.start,
                ..Usage::default()
            }),
            settings_changed: Mutex::new(cast.start),
            journal: OnceLock::new(),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a change alone and puts what it did into the journal before anybody learns of it.
    fn change<T>(
        &self,
        caller: &Caller,
        options: WriteOptions,
        work: impl FnOnce(&mut Transaction<'_>) -> T,
    ) -> T {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        // The moment is taken under the lock, so that stamps never run backwards.
        let now = self.clock.now();
        let mut tx = Transaction::new(&mut state, caller, now, options);
        let result = work(&mut tx);
        if let Some(journal) = self.journal.get().filter(|journal| journal.keeps())
            && let Some(images) = tx.images()
        {
            journal.append(WORLD, &images);
        }
        let touches = tx.touches();
        drop(state);
        self.notice(caller, &touches, now);
        result
    }

    /// What people changed, and what the synchronising app has read.
    fn edits(&self) -> MutexGuard<'_, Edits> {
        self.edits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a record out of the recycle bin for good; gives its id.
    fn purge(&self, record: &str) -> Result<String, String> {
        let missing = || format!("there is no deleted record {record}");
        let id = id::normalize(record).ok_or_else(missing)?;
        let object = schema::object_of_id(&id).ok_or_else(missing)?;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let deleted = state
            .row(object.name, &id)
            .is_some_and(|row| row.flag("IsDeleted"));
        if !deleted {
            return Err(missing());
        }
        self.note(&json!({"purged": [object.name, id]}));
        state.take(object.name, &id);
        Ok(id)
    }

    fn note(&self, entry: &Value) {
        if let Some(journal) = self.journal.get() {
            journal.append(WORLD, entry);
        }
    }

    /// Changes the sessions; the journal has it first.
    fn session_event(&self, event: Event) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        self.note(&json!({"session": event}));
        sessions.apply(event);
    }

    /// Changes the administrator's settings by a JSON merge patch (RFC 7396) and gives them whole.
    ///
    /// # Errors
    /// The patched settings are not of the right form; nothing is changed then.
    pub fn patch_settings(&self, patch: &Value) -> Result<Value, serde_json::Error> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let mut all = serde_json::to_value(&state.settings)?;
        merge(&mut all, patch);
        let settings: Settings = serde_json::from_value(all.clone())?;
        self.note(&json!({"settings": all}));
        state.settings = settings;
        permissions::settle(&mut state, self.clock.now());
        *self
            .settings_changed
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = self.clock.now();
        Ok(all)
    }

    /// When descriptions last changed.
    fn settings_changed(&self) -> DateTime<Utc> {
        *self
            .settings_changed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The counts of the present window; a new window begins a day after the last one did.
    fn usage(&self) -> MutexGuard<'_, Usage> {
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        if now - usage.since > TimeDelta::hours(24) {
            *usage = Usage {
                since: now,
                ..Usage::default()
            };
        }
        usage
    }

    /// Counts one API call against the user's and the org's budget.
    fn count_call(&self, username: &str) {
        let mut usage = self.usage();
        usage.used += 1;
        *usage.by_user.entry(username.to_owned()).or_default() += 1;
    }

    /// API calls in the present window.
    fn calls_used(&self) -> u64 {
        self.usage().used
    }

    /// Counts API calls from zero again.
    pub fn reset_stats(&self) {
        self.set_calls_used(0);
    }

    /// Sets the counted calls of the present window, and forgets whose they were.
    fn set_calls_used(&self, used: u64) {
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        *usage = Usage {
            since: self.clock.now(),
            used,
            by_user: BTreeMap::new(),
        };
    }

    /// The whole content for GET /world: every object's rows, deleted ones too, without file bytes.
    pub fn content(&self) -> Value {
        let state = self.read();
        let objects = schema::objects().map(|object| {
            let rows = state.table(object.name).rows().map(|row| shown(row));
            (object.name.to_owned(), Value::Array(rows.collect()))
        });
        Value::Object(objects.collect())
    }

    /// The living rows of an object whose field has this text, as [`content`](Self::content) gives them.
    pub fn living(&self, object: &str, field: &str, text: &str) -> Vec<Value> {
        let state = self.read();
        let rows = state.table(object).rows();
        let wanted = rows.filter(|row| !row.flag("IsDeleted") && row.text(field) == text);
        wanted.map(|row| shown(row)).collect()
    }

    /// What GET /stats adds for this side: API calls by user, live rows by object.
    pub fn stats(&self) -> Value {
        let records: Map<String, Value> = {
            let state = self.read();
            let count = |object: &schema::Object| {
                state
                    .table(object.name)
                    .rows()
                    .filter(|row| !row.flag("IsDeleted"))
                    .count()
            };
            schema::objects()
                .map(|object| (object.name.to_owned(), json!(count(object))))
                .collect()
        };
        let usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        json!({"calls": usage.by_user, "calls_used": usage.used, "records": records})
    }
}

/// A row without a file's bytes.
fn shown(row: &store::Row) -> Value {
    let fields = row.iter().filter(|(name, _)| **name != "VersionData");
    let fields = fields.map(|(name, value)| ((*name).to_owned(), value.clone()));
    Value::Object(fields.collect())
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Some(target) = target.as_object_mut() else {
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
        WORLD
    }

    fn replay(&self, entry: Value) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(rows) = entry.get("rows").and_then(Value::as_array) {
            for row in rows {
                if let (Some(Value::String(object)), Some(Value::Object(fields))) = (row.get(0), row.get(1)) {
                    state.restore(object, fields.clone());
                }
            }
        }
        if let Some(purged) = entry.get("purged")
            && let (Some(object), Some(id)) = (purged[0].as_str(), purged[1].as_str())
        {
            state.take(object, id);
        }
        if let Some(settings) = entry.get("settings")
            && let Ok(settings) = serde_json::from_value(settings.clone())
        {
            state.settings = settings;
            permissions::settle(&mut state, self.clock.now());
        }
        if let Some(event) = entry.get("session")
            && let Ok(event) = serde_json::from_value(event.clone())
        {
            self.sessions
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .apply(event);
        }
    }

    fn attach(&self, journal: Journal) {
        // A second journal would split the record of one world.
        let _ = self.journal.set(journal);
    }
}
