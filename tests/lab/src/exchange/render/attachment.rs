//! Attachments: their list within an item, and each by itself with its content.

use crate::exchange::context::{Context, Found};
use crate::exchange::ids::{ItemKey, Target};
use crate::exchange::item::{Attachment, AttachmentContent, Item};
use crate::exchange::large;
use crate::exchange::mailbox::size_of_item;
use crate::exchange::shape::Shape;
use crate::exchange::version::Version;
use crate::exchange::xml::write::Writer;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The Attachments of an item, without content.
pub fn list(writer: &mut Writer, cx: &Context, item: &Item, found: Option<&Found>) {
    let shown: Vec<&Attachment> = item
        .attachments
        .iter()
        .filter(|attachment| is_known(cx, attachment))
        .collect();
    if shown.is_empty() {
        return;
    }
    writer.open("t:Attachments");
    for attachment in shown {
        one(writer, cx, attachment, found.map(|found| found.key), None);
    }
    writer.close("t:Attachments");
}

/// Whether the schema asked for has an element for an attachment.
fn is_known(cx: &Context, attachment: &Attachment) -> bool {
    cx.version >= Version::E2016 || !matches!(attachment.content, AttachmentContent::Reference { .. })
}

/// One attachment; with its content when a shape is given for attached items.
pub fn one(
    writer: &mut Writer,
    cx: &Context,
    attachment: &Attachment,
    of: Option<ItemKey>,
    content: Option<&Shape>,
) {
    let (name, size) = match &attachment.content {
        AttachmentContent::File(octets) => ("t:FileAttachment", octets.0.len()),
        AttachmentContent::Large(size) => ("t:FileAttachment", *size as usize),
        AttachmentContent::Item(item) => ("t:ItemAttachment", size_of_item(item)),
        AttachmentContent::Reference { .. } => ("t:ReferenceAttachment", 0),
    };
    writer.open(name);
    if let Some(key) = of {
        let id = cx.world.ids.encode(Target::Attachment(key, attachment.serial));
        writer.empty("t:AttachmentId", &[("Id", &id)]);
    }
    writer.leaf("t:Name", &attachment.name);
    if let Some(kind) = &attachment.content_type {
        writer.leaf("t:ContentType", kind);
    }
    if let Some(id) = &attachment.content_id {
        writer.leaf("t:ContentId", id);
    }
    if cx.version >= Version::E2010 {
        writer.number("t:Size", size);
        writer.time("t:LastModifiedTime", attachment.modified);
        writer.bool("t:IsInline", attachment.inline);
    }
    match &attachment.content {
        AttachmentContent::File(octets) => {
            if cx.version >= Version::E2010 {
                writer.bool("t:IsContactPhoto", attachment.contact_photo);
            }
            if content.is_some() {
                writer.leaf("t:Content", &STANDARD.encode(&octets.0));
            }
        }
        AttachmentContent::Large(size) => {
            if content.is_some() {
                writer.leaf("t:Content", &large::mark(*size));
            }
        }
        AttachmentContent::Item(item) => {
            if let Some(shape) = content {
                super::embedded(writer, cx, item, shape);
            }
        }
        AttachmentContent::Reference { url, provider } => {
            writer.leaf("t:AttachLongPathName", url);
            writer.leaf("t:ProviderType", provider);
        }
    }
    writer.close(name);
}
