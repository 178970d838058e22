//! Names into fields: what the caller may not read does not exist, and values must fit their fields.

use std::collections::BTreeMap;

use super::ast::{Condition, Operator, Path, Query, Select};
use super::literal::Literal;
use super::token::error_at;
use crate::salesforce::error::{ApiError, ApiResult};
use crate::salesforce::id;
use crate::salesforce::rights;
use crate::salesforce::schema::{self, Field, Kind, Object};
use crate::salesforce::store::State;
use crate::salesforce::transaction::Caller;

/// What every record has that a polymorphic reference may point at (the vendor's Name object).
const NAME_FIELDS: &[&str] = &[
    "Id",
    "Name",
    "FirstName",
    "LastName",
    "Email",
    "Phone",
    "Title",
    "Type",
    "Username",
    "Alias",
    "IsActive",
];

/// The end of a path.
#[derive(Clone, Copy)]
pub enum Leaf {
    /// A field of the object reached.
    Field(&'static Field),
    /// A field of whatever object was reached, or `Type`.
    Named(&'static str),
}

/// A path from a row over references to a field.
#[derive(Clone)]
pub struct FieldPath {
    /// The references to follow.
    pub steps: Vec<&'static Field>,
    /// The field.
    pub leaf: Leaf,
}

/// The columns of one object level.
#[derive(Clone, Default)]
pub struct Columns {
    /// Fields of the row itself.
    pub leaves: Vec<Leaf>,
    /// Columns of parents by reference field name.
    pub parents: BTreeMap<&'static str, (&'static Field, Columns)>,
    /// Subqueries: relationship name, child's field, query.
    pub children: Vec<(&'static str, &'static str, Bound)>,
}

/// A bound condition.
#[derive(Clone)]
pub enum Filter {
    /// All of them.
    And(Vec<Filter>),
    /// One of them.
    Or(Vec<Filter>),
    /// Not it.
    Not(Box<Filter>),
    /// A comparison.
    Compare {
        path: FieldPath,
        operator: Operator,
        value: Literal,
    },
    /// Membership in a list.
    In {
        path: FieldPath,
        negated: bool,
        values: Vec<Literal>,
    },
    /// Membership in a subquery's column.
    InQuery {
        path: FieldPath,
        negated: bool,
        query: Box<Bound>,
        column: FieldPath,
    },
}

/// An aggregate: its name in the answer, the function, the field.
pub type Aggregate = (String, String, FieldPath);

/// A query ready to run.
#[derive(Clone)]
pub struct Bound {
    /// The object.
    pub object: &'static Object,
    /// What to show.
    pub columns: Columns,
    /// Which rows.
    pub filter: Option<Filter>,
    /// In what order: path, descending, nulls last.
    pub order: Vec<(FieldPath, bool, bool)>,
    /// At most so many.
    pub limit: Option<usize>,
    /// Not the first so many.
    pub offset: usize,
    /// Deleted rows too.
    pub all_rows: bool,
    /// `COUNT()`.
    pub count: bool,
    /// Aggregates.
    pub aggregates: Vec<Aggregate>,
}

/// Binds names for one caller.
pub struct Binder<'a> {
    /// The query's text, for error messages.
    pub text: &'a str,
    /// The rows and settings.
    pub state: &'a State,
    /// Who asks.
    pub caller: &'a Caller,
}

