//! Runs a bound query: finds candidate rows by an index if it can, filters, orders, shows.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::ast::Operator;
use super::bind::{Bound, Columns, FieldPath, Filter, Leaf};
use super::evaluate::{Evaluator, Ready, conjuncts, key, leaf_value, literal_key, text_values};
use super::literal::Literal;
use crate::salesforce::moment::stamp;
use crate::salesforce::rights;
use crate::salesforce::schema::{Kind, Object};
use crate::salesforce::store::{Fields, Row, Table};

impl Evaluator<'_> {
    /// The ids of the rows a query finds, in its order; `deleted` lets rows in the recycle bin in.
    pub fn ids(&self, bound: &Bound, deleted: bool) -> Vec<String> {
        let deleted = deleted || bound.all_rows;
        let ready = bound.filter.as_ref().map(|filter| self.ready(filter));
        let table = self.state.table(bound.object.name);
        let enough = match bound.limit {
            Some(limit) if bound.order.is_empty() => limit + bound.offset,
            _ => usize::MAX,
        };
        let fits = |row: &&Arc<Row>| {
            (deleted || !row.flag("IsDeleted"))
                && ready.as_ref().is_none_or(|ready| self.meets(row, ready))
                && rights::may_read(self.state, self.caller, bound.object, row)
        };
        let mut rows: Vec<&Arc<Row>> = match bound
            .filter
            .as_ref()
            .and_then(|filter| self.candidates(table, filter))
        {
            Some(ids) => ids
                .iter()
                .filter_map(|id| table.get(id))
                .filter(fits)
                .take(enough)
                .collect(),
            None => table.rows().filter(fits).take(enough).collect(),
        };
        self.order(&mut rows, &bound.order);
        let limit = bound.limit.unwrap_or(usize::MAX);
        rows.into_iter()
            .skip(bound.offset)
            .take(limit)
            .map(|row| row.text("Id").to_owned())
            .collect()
    }

    fn order(&self, rows: &mut [&Arc<Row>], order: &[(FieldPath, bool, bool)]) {
        if order.is_empty() {
            return;
        }
        rows.sort_by_cached_key(|row| {
            let keys: Vec<SortKey> = order
                .iter()
                .map(|(path, descending, nulls_last)| {
                    SortKey::new(&self.value(row, path), *descending, *nulls_last)
                })
                .collect();
            keys
        });
    }

    /// Runs the subqueries of a condition.
    fn ready<'a>(&self, filter: &'a Filter) -> Ready<'a> {
        match filter {
            Filter::And(parts) => Ready::And(parts.iter().map(|part| self.ready(part)).collect()),
            Filter::Or(parts) => Ready::Or(parts.iter().map(|part| self.ready(part)).collect()),
            Filter::Not(inner) => Ready::Not(Box::new(self.ready(inner))),
            Filter::Compare {
                path,
                operator,
                value,
            } => Ready::Compare {
                path,
                operator: *operator,
                value,
            },
            Filter::In {
                path,
                negated,
                values,
            } => Ready::Within {
                path,
                negated: *negated,
                values: values.iter().filter_map(literal_key).collect(),
                null: values.contains(&Literal::Null),
                literals: values,
            },
            Filter::InQuery {
                path,
                negated,
                query,
                column,
            } => Ready::Within {
                path,
                negated: *negated,
                values: self.column(query, column),
                null: false,
                literals: &[],
            },
        }
    }

    fn column(&self, query: &Bound, column: &FieldPath) -> HashSet<String> {
        let table = self.state.table(query.object.name);
        let rows = self.ids(query, false);
        let values = rows
            .iter()
            .filter_map(|id| table.get(id))
            .map(|row| self.value(row, column));
        values
            .filter(|value| !value.is_null())
            .map(|value| key(&value))
            .collect()
    }

    /// A superset of the rows that an AND condition can find, by the best index; `None`: all rows.
    fn candidates(&self, table: &Table, filter: &Filter) -> Option<BTreeSet<String>> {
        let parts = conjuncts(filter);
        parts
            .iter()
            .find_map(|part| self.by_value(table, part))
            .or_else(|| by_range(table, parts))
            .or_else(|| self.by_any(table, filter))
    }

    /// `a = 1 OR b = 2` with an index on each.
    fn by_any(&self, table: &Table, filter: &Filter) -> Option<BTreeSet<String>> {
        let Filter::Or(parts) = filter else { return None };
        let mut all = BTreeSet::new();
        for part in parts {
            all.extend(self.candidates(table, part)?);
        }
        Some(all)
    }

    fn by_value(&self, table: &Table, part: &Filter) -> Option<BTreeSet<String>> {
        let (path, values): (&FieldPath, Vec<String>) = match part {
            Filter::Compare {
                path,
                operator: Operator::Equal,
                value: Literal::Text(text),
            } => (path, vec![text.clone()]),
            Filter::In {
                path,
                negated: false,
                values,
            } => (
                path,
                text_values(values)?.into_iter().map(str::to_owned).collect(),
            ),
            Filter::Or(_) => return self.by_any(table, part),
            _ => return None,
        };
        let field = own_field(path)?;
        if field == "Id" {
            return Some(values.into_iter().collect());
        }
        if !table.has_index(field) {
            return None;
        }
        let found = values.iter().flat_map(|value| table.lookup(field, value));
        Some(found.map(str::to_owned).collect())
    }

    /// A row as an answer shows it.
    pub fn show(&self, version: &str, object: &'static Object, columns: &Columns, row: &Row) -> Value {
        let mut shown = Map::new();
        let url = format!(
            "/services/data/{version}/sobjects/{}/{}",
            object.name,
            row.text("Id")
        );
        shown.insert("attributes".to_owned(), json!({"type": object.name, "url": url}));
        for leaf in &columns.leaves {
            let (name, value) = match leaf {
                Leaf::Field(field) if matches!(field.kind, Kind::Base64) => {
                    (field.name, json!(format!("{url}/{}", field.name)))
                }
                Leaf::Field(field) => (field.name, leaf_value(row, Some(object), *leaf)),
                Leaf::Named(name) => (*name, leaf_value(row, Some(object), *leaf)),
            };
            shown.insert(name.to_owned(), value);
        }
        for (step, columns) in columns.parents.values() {
            let target = self.state.live(row.text(step.name));
            let target =
                target.filter(|(object, row)| rights::may_read(self.state, self.caller, object, row));
            let value = target.map_or(Value::Null, |(object, row)| {
                self.show(version, object, columns, row)
            });
            shown.insert(step.relation().unwrap_or_default().to_owned(), value);
        }
        for (name, field, query) in &columns.children {
            shown.insert(
                (*name).to_owned(),
                self.children(version, field, query, row.text("Id")),
            );
        }
        Value::Object(shown)
    }

    fn children(&self, version: &str, field: &str, query: &Bound, parent: &str) -> Value {
        let table = self.state.table(query.object.name);
        let ready = query.filter.as_ref().map(|filter| self.ready(filter));
        let mut rows: Vec<&Arc<Row>> = table
            .live_where(field, parent)
            .filter(|row| ready.as_ref().is_none_or(|ready| self.meets(row, ready)))
            .filter(|row| rights::may_read(self.state, self.caller, query.object, row))
            .collect();
        self.order(&mut rows, &query.order);
        rows.truncate(query.limit.unwrap_or(usize::MAX));
        if rows.is_empty() {
            return Value::Null;
        }
        let records: Vec<Value> = rows
            .iter()
            .map(|row| self.show(version, query.object, &query.columns, row))
            .collect();
        json!({"totalSize": records.len(), "done": true, "records": records})
    }

    /// The one record of an aggregate query.
    pub fn aggregate(&self, bound: &Bound, ids: &[String]) -> Value {
        let table = self.state.table(bound.object.name);
        let mut record = Map::new();
        record.insert("attributes".to_owned(), json!({"type": "AggregateResult"}));
        for (name, function, path) in &bound.aggregates {
            let values = ids
                .iter()
                .filter_map(|id| table.get(id))
                .map(|row| self.value(row, path));
            let values: Vec<Value> = values.filter(|value| !value.is_null()).collect();
            let by = |value: &&Value| SortKey::new(value, false, false);
            let value = match function.as_str() {
                "COUNT" => json!(values.len()),
                "COUNT_DISTINCT" => json!(values.iter().map(key).collect::<HashSet<_>>().len()),
                "MAX" => values.iter().max_by_key(by).cloned().unwrap_or(Value::Null),
                _ => values.iter().min_by_key(by).cloned().unwrap_or(Value::Null),
            };
            record.insert(name.clone(), value);
        }
        Value::Object(record)
    }
}

