//! MarkAllItemsAsRead: the read flag of a whole folder.

use super::children;
use crate::exchange::context::Context;
use crate::exchange::field::Field;
use crate::exchange::messages::Messages;
use crate::exchange::refusal::Refusal;
use crate::exchange::xml::read::Element;

/// Carries out the operation.
///
/// # Errors
/// The request breaks the schema.
pub fn run(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let flag = request
        .m_text("ReadFlag")
        .ok_or_else(|| Refusal::missing("ReadFlag"))?
        .trim()
        == "true";
    let mut messages = Messages::new("MarkAllItemsAsRead");
    for id in cx.batch(children(request, "FolderIds")?) {
        let done = cx.folder(id).and_then(|(mailbox, key)| {
            let mut transaction = cx
                .world
                .transaction(mailbox, &cx.user)
                .ok_or_else(Refusal::folder_not_found)?;
            let folder = transaction
                .mailbox()
                .folders
                .get(&key)
                .ok_or_else(Refusal::folder_not_found)?;
            let serials: Vec<u64> = folder.by_time.iter().map(|entry| entry.0.1).collect();
            for serial in serials {
                let Some(stored) = transaction.mailbox().items.get(&serial) else {
                    continue;
                };
                if stored.item.flag(Field::IsRead) != flag {
                    let item = stored.item.as_ref().clone().with(Field::IsRead, flag);
                    transaction.update(serial, item, true);
                }
            }
            Ok(())
        });
        messages.each(done, |_, ()| {});
    }
    Ok(messages.finish())
}
