//! CreateItem: new items, and answers to meetings, which are created too.

use super::children;
use super::writing::{self, Tell, body_of, fits, is_calendar, reading, written};
use crate::exchange::context::Context;
use crate::exchange::defaults;
use crate::exchange::extended;
use crate::exchange::field::Field;
use crate::exchange::folder::{DistinguishedFolder, FolderKey};
use crate::exchange::ids::{ItemKey, Target};
use crate::exchange::item::{Item, Kind};
use crate::exchange::meeting::{self, Answer};
use crate::exchange::messages::Messages;
use crate::exchange::noticing;
use crate::exchange::read;
use crate::exchange::refusal::Refusal;
use crate::exchange::world::Transaction;
use crate::exchange::xml::read::Element;

/// Carries out the operation.
///
/// # Errors
/// The request breaks the schema.
pub fn run(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let disposition = match request.attribute("MessageDisposition") {
        None => None,
        Some(value @ ("SaveOnly" | "SendOnly" | "SendAndSaveCopy")) => Some(value),
        Some(other) => return Err(Refusal::invalid_value("MessageDisposition", other)),
    };
    let tell = writing::tell(request, "SendMeetingInvitations")?;
    let folder = request
        .m("SavedItemFolderId")
        .map(|element| cx.target_folder(element));
    let mut messages = Messages::new("CreateItem");
    let mut keys = Vec::new();
    for element in cx.batch(children(request, "Items")?) {
        let make = Make {
            cx,
            disposition,
            tell,
            folder: folder.clone(),
        };
        let made = make.one(element);
        keys.extend(made.iter().flatten());
        written(cx, &mut messages, made);
    }
    noticing::made(cx, &keys);
    Ok(messages.finish())
}

struct Make<'a> {
    cx: &'a Context,
    disposition: Option<&'a str>,
    tell: Option<Tell>,
    folder: Option<Result<(usize, FolderKey), Refusal>>,
}

