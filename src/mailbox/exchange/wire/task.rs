//! What a task alone has.
//!
//! Source: "Task" in the EWS reference.

use super::scalar::{flag, instant};
use super::xml::{Document, XmlError};
use chrono::{DateTime, Utc};

/// The properties of a task.
#[derive(Default)]
pub struct RawTask {
    /// The due day, as an instant of which the date in UTC counts.
    pub due: Option<DateTime<Utc>>,
    /// `NotStarted`, `InProgress`, `Completed`, `WaitingOnOthers`, `Deferred`.
    pub status: String,
    /// True for a series.
    pub is_recurring: bool,
}

impl RawTask {
    /// Reads the element if it is one of these; false leaves it unread.
    ///
    /// # Errors
    /// The answer is damaged.
    pub fn read(&mut self, name: &str, doc: &mut Document<'_>) -> Result<bool, XmlError> {
        match name {
            "DueDate" => self.due = instant(doc)?,
            "Status" => self.status = doc.text()?,
            "IsRecurring" => self.is_recurring = flag(doc)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}
