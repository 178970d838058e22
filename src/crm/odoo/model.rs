//! What a model of Odoo's is to a user, and who the user is.

use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

/// A model as the user sees it.
pub(super) struct Model {
    pub(super) fields: HashMap<String, Facts>,
    pub(super) creatable: bool,
    pub(super) writable: bool,
}

/// A field of a model.
#[derive(Deserialize)]
pub(super) struct Facts {
    #[serde(default)]
    readonly: bool,
    #[serde(default)]
    required: bool,
    #[serde(rename = "type")]
    sort: String,
    #[serde(default)]
    selection: Vec<(Value, Value)>,
}

impl Model {
    /// True where the user may see the field.
    pub(super) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// True where the user may set the field.
    pub(super) fn may_set(&self, field: &str) -> bool {
        self.writable && self.fields.get(field).is_some_and(|facts| !facts.readonly)
    }

    /// True where no record is without a value of the field.
    pub(super) fn requires(&self, field: &str) -> bool {
        self.fields.get(field).is_some_and(|facts| facts.required)
    }

    /// True for a field that holds an instant rather than a day.
    pub(super) fn is_instant(&self, field: &str) -> bool {
        self.fields
            .get(field)
            .is_some_and(|facts| facts.sort == "datetime")
    }

    /// True where a selection has this value.
    pub(super) fn has_choice(&self, field: &str, value: &str) -> bool {
        let facts = self.fields.get(field);
        facts.is_some_and(|facts| facts.selection.iter().any(|(choice, _)| choice == value))
    }

    /// Those of some fields that the user may see.
    pub(super) fn columns(&self, wanted: &[&'static str]) -> Vec<&'static str> {
        wanted.iter().copied().filter(|field| self.has(field)).collect()
    }
}

/// A user.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    pub(super) id: i64,
    /// His card.
    pub(super) partner: i64,
    /// Where he is; UTC where he has not said.
    pub(super) zone: chrono_tz::Tz,
}