impl Make<'_> {
    fn one(&self, element: &Element) -> Result<Option<ItemKey>, Refusal> {
        match element.name.as_str() {
            "AcceptItem" => self.answer(element, Answer::Accept),
            "TentativelyAcceptItem" => self.answer(element, Answer::Tentative),
            "DeclineItem" => self.answer(element, Answer::Decline),
            "CancelCalendarItem" => self.cancel(element),
            _ => self.item(element),
        }
    }

    fn item(&self, element: &Element) -> Result<Option<ItemKey>, Refusal> {
        let cx = self.cx;
        let mut item = read::item::item(element, reading(cx))?;
        self.check(&item)?;
        let (mailbox, folder) = match &self.folder {
            Some(folder) => folder.clone()?,
            None => (cx.own_mailbox()?, self.default_folder(item.kind).into()),
        };
        let fields: Vec<Field> = item.values().iter().map(|(field, _)| *field).collect();
        defaults::settle(&mut item, &fields)?;
        defaults::stamp_completion(&mut item, cx.world.now());
        let sends = self.disposition.is_some_and(|value| value != "SaveOnly");
        if item.kind == Kind::Message && sends {
            let item = writing::send(cx, &item);
            return if self.disposition == Some("SendAndSaveCopy") {
                let to = match &self.folder {
                    Some(_) => folder,
                    None => DistinguishedFolder::SentItems.into(),
                };
                self.store(mailbox, to, item).map(|_| None)
            } else {
                Ok(None)
            };
        }
        let key = self.store(mailbox, folder, item)?;
        if let Some(Tell::Some { save_copy, .. }) = self.tell
            && let Some(stored) = cx.world.stored(key).filter(|stored| is_calendar(&stored.item))
        {
            meeting::invite(cx, key, &meeting::everyone(&stored.item), false, save_copy);
        }
        Ok(Some(key))
    }

    fn check(&self, item: &Item) -> Result<(), Refusal> {
        if is_calendar(item) && self.tell.is_none() {
            return Err(Refusal::new(
                "ErrorSendMeetingInvitationsRequired",
                "The SendMeetingInvitations attribute is required for calendar items.",
            ));
        }
        if item.kind == Kind::Message && self.disposition.is_none() {
            return Err(Refusal::new(
                "ErrorMessageDispositionRequired",
                "The MessageDisposition attribute is required for messages.",
            ));
        }
        Ok(())
    }

    fn default_folder(&self, kind: Kind) -> DistinguishedFolder {
        match kind {
            Kind::CalendarItem => DistinguishedFolder::Calendar,
            Kind::Contact | Kind::DistributionList => DistinguishedFolder::Contacts,
            Kind::Task => DistinguishedFolder::Tasks,
            _ => DistinguishedFolder::Drafts,
        }
    }

    fn store(&self, mailbox: usize, folder: FolderKey, mut item: Item) -> Result<ItemKey, Refusal> {
        let cx = self.cx;
        let mut transaction = cx
            .world
            .transaction(mailbox, &cx.user)
            .ok_or_else(Refusal::folder_not_found)?;
        let info = transaction
            .mailbox()
            .folders
            .get(&folder)
            .ok_or_else(Refusal::folder_not_found)?;
        fits(info.info.refuses(item.kind))?;
        // Imported mail is a draft too, unless the request set the message flags.
        if item.kind == Kind::Message && item.get(Field::IsDraft).is_none() {
            item.set(Field::IsDraft, true);
        }
        if is_calendar(&item) && item.text(Field::Uid).is_empty() {
            item.set(Field::Uid, extended::new_uid(uuid::Uuid::new_v4()));
        }
        defaults::complete(&mut item, transaction.at(), cx.world.directory.owner(mailbox));
        Ok(transaction.create(folder, item))
    }

    /// An answer names a meeting request or the calendar item itself.
    fn answer(&self, element: &Element, answer: Answer) -> Result<Option<ItemKey>, Refusal> {
        let cx = self.cx;
        let disposition = self.disposition.ok_or_else(|| {
            Refusal::new(
                "ErrorMessageDispositionRequired",
                "The MessageDisposition attribute is required for messages.",
            )
        })?;
        let (key, request) = self.referenced(element)?;
        let stored = cx.world.stored(key).ok_or_else(Refusal::item_not_found)?;
        check_answer(&stored.item, answer)?;
        let mut copy = stored.item.as_ref().clone();
        copy.set(Field::MyResponseType, answer.name());
        copy.set(Field::AppointmentReplyTime, cx.world.now());
        copy.set(
            Field::LegacyFreeBusyStatus,
            if answer == Answer::Tentative {
                "Tentative"
            } else {
                "Busy"
            },
        );
        let body = body_of(element)?;
        {
            let mut transaction = cx
                .world
                .transaction(key.mailbox, &cx.user)
                .ok_or_else(Refusal::item_not_found)?;
            if answer == Answer::Decline {
                transaction.move_item(key.serial, DistinguishedFolder::DeletedItems.into());
            } else {
                transaction.update(key.serial, copy.clone(), false);
            }
            if let Some(request) = request {
                settle_request(&mut transaction, request);
            }
        }
        if disposition != "SaveOnly" {
            meeting::answer(cx, key, &copy, answer, body, disposition == "SendAndSaveCopy");
        }
        Ok((answer != Answer::Decline).then_some(key))
    }

    fn cancel(&self, element: &Element) -> Result<Option<ItemKey>, Refusal> {
        let cx = self.cx;
        let (key, _) = self.referenced(element)?;
        let stored = cx.world.stored(key).ok_or_else(Refusal::item_not_found)?;
        if !meeting::is_organizer(&stored.item) {
            return Err(Refusal::new(
                "ErrorCalendarIsNotOrganizer",
                "You are not the organizer of the meeting.",
            ));
        }
        meeting::cancel(cx, key, &stored.item, &meeting::everyone(&stored.item), true);
        let mut transaction = cx
            .world
            .transaction(key.mailbox, &cx.user)
            .ok_or_else(Refusal::item_not_found)?;
        transaction.move_item(key.serial, DistinguishedFolder::DeletedItems.into());
        Ok(None)
    }

    /// The calendar item that an answer is about, and the request it answers if it names one.
    fn referenced(&self, element: &Element) -> Result<(ItemKey, Option<u64>), Refusal> {
        let cx = self.cx;
        let id = element
            .t("ReferenceItemId")
            .ok_or_else(|| Refusal::missing("ReferenceItemId"))?;
        let value = id
            .attribute("Id")
            .ok_or_else(|| Refusal::missing_attribute("Id"))?;
        let Target::Item(key) = cx.target(value)? else {
            return Err(Refusal::malformed_id());
        };
        let stored = cx.world.stored(key).ok_or_else(Refusal::item_not_found)?;
        if is_calendar(&stored.item) {
            return Ok((key, None));
        }
        let meeting = meeting::find(&cx.world, key.mailbox, stored.item.text(Field::Uid));
        Ok((meeting.ok_or_else(Refusal::item_not_found)?, Some(key.serial)))
    }
}

fn check_answer(item: &Item, answer: Answer) -> Result<(), Refusal> {
    let cancelled = item.flag(Field::IsCancelled);
    let code = match (answer, meeting::is_organizer(item), cancelled) {
        (Answer::Accept, true, _) => "ErrorCalendarIsOrganizerForAccept",
        (Answer::Tentative, true, _) => "ErrorCalendarIsOrganizerForTentative",
        (Answer::Decline, true, _) => "ErrorCalendarIsOrganizerForDecline",
        (Answer::Accept, false, true) => "ErrorCalendarIsCancelledForAccept",
        (Answer::Tentative, false, true) => "ErrorCalendarIsCancelledForTentative",
        (Answer::Decline, false, true) => "ErrorCalendarIsCancelledForDecline",
        (_, false, false) => return Ok(()),
    };
    Err(Refusal::new(code, "The meeting cannot be answered."))
}

/// A request that was answered is marked and goes to Deleted Items, as in Outlook.
fn settle_request(transaction: &mut Transaction<'_>, request: u64) {
    let Some(stored) = transaction.mailbox().items.get(&request) else {
        return;
    };
    let answered = stored.item.as_ref().clone().with(Field::HasBeenProcessed, true);
    transaction.update(request, answered.with(Field::IsRead, true), false);
    transaction.move_item(request, DistinguishedFolder::DeletedItems.into());
}
