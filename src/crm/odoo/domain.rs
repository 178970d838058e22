//! Conditions of a search, in Odoo's prefix notation.

use serde_json::{Value, json};

/// Conditions that must all hold.
#[derive(Clone, Default)]
pub(super) struct Domain(Vec<Value>);

impl Domain {
    /// With a further condition.
    pub(super) fn and(mut self, field: &str, operator: &str, value: impl Into<Value>) -> Self {
        self.0.push(json!([field, operator, value.into()]));
        self
    }

    /// With a condition of which one of two must hold.
    pub(super) fn and_either(mut self, one: (&str, &str, Value), other: (&str, &str, Value)) -> Self {
        self.0.push(json!("|"));
        self.and(one.0, one.1, one.2).and(other.0, other.1, other.2)
    }

    /// With archived records among the others.
    pub(super) fn archived_too(self) -> Self {
        self.and("active", "in", json!([true, false]))
    }
}

impl From<Domain> for Value {
    fn from(domain: Domain) -> Self {
        Self::Array(domain.0)
    }
}
