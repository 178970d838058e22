//! Where a stream stands in the feed of `write_date`.
//!
//! A row's `write_date` is the beginning of the transaction that wrote it, and the row is seen when that ends. So
//! a scan does not go on from the newest row seen but from `settled`: the server's own time at the beginning of
//! the last complete scan, less an overlap. What the overlap shows again is dropped by `seen`. Within a scan the
//! rows come in the order of their ids, which never changes, and a page goes on behind the last id: the fraction
//! of a second that `write_date` has and Odoo does not tell cannot make a page skip a row.

use crate::crm::error::CrmError;
use crate::crm::model::CrmCursor;
use crate::crm::seen::Seen;
use crate::crm::task_form::{TaskForm, TaskForms};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How late a row may come to light. Odoo ends a request after two minutes, a scheduled action after fifteen.
const OVERLAP: TimeDelta = TimeDelta::minutes(15);

/// `write_date` is told in seconds, so a row may change again under the time that it was seen with. A version is
/// remembered once it is too old for that; younger ones repeat.
const RIPE: TimeDelta = TimeDelta::seconds(30);

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// Changes before this were all seen; `None` before the first complete scan.
    #[serde(rename = "s", skip_serializing_if = "Option::is_none", default)]
    settled: Option<DateTime<Utc>>,
    /// The scan under way.
    #[serde(rename = "n", skip_serializing_if = "Option::is_none", default)]
    scan: Option<Scan>,
    /// Versions of rows at or after the next `settled`.
    #[serde(rename = "r", skip_serializing_if = "Seen::is_empty", default)]
    seen: Seen,
}

/// Where a stream of tasks stands in the feeds of both forms. Where it has one only, it is written as that one's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TaskCursor {
    /// The form of the first.
    #[serde(rename = "f", default)]
    form: TaskForm,
    #[serde(flatten)]
    first: Cursor,
    /// The other form's.
    #[serde(rename = "o", skip_serializing_if = "Option::is_none", default)]
    other: Option<Cursor>,
    /// The next page is the other form's.
    #[serde(rename = "t", skip_serializing_if = "std::ops::Not::not", default)]
    at_other: bool,
}

impl TaskCursor {
    /// Reads a cursor of ours for these forms: one whose feed was not read before begins at its beginning.
    ///
    /// # Errors
    /// [`CrmError::CursorLost`] where it is none.
    pub(super) fn read(cursor: Option<&CrmCursor>, forms: TaskForms) -> Result<Self, CrmError> {
        let mut read: Self = match cursor {
            None => Self::default(),
            Some(CrmCursor(bytes)) => serde_json::from_slice(bytes).map_err(|_| CrmError::CursorLost)?,
        };
        if read.form != forms.new {
            read = Self {
                form: forms.new,
                first: read.other.unwrap_or_default(),
                other: Some(read.first),
                at_other: false,
            };
        }
        if !forms.both {
            read.other = None;
            read.at_other = false;
        }
        Ok(read)
    }

    /// Whose page is next, and where its feed stands.
    pub(super) fn next_page(&mut self) -> (TaskForm, &mut Cursor) {
        match self.at_other {
            true => (self.form.other(), self.other.get_or_insert_default()),
            false => (self.form, &mut self.first),
        }
    }

    /// Goes on behind a page; true where there is another one now.
    pub(super) fn turn_page(&mut self, more: bool, forms: TaskForms) -> bool {
        let turned = !more && forms.both;
        let was_first = !self.at_other;
        self.at_other ^= turned;
        more || (turned && was_first)
    }

