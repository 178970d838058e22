//! The FindFolder operation: all folders below another, in pages.
//!
//! Source: "FindFolder operation" and "IndexedPageFolderView" in the EWS reference.

use super::folder::{self, FolderRef, RawFolder};
use super::writer::Writer;
use super::xml::{Document, Element, Ns, XmlError};

/// Folders in one page; more than nearly any mailbox has.
pub const PAGE: usize = 1000;

/// Asks for the folders below `parent` at every depth, from `offset` on.
pub fn request(w: &mut Writer, parent: FolderRef<'_>, offset: usize) {
    w.element("m:FindFolder", &[("Traversal", "Deep")], |w| {
        folder::shape(w);
        w.empty(
            "m:IndexedPageFolderView",
            &[
                ("MaxEntriesReturned", &PAGE.to_string()),
                ("Offset", &offset.to_string()),
                ("BasePoint", "Beginning"),
            ],
        );
        w.element("m:ParentFolderIds", &[], |w| parent.write(w));
    });
}

/// One page.
#[derive(Default)]
pub struct FoundFolders {
    /// The folders.
    pub folders: Vec<RawFolder>,
    /// False where another page follows.
    pub last: bool,
}

/// Reads one response message.
///
/// # Errors
/// The answer is damaged.
pub fn read(found: &mut FoundFolders, element: &Element<'_>, doc: &mut Document<'_>) -> Result<(), XmlError> {
    if element.key() != (Ns::Messages, "RootFolder") {
        return doc.skip();
    }
    // The paging attributes of some servers contradict each other; an absent one means the end.
    found.last = element
        .attribute("IncludesLastItemInRange")
        .is_none_or(|value| value != "false" && value != "0");
    while let Some(element) = doc.child()? {
        match element.key() {
            (Ns::Types, "Folders") => found.folders.extend(folder::read_all(doc)?),
            _ => doc.skip()?,
        }
    }
    Ok(())
}
