//! The org's rows in memory, with the indexes that keep queries fast.
//!
//! Knows fields and values, no rules. Rows are never changed in place: a change replaces the row,
//! so that undoing one is putting the old row back (see [`super::transaction`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use serde_json::Value;

use super::id;
use super::schema::{self, Object};
use super::settings::Settings;

/// Field values by name; absent means null.
pub type Row = BTreeMap<&'static str, Value>;

/// A hidden field of an invited user's copy of an event: the event it copies.
pub const MASTER_EVENT: &str = "_MasterEventId";

/// A hidden field of the dates of one series of Lightning Experience.
pub const EVENT_SERIES: &str = "_EventSeries";

/// A hidden field of what the synchronising app made.
pub const MADE_BY_SYNC: &str = "_MadeBySync";

/// Reading a row without caring whether a field is null.
pub trait Fields {
    /// The text of a field, empty if null.
    fn text(&self, field: &str) -> &str;
    /// The truth of a field, false if null.
    fn flag(&self, field: &str) -> bool;
    /// The whole number of a field.
    fn number(&self, field: &str) -> Option<i64>;
    /// Sets a field; null removes it.
    fn set(&mut self, field: &'static str, value: impl Into<Value>);
}

impl Fields for Row {
    fn text(&self, field: &str) -> &str {
        self.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    fn flag(&self, field: &str) -> bool {
        self.get(field).and_then(Value::as_bool).unwrap_or_default()
    }

    fn number(&self, field: &str) -> Option<i64> {
        self.get(field).and_then(Value::as_i64)
    }

    fn set(&mut self, field: &'static str, value: impl Into<Value>) {
        match value.into() {
            Value::Null => self.remove(field),
            value => self.insert(field, value),
        };
    }
}

/// The rows of one object.
#[derive(Clone)]
pub struct Table {
    rows: BTreeMap<String, Arc<Row>>,
    indexes: HashMap<&'static str, BTreeSet<(String, String)>>,
    next: u64,
}

impl Table {
    fn new(object: &'static Object) -> Table {
        let hidden = [MASTER_EVENT, EVENT_SERIES];
        let hidden = hidden.into_iter().filter(|_| object.name == "Event");
        let indexed = object
            .fields()
            .filter(|field| field.indexed())
            .map(|field| field.name);
        Table {
            rows: BTreeMap::new(),
            indexes: indexed
                .chain(hidden)
                .map(|name| (name, BTreeSet::new()))
                .collect(),
            next: 1,
        }
    }

    /// Every row, deleted ones too, in the order of their ids.
    pub fn rows(&self) -> impl Iterator<Item = &Arc<Row>> {
        self.rows.values()
    }

    /// How many rows there are, deleted ones too.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The row with this 18-character id, deleted or not.
    pub fn get(&self, id: &str) -> Option<&Arc<Row>> {
        self.rows.get(id)
    }

    /// Whether the store keeps an index on the field.
    pub fn has_index(&self, field: &str) -> bool {
        self.indexes.contains_key(field)
    }

    /// The ids of rows whose field has this value, without regard to case.
    pub fn lookup<'a>(&'a self, field: &str, value: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let value = value.to_lowercase();
        let start = (value.clone(), String::new());
        self.indexes
            .get(field)
            .into_iter()
            .flat_map(move |index| index.range(start.clone()..))
            .take_while(move |(candidate, _)| *candidate == value)
            .map(|(_, id)| id.as_str())
    }

    /// The ids of rows whose field lies between the bounds (texts of one form, such as stamps).
    pub fn range<'a>(
        &'a self,
        field: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> impl Iterator<Item = &'a str> + use<'a> {
        let from = from.map_or(Bound::Unbounded, |from| {
            Bound::Included((from.to_lowercase(), String::new()))
        });
        let to = to.map(str::to_lowercase);
        self.indexes
            .get(field)
            .into_iter()
            .flat_map(move |index| index.range((from.clone(), Bound::Unbounded)))
            .take_while(move |(candidate, _)| to.as_ref().is_none_or(|to| candidate <= to))
            .map(|(_, id)| id.as_str())
    }

    /// Live rows whose field has this value.
    pub fn live_where<'a>(
        &'a self,
        field: &str,
        value: &str,
    ) -> impl Iterator<Item = &'a Arc<Row>> + use<'a> {
        self.lookup(field, value)
            .filter_map(|id| self.rows.get(id))
            .filter(|row| !row.flag("IsDeleted"))
    }

    fn index(&mut self, row: &Row, present: bool) {
        let id = row.text("Id");
        for (field, index) in &mut self.indexes {
            if let Some(Value::String(value)) = row.get(field) {
                let entry = (value.to_lowercase(), id.to_owned());
                if present {
                    index.insert(entry);
                } else {
                    index.remove(&entry);
                }
            }
        }
    }
}

/// Everything the org holds.
#[derive(Clone)]
pub struct State {
    tables: HashMap<&'static str, Table>,
    /// The administrator's settings.
    pub settings: Settings,
}

impl State {
    /// An empty org.
    pub fn new() -> State {
        State {
            tables: schema::objects()
                .map(|object| (object.name, Table::new(object)))
                .collect(),
            settings: Settings::default(),
        }
    }

    /// The table of an object of the schema.
    pub fn table(&self, object: &str) -> &Table {
        self.tables
            .get(object)
            .expect("every object of the schema has a table")
    }

    /// The row with this 18-character id, deleted or not.
    pub fn row(&self, object: &str, id: &str) -> Option<&Arc<Row>> {
        self.tables.get(object)?.get(id)
    }

    /// The row with this 18-character id of whatever object, if it is not deleted.
    pub fn live(&self, id: &str) -> Option<(&'static Object, &Arc<Row>)> {
        let object = schema::object_of_id(id)?;
        let row = self.row(object.name, id).filter(|row| !row.flag("IsDeleted"))?;
        Some((object, row))
    }

    /// A new id for an object.
    pub fn next_id(&mut self, object: &'static Object) -> String {
        let table = self
            .tables
            .get_mut(object.name)
            .expect("every object of the schema has a table");
        let number = table.next;
        table.next += 1;
        id::id18(object.prefix, number)
    }

    /// Puts a row in its place; gives the one that was there.
    pub fn put(&mut self, object: &str, row: Arc<Row>) -> Option<Arc<Row>> {
        let id = row.text("Id").to_owned();
        let table = self
            .tables
            .get_mut(object)
            .expect("every object of the schema has a table");
        if let Some(number) = id::number_of(&id) {
            table.next = table.next.max(number + 1);
        }
        let old = self.take(object, &id);
        let table = self
            .tables
            .get_mut(object)
            .expect("every object of the schema has a table");
        table.index(&row, true);
        table.rows.insert(id, row);
        old
    }

    /// Takes a row away without a trace.
    pub fn take(&mut self, object: &str, id: &str) -> Option<Arc<Row>> {
        let table = self.tables.get_mut(object)?;
        let old = table.rows.remove(id)?;
        table.index(&old, false);
        Some(old)
    }

    /// Puts back a row as the journal or GET /world writes it.
    pub fn restore(&mut self, object: &str, fields: serde_json::Map<String, Value>) {
        let Some(object) = schema::object(object) else {
            return;
        };
        let row: Row = fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .filter_map(|(name, value)| {
                let hidden = [MASTER_EVENT, EVENT_SERIES, MADE_BY_SYNC]
                    .into_iter()
                    .find(|field| name == *field);
                Some((object.field(&name).map(|field| field.name).or(hidden)?, value))
            })
            .collect();
        self.put(object.name, Arc::new(row));
    }
}
