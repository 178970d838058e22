//! DeleteItem: for good, or into Deleted Items; one occurrence of a series, or all of it.

use super::writing::{self, Tell, is_calendar};
use super::{children, choice};
use crate::exchange::context::{Context, Found};
use crate::exchange::folder::DistinguishedFolder;
use crate::exchange::item::Kind;
use crate::exchange::meeting;
use crate::exchange::messages::Messages;
use crate::exchange::noticing;
use crate::exchange::recurring;
use crate::exchange::refusal::Refusal;
use crate::exchange::xml::read::Element;

/// Carries out the operation.
///
/// # Errors
/// The request breaks the schema.
pub fn run(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let disposal = choice(
        request,
        "DeleteType",
        &["HardDelete", "SoftDelete", "MoveToDeletedItems"],
    )?;
    let tell = writing::tell(request, "SendMeetingCancellations")?;
    let tasks = request.attribute("AffectedTaskOccurrences");
    let mut messages = Messages::new("DeleteItem");
    for id in cx.batch(children(request, "ItemIds")?) {
        let done = cx
            .item(id)
            .and_then(|found| one(cx, &found, disposal, tell, tasks));
        messages.each(done, |_, ()| {});
    }
    Ok(messages.finish())
}

fn one(
    cx: &Context,
    found: &Found,
    disposal: &str,
    tell: Option<Tell>,
    tasks: Option<&str>,
) -> Result<(), Refusal> {
    has_its_attributes(found, tell.is_some(), tasks)?;
    // Of a recurring task one occurrence goes and the task stands for the next; there is no such thing to be done to
    // any other, nor to the last ("Handling deletion-related errors in EWS in Exchange").
    let next = match tasks {
        Some("SpecifiedOccurrenceOnly") if found.item.kind == Kind::Task => {
            Some(recurring::next(&found.item, None).ok_or_else(|| {
                Refusal::new(
                    "ErrorCannotDeleteTaskOccurrence",
                    "The task occurrence cannot be deleted.",
                )
            })?)
        }
        _ => None,
    };
    let goes_on = next.is_some();
    let trash = DistinguishedFolder::DeletedItems.into();
    {
        let mut transaction = cx
            .world
            .transaction(found.key.mailbox, &cx.user)
            .ok_or_else(Refusal::item_not_found)?;
        let stored = transaction
            .mailbox()
            .items
            .get(&found.key.serial)
            .ok_or_else(Refusal::item_not_found)?;
        if let Some(next) = next {
            transaction.update(found.key.serial, next, false);
        } else if let Some(original) = found.original {
            let mut master = stored.item.as_ref().clone();
            master
                .exceptions
                .retain(|exception| exception.original != original);
            master.deleted.push(original);
            master.deleted.sort();
            transaction.update(found.key.serial, master, false);
        } else if disposal == "MoveToDeletedItems" && stored.folder != trash {
            transaction.move_item(found.key.serial, trash);
        } else {
            transaction.delete(found.key.serial);
        }
    }
    if found.original.is_none() && !goes_on {
        noticing::gone(cx, found.key, &found.stored);
    }
    if let Some(Tell::Some { save_copy, .. }) = tell
        && is_calendar(&found.item)
        && meeting::is_organizer(&found.item)
    {
        meeting::cancel(
            cx,
            found.key,
            &found.item,
            &meeting::everyone(&found.item),
            save_copy,
        );
    }
    Ok(())
}

/// Meetings and tasks ask how far the deletion goes.
fn has_its_attributes(found: &Found, tells: bool, tasks: Option<&str>) -> Result<(), Refusal> {
    if is_calendar(&found.item) && !tells {
        return Err(Refusal::new(
            "ErrorSendMeetingCancellationsRequired",
            "The SendMeetingCancellations attribute is required for calendar items.",
        ));
    }
    if found.item.kind == Kind::Task && !matches!(tasks, Some("AllOccurrences" | "SpecifiedOccurrenceOnly")) {
        return Err(Refusal::new(
            "ErrorAffectedTaskOccurrencesRequired",
            "The AffectedTaskOccurrences attribute is required for tasks.",
        ));
    }
    Ok(())
}
