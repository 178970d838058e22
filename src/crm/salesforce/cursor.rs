//! Where a stream stands in the feed of SystemModstamp.
//!
//! A row gets its SystemModstamp when it is written and is seen when its transaction ends, which may be
//! minutes later. So a scan does not go on from the newest row seen but from `settled`: the org's own time at
//! the beginning of the last complete scan, less an overlap. What the overlap shows again is dropped by
//! `seen`. Within a scan a page goes on behind the last row of the page before, by (SystemModstamp, Id): no
//! query locator is kept, so none can be lost.

use crate::crm::error::CrmError;
use crate::crm::model::CrmCursor;
use crate::crm::seen::Seen;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How careful a scan is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Care {
    /// How late a row may come to light.
    overlap: TimeDelta,
    /// SystemModstamp counts in seconds, so a row may change again under the stamp that it was seen with. A version
    /// is remembered once it is older than this; younger ones repeat.
    ripe: TimeDelta,
}

/// Of what is synchronised nothing may be left out. Salesforce ends a transaction after ten minutes, and nearly all
/// within seconds.
pub(super) const FEED: Care = Care {
    overlap: TimeDelta::minutes(10),
    ripe: TimeDelta::seconds(30),
};

/// Who is only told that there is news looks for himself in any case, if later; whatever repeats has him look in vain.
pub(super) const NEWS: Care = Care {
    overlap: TimeDelta::minutes(2),
    ripe: TimeDelta::seconds(3),
};

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// Rows before this were all seen; `None` before the first complete scan.
    #[serde(rename = "s", skip_serializing_if = "Option::is_none", default)]
    settled: Option<DateTime<Utc>>,
    /// The scan under way.
    #[serde(rename = "n", skip_serializing_if = "Option::is_none", default)]
    scan: Option<Scan>,
    /// Versions of rows at or after the next `settled`.
    #[serde(rename = "r", skip_serializing_if = "Seen::is_empty", default)]
    seen: Seen,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Scan {
    /// The `settled` that it leads to.
    #[serde(rename = "s", skip_serializing_if = "Option::is_none", default)]
    settles: Option<DateTime<Utc>>,
    /// The last row of the last page.
    #[serde(rename = "a")]
    after: DateTime<Utc>,
    #[serde(rename = "i")]
    id: String,
}

/// Which rows the next page asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum From<'a> {
    /// All.
    Beginning,
    /// Those of this time and later.
    Since(DateTime<Utc>),
    /// Those behind this row.
    Behind(DateTime<Utc>, &'a str),
}

impl Cursor {
    /// One that begins with what is new at this time.
    pub(super) fn beginning_at(now: DateTime<Utc>) -> Self {
        Self {
            settled: Some(now),
            ..Self::default()
        }
    }

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

    /// Where the next page begins.
    pub(super) fn from(&self) -> From<'_> {
        match (&self.scan, self.settled) {
            (Some(scan), _) => From::Behind(scan.after, &scan.id),
            (None, Some(settled)) => From::Since(settled),
            (None, None) => From::Beginning,
        }
    }

    /// Takes a row in that came with an answer of this time, by the org's clock; false where it was seen before
    /// as it is now.
    pub(super) fn is_news(
        &mut self,
        id: &str,
        modified: DateTime<Utc>,
        answered: Option<DateTime<Utc>>,
        care: Care,
    ) -> bool {
        match answered {
            Some(answered) if modified + care.ripe <= answered => self.seen.insert(id, modified),
            _ => true,
        }
    }

    /// Closes a page that was answered at this time by the org's clock and whose last row this is.
    pub(super) fn turn_page(
        &mut self,
        answered: Option<DateTime<Utc>>,
        last: Option<(&str, DateTime<Utc>)>,
        more: bool,
        care: Care,
    ) {
        // Without the org's time the newest row stands for it.
        let now = answered.or(last.map(|(_, at)| at));
        let settles = match &self.scan {
            Some(scan) => scan.settles,
            None => now.map(|now| now - care.overlap),
        };
        let settles = settles.max(self.settled);
        match last {
            Some((id, after)) if more => {
                self.scan = Some(Scan {
                    settles,
                    after,
                    id: id.to_owned(),
                });
            }
            _ => {
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
        let mut cursor = Cursor::read(None).expect("a new cursor");
        assert_eq!(cursor.from(), From::Beginning);
        assert!(cursor.is_news("a", at(1), Some(at(100)), FEED));
        cursor.turn_page(Some(at(100)), Some(("a", at(1))), true, FEED);
        let mut cursor = again(&cursor);
        assert_eq!(cursor.from(), From::Behind(at(1), "a"));
        assert!(cursor.is_news("b", at(98), Some(at(130)), FEED));
        cursor.turn_page(Some(at(130)), Some(("b", at(98))), false, FEED);
        assert_eq!(again(&cursor).from(), From::Since(at(90)));
    }

    #[test]
    fn a_row_of_the_overlap_is_dropped_until_it_changes() {
        let mut cursor = Cursor::default();
        assert!(cursor.is_news("a", at(99), Some(at(100)), FEED));
        cursor.turn_page(Some(at(100)), Some(("a", at(99))), false, FEED);
        let mut cursor = again(&cursor);
        assert!(!cursor.is_news("a", at(99), Some(at(101)), FEED));
        assert!(cursor.is_news("a", at(100), Some(at(101)), FEED));
    }

    #[test]
    fn a_row_that_may_change_again_within_its_second_is_not_taken_for_seen() {
        let mut cursor = Cursor::default();
        assert!(cursor.is_news("a", at(100), Some(at(100)), FEED));
        assert!(cursor.is_news("a", at(100), Some(at(101)), FEED));
        assert!(!cursor.is_news("a", at(100), Some(at(102)), FEED));
    }

    #[test]
    fn a_cursor_that_is_not_ours_is_lost() {
        let foreign = CrmCursor(b"something else".to_vec());
        assert!(matches!(Cursor::read(Some(&foreign)), Err(CrmError::CursorLost)));
    }

    #[test]
    fn time_that_runs_backwards_unsettles_nothing() {
        let mut cursor = Cursor::default();
        cursor.turn_page(Some(at(100)), None, false, FEED);
        cursor.turn_page(Some(at(50)), None, false, FEED);
        assert_eq!(cursor.from(), From::Since(at(90)));
    }
}
