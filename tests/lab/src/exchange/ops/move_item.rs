//! MoveItem and CopyItem, within the mailbox. A moved item has another id.

use super::children;
use super::writing::{fits, written};
use crate::exchange::context::Context;
use crate::exchange::folder::FolderKey;
use crate::exchange::ids::ItemKey;
use crate::exchange::messages::Messages;
use crate::exchange::refusal::Refusal;
use crate::exchange::xml::read::Element;

/// Carries out either operation.
///
/// # Errors
/// The request breaks the schema.
pub fn run(cx: &Context, request: &Element, operation: &'static str) -> Result<String, Refusal> {
    let to = request
        .m("ToFolderId")
        .ok_or_else(|| Refusal::missing("ToFolderId"))?;
    let to = cx.target_folder(to);
    let mut messages = Messages::new(operation);
    for id in cx.batch(children(request, "ItemIds")?) {
        let done = to
            .clone()
            .and_then(|(mailbox, folder)| one(cx, id, mailbox, folder, operation == "CopyItem"));
        written(cx, &mut messages, done.map(Some));
    }
    Ok(messages.finish())
}

fn one(cx: &Context, id: &Element, mailbox: usize, to: FolderKey, copy: bool) -> Result<ItemKey, Refusal> {
    let found = cx.item(id)?;
    if found.original.is_some() {
        return Err(Refusal::new(
            "ErrorCalendarCannotMoveOrCopyOccurrence",
            "An occurrence cannot be moved or copied.",
        ));
    }
    if found.key.mailbox != mailbox {
        return Err(Refusal::new(
            "ErrorMoveCopyFailed",
            "Move or copy operation failed.",
        ));
    }
    let mut transaction = cx
        .world
        .transaction(mailbox, &cx.user)
        .ok_or_else(Refusal::folder_not_found)?;
    let folder = transaction
        .mailbox()
        .folders
        .get(&to)
        .ok_or_else(Refusal::folder_not_found)?;
    fits(folder.info.refuses(found.item.kind))?;
    if !transaction.mailbox().items.contains_key(&found.key.serial) {
        return Err(Refusal::item_not_found());
    }
    Ok(if copy {
        transaction.copy(to, found.item.as_ref().clone(), found.key.serial)
    } else {
        transaction.move_item(found.key.serial, to)
    })
}
