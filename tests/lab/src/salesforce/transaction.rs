//! One transaction: who writes, when, and how to undo it.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::error::{ApiError, ApiResult, as_told, locked};
use super::moment::stamp;
use super::schema::{self, Object};
use super::store::{Fields, MADE_BY_SYNC, Row, State};
use crate::faults::Told;

/// The user on whose behalf a call is made.
#[derive(Clone, Debug)]
pub struct Caller {
    /// User id, 18 characters.
    pub id: String,
    /// Username.
    pub username: String,
    /// Sees every record.
    pub view_all: bool,
    /// Changes every record.
    pub modify_all: bool,
    /// The user's zone, for date literals.
    pub zone: Tz,
    /// Whether the synchronising app calls in this name.
    pub syncs: bool,
}

/// A row that a transaction changed: as it was and as it is.
pub struct Touch {
    /// The object's name.
    pub object: &'static str,
    /// The row's id.
    pub id: String,
    /// None for a new one.
    pub old: Option<Arc<Row>>,
    /// None for one that is gone.
    pub new: Option<Arc<Row>>,
}

/// What the request's headers say about writing.
#[derive(Clone, Copy, Debug, Default)]
pub struct WriteOptions {
    /// `Sforce-Duplicate-Rule-Header: allowSave=true`.
    pub allow_duplicates: bool,
    /// A fault that writes meet.
    pub obstacle: Option<Obstacle>,
}

/// What stands in the way of writes.
#[derive(Clone, Copy, Debug)]
pub enum Obstacle {
    /// Every second record is locked by somebody else.
    Lock,
    /// Each is refused with this code.
    Code(Told),
}

/// A transaction under the store's write lock.
pub struct Transaction<'a> {
    /// The rows.
    pub state: &'a mut State,
    /// Who writes.
    pub caller: &'a Caller,
    /// The lab's present moment.
    pub now: DateTime<Utc>,
    /// What the headers say.
    pub options: WriteOptions,
    /// The id of the next record that is made; for the seed, whose cast has its ids already.
    pub fixed_id: Option<String>,
    undo: Vec<(&'static str, String, Option<Arc<Row>>)>,
    attempts: u64,
}

impl<'a> Transaction<'a> {
    /// Begins.
    pub fn new(state: &'a mut State, caller: &'a Caller, now: DateTime<Utc>, options: WriteOptions) -> Self {
        Transaction {
            state,
            caller,
            now,
            options,
            fixed_id: None,
            undo: Vec::new(),
            attempts: 0,
        }
    }

    /// A point to roll back to.
    pub fn savepoint(&self) -> usize {
        self.undo.len()
    }

    /// Undoes everything since the savepoint.
    pub fn rollback_to(&mut self, savepoint: usize) {
        while self.undo.len() > savepoint {
            let Some((object, id, old)) = self.undo.pop() else {
                return;
            };
            match old {
                Some(old) => self.state.put(object, old),
                None => self.state.take(object, &id),
            };
        }
    }

    /// What a fault says to the write of a record; counts it. The id may be empty.
    ///
    /// # Errors
    /// The vendor's error, where one is due.
    pub fn obstacle(&mut self, record: &str) -> ApiResult<()> {
        self.attempts += 1;
        match self.options.obstacle {
            Some(Obstacle::Lock) if self.attempts % 2 == 1 => Err(locked(record)),
            Some(Obstacle::Code(told)) => Err(as_told(told)),
            _ => Ok(()),
        }
    }

    /// Stores a changed row, stamped with writer and time.
    pub fn store(&mut self, object: &'static Object, mut row: Row) {
        let now = stamp(self.now);
        row.set("LastModifiedById", self.caller.id.as_str());
        row.set("LastModifiedDate", now.as_str());
        row.set("SystemModstamp", now);
        self.store_as_is(object, row);
    }

    /// Stores a row without stamping it.
    pub fn store_as_is(&mut self, object: &'static Object, row: Row) {
        let id = row.text("Id").to_owned();
        let old = self.state.put(object.name, Arc::new(row));
        self.undo.push((object.name, id, old));
    }

    /// Stores a new row with an id of its own; gives the id.
    pub fn create(&mut self, object: &'static Object, mut row: Row) -> String {
        let fixed = self.fixed_id.take_if(|id| id.starts_with(object.prefix));
        let id = fixed.unwrap_or_else(|| self.state.next_id(object));
        row.set("Id", id.as_str());
        row.set("IsDeleted", false);
        row.set("CreatedById", self.caller.id.as_str());
        row.set("CreatedDate", stamp(self.now));
        if self.caller.syncs {
            row.set(MADE_BY_SYNC, true);
        }
        if object.owned && row.text("OwnerId").is_empty() {
            row.set("OwnerId", self.caller.id.as_str());
        }
        self.store(object, row);
        id
    }

    /// Creates a row of an object named by the rules.
    pub fn create_named(&mut self, object: &'static str, row: Row) -> ApiResult<String> {
        Ok(self.create(known(object)?, row))
    }

    /// Changes a row in place by a function and stamps it; a missing row is left missing.
    pub fn amend(&mut self, object: &'static str, id: &str, change: impl FnOnce(&mut Row)) -> ApiResult<()> {
        if let Some(row) = self.state.row(object, id) {
            let mut row = Row::clone(row);
            change(&mut row);
            self.store(known(object)?, row);
        }
        Ok(())
    }

    /// Moves a row to the recycle bin.
    pub fn recycle(&mut self, object: &'static str, id: &str) -> ApiResult<()> {
        self.amend(object, id, |row| row.set("IsDeleted", true))
    }

    /// Everything this transaction changed so far.
    pub fn touches(&self) -> Vec<Touch> {
        let mut seen = BTreeSet::new();
        let first = self.undo.iter().filter(|(_, id, _)| seen.insert(id.clone()));
        first
            .map(|(object, id, old)| Touch {
                object,
                id: id.clone(),
                old: old.clone(),
                new: self.state.row(object, id).cloned(),
            })
            .collect()
    }

    /// Everything this transaction changed, as the journal keeps it; `None` if nothing.
    pub fn images(&self) -> Option<Value> {
        if self.undo.is_empty() {
            return None;
        }
        let touched: BTreeSet<(&str, &str)> = self
            .undo
            .iter()
            .map(|(object, id, _)| (*object, id.as_str()))
            .collect();
        let rows: Vec<Value> = touched
            .into_iter()
            .filter_map(|(object, id)| Some(json!([object, self.state.row(object, id)?.as_ref()])))
            .collect();
        Some(json!({"rows": rows}))
    }
}

fn known(object: &str) -> ApiResult<&'static Object> {
    schema::object(object).ok_or_else(|| ApiError::new("INVALID_TYPE", format!("no object {object}")))
}