impl Binder<'_> {
    /// Binds a query over an object.
    ///
    /// # Errors
    /// INVALID_TYPE, INVALID_FIELD or INVALID_QUERY_FILTER_OPERATOR in the vendor's words.
    pub fn query(&self, query: &Query) -> ApiResult<Bound> {
        let name = query.from.parts.join(".");
        let object = schema::object(&name)
            .filter(|object| rights::object_rights(self.state, self.caller, object).read);
        let object = object.ok_or_else(|| {
            let message = format!(
                "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
            );
            error_at("INVALID_TYPE", self.text, query.from.at, &message)
        })?;
        self.over(object, query)
    }

    fn over(&self, object: &'static Object, query: &Query) -> ApiResult<Bound> {
        let mut bound = Bound {
            object,
            columns: Columns::default(),
            filter: None,
            order: Vec::new(),
            limit: query.limit,
            offset: query.offset,
            all_rows: query.all_rows,
            count: false,
            aggregates: Vec::new(),
        };
        for select in &query.select {
            self.select(object, select, &mut bound)?;
        }
        let condition = self.scoped(object, query);
        if let Some(condition) = &condition {
            bound.filter = Some(self.condition(object, condition)?);
        }
        for order in &query.order {
            let path = self.path(object, &order.path)?;
            bound.order.push((path, order.descending, order.nulls_last));
        }
        Ok(bound)
    }

    /// The condition, and what `USING SCOPE` adds to it: `mine` are the records of the user who asks ("USING SCOPE",
    /// SOQL reference); the lab has no teams and territories.
    fn scoped(&self, object: &'static Object, query: &Query) -> Option<Condition> {
        let scope = query.scope.as_ref().map(|scope| scope.parts.join("."));
        if !(object.owned && scope.is_some_and(|scope| scope.eq_ignore_ascii_case("mine"))) {
            return query.condition.clone();
        }
        let mine = Condition::Compare {
            path: Path {
                parts: vec!["OwnerId".to_owned()],
                at: 0,
            },
            operator: Operator::Equal,
            value: Literal::Text(self.caller.id.clone()),
        };
        Some(match query.condition.clone() {
            Some(condition) => Condition::And(vec![mine, condition]),
            None => mine,
        })
    }

    fn select(&self, object: &'static Object, select: &Select, bound: &mut Bound) -> ApiResult<()> {
        match select {
            Select::Count => bound.count = true,
            Select::Field(path) => {
                let path = self.path(object, path)?;
                place(&mut bound.columns, path);
            }
            Select::Fields(which) => {
                for field in object.fields() {
                    let wanted = which == "ALL" || (which == "CUSTOM") == field.custom();
                    if wanted && rights::field_rights(self.state, self.caller, object, field).read {
                        bound.columns.leaves.push(Leaf::Field(field));
                    }
                }
            }
            Select::Aggregate {
                function,
                field,
                alias,
            } => {
                let name = alias
                    .clone()
                    .unwrap_or_else(|| format!("expr{}", bound.aggregates.len()));
                bound
                    .aggregates
                    .push((name, function.clone(), self.path(object, field)?));
            }
            Select::Child(query) => {
                let name = query.from.parts.join(".");
                let child = object.child(&name).ok_or_else(|| {
                    let message = format!(
                        "Didn't understand relationship '{name}' in FROM part of query call. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names."
                    );
                    error_at("INVALID_TYPE", self.text, query.from.at, &message)
                })?;
                let object = schema::object(child.object).expect("children name objects of the schema");
                bound
                    .columns
                    .children
                    .push((child.name, child.field, self.over(object, query)?));
            }
        }
        Ok(())
    }

    fn no_such(&self, object: &Object, name: &str, at: usize) -> ApiError {
        let message = format!(
            "No such column '{name}' on entity '{}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.",
            object.name
        );
        error_at("INVALID_FIELD", self.text, at, &message)
    }

    fn path(&self, object: &'static Object, path: &Path) -> ApiResult<FieldPath> {
        let mut parts = path.parts.as_slice();
        // `Contact.Email FROM Contact` names the object itself.
        if let [first, rest @ ..] = parts
            && !rest.is_empty()
            && first.eq_ignore_ascii_case(object.name)
            && object.relationship(first).is_none()
        {
            parts = rest;
        }
        let mut steps = Vec::new();
        let mut at: Option<&'static Object> = Some(object);
        while let [relation, rest @ ..] = parts
            && !rest.is_empty()
        {
            let here = at.unwrap_or(object);
            let step = here.relationship(relation).ok_or_else(|| {
                let message = format!(
                    "Didn't understand relationship '{relation}' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names."
                );
                error_at("INVALID_FIELD", self.text, path.at, &message)
            })?;
            steps.push(step);
            at = match step.targets() {
                [one] => schema::object(one),
                _ => None,
            };
            parts = rest;
        }
        let name = parts.first().map(String::as_str).unwrap_or_default();
        let leaf = self.leaf(at, name, steps.last().copied());
        let leaf = leaf.ok_or_else(|| self.no_such(at.unwrap_or(object), name, path.at))?;
        Ok(FieldPath { steps, leaf })
    }

    fn leaf(
        &self,
        object: Option<&'static Object>,
        name: &str,
        step: Option<&'static Field>,
    ) -> Option<Leaf> {
        let field = object.and_then(|object| {
            let field = object.field(name)?;
            rights::field_rights(self.state, self.caller, object, field)
                .read
                .then_some(field)
        });
        let polymorphic = object.is_none() || step.is_some_and(|step| step.name == "OwnerId");
        let named = || {
            let known = NAME_FIELDS.iter().find(|known| known.eq_ignore_ascii_case(name));
            known.filter(|_| polymorphic).map(|known| Leaf::Named(known))
        };
        field.map(Leaf::Field).or_else(named)
    }

    fn condition(&self, object: &'static Object, condition: &Condition) -> ApiResult<Filter> {
        let all = |parts: &[Condition]| {
            parts
                .iter()
                .map(|part| self.condition(object, part))
                .collect::<ApiResult<Vec<_>>>()
        };
        Ok(match condition {
            Condition::And(parts) => Filter::And(all(parts)?),
            Condition::Or(parts) => Filter::Or(all(parts)?),
            Condition::Not(inner) => Filter::Not(Box::new(self.condition(object, inner)?)),
            Condition::Compare {
                path,
                operator,
                value,
            } => {
                let bound = self.path(object, path)?;
                let value = self.fitting(&bound, path, *operator, value)?;
                Filter::Compare {
                    path: bound,
                    operator: *operator,
                    value,
                }
            }
            Condition::In {
                path,
                negated,
                values,
            } => {
                let bound = self.path(object, path)?;
                let values = values
                    .iter()
                    .map(|value| self.fitting(&bound, path, Operator::Equal, value));
                let values = values.collect::<ApiResult<Vec<_>>>()?;
                Filter::In {
                    path: bound,
                    negated: *negated,
                    values,
                }
            }
            Condition::InQuery { path, negated, query } => {
                let inner = self.query(query)?;
                let column = match query.select.as_slice() {
                    [Select::Field(field)] => self.path(inner.object, field)?,
                    _ => {
                        return Err(error_at(
                            "MALFORMED_QUERY",
                            self.text,
                            path.at,
                            "subqueries select one field",
                        ));
                    }
                };
                let path = self.path(object, path)?;
                Filter::InQuery {
                    path,
                    negated: *negated,
                    query: Box::new(inner),
                    column,
                }
            }
        })
    }

    /// The value as the field compares it.
    fn fitting(
        &self,
        bound: &FieldPath,
        path: &Path,
        operator: Operator,
        value: &Literal,
    ) -> ApiResult<Literal> {
        let Leaf::Field(field) = bound.leaf else {
            return Ok(value.clone());
        };
        let name = field.name;
        if !field.filterable() {
            let message = format!("field '{name}' can not be filtered in a query call");
            return Err(error_at("INVALID_FIELD", self.text, path.at, &message));
        }
        let wrong = |kind: &str, quoted: bool| {
            let quotes = if quoted {
                "should be enclosed in quotes"
            } else {
                "should not be enclosed in quotes"
            };
            let message =
                format!("value of filter criterion for field '{name}' must be of type {kind} and {quotes}");
            Err(error_at("INVALID_FIELD", self.text, path.at, &message))
        };
        match (field.kind, value) {
            (_, Literal::Null) => Ok(Literal::Null),
            (Kind::Id | Kind::Reference { .. }, Literal::Text(text)) => {
                self.id_value(field, path, operator, text)
            }
            (Kind::Id | Kind::Reference { .. }, _) => wrong("ID", true),
            (Kind::Boolean, Literal::Flag(_)) => Ok(value.clone()),
            (Kind::Boolean, _) => wrong("boolean", false),
            (Kind::Int | Kind::Currency, Literal::Number(_)) => Ok(value.clone()),
            (Kind::Int | Kind::Currency, _) => wrong("double", false),
            (Kind::Date, Literal::Date(_) | Literal::Relative(..)) => Ok(value.clone()),
            (Kind::Date, _) => wrong("date", false),
            (Kind::DateTime, Literal::Moment(_) | Literal::Relative(..)) => Ok(value.clone()),
            (Kind::DateTime, _) => wrong("dateTime", false),
            (_, Literal::Text(_)) => Ok(value.clone()),
            _ => wrong("string", true),
        }
    }

    fn id_value(&self, field: &Field, path: &Path, operator: Operator, text: &str) -> ApiResult<Literal> {
        if operator == Operator::Like {
            let message = "invalid operator on id field";
            return Err(error_at(
                "INVALID_QUERY_FILTER_OPERATOR",
                self.text,
                path.at,
                message,
            ));
        }
        if text.is_empty() {
            return Ok(Literal::Null);
        }
        id::normalize(text).map(Literal::Text).ok_or_else(|| {
            let message = format!("invalid ID field: {text}");
            let _ = field;
            error_at("INVALID_QUERY_FILTER_OPERATOR", self.text, path.at, &message)
        })
    }
}

fn place(columns: &mut Columns, path: FieldPath) {
    let mut at = columns;
    for step in path.steps {
        at = &mut at
            .parents
            .entry(step.name)
            .or_insert_with(|| (step, Columns::default()))
            .1;
    }
    at.leaves.push(path.leaf);
}
