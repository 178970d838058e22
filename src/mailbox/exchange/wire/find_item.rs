//! The FindItem operation, to find items by our stamp.
//!
//! Source: "FindItem operation", "Restriction" and "IsEqualTo" in the EWS reference. A restriction may have
//! 255 nodes; Exchange 2013 and later look at 250 results of a restricted search.

use super::folder::FolderRef;
use super::get_item;
use super::item::{self, RawItem};
use super::path::Path;
use super::writer::Writer;
use super::xml::{Document, Element, Ns, XmlError};
use crate::mailbox::model::Stamp;

/// Stamps in one request: well below both limits, with room for copies that people made.
pub const MAX_STAMPS: usize = 100;

/// Asks for the items that bear one of at most [`MAX_STAMPS`] stamps; the answer has a message for each folder.
pub fn request(w: &mut Writer, folders: &[FolderRef<'_>], stamps: &[Stamp]) {
    w.element("m:FindItem", &[("Traversal", "Shallow")], |w| {
        get_item::stamp_shape(w);
        w.empty(
            "m:IndexedPageItemView",
            &[
                ("MaxEntriesReturned", "1000"),
                ("Offset", "0"),
                ("BasePoint", "Beginning"),
            ],
        );
        w.element("m:Restriction", &[], |w| match stamps {
            [one] => equals(w, one),
            many => w.element("t:Or", &[], |w| many.iter().for_each(|stamp| equals(w, stamp))),
        });
        w.element("m:ParentFolderIds", &[], |w| {
            folders.iter().for_each(|folder| folder.write(w))
        });
    });
}

/// Asks for the identifiers of the latest items in `folder`.
pub fn latest(w: &mut Writer, folder: FolderRef<'_>, count: usize) {
    w.element("m:FindItem", &[("Traversal", "Shallow")], |w| {
        w.element("m:ItemShape", &[], |w| w.leaf("t:BaseShape", &[], "IdOnly"));
        w.empty(
            "m:IndexedPageItemView",
            &[
                ("MaxEntriesReturned", &count.to_string()),
                ("Offset", "0"),
                ("BasePoint", "Beginning"),
            ],
        );
        w.element("m:SortOrder", &[], |w| {
            w.element("t:FieldOrder", &[("Order", "Descending")], |w| {
                Path::Field("item:DateTimeCreated").write(w)
            });
        });
        w.element("m:ParentFolderIds", &[], |w| folder.write(w));
    });
}

fn equals(w: &mut Writer, stamp: &Stamp) {
    w.element("t:IsEqualTo", &[], |w| {
        Path::Stamp.write(w);
        w.element("t:FieldURIOrConstant", &[], |w| {
            w.empty("t:Constant", &[("Value", &stamp.0)])
        });
    });
}

/// Reads one response message.
///
/// # Errors
/// The answer is damaged.
pub fn read(items: &mut Vec<RawItem>, element: &Element<'_>, doc: &mut Document<'_>) -> Result<(), XmlError> {
    if element.key() != (Ns::Messages, "RootFolder") {
        return doc.skip();
    }
    while let Some(element) = doc.child()? {
        match element.key() {
            (Ns::Types, "Items") => items.extend(item::read_all(doc)?),
            _ => doc.skip()?,
        }
    }
    Ok(())
}
