//! The ExpandDL operation: the members of a distribution list.
//!
//! Source: "ExpandDL operation" and "DLExpansion" in the EWS reference. One list a call; lists within it are members
//! like any other and are asked for by calls of their own.

use super::message::{RawMailbox, mailboxes};
use super::writer::Writer;
use super::xml::{Document, Element, Ns, XmlError};

/// What the server tells of a list.
#[derive(Default)]
pub struct Expansion {
    /// Its members.
    pub members: Vec<RawMailbox>,
    /// True where there are more, which no further call brings.
    pub cut: bool,
}

/// Asks for the members of the list with this address.
pub fn request(w: &mut Writer, address: &str) {
    w.element("m:ExpandDL", &[], |w| {
        w.element("m:Mailbox", &[], |w| w.leaf("t:EmailAddress", &[], address));
    });
}

/// Reads one response message.
///
/// # Errors
/// The answer is damaged.
pub fn read(
    expansion: &mut Expansion,
    element: &Element<'_>,
    doc: &mut Document<'_>,
) -> Result<(), XmlError> {
    if element.key() != (Ns::Messages, "DLExpansion") {
        return doc.skip();
    }
    expansion.cut = element
        .attribute("IncludesLastItemInRange")
        .is_some_and(|value| value == "false" || value == "0");
    expansion.members = mailboxes(doc)?;
    Ok(())
}
