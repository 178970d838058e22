//! A call of a method of a model, whichever interface carries it.

use super::silence;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A call of a method.
pub(super) struct Call {
    pub(super) model: Cow<'static, str>,
    pub(super) method: &'static str,
    /// The records that it concerns; `None` for a method of the model itself.
    pub(super) ids: Option<Vec<i64>>,
    /// Named arguments.
    pub(super) arguments: Map<String, Value>,
}

impl Call {
    /// A method of a model.
    pub(super) fn of(model: impl Into<Cow<'static, str>>, method: &'static str) -> Self {
        Self {
            model: model.into(),
            method,
            ids: None,
            arguments: Map::new(),
        }
    }

    /// A method of some records.
    pub(super) fn on(model: impl Into<Cow<'static, str>>, method: &'static str, ids: Vec<i64>) -> Self {
        Self {
            ids: Some(ids),
            ..Self::of(model, method)
        }
    }

    /// With an argument.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.arguments.insert(name.to_owned(), value.into());
        self
    }

    /// With several.
    pub(super) fn with_all(mut self, arguments: Map<String, Value>) -> Self {
        self.arguments.extend(arguments);
        self
    }

    /// The context that every call is made in.
    pub(super) fn context(&self) -> Value {
        silence::context()
    }
}
