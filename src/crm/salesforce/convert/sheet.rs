//! The columns of a write under way.

use crate::crm::salesforce::wire::collections::Fields;
use crate::crm::salesforce::wire::describe::Object;
use crate::foundation::content::Content;
use crate::record::field::{Field, FieldSet};
use crate::record::kind::RecordKind;
use serde_json::Value;

/// The columns of a write under way.
pub(in crate::crm::salesforce) struct Sheet<'a> {
    pub(super) object: &'a Object,
    set: FieldSet,
    pub(super) creating: bool,
    fields: Fields,
}

impl<'a> Sheet<'a> {
    /// For a new record: every field that it has.
    pub(in crate::crm::salesforce) fn new_record(object: &'a Object, kind: RecordKind) -> Self {
        Self {
            object,
            set: FieldSet::of_kind(kind),
            creating: true,
            fields: Fields::new(),
        }
    }

    /// For a change of these fields.
    pub(in crate::crm::salesforce) fn change(object: &'a Object, set: FieldSet) -> Self {
        Self {
            object,
            set,
            creating: false,
            fields: Fields::new(),
        }
    }

    /// True where the field is to be written.
    pub(super) fn wants(&self, field: Field) -> bool {
        self.set.has(field)
    }

    /// Sets a column, where the user may.
    pub(in crate::crm::salesforce) fn put(&mut self, column: &str, value: impl Into<Value>) {
        let may = self
            .object
            .field(column)
            .is_some_and(|facts| match self.creating {
                true => facts.createable,
                false => facts.updateable,
            });
        let value = value.into();
        // A null in a new record says nothing that leaving it out does not say.
        if may && !(self.creating && value.is_null()) {
            self.fields.insert(column.to_owned(), value);
        }
    }

    /// Sets a text column of a field, where the field is wanted.
    pub(super) fn text(&mut self, field: Field, column: &str, value: &Content<String>) {
        if self.wants(field) {
            self.put(column, text_value(value.expose()));
        }
    }

    /// What is to be sent.
    pub(in crate::crm::salesforce) fn finish(self) -> Fields {
        self.fields
    }
}

pub(super) fn text_value(text: &str) -> Value {
    match text.is_empty() {
        true => Value::Null,
        false => Value::String(text.to_owned()),
    }
}
