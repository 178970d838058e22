//! The GetFolder operation.
//!
//! Source: "GetFolder operation" in the EWS reference.

use super::folder::{self, FolderRef, RawFolder};
use super::writer::Writer;
use super::xml::{Document, Element, Ns, XmlError};

/// Asks for folders; the answer has a message for each.
pub fn request(w: &mut Writer, folders: &[FolderRef<'_>]) {
    w.element("m:GetFolder", &[], |w| {
        folder::shape(w);
        w.element("m:FolderIds", &[], |w| {
            folders.iter().for_each(|folder| folder.write(w))
        });
    });
}

/// Asks for the identifiers of folders and nothing else; the answer has a message for each.
pub fn identifiers(w: &mut Writer, folders: &[FolderRef<'_>]) {
    w.element("m:GetFolder", &[], |w| {
        w.element("m:FolderShape", &[], |w| w.leaf("t:BaseShape", &[], "IdOnly"));
        w.element("m:FolderIds", &[], |w| {
            folders.iter().for_each(|folder| folder.write(w))
        });
    });
}

/// The least that can be asked, to find out whether and in which version we are understood.
pub fn probe(w: &mut Writer) {
    w.element("m:GetFolder", &[], |w| {
        w.element("m:FolderShape", &[], |w| w.leaf("t:BaseShape", &[], "IdOnly"));
        w.element("m:FolderIds", &[], |w| {
            FolderRef::Distinguished("msgfolderroot").write(w)
        });
    });
}

/// Reads one response message: its one folder.
///
/// # Errors
/// The answer is damaged.
pub fn read(
    folders: &mut Vec<RawFolder>,
    element: &Element<'_>,
    doc: &mut Document<'_>,
) -> Result<(), XmlError> {
    match element.key() {
        (Ns::Messages, "Folders") => folders.extend(folder::read_all(doc)?),
        _ => doc.skip()?,
    }
    Ok(())
}
