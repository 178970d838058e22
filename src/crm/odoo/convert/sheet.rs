//! The cells of a write under way, and the two ways in which Odoo takes them: texts for the import of new
//! records, JSON for a change of one.

use crate::crm::odoo::model::Model;
use crate::foundation::content::Content;
use crate::record::field::{Field, FieldSet};
use crate::record::kind::RecordKind;
use serde_json::{Map, Value, json};

/// A value of a field.
#[derive(Clone)]
pub(in crate::crm::odoo) enum Cell {
    /// A text, a word of a selection, a day or an instant; empty for none.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// One other record, or none.
    One(Option<i64>),
    /// Several other records, in the place of those before.
    Many(Vec<i64>),
}

/// The cells of a write under way.
pub(in crate::crm::odoo) struct Sheet<'a> {
    pub(super) model: &'a Model,
    set: FieldSet,
    pub(in crate::crm::odoo) creating: bool,
    cells: Vec<(&'static str, Cell)>,
}

impl<'a> Sheet<'a> {
    /// For a new record: every field that it has.
    pub(in crate::crm::odoo) fn new_record(model: &'a Model, kind: RecordKind) -> Self {
        Self {
            model,
            set: FieldSet::of_kind(kind),
            creating: true,
            cells: Vec::new(),
        }
    }

    /// For a change of these fields.
    pub(in crate::crm::odoo) fn change(model: &'a Model, set: FieldSet) -> Self {
        Self {
            model,
            set,
            creating: false,
            cells: Vec::new(),
        }
    }

    /// True where the field is to be written.
    pub(in crate::crm::odoo) fn wants(&self, field: Field) -> bool {
        self.set.has(field)
    }

    /// Sets a column that the user may see; whether he may set it Odoo decides.
    pub(in crate::crm::odoo) fn put(&mut self, column: &'static str, cell: Cell) {
        if self.model.has(column) {
            self.cells.push((column, cell));
        }
    }

    /// Sets a text.
    pub(in crate::crm::odoo) fn put_text(&mut self, column: &'static str, text: impl Into<String>) {
        self.put(column, Cell::Text(text.into()));
    }

    /// Sets the text of a field, where the field is wanted.
    pub(super) fn text(&mut self, field: Field, column: &'static str, value: &Content<String>) {
        if self.wants(field) {
            self.put_text(column, value.expose().as_str());
        }
    }

    /// What is to be sent.
    pub(in crate::crm::odoo) fn finish(self) -> Cells {
        Cells(self.cells)
    }
}

/// The cells of a write.
#[derive(Clone)]
pub(in crate::crm::odoo) struct Cells(Vec<(&'static str, Cell)>);

impl Cells {
    /// True where there is nothing to write.
    pub(in crate::crm::odoo) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// With further ones.
    pub(in crate::crm::odoo) fn and(mut self, cells: impl IntoIterator<Item = (&'static str, Cell)>) -> Self {
        self.0.extend(cells);
        self
    }

    /// As the import has its columns.
    pub(in crate::crm::odoo) fn titles(&self) -> Vec<String> {
        let title = |(column, cell): &(&'static str, Cell)| match cell {
            Cell::Text(_) | Cell::Flag(_) => (*column).to_owned(),
            Cell::One(_) | Cell::Many(_) => format!("{column}/.id"),
        };
        self.0.iter().map(title).collect()
    }

    /// As the import has a row.
    pub(in crate::crm::odoo) fn texts(&self) -> Vec<String> {
        let text = |(_, cell): &(&'static str, Cell)| match cell {
            Cell::Text(text) => text.clone(),
            Cell::Flag(flag) => u8::from(*flag).to_string(),
            Cell::One(id) => id.map(|id| id.to_string()).unwrap_or_default(),
            Cell::Many(ids) => {
                let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                ids.join(",")
            }
        };
        self.0.iter().map(text).collect()
    }

    /// As `write` has its values. The command 6 replaces a list ("Command", ORM API).
    pub(in crate::crm::odoo) fn values(&self) -> Map<String, Value> {
        let value = |cell: &Cell| match cell {
            Cell::Text(text) if text.is_empty() => json!(false),
            Cell::Text(text) => json!(text),
            Cell::Flag(flag) => json!(flag),
            Cell::One(Some(id)) => json!(id),
            Cell::One(None) => json!(false),
            Cell::Many(ids) => json!([[6, 0, ids]]),
        };
        let pairs = self.0.iter();
        pairs
            .map(|(column, cell)| ((*column).to_owned(), value(cell)))
            .collect()
    }
}
