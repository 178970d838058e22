//! Task.

use serde_json::Value;

use super::activity;
use crate::salesforce::changes::Changes;
use crate::salesforce::error::ApiResult;
use crate::salesforce::moment::stamp;
use crate::salesforce::store::{Fields, Row};
use crate::salesforce::transaction::Transaction;

/// Status decides what is closed; priority what is high.
pub fn before(tx: &Transaction, old: Option<&Row>, row: &mut Row, changes: &Changes) -> ApiResult<()> {
    for (field, default) in [("Status", "Not Started"), ("Priority", "Normal")] {
        if row.text(field).is_empty() {
            row.set(field, default);
        }
    }
    let closed = row.text("Status") == "Completed";
    let was_closed = old.is_some_and(|old| old.flag("IsClosed"));
    row.set("IsClosed", closed);
    match (was_closed, closed) {
        (false, true) => row.set("CompletedDateTime", stamp(tx.now)),
        (true, false) => row.set("CompletedDateTime", Value::Null),
        _ => {}
    }
    let high = row.text("Priority") == "High";
    row.set("IsHighPriority", high);
    activity::relations(tx, row, changes, "TaskWhoIds", "INVALID_TASKWHOIDS")
}
