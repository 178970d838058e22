//! The UpdateItem operation; its answer reads like CreateItem's.
//!
//! Source: "UpdateItem operation" and "ConflictResolution" in the EWS reference.

use super::create_item::element;
use super::property::Property;
use super::version::Version;
use super::writer::Writer;
use crate::mailbox::model::{ItemRef, Notify};
use crate::record::kind::RecordKind;

/// Whether a change that somebody made meanwhile counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// It does: an item at another version is left alone, with `ErrorIrresolvableConflict`.
    SameVersion,
    /// It does not; for updates that name no version.
    None,
}

/// Changes items of one kind; the answer has a message for each.
pub fn request<'a>(
    w: &mut Writer,
    version: Version,
    kind: RecordKind,
    guard: Guard,
    notify: Notify,
    items: impl Iterator<Item = (&'a ItemRef, &'a [Property])>,
) {
    let mut attributes = vec![(
        "ConflictResolution",
        match guard {
            Guard::SameVersion => "NeverOverwrite",
            Guard::None => "AlwaysOverwrite",
        },
    )];
    if kind == RecordKind::Calendar {
        let told = match notify {
            Notify::Nobody => "SendToNone",
            Notify::Attendees => "SendToAllAndSaveCopy",
        };
        attributes.push(("SendMeetingInvitationsOrCancellations", told));
    } else {
        attributes.push(("MessageDisposition", "SaveOnly"));
    }
    if version >= Version::Exchange2013Sp1 {
        attributes.push(("SuppressReadReceipts", "true"));
    }
    w.element("m:UpdateItem", &attributes, |w| {
        w.element("m:ItemChanges", &[], |w| {
            for (item, properties) in items {
                w.element("t:ItemChange", &[], |w| {
                    match item.version.0.as_str() {
                        "" => w.empty("t:ItemId", &[("Id", &item.id.0)]),
                        version => w.empty("t:ItemId", &[("Id", &item.id.0), ("ChangeKey", version)]),
                    }
                    w.element("t:Updates", &[], |w| {
                        properties
                            .iter()
                            .for_each(|property| property.write_update(w, element(kind)));
                    });
                });
            }
        });
    });
}
