//! Folders: how a request names one, and what an answer says of one.
//!
//! Source: "DistinguishedFolderId" and "Folder" in the EWS reference.

use super::path::{COMMIT_TIME, DELETED_COUNT, Path, additional};
use super::writer::Writer;
use super::xml::{Document, Ns, XmlError};
use crate::foundation::content::Content;

/// A folder in a request. A distinguished one is the impersonated mailbox's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderRef<'a> {
    /// One of the well-known names, such as `inbox`.
    Distinguished(&'static str),
    /// By its identifier.
    Id(&'a str),
}

impl FolderRef<'_> {
    /// Writes it.
    pub fn write(self, w: &mut Writer) {
        match self {
            Self::Distinguished(name) => w.empty("t:DistinguishedFolderId", &[("Id", name)]),
            Self::Id(id) => w.empty("t:FolderId", &[("Id", id)]),
        }
    }
}

/// A folder as an answer tells of it.
#[derive(Clone, Default, PartialEq)]
pub struct RawFolder {
    /// Its identifier, which survives moves.
    pub id: String,
    /// The folder that it is in.
    pub parent: String,
    /// Its class, such as `IPF.Note`.
    pub class: String,
    /// Its name, where it was asked for.
    pub name: Content<String>,
    /// How many items are in it.
    pub total: Option<u32>,
    /// When its contents changed last, how many items ever left it and how many are in it, as the server spells
    /// them; empty where it does not say. The time has whole seconds (EWS writes them so): what arrives within the
    /// second of the last change is told by the two counts, whose sum grows with every item that comes.
    pub mark: String,
}

/// The shape that fills a [`RawFolder`].
pub fn shape(w: &mut Writer) {
    w.element("m:FolderShape", &[], |w| {
        w.leaf("t:BaseShape", &[], "IdOnly");
        additional(
            w,
            &[
                Path::Field("folder:ParentFolderId"),
                Path::Field("folder:FolderClass"),
                Path::Field("folder:DisplayName"),
                Path::Field("folder:TotalCount"),
                Path::CommitTime,
                Path::DeletedCount,
            ],
        );
    });
}

/// Reads the children of a `Folders` element.
///
/// # Errors
/// The answer is damaged.
pub fn read_all(doc: &mut Document<'_>) -> Result<Vec<RawFolder>, XmlError> {
    let mut folders = Vec::new();
    while doc.child()?.is_some() {
        folders.push(read(doc)?);
    }
    Ok(folders)
}

fn read(doc: &mut Document<'_>) -> Result<RawFolder, XmlError> {
    let mut folder = RawFolder::default();
    let (mut changed, mut deleted) = (String::new(), String::new());
    while let Some(element) = doc.child()? {
        match element.key() {
            (Ns::Types, "FolderId") => {
                folder.id = element.attribute("Id").unwrap_or_default();
                doc.skip()?;
            }
            (Ns::Types, "ParentFolderId") => {
                folder.parent = element.attribute("Id").unwrap_or_default();
                doc.skip()?;
            }
            (Ns::Types, "FolderClass") => folder.class = doc.text()?,
            (Ns::Types, "DisplayName") => folder.name = Content::new(doc.text()?),
            (Ns::Types, "TotalCount") => folder.total = doc.text()?.trim().parse().ok(),
            (Ns::Types, "ExtendedProperty") => match extended(doc)? {
                (tag, value) if tag.eq_ignore_ascii_case(COMMIT_TIME) => changed = value,
                (tag, value) if tag.eq_ignore_ascii_case(DELETED_COUNT) => deleted = value,
                _ => {}
            },
            _ => doc.skip()?,
        }
    }
    if let Some(total) = folder.total
        && !changed.is_empty()
        && !deleted.is_empty()
    {
        folder.mark = format!("{changed}/{deleted}/{total}");
    }
    Ok(folder)
}

/// The tag and the value of an extended property; some servers write the tag with small letters.
fn extended(doc: &mut Document<'_>) -> Result<(String, String), XmlError> {
    let (mut tag, mut value) = (String::new(), String::new());
    while let Some(element) = doc.child()? {
        match element.key() {
            (Ns::Types, "ExtendedFieldURI") => {
                tag = element.attribute("PropertyTag").unwrap_or_default();
                doc.skip()?;
            }
            (Ns::Types, "Value") => value = doc.text()?,
            _ => doc.skip()?,
        }
    }
    Ok((tag, value))
}
