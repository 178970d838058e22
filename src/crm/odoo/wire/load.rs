//! `MODEL.load(fields, data)`: the import. Rows of texts go in; a row whose first column names an external id
//! that is there changes that record instead of making a second one.
//!
//! All or nothing: where one row is refused, `ids` is false and the messages name the rows. The texts of the
//! messages quote values; they are looked at and dropped.
//!
//! Odoo creates all rows at once first. Where a rule refuses that, it tries row by row and then puts what the
//! first attempt was told before what the rows were told, in the name of the first row, which may be innocent.

use super::value;
use crate::foundation::content::Content;
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
    #[serde(default, deserialize_with = "value::text")]
    message: Content<String>,
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
    /// Another transaction was at the same rows: the next attempt may go through.
    pub(in crate::crm::odoo) in_conflict: bool,
}

impl Loaded {
    /// The records, one for each row; or else the refusals.
    pub(in crate::crm::odoo) fn outcome(self) -> Result<Vec<i64>, Vec<Refused>> {
        if let Ok(ids) = serde_json::from_value::<Vec<i64>>(self.ids) {
            return Ok(ids);
        }
        let mut errors: Vec<Message> = self
            .messages
            .into_iter()
            .filter(|message| message.level != "warning")
            .collect();
        // Should the first row be guilty as well, it is refused when it is sent again.
        if let Some((first, others)) = errors.split_first()
            && others.iter().any(|other| other.message == first.message)
        {
            errors.remove(0);
        }
        Err(errors.into_iter().filter_map(refused).collect())
    }
}

/// PostgreSQL's words for SQLSTATE 40001 and 40P01, which Odoo passes on as they are.
const CONFLICTS: [&str; 2] = ["could not serialize access", "deadlock detected"];

fn refused(message: Message) -> Option<Refused> {
    let text = message.message.expose();
    let in_conflict = CONFLICTS.iter().any(|words| text.contains(words));
    let rows = message.rows?;
    let field = match message.field {
        Some(Value::String(name)) if name.len() <= 60 && name.chars().all(is_of_a_name) => Some(name),
        _ => None,
    };
    Some(Refused {
        rows: (rows.from, rows.to),
        field,
        in_conflict,
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

    #[test]
    fn what_the_first_attempt_was_told_is_not_laid_to_the_first_row() {
        let row = |row: usize, text: &str| json!({ "type": "error", "rows": { "from": row, "to": row }, "message": text });
        let refused =
            outcome(json!({ "ids": false, "messages": [row(0, "Only Ada may"), row(3, "Only Ada may")] }));
        let rows: Vec<_> = refused.expect_err("refused").iter().map(|one| one.rows).collect();
        assert_eq!(rows, [(3, 3)]);
    }

    #[test]
    fn rows_that_another_transaction_was_at_are_told_from_refused_ones() {
        let told = |text: &str| {
            let message = json!({ "type": "error", "rows": { "from": 0, "to": 0 }, "message": text });
            outcome(json!({ "ids": false, "messages": [message] })).expect_err("refused")[0].in_conflict
        };
        assert!(told("could not serialize access due to concurrent update\n"));
        assert!(!told("Missing required value"));
    }
}
