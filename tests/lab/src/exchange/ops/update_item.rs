//! UpdateItem: set, append and delete properties of items, guarded by change keys.

use super::writing::{self, Tell, id_of, is_calendar, reading};
use super::{children, choice};
use crate::exchange::context::{Context, Found};
use crate::exchange::defaults;
use crate::exchange::field::Field;
use crate::exchange::item::{Exception, Item, Kind};
use crate::exchange::meeting;
use crate::exchange::messages::Messages;
use crate::exchange::recurring;
use crate::exchange::refusal::Refusal;
use crate::exchange::update;
use crate::exchange::value::Address;
use crate::exchange::xml::read::Element;
use crate::faults::Side;
use crate::ledger::Noticed;
use chrono::{DateTime, Utc};

/// Carries out the operation.
///
/// # Errors
/// The request breaks the schema.
pub fn run(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let resolution = choice(
        request,
        "ConflictResolution",
        &["NeverOverwrite", "AutoResolve", "AlwaysOverwrite"],
    )?;
    let change = Changes {
        cx,
        resolution,
        disposition: request.attribute("MessageDisposition"),
        tell: writing::tell(request, "SendMeetingInvitationsOrCancellations")?,
    };
    let mut messages = Messages::new("UpdateItem");
    for element in cx.batch(children(request, "ItemChanges")?) {
        match change.one(element) {
            Ok(found) => messages.success(|writer| {
                writer.open("m:Items");
                id_of(writer, cx, &found);
                writer.close("m:Items");
                writer.open("m:ConflictResults");
                writer.number("t:Count", 0);
                writer.close("m:ConflictResults");
            }),
            Err(refusal) => messages.refuse_with(&refusal, |writer| writer.empty("m:Items", &[])),
        }
    }
    Ok(messages.finish())
}

struct Changes<'a> {
    cx: &'a Context,
    resolution: &'a str,
    disposition: Option<&'a str>,
    tell: Option<Tell>,
}

impl Changes<'_> {
    fn one(&self, element: &Element) -> Result<Found, Refusal> {
        let cx = self.cx;
        let id = element
            .children
            .first()
            .ok_or_else(|| Refusal::missing("ItemId"))?;
        let updates = element.t("Updates").ok_or_else(|| Refusal::missing("Updates"))?;
        let asked = cx.item(id)?;
        let (before, item) = {
            let mut transaction = cx
                .world
                .transaction(asked.key.mailbox, &cx.user)
                .ok_or_else(Refusal::item_not_found)?;
            // Nobody else writes while the transaction lasts: what is checked now is what is changed.
            let stored = transaction.mailbox().items.get(&asked.key.serial).cloned();
            let stored = stored.ok_or_else(Refusal::item_not_found)?;
            let found = match asked.original {
                None => Found::whole(asked.key, stored),
                Some(original) => Found::occurrence(asked.key, stored, original)?,
            };
            self.check(&found, id)?;
            let mut item = found.item.as_ref().clone();
            let written = update::apply(&mut item, updates, reading(cx))?;
            defaults::settle(&mut item, &written)?;
            defaults::stamp_completion(&mut item, cx.world.now());
            defaults::number_attachments(&mut item);
            let completed = recurring::complete(&found.item, &mut item);
            let whole = match found.original {
                None => forget_exceptions(item.clone(), &written),
                Some(original) => with_exception(&found.stored.item, original, item.clone()),
            };
            let read_flag_only = written.iter().all(|field| *field == Field::IsRead) && !written.is_empty();
            transaction.update(found.key.serial, whole, read_flag_only);
            if let Some(completed) = completed {
                transaction.create(found.stored.folder, completed);
            }
            (found.item.as_ref().clone(), item)
        };
        let found = asked;
        self.tell(&found, &before, &item);
        match found.original {
            None => cx.whole(found.key),
            Some(original) => {
                let stored = cx.world.stored(found.key).ok_or_else(Refusal::item_not_found)?;
                Found::occurrence(found.key, stored, original)
            }
        }
    }

    fn check(&self, found: &Found, id: &Element) -> Result<(), Refusal> {
        let cx = self.cx;
        if is_calendar(&found.item) && self.tell.is_none() {
            return Err(Refusal::new(
                "ErrorSendMeetingInvitationsOrCancellationsRequired",
                "The SendMeetingInvitationsOrCancellations attribute is required for calendar items.",
            ));
        }
        if found.item.kind == Kind::Message && self.disposition.is_none() {
            return Err(Refusal::new(
                "ErrorMessageDispositionRequired",
                "The MessageDisposition attribute is required for messages.",
            ));
        }
        match id.attribute("ChangeKey") {
            None if self.resolution == "NeverOverwrite" => Err(Refusal::new(
                "ErrorChangeKeyRequired",
                "A change key is required for this operation.",
            )),
            None => Ok(()),
            Some(key) => {
                let known = cx
                    .world
                    .ids
                    .read_change_key(key)
                    .ok_or_else(|| Refusal::new("ErrorInvalidChangeKey", "The change key is invalid."))?;
                if known == found.stored.change {
                    return Ok(());
                }
                if self.resolution == "AlwaysOverwrite" {
                    cx.world.ledger.record(Noticed::LostUpdate {
                        side: Side::Exchange,
                        mailbox: cx.user.smtp.clone(),
                        id: cx.world.ids.encode(found.target()),
                    });
                }
                if self.resolution == "NeverOverwrite" {
                    return Err(Refusal::new(
                        "ErrorIrresolvableConflict",
                        "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.",
                    ));
                }
                Ok(())
            }
        }
    }

    fn tell(&self, found: &Found, before: &Item, after: &Item) {
        let Some(Tell::Some {
            save_copy,
            changed_only,
        }) = self.tell
        else {
            return;
        };
        if !is_calendar(after) || !meeting::is_organizer(after) {
            return;
        }
        let (old, new) = (meeting::everyone(before), meeting::everyone(after));
        let missing = |list: &[Address], other: &[Address]| -> Vec<Address> {
            list.iter()
                .filter(|address| !other.iter().any(|one| one.is(&address.email)))
                .cloned()
                .collect()
        };
        let (gone, fresh) = (missing(&old, &new), missing(&new, &old));
        // "OnlyToChanged" mails everybody when the list of attendees did not change.
        let to = if changed_only && !(gone.is_empty() && fresh.is_empty()) {
            fresh
        } else {
            new
        };
        meeting::invite(self.cx, found.key, &to, !old.is_empty(), save_copy);
        meeting::cancel(self.cx, found.key, before, &gone, save_copy);
    }
}

/// The series with one occurrence changed.
fn with_exception(master: &Item, original: DateTime<Utc>, item: Item) -> Item {
    let mut master = master.clone();
    master
        .exceptions
        .retain(|exception| exception.original != original);
    master.exceptions.push(Exception { original, item });
    master.exceptions.sort_by_key(|exception| exception.original);
    master
}

/// Another rule or time for a series makes its exceptions meaningless.
fn forget_exceptions(mut item: Item, written: &[Field]) -> Item {
    if written
        .iter()
        .any(|field| matches!(field, Field::Recurrence | Field::Start | Field::End))
    {
        item.exceptions.clear();
        item.deleted.clear();
    }
    item
}
