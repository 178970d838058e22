//! The Subscribe operation for streaming notifications.
//!
//! Source: "Subscribe operation" and "StreamingSubscriptionRequest" in the EWS reference. A subscription belongs
//! to one mailbox; all of its folders are listened to, since mail is moved to subfolders by rules before anybody
//! sees it in the inbox. Nobody unsubscribes: what is not read any more, the server forgets within minutes.

use super::writer::Writer;
use super::xml::{Document, Element, Ns, XmlError};

/// What can happen to an item.
const EVENTS: [&str; 6] = [
    "CopiedEvent",
    "CreatedEvent",
    "DeletedEvent",
    "ModifiedEvent",
    "MovedEvent",
    "NewMailEvent",
];

/// Asks for a streaming subscription to all folders of the mailbox.
pub fn request(w: &mut Writer) {
    w.element("m:Subscribe", &[], |w| {
        let all = [("SubscribeToAllFolders", "true")];
        w.element("m:StreamingSubscriptionRequest", &all, |w| {
            w.element("t:EventTypes", &[], |w| {
                for event in EVENTS {
                    w.leaf("t:EventType", &[], event);
                }
            });
        });
    });
}

/// Reads one response message: the subscription's id. A streaming subscription has no watermark.
///
/// # Errors
/// The answer is damaged.
pub fn read(id: &mut String, element: &Element<'_>, doc: &mut Document<'_>) -> Result<(), XmlError> {
    match element.key() {
        (Ns::Messages, "SubscriptionId") => *id = doc.text()?.trim().to_owned(),
        _ => doc.skip()?,
    }
    Ok(())
}
