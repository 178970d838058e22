//! The GetAttachment operation. Its answer is not read as a document, see `octets`: it may have 200 MB.
//!
//! Source: "GetAttachment operation" and "AttachmentShape" in the EWS reference.

use super::get_item::ids;
use super::path::{Path, additional};
use super::writer::Writer;
use crate::mailbox::model::{AttachmentId, ItemId};

/// Asks for one attachment, an attached item in MIME.
pub fn request(w: &mut Writer, attachment: &AttachmentId) {
    w.element("m:GetAttachment", &[], |w| {
        w.element("m:AttachmentShape", &[], |w| {
            w.leaf("t:IncludeMimeContent", &[], "true")
        });
        w.element("m:AttachmentIds", &[], |w| {
            w.empty("t:AttachmentId", &[("Id", &attachment.0)]);
        });
    });
}

/// Asks which attachments an item has, and for the body that may show some of them.
pub fn list(w: &mut Writer, item: &ItemId) {
    w.element("m:GetItem", &[], |w| {
        w.element("m:ItemShape", &[], |w| {
            w.leaf("t:BaseShape", &[], "IdOnly");
            w.leaf("t:BodyType", &[], "HTML");
            additional(w, &[Path::Field("item:Body"), Path::Field("item:Attachments")]);
        });
        ids(w, std::slice::from_ref(item));
    });
}
