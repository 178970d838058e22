//! Whether a row meets a bound condition.

use std::cmp::Ordering;
use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::ast::Operator;
use super::bind::{FieldPath, Filter, Leaf};
use super::literal::{self, Literal};
use crate::salesforce::moment::{day_start, stamp};
use crate::salesforce::rights;
use crate::salesforce::schema::{Kind, Object};
use crate::salesforce::store::{Fields, Row, State};
use crate::salesforce::transaction::Caller;

/// What an evaluation needs beside the row.
pub struct Evaluator<'a> {
    /// The rows that references point at.
    pub state: &'a State,
    /// Who asks.
    pub caller: &'a Caller,
    /// The present moment, for date literals.
    pub now: DateTime<Utc>,
}

/// A condition whose subqueries have been run.
pub enum Ready<'a> {
    /// All of them.
    And(Vec<Ready<'a>>),
    /// One of them.
    Or(Vec<Ready<'a>>),
    /// Not it.
    Not(Box<Ready<'a>>),
    /// A comparison.
    Compare {
        path: &'a FieldPath,
        operator: Operator,
        value: &'a Literal,
    },
    /// Membership; `values` are lower-case texts or number texts, `null` whether null belongs.
    Within {
        path: &'a FieldPath,
        negated: bool,
        values: HashSet<String>,
        null: bool,
        literals: &'a [Literal],
    },
}

impl Evaluator<'_> {
    /// The value at the end of a path, null if a reference on the way is null or hidden.
    pub fn value(&self, row: &Row, path: &FieldPath) -> Value {
        let mut object: Option<&'static Object> = None;
        let mut at: Option<&Row> = Some(row);
        for step in &path.steps {
            let target = at.and_then(|row| self.state.live(row.text(step.name)));
            let target =
                target.filter(|(object, row)| rights::may_read(self.state, self.caller, object, row));
            object = target.map(|(object, _)| object);
            at = target.map(|(_, row)| row.as_ref());
        }
        let Some(row) = at else { return Value::Null };
        leaf_value(row, object, path.leaf)
    }

    /// Whether the row meets the condition.
    pub fn meets(&self, row: &Row, ready: &Ready) -> bool {
        match ready {
            Ready::And(parts) => parts.iter().all(|part| self.meets(row, part)),
            Ready::Or(parts) => parts.iter().any(|part| self.meets(row, part)),
            Ready::Not(inner) => !self.meets(row, inner),
            Ready::Compare {
                path,
                operator,
                value,
            } => self.compare(&self.value(row, path), path, *operator, value),
            Ready::Within {
                path,
                negated,
                values,
                null,
                literals,
            } => {
                let value = self.value(row, path);
                let inside = match &value {
                    Value::Null => *null,
                    value => {
                        values.contains(&key(value))
                            || literals
                                .iter()
                                .filter(|literal| is_time(literal))
                                .any(|literal| self.compare(value, path, Operator::Equal, literal))
                    }
                };
                inside != *negated
            }
        }
    }

    fn compare(&self, value: &Value, path: &FieldPath, operator: Operator, literal: &Literal) -> bool {
        if let Literal::Null = literal {
            return match operator {
                Operator::Equal => value.is_null(),
                Operator::NotEqual => !value.is_null(),
                _ => false,
            };
        }
        if value.is_null() {
            return operator == Operator::NotEqual;
        }
        match literal {
            Literal::Relative(name, number) => self.relative(value, path, operator, name, *number),
            Literal::Text(wanted) if operator == Operator::Like => like(
                &value.as_str().unwrap_or_default().to_lowercase(),
                &wanted.to_lowercase(),
            ),
            literal => order(value, literal).is_some_and(|order| holds(operator, order)),
        }
    }

    fn relative(&self, value: &Value, path: &FieldPath, operator: Operator, name: &str, number: i64) -> bool {
        let Some((from, to)) = literal::days(name, number, self.now, self.caller.zone) else {
            return false;
        };
        let moments = matches!(path.leaf, Leaf::Field(field) if matches!(field.kind, Kind::DateTime));
        let (from, to) = if moments {
            (
                stamp(day_start(from, self.caller.zone)),
                stamp(day_start(to, self.caller.zone)),
            )
        } else {
            (from.to_string(), to.to_string())
        };
        let value = value.as_str().unwrap_or_default();
        let (before, after) = (value < from.as_str(), value >= to.as_str());
        match operator {
            Operator::Equal => !before && !after,
            Operator::NotEqual => before || after,
            Operator::Less => before,
            Operator::LessOrEqual => !after,
            Operator::Greater => after,
            Operator::GreaterOrEqual => !before,
            Operator::Like => false,
        }
    }
}

fn is_time(literal: &Literal) -> bool {
    matches!(
        literal,
        Literal::Date(_) | Literal::Moment(_) | Literal::Relative(..)
    )
}

/// The value of a leaf on the row reached; `object` is that row's object if a reference was followed.
pub fn leaf_value(row: &Row, object: Option<&'static Object>, leaf: Leaf) -> Value {
    match leaf {
        Leaf::Field(field) => match row.get(field.name) {
            Some(value) => value.clone(),
            None if matches!(field.kind, Kind::Boolean) => Value::Bool(false),
            None => Value::Null,
        },
        Leaf::Named("Type") => object.map_or(Value::Null, |object| Value::from(object.name)),
        Leaf::Named("Name") => {
            let name = object.and_then(Object::name_field).and_then(|name| row.get(name));
            name.cloned().unwrap_or(Value::Null)
        }
        Leaf::Named(name) => row.get(name).cloned().unwrap_or(Value::Null),
    }
}

/// How a value is kept in a set.
pub fn key(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_lowercase(),
        Value::Number(number) => number
            .as_f64()
            .map_or_else(String::new, |number| number.to_string()),
        other => other.to_string(),
    }
}

