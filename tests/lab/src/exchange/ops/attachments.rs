//! CreateAttachment, GetAttachment, DeleteAttachment. Each change of an item's attachments is a change of the
//! item: the answer has its new change key.

use super::children;
use super::writing::reading;
use crate::exchange::context::Context;
use crate::exchange::defaults;
use crate::exchange::ids::{ItemKey, Target};
use crate::exchange::item::{Attachment, AttachmentContent};
use crate::exchange::messages::Messages;
use crate::exchange::read;
use crate::exchange::refusal::Refusal;
use crate::exchange::render;
use crate::exchange::shape::{Purpose, Shape};
use crate::exchange::xml::read::Element;
use crate::exchange::xml::write::Writer;

/// CreateAttachment.
///
/// # Errors
/// The request breaks the schema.
pub fn create(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let parent = request
        .m("ParentItemId")
        .ok_or_else(|| Refusal::missing("ParentItemId"))?;
    let id = parent
        .attribute("Id")
        .ok_or_else(|| Refusal::missing_attribute("Id"))?;
    let mut messages = Messages::new("CreateAttachment");
    for element in cx.batch(children(request, "Attachments")?) {
        let made = match cx.target(id) {
            Ok(Target::Item(key)) => add(cx, key, element),
            Ok(_) => Err(Refusal::new(
                "ErrorInvalidId",
                "The specified Id is not an item Id.",
            )),
            Err(refusal) => Err(refusal),
        };
        match made {
            Ok((key, attachment)) => messages.success(|writer| {
                writer.open("m:Attachments");
                let name = element_name(&attachment);
                writer.open(name);
                attachment_id(writer, cx, key, attachment.serial);
                writer.close(name);
                writer.close("m:Attachments");
            }),
            Err(refusal) => messages.refuse_with(&refusal, |writer| writer.empty("m:Attachments", &[])),
        }
    }
    Ok(messages.finish())
}

fn element_name(attachment: &Attachment) -> &'static str {
    match attachment.content {
        AttachmentContent::File(_) | AttachmentContent::Large(_) => "t:FileAttachment",
        AttachmentContent::Item(_) => "t:ItemAttachment",
        AttachmentContent::Reference { .. } => "t:ReferenceAttachment",
    }
}

fn root_change_key(cx: &Context, key: ItemKey) -> String {
    cx.whole(key)
        .map(|found| render::change_key(cx, &found))
        .unwrap_or_default()
}

fn attachment_id(writer: &mut Writer, cx: &Context, key: ItemKey, serial: u32) {
    let (id, root) = (
        cx.world.ids.encode(Target::Attachment(key, serial)),
        cx.world.ids.encode(Target::Item(key)),
    );
    let change_key = root_change_key(cx, key);
    writer.empty(
        "t:AttachmentId",
        &[
            ("Id", &id),
            ("RootItemId", &root),
            ("RootItemChangeKey", &change_key),
        ],
    );
}

fn add(cx: &Context, key: ItemKey, element: &Element) -> Result<(ItemKey, Attachment), Refusal> {
    let attachment = read::item::attachment(element, reading(cx))?;
    let mut transaction = cx
        .world
        .transaction(key.mailbox, &cx.user)
        .ok_or_else(Refusal::item_not_found)?;
    let stored = transaction
        .mailbox()
        .items
        .get(&key.serial)
        .ok_or_else(Refusal::item_not_found)?;
    let mut item = stored.item.as_ref().clone();
    item.attachments.push(attachment);
    item.mime = None;
    defaults::number_attachments(&mut item);
    let made = item
        .attachments
        .last()
        .cloned()
        .ok_or_else(Refusal::item_not_found)?;
    transaction.update(key.serial, item, false);
    Ok((key, made))
}

/// GetAttachment.
///
/// # Errors
/// The request breaks the schema.
pub fn get(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let shape = match request.m("AttachmentShape") {
        Some(element) => {
            let mut shape = Shape::all(cx.version);
            if element.t("BaseShape").is_some() {
                shape = Shape::read(element, Purpose::Get, cx.version)?;
            } else if element.t_text("IncludeMimeContent").map(str::trim) == Some("true") {
                shape.mime = true;
            }
            shape
        }
        None => Shape::all(cx.version),
    };
    let mut messages = Messages::new("GetAttachment");
    for id in children(request, "AttachmentIds")? {
        match one(cx, id) {
            Ok((key, attachment)) => messages.success(|writer| {
                writer.open("m:Attachments");
                render::attachment::one(writer, cx, &attachment, Some(key), Some(&shape));
                writer.close("m:Attachments");
            }),
            Err(refusal) => messages.refuse_with(&refusal, |writer| writer.empty("m:Attachments", &[])),
        }
    }
    Ok(messages.finish())
}

fn target(cx: &Context, id: &Element) -> Result<(ItemKey, u32), Refusal> {
    let value = id
        .attribute("Id")
        .ok_or_else(|| Refusal::missing_attribute("Id"))?;
    match cx.target(value) {
        Ok(Target::Attachment(key, serial)) => Ok((key, serial)),
        _ => Err(Refusal::new(
            "ErrorInvalidAttachmentId",
            "The attachment Id is invalid.",
        )),
    }
}

fn missing() -> Refusal {
    Refusal::new("ErrorAttachmentNotFound", "The attachment could not be found.")
}

fn one(cx: &Context, id: &Element) -> Result<(ItemKey, Attachment), Refusal> {
    let (key, serial) = target(cx, id)?;
    let stored = cx.world.stored(key).ok_or_else(missing)?;
    let found = stored
        .item
        .attachments
        .iter()
        .find(|attachment| attachment.serial == serial);
    Ok((key, found.cloned().ok_or_else(missing)?))
}

/// DeleteAttachment.
///
/// # Errors
/// The request breaks the schema.
pub fn delete(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let mut messages = Messages::new("DeleteAttachment");
    for id in cx.batch(children(request, "AttachmentIds")?) {
        let done = target(cx, id).and_then(|(key, serial)| {
            let mut transaction = cx.world.transaction(key.mailbox, &cx.user).ok_or_else(missing)?;
            let stored = transaction.mailbox().items.get(&key.serial).ok_or_else(missing)?;
            let mut item = stored.item.as_ref().clone();
            let before = item.attachments.len();
            item.attachments.retain(|attachment| attachment.serial != serial);
            if item.attachments.len() == before {
                return Err(missing());
            }
            item.mime = None;
            transaction.update(key.serial, item, false);
            Ok(key)
        });
        messages.each(done, |writer, key| {
            let id = cx.world.ids.encode(Target::Item(key));
            let change_key = root_change_key(cx, key);
            writer.empty(
                "m:RootItemId",
                &[("RootItemId", &id), ("RootItemChangeKey", &change_key)],
            );
        });
    }
    Ok(messages.finish())
}
