//! SendItem: sends drafts.

use super::writing::send;
use super::{children, choice};
use crate::exchange::context::Context;
use crate::exchange::folder::{DistinguishedFolder, FolderKey};
use crate::exchange::messages::Messages;
use crate::exchange::refusal::Refusal;
use crate::exchange::xml::read::Element;

/// Carries out the operation.
///
/// # Errors
/// The request breaks the schema.
pub fn run(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let save = choice(request, "SaveItemToFolder", &["true", "false"])? == "true";
    let folder: FolderKey = match request.m("SavedItemFolderId") {
        Some(element) => cx.target_folder(element)?.1,
        None => DistinguishedFolder::SentItems.into(),
    };
    let mut messages = Messages::new("SendItem");
    for id in cx.batch(children(request, "ItemIds")?) {
        let done = one(cx, id, save, folder);
        messages.each(done, |_, ()| {});
    }
    Ok(messages.finish())
}

fn one(cx: &Context, id: &Element, save: bool, folder: FolderKey) -> Result<(), Refusal> {
    let found = cx.item(id)?;
    let key = id.attribute("ChangeKey").ok_or_else(|| {
        Refusal::new(
            "ErrorChangeKeyRequiredForWriteOperations",
            "A change key is required for this operation.",
        )
    })?;
    if cx.world.ids.read_change_key(key) != Some(found.stored.change) {
        return Err(Refusal::new(
            "ErrorStaleObject",
            "The item has been changed since it was read.",
        ));
    }
    let sent = send(cx, &found.item);
    let mut transaction = cx
        .world
        .transaction(found.key.mailbox, &cx.user)
        .ok_or_else(Refusal::item_not_found)?;
    transaction.delete(found.key.serial);
    if save {
        transaction.create(folder, sent);
    }
    Ok(())
}