    /// The bytes to keep.
    pub(super) fn write(&self) -> Result<CrmCursor, CrmError> {
        let bytes = serde_json::to_vec(self).map_err(|_| CrmError::CursorLost)?;
        Ok(CrmCursor(bytes))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Scan {
    /// The `settled` that it leads to.
    #[serde(rename = "s", skip_serializing_if = "Option::is_none", default)]
    settles: Option<DateTime<Utc>>,
    /// The last row of the last page.
    #[serde(rename = "i")]
    behind: i64,
}

impl Cursor {
    /// Reads a cursor of ours.
    ///
    /// # Errors
    /// [`CrmError::CursorLost`] where it is none.
    pub(super) fn read(cursor: Option<&CrmCursor>) -> Result<Self, CrmError> {
        match cursor {
            None => Ok(Self::default()),
            Some(CrmCursor(bytes)) => serde_json::from_slice(bytes).map_err(|_| CrmError::CursorLost),
        }
    }

    /// The bytes to keep.
    pub(super) fn write(&self) -> Result<CrmCursor, CrmError> {
        let bytes = serde_json::to_vec(self).map_err(|_| CrmError::CursorLost)?;
        Ok(CrmCursor(bytes))
    }

    /// Changes since when are asked for; `None` for all that lives.
    pub(super) fn since(&self) -> Option<DateTime<Utc>> {
        self.settled
    }

    /// The id behind which the next page begins.
    pub(super) fn behind(&self) -> Option<i64> {
        self.scan.as_ref().map(|scan| scan.behind)
    }

    /// Takes a row in that came with an answer of this time, by the server's clock; false where it was seen
    /// before as it is now.
    pub(super) fn is_news(
        &mut self,
        row: &str,
        modified: DateTime<Utc>,
        answered: Option<DateTime<Utc>>,
    ) -> bool {
        match answered {
            Some(answered) if modified + RIPE <= answered => self.seen.insert(row, modified),
            _ => true,
        }
    }

    /// Closes a page that was answered at this time by the server's clock; `last` is its last row where another
    /// page follows.
    pub(super) fn turn_page(&mut self, answered: Option<DateTime<Utc>>, last: Option<i64>) {
        let settles = match &self.scan {
            Some(scan) => scan.settles,
            None => answered.map(|now| now - OVERLAP),
        };
        let settles = settles.max(self.settled);
        match last {
            Some(behind) => self.scan = Some(Scan { settles, behind }),
            None => {
                self.settled = settles;
                self.scan = None;
            }
        }
        self.seen.keep_since(settles);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_770_000_000 + 60 * minute, 0).expect("an instant")
    }

    fn again(cursor: &Cursor) -> Cursor {
        Cursor::read(Some(&cursor.write().expect("written"))).expect("read")
    }

    #[test]
    fn a_scan_of_several_pages_goes_on_behind_its_last_row_and_settles_by_its_beginning() {
        let mut cursor = Cursor::default();
        assert_eq!((cursor.since(), cursor.behind()), (None, None));
        cursor.turn_page(Some(at(100)), Some(500));
        let mut cursor = again(&cursor);
        assert_eq!((cursor.since(), cursor.behind()), (None, Some(500)));
        cursor.turn_page(Some(at(130)), None);
        assert_eq!((again(&cursor).since(), cursor.behind()), (Some(at(85)), None));
    }

    #[test]
    fn a_cursor_of_one_form_goes_on_as_it_was_and_one_of_both_reads_each_to_its_end() {
        let only = |new| TaskForms { new, both: false };
        let mut old = Cursor::default();
        old.turn_page(Some(at(100)), None);
        let kept = old.write().expect("written");
        let mut cursor = TaskCursor::read(Some(&kept), only(TaskForm::Task)).expect("read");
        assert_eq!(cursor.next_page(), (TaskForm::Task, &mut old.clone()));
        assert!(!cursor.turn_page(false, only(TaskForm::Task)));
        // The policy names the other form: its feed begins at its beginning, and this one goes on.
        let both = TaskForms {
            new: TaskForm::Activity,
            both: true,
        };
        let mut cursor = TaskCursor::read(Some(&cursor.write().expect("written")), both).expect("read");
        assert_eq!(cursor.next_page(), (TaskForm::Activity, &mut Cursor::default()));
        assert!(cursor.turn_page(false, both), "the other form's page");
        let mut cursor = TaskCursor::read(Some(&cursor.write().expect("written")), both).expect("read");
        assert_eq!(cursor.next_page(), (TaskForm::Task, &mut old));
        assert!(!cursor.turn_page(false, both));
        assert_eq!(cursor.next_page().0, TaskForm::Activity);
    }

    #[test]
    fn a_row_of_the_overlap_is_dropped_until_it_changes() {
        let mut cursor = Cursor::default();
        assert!(cursor.is_news("7", at(99), Some(at(100))));
        cursor.turn_page(Some(at(100)), None);
        let mut cursor = again(&cursor);
        assert!(!cursor.is_news("7", at(99), Some(at(101))));
        assert!(cursor.is_news("7", at(100), Some(at(101))));
        let young = at(101) + TimeDelta::seconds(45);
        assert!(cursor.is_news("8", young, Some(at(102))));
        assert!(cursor.is_news("8", young, Some(at(102))));
    }
}
