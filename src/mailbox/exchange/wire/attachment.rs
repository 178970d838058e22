//! The list of an item's attachments, without their bytes.
//!
//! Source: "Attachments (EWS)", "FileAttachment", "ItemAttachment", "ReferenceAttachment" in the EWS reference.

use super::scalar::flag;
use super::xml::{Document, Ns, XmlError};

/// An attachment. What is not there is empty.
#[derive(Default)]
pub struct RawAttachment {
    /// `FileAttachment`, `ItemAttachment`, `ReferenceAttachment`.
    pub element: String,
    /// Identifier.
    pub id: String,
    /// File name or title.
    pub name: String,
    /// Content-ID, without angle brackets.
    pub content_id: String,
    /// Size in bytes, more or less.
    pub size: Option<u64>,
    /// Whether the body shows it; lies both ways.
    pub is_inline: bool,
    /// Where a linked file lies.
    pub link: String,
}

/// Reads the children of an `Attachments` element.
///
/// # Errors
/// The answer is damaged.
pub fn read_all(doc: &mut Document<'_>) -> Result<Vec<RawAttachment>, XmlError> {
    let mut all = Vec::new();
    while let Some(element) = doc.child()? {
        let mut one = RawAttachment {
            element: element.key().1.to_owned(),
            ..RawAttachment::default()
        };
        one.read(doc)?;
        all.push(one);
    }
    Ok(all)
}

impl RawAttachment {
    fn read(&mut self, doc: &mut Document<'_>) -> Result<(), XmlError> {
        while let Some(element) = doc.child()? {
            match element.key() {
                (Ns::Types, "AttachmentId") => {
                    self.id = element.attribute("Id").unwrap_or_default();
                    doc.skip()?;
                }
                (Ns::Types, "Name") => self.name = doc.text()?,
                (Ns::Types, "ContentId") => self.content_id = doc.text()?,
                (Ns::Types, "Size") => self.size = doc.text()?.trim().parse().ok(),
                (Ns::Types, "IsInline") => self.is_inline = flag(doc)?,
                (Ns::Types, "AttachLongPathName") => self.link = doc.text()?,
                _ => doc.skip()?,
            }
        }
        Ok(())
    }

    /// True where the body shows it. IsInline alone is not believed when a Content-ID can be looked for: Outlook
    /// sets it on files that the body does not mention, and other clients leave it out for pictures.
    pub fn is_shown_by(&self, body: &str) -> bool {
        match self.content_id.trim() {
            "" => self.is_inline,
            id => body.contains(&format!("cid:{id}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_body_shows_is_told_by_the_body_and_not_by_the_flag() {
        let attachment = |content_id: &str, is_inline| RawAttachment {
            content_id: content_id.to_owned(),
            is_inline,
            ..RawAttachment::default()
        };
        let body = "<p>Regards <img src=\"cid:logo@corp\"></p>";
        assert!(attachment("logo@corp", false).is_shown_by(body));
        assert!(!attachment("report@corp", true).is_shown_by(body));
        assert!(attachment("", true).is_shown_by(body));
    }
}
