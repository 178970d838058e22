//! `GET sobjects/T/describe` ("sObject Describe", REST API guide): what the user may do with an object and
//! each of its fields. Asked with the user's own token, since the answer is his.

use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashMap;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(default)]
    createable: bool,
    #[serde(default)]
    queryable: bool,
    #[serde(borrow)]
    fields: Vec<FieldBody<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FieldBody<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default)]
    createable: bool,
    #[serde(default)]
    updateable: bool,
    #[serde(default)]
    unique: bool,
    #[serde(default)]
    length: usize,
    #[serde(default = "Vec::new")]
    picklist_values: Vec<PicklistValue<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PicklistValue<'a> {
    #[serde(borrow)]
    value: Cow<'a, str>,
    #[serde(default)]
    active: bool,
}

/// What the user may do with an object.
#[derive(PartialEq, Eq)]
pub(in crate::crm::salesforce) struct Object {
    /// Create records of it.
    pub(in crate::crm::salesforce) createable: bool,
    fields: HashMap<String, Facts>,
}

/// What the user may do with a field, and its shape.
#[derive(PartialEq, Eq)]
pub(in crate::crm::salesforce) struct Facts {
    /// Set it in a new record.
    pub(in crate::crm::salesforce) createable: bool,
    /// Change it.
    pub(in crate::crm::salesforce) updateable: bool,
    /// No two records have the same value.
    pub(in crate::crm::salesforce) unique: bool,
    /// Characters; 0 where the type has none.
    pub(in crate::crm::salesforce) length: usize,
    /// The active values of a picklist.
    pub(in crate::crm::salesforce) values: Vec<String>,
}

impl Object {
    /// Reads a description and keeps these fields of it; `None` where the user may not query the
    /// object.
    pub(in crate::crm::salesforce) fn parse(
        body: &[u8],
        wanted: &[&str],
    ) -> serde_json::Result<Option<Self>> {
        let body: Body<'_> = serde_json::from_slice(body)?;
        let kept = body
            .fields
            .into_iter()
            .filter(|field| wanted.contains(&&*field.name));
        let fields = kept.map(|field| {
            let values = field.picklist_values.into_iter().filter(|value| value.active);
            let facts = Facts {
                createable: field.createable,
                updateable: field.updateable,
                unique: field.unique,
                length: field.length,
                values: values.map(|value| value.value.into_owned()).collect(),
            };
            (field.name.into_owned(), facts)
        });
        Ok(body.queryable.then(|| Self {
            createable: body.createable,
            fields: fields.collect(),
        }))
    }

    /// A field; `None` where the org does not have it or the user may not see it.
    pub(in crate::crm::salesforce) fn field(&self, name: &str) -> Option<&Facts> {
        self.fields.get(name)
    }

    /// True where the user sees the field.
    pub(in crate::crm::salesforce) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// True where the user may set the field in a new record and change it later.
    pub(in crate::crm::salesforce) fn may_set(&self, name: &str) -> bool {
        self.field(name)
            .is_some_and(|facts| facts.createable && facts.updateable)
    }
}
