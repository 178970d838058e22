//! `MODEL.load(fields, data)`: the import. Rows of texts go in; a row whose first column names an external id
//! that is there changes that record instead of making a second one.
//!
//! All or nothing: where one row is refused, `ids` is false and the messages name the rows. The texts of the
//! messages quote values and are dropped.

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The arguments.
pub(in crate::crm::odoo) fn arguments(columns: &[String], rows: Vec<Vec<String>>) -> Map<String, Value> {
    Map::from_iter([
        ("fields".to_owned(), json!(columns)),
        ("data".to_owned(), json!(rows)),
    ])
}

/// What came of it.
#[derive(Deserialize)]
pub(in crate::crm::odoo) struct Loaded {
    ids: Value,
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    rows: Option<Rows>,
    #[serde(default)]
    field: Option<Value>,
    #[serde(rename = "type", default)]
    level: String,
}

#[derive(Deserialize)]
struct Rows {
    from: usize,
    to: usize,
}

/// Rows that were refused, with the column that is to blame where it is said.
pub(in crate::crm::odoo) struct Refused {
    /// First and last row.
    pub(in crate::crm::odoo) rows: (usize, usize),
    /// The field's name.
    pub(in crate::crm::odoo) field: Option<String>,
}

impl Loaded {
    /// The records, one for each row; or else the refusals.
    pub(in crate::crm::odoo) fn outcome(self) -> Result<Vec<i64>, Vec<Refused>> {
        if let Ok(ids) = serde_json::from_value::<Vec<i64>>(self.ids) {
            return Ok(ids);
        }
        let errors = self
            .messages
            .into_iter()
            .filter(|message| message.level != "warning");
        Err(errors.filter_map(refused).collect())
    }
}

fn refused(message: Message) -> Option<Refused> {
    let rows = message.rows?;
    let field = match message.field {
        Some(Value::String(name)) if name.len() <= 60 && name.chars().all(is_of_a_name) => Some(name),
        _ => None,
    };
    Some(Refused {
        rows: (rows.from, rows.to),
        field,
    })
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(body: Value) -> Result<Vec<i64>, Vec<Refused>> {
        serde_json::from_value::<Loaded>(body)
            .expect("an answer")
            .outcome()
    }

    #[test]
    fn ids_come_back_or_the_rows_that_were_refused() {
        let done = json!({ "ids": [7, 8], "messages": [], "nextrow": 0 });
        assert!(outcome(done).is_ok_and(|ids| ids == [7, 8]));
        let refused = json!({ "ids": false, "messages": [
            { "type": "warning", "rows": { "from": 0, "to": 0 }, "message": "Ada" },
            { "type": "error", "rows": { "from": 1, "to": 1 }, "field": "name", "message": "Ada" },
        ] });
        let refused = outcome(refused).expect_err("refused");
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0].rows, (1, 1));
        assert_eq!(refused[0].field.as_deref(), Some("name"));
    }
}
