//! The CreateItem operation.
//!
//! Source: "CreateItem operation" in the EWS reference. `SendMeetingInvitations` has no default for calendar
//! items; ours is an argument, so that nobody is mailed because somebody forgot to say so (promise P7).

use super::folder::FolderRef;
use super::item::{self, RawItem};
use super::property::{Property, write_new};
use super::writer::Writer;
use super::xml::{Document, Element, Ns, XmlError};
use crate::mailbox::model::Notify;
use crate::record::kind::RecordKind;

/// Makes items of one kind in `folder`; the answer has a message for each.
pub fn request<'a>(
    w: &mut Writer,
    kind: RecordKind,
    folder: FolderRef<'_>,
    notify: Notify,
    items: impl Iterator<Item = &'a [Property]>,
) {
    let invitations = match notify {
        Notify::Nobody => "SendToNone",
        Notify::Attendees => "SendToAllAndSaveCopy",
    };
    let attributes: &[_] = match kind {
        RecordKind::Calendar => &[("SendMeetingInvitations", invitations)],
        _ => &[("MessageDisposition", "SaveOnly")],
    };
    w.element("m:CreateItem", attributes, |w| {
        w.element("m:SavedItemFolderId", &[], |w| folder.write(w));
        w.element("m:Items", &[], |w| {
            items.for_each(|properties| w.element(element(kind), &[], |w| write_new(w, properties)));
        });
    });
}

/// The element of an item of this kind.
pub fn element(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Calendar => "t:CalendarItem",
        RecordKind::Contacts => "t:Contact",
        RecordKind::Tasks => "t:Task",
        RecordKind::Mail => "t:Message",
    }
}

/// Reads one response message: the identifier of the one item.
///
/// # Errors
/// The answer is damaged.
pub fn read(items: &mut Vec<RawItem>, element: &Element<'_>, doc: &mut Document<'_>) -> Result<(), XmlError> {
    match element.key() {
        (Ns::Messages, "Items") => items.extend(item::read_all(doc)?),
        _ => doc.skip()?,
    }
    Ok(())
}