/// The set form of a literal; `None` for null and times, which are compared one by one.
pub fn literal_key(literal: &Literal) -> Option<String> {
    match literal {
        Literal::Text(text) => Some(text.to_lowercase()),
        Literal::Number(number) => Some(number.to_string()),
        Literal::Flag(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn order(value: &Value, literal: &Literal) -> Option<Ordering> {
    match (value, literal) {
        (Value::String(value), Literal::Text(text)) => Some(value.to_lowercase().cmp(&text.to_lowercase())),
        (Value::String(value), Literal::Date(date)) => Some(value.as_str().cmp(date.to_string().as_str())),
        (Value::String(value), Literal::Moment(at)) => Some(value.as_str().cmp(stamp(*at).as_str())),
        (Value::Number(value), Literal::Number(number)) => value.as_f64()?.partial_cmp(number),
        (Value::Bool(value), Literal::Flag(flag)) => Some(value.cmp(flag)),
        _ => None,
    }
}

fn holds(operator: Operator, order: Ordering) -> bool {
    match operator {
        Operator::Equal => order == Ordering::Equal,
        Operator::NotEqual => order != Ordering::Equal,
        Operator::Less => order == Ordering::Less,
        Operator::LessOrEqual => order != Ordering::Greater,
        Operator::Greater => order == Ordering::Greater,
        Operator::GreaterOrEqual => order != Ordering::Less,
        Operator::Like => false,
    }
}

/// `%` stands for any text, `_` for one character.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let mut reachable: Vec<bool> = vec![false; text.len() + 1];
    if let Some(start) = reachable.first_mut() {
        *start = true;
    }
    for wanted in pattern {
        let mut next = vec![false; text.len() + 1];
        if wanted == '%' {
            let first = reachable
                .iter()
                .position(|reached| *reached)
                .unwrap_or(text.len() + 1);
            next.iter_mut().skip(first).for_each(|place| *place = true);
        } else {
            for (place, letter) in text.iter().enumerate() {
                let steps =
                    reachable.get(place).copied().unwrap_or(false) && (wanted == '_' || wanted == *letter);
                if let Some(place) = next.get_mut(place + 1) {
                    *place |= steps;
                }
            }
        }
        reachable = next;
    }
    reachable.last().copied().unwrap_or(false)
}

/// Whether a filter is one a set can answer, for the planner.
pub fn text_values(values: &[Literal]) -> Option<Vec<&str>> {
    values
        .iter()
        .map(|value| {
            if let Literal::Text(text) = value {
                Some(text.as_str())
            } else {
                None
            }
        })
        .collect()
}

/// Whether the filter is a conjunction and its parts, else itself alone.
pub fn conjuncts(filter: &Filter) -> &[Filter] {
    match filter {
        Filter::And(parts) => parts,
        one => std::slice::from_ref(one),
    }
}
