//! iCalendar texts and items: the `MimeContent` of calendar items, the calendar part of
//! meeting messages, and the way back.
//!
//! What Exchange writes is followed where clients depend on it: the text starts with
//! `BEGIN:VCALENDAR`, carries a VTIMEZONE with a Windows zone name, a master event and one
//! event for each exception. Lists without rules (RDATE), alarms other than the first one
//! and anything that EWS has no property for are left out on reading.
//!
//! Sources: RFC 5545; [MS-OXCICAL] 2.1.3 (which property becomes which).

mod reading;
mod rules;
mod writing;
mod zones;

use super::super::item::Kind;

pub use reading::{read, read_meeting};
pub use writing::render;

/// The METHOD of a stored item's own text.
pub const METHOD_PUBLISH: &str = "PUBLISH";

/// The scheduling method that a meeting message carries; none for other kinds.
pub fn method(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::MeetingRequest => Some("REQUEST"),
        Kind::MeetingResponse => Some("REPLY"),
        Kind::MeetingCancellation => Some("CANCEL"),
        _ => None,
    }
}

/// `LegacyFreeBusyStatus` and `X-MICROSOFT-CDO-BUSYSTATUS` for each other.
const BUSY: [(&str, &str); 5] = [
    ("Free", "FREE"),
    ("Tentative", "TENTATIVE"),
    ("Busy", "BUSY"),
    ("OOF", "OOF"),
    ("WorkingElsewhere", "WORKINGELSEWHERE"),
];

/// `ResponseType` and PARTSTAT for each other.
const ANSWERS: [(&str, &str); 4] = [
    ("Accept", "ACCEPTED"),
    ("Tentative", "TENTATIVE"),
    ("Decline", "DECLINED"),
    ("Unknown", "NEEDS-ACTION"),
];

/// `Sensitivity` and CLASS for each other.
const CLASSES: [(&str, &str); 4] = [
    ("Normal", "PUBLIC"),
    ("Personal", "X-PERSONAL"),
    ("Private", "PRIVATE"),
    ("Confidential", "CONFIDENTIAL"),
];

#[cfg(test)]
mod tests;
