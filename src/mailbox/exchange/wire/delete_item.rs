//! The DeleteItem operation: into the deleted items, where the owner can find them.
//!
//! Source: "DeleteItem operation" in the EWS reference.

use super::version::Version;
use super::writer::Writer;
use super::xml::{Document, Element, XmlError};
use crate::mailbox::model::{ItemId, Notify};

/// How much of a recurring task goes. Of any other task there is no occurrence to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The occurrence for which it stands; the item moves on to the next.
    Occurrence,
    /// The item.
    Whole,
}

/// A task that stands for its last occurrence, or that does not recur.
pub const LAST_OCCURRENCE: &str = "ErrorCannotDeleteTaskOccurrence";

/// Deletes items; the answer has a message for each.
pub fn request(w: &mut Writer, version: Version, notify: Notify, of: Of, items: &[&ItemId]) {
    let cancellations = match notify {
        Notify::Nobody => "SendToNone",
        Notify::Attendees => "SendToAllAndSaveCopy",
    };
    let tasks = match of {
        Of::Occurrence => "SpecifiedOccurrenceOnly",
        Of::Whole => "AllOccurrences",
    };
    let mut attributes = vec![
        ("DeleteType", "MoveToDeletedItems"),
        ("SendMeetingCancellations", cancellations),
        ("AffectedTaskOccurrences", tasks),
    ];
    if version >= Version::Exchange2013Sp1 {
        attributes.push(("SuppressReadReceipts", "true"));
    }
    w.element("m:DeleteItem", &attributes, |w| {
        w.element("m:ItemIds", &[], |w| {
            items
                .iter()
                .for_each(|item| w.empty("t:ItemId", &[("Id", &item.0)]))
        });
    });
}

/// Reads one response message; it holds nothing but its code.
///
/// # Errors
/// The answer is damaged.
pub fn read(_: &mut (), _: &Element<'_>, doc: &mut Document<'_>) -> Result<(), XmlError> {
    doc.skip()
}