/// A value's place in an order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum SortKey {
    NullFirst,
    Up(i64, String),
    Down(std::cmp::Reverse<(i64, String)>),
    NullLast,
}

impl SortKey {
    fn new(value: &Value, descending: bool, nulls_last: bool) -> SortKey {
        let (number, text) = match value {
            Value::Null if nulls_last => return SortKey::NullLast,
            Value::Null => return SortKey::NullFirst,
            Value::Bool(flag) => (i64::from(*flag), String::new()),
            // Amounts are compared to the thousandth, which no field here is finer than.
            Value::Number(number) => (
                (number.as_f64().unwrap_or_default() * 1000.0) as i64,
                String::new(),
            ),
            other => (0, key(other)),
        };
        if descending {
            SortKey::Down(std::cmp::Reverse((number, text)))
        } else {
            SortKey::Up(number, text)
        }
    }
}

fn own_field(path: &FieldPath) -> Option<&'static str> {
    match (path.steps.as_slice(), path.leaf) {
        ([], Leaf::Field(field)) => Some(field.name),
        _ => None,
    }
}

/// `SystemModstamp >= a AND SystemModstamp < b` by its index.
fn by_range(table: &Table, parts: &[Filter]) -> Option<BTreeSet<String>> {
    let bounds = parts.iter().filter_map(|part| {
        let Filter::Compare {
            path,
            operator,
            value,
        } = part
        else {
            return None;
        };
        let value = match value {
            Literal::Moment(at) => stamp(*at),
            Literal::Date(date) => date.to_string(),
            _ => return None,
        };
        let field = own_field(path).filter(|field| table.has_index(field))?;
        Some((field, *operator, value))
    });
    let bounds: Vec<_> = bounds.collect();
    let (field, _, _) = bounds.first()?;
    let bound = |lower: bool| {
        bounds.iter().find_map(|(name, operator, value)| {
            let fits = match operator {
                Operator::Greater | Operator::GreaterOrEqual => lower,
                Operator::Less | Operator::LessOrEqual => !lower,
                Operator::Equal => true,
                _ => false,
            };
            (name == field && fits).then_some(value.as_str())
        })
    };
    let (from, to) = (bound(true), bound(false));
    if from.is_none() && to.is_none() {
        return None;
    }
    Some(table.range(field, from, to).map(str::to_owned).collect())
}
