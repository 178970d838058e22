//! Meetings between mailboxes: invitations, updates, cancellations and answers, as copies of the
//! meeting and as messages about it. What a person outside would have received, and what a person
//! inside receives, is in the ledger; a request that says SendToNone leaves no trace there.
//!
//! All copies of a meeting share its UID, from which both global object ids are made.
//!
//! Source: "Calendars and EWS in Exchange", \[MS-OXOCAL\] 3.1.4.

use super::context::Context;
use super::directory::Principal;
use super::field::Field;
use super::folder::DistinguishedFolder;
use super::ids::{ItemKey, Target};
use super::item::{Item, Kind};
use super::value::{Address, Attendee, Value};
use super::world::World;
use crate::ledger::Noticed;
use chrono::{DateTime, Utc};

/// The calendar item with this UID in a mailbox, wherever it is but in Deleted Items.
pub fn find(world: &World, mailbox: usize, uid: &str) -> Option<ItemKey> {
    let read = world.read(mailbox)?;
    let trash = DistinguishedFolder::DeletedItems.into();
    let found = read.items.values().find(|stored| {
        stored.item.kind == Kind::CalendarItem
            && stored.folder != trash
            && stored.item.text(Field::Uid) == uid
    })?;
    Some(ItemKey {
        mailbox,
        serial: found.serial,
    })
}

/// Whether the mailbox's owner called the meeting, or it is an appointment of their own.
pub fn is_organizer(item: &Item) -> bool {
    const RECEIVED: i64 = 2;
    item.text(Field::MyResponseType) == "Organizer"
        || (!item.flag(Field::IsMeeting) && item.int(Field::AppointmentState).unwrap_or(0) & RECEIVED == 0)
}

/// Everybody asked to a meeting.
pub fn everyone(item: &Item) -> Vec<Address> {
    [
        Field::RequiredAttendees,
        Field::OptionalAttendees,
        Field::Resources,
    ]
    .into_iter()
    .flat_map(|field| {
        item.attendees(field)
            .iter()
            .map(|attendee| attendee.mailbox.clone())
    })
    .collect()
}

/// Sends the meeting as it is now to these people: the first time an invitation, later an update.
pub fn invite(cx: &Context, key: ItemKey, to: &[Address], update: bool, save_copy: bool) {
    let Some(stored) = cx.world.stored(key) else {
        return;
    };
    if to.is_empty() {
        return;
    }
    cx.world.ledger.record(Noticed::Invitation {
        mailbox: cx.user.smtp.clone(),
        item: cx.world.ids.encode(Target::Item(key)),
        to: to.iter().map(|address| address.email.clone()).collect(),
    });
    let request = request(&cx.user, &stored.item, to, update, cx.world.now());
    for person in inside(&cx.world, to) {
        let calendar = deliver_copy(cx, person, &stored.item);
        if calendar {
            deliver(cx, person, received(request.clone(), person, cx.world.now()));
        }
    }
    if save_copy {
        save_sent(cx, request);
    }
}

/// The people among the addressees who have a mailbox here, the sender excepted.
pub(super) fn inside<'a>(world: &'a World, to: &[Address]) -> Vec<&'a Principal> {
    let people = world.lists.delivered(to);
    people
        .iter()
        .filter_map(|address| world.directory.by_smtp(&address.email))
        .collect()
}

fn is_user(cx: &Context, person: &Principal) -> bool {
    person.mailbox == cx.user.mailbox
}

/// Puts the meeting in an attendee's calendar, or renews it there. Says whether anything came of it.
fn deliver_copy(cx: &Context, person: &Principal, meeting: &Item) -> bool {
    let Some(mailbox) = person.mailbox.filter(|_| !is_user(cx, person)) else {
        return false;
    };
    let existing = find(&cx.world, mailbox, meeting.text(Field::Uid));
    let Some(mut transaction) = cx.world.transaction(mailbox, person) else {
        return false;
    };
    let before = existing.and_then(|key| transaction.mailbox().items.get(&key.serial).cloned());
    let copy = attendee_copy(meeting, before.as_ref().map(|stored| stored.item.as_ref()));
    match before {
        Some(stored) => transaction.update(stored.serial, copy, false),
        None => {
            transaction.create(DistinguishedFolder::Calendar.into(), copy);
        }
    }
    true
}

/// A meeting as an attendee has it. What is the organiser's own stays behind; what is the
/// attendee's own is kept from the copy they had.
fn attendee_copy(meeting: &Item, before: Option<&Item>) -> Item {
    let mut copy = meeting.clone();
    copy.extended = before.map(|item| item.extended.clone()).unwrap_or_default();
    copy.mime = None;
    copy.set(Field::IsMeeting, true);
    copy.set(Field::AppointmentState, 3i64);
    copy.set(Field::MeetingRequestWasSent, false);
    copy.set(Field::MyResponseType, "NoResponseReceived");
    copy.set(Field::LegacyFreeBusyStatus, "Tentative");
    copy.unset(Field::Categories);
    copy.unset(Field::DateTimeCreated);
    let private = [
        Field::Categories,
        Field::ReminderIsSet,
        Field::ReminderMinutesBeforeStart,
        Field::MyResponseType,
        Field::LegacyFreeBusyStatus,
        Field::AppointmentReplyTime,
    ];
    let same_time = before.is_some_and(|before| {
        before.time(Field::Start) == meeting.time(Field::Start)
            && before.time(Field::End) == meeting.time(Field::End)
    });
    for field in private {
        // Another time asks everybody anew.
        let asked_anew = matches!(
            field,
            Field::MyResponseType | Field::LegacyFreeBusyStatus | Field::AppointmentReplyTime
        );
        if let Some(value) = before.and_then(|before| before.get(field))
            && (same_time || !asked_anew)
        {
            copy.set(field, value.clone());
        }
    }
    for exception in &mut copy.exceptions {
        exception.item.extended.clear();
        exception.item.set(Field::MyResponseType, "NoResponseReceived");
        exception.item.set(Field::AppointmentState, 3i64);
    }
    copy
}

/// A message about a meeting, with what all such messages carry.
fn message(
    kind: Kind,
    from: &Principal,
    meeting: &Item,
    to: &[Address],
    subject: String,
    at: DateTime<Utc>,
) -> Item {
    let sender = Address::new(&from.display, &from.smtp);
    let mut message = Item::new(kind)
        .with(Field::Subject, subject)
        .with(Field::From, sender.clone())
        .with(Field::Sender, sender)
        .with(Field::ToRecipients, to.to_vec())
        .with(Field::DateTimeSent, at)
        .with(Field::DateTimeReceived, at)
        .with(Field::IsRead, false)
        .with(
            Field::InternetMessageId,
            format!("<{}@lab.example>", uuid::Uuid::new_v4()),
        )
        .with(
            Field::ConversationTopic,
            super::defaults::topic(meeting.text(Field::Subject)).to_owned(),
        )
        .with(Field::DateTimeStamp, at);
    let shared = [
        Field::Uid,
        Field::Body,
        Field::Start,
        Field::End,
        Field::Location,
        Field::Recurrence,
        Field::IsAllDayEvent,
        Field::StartTimeZone,
        Field::EndTimeZone,
        Field::Organizer,
        Field::RequiredAttendees,
        Field::OptionalAttendees,
        Field::Resources,
        Field::Sensitivity,
        Field::Importance,
        Field::AppointmentSequenceNumber,
    ];
    for field in shared {
        if let Some(value) = meeting.get(field) {
            message.set(field, value.clone());
        }
    }
    message
}

fn request(from: &Principal, meeting: &Item, to: &[Address], update: bool, at: DateTime<Utc>) -> Item {
    let subject = meeting.text(Field::Subject).to_owned();
    let intended = match meeting.get(Field::LegacyFreeBusyStatus) {
        Some(Value::Text(status)) => status.clone(),
        _ => "Busy".to_owned(),
    };
    message(Kind::MeetingRequest, from, meeting, to, subject, at)
        .with(
            Field::MeetingRequestType,
            if update { "FullUpdate" } else { "NewMeetingRequest" },
        )
        .with(Field::IntendedFreeBusyStatus, intended)
        .with(Field::LegacyFreeBusyStatus, "Tentative")
        .with(Field::IsMeeting, true)
        .with(Field::MeetingRequestWasSent, true)
        .with(Field::IsResponseRequested, true)
        .with(Field::AppointmentState, 3i64)
        .with(Field::MyResponseType, "NoResponseReceived")
        .with(Field::ResponseType, "NoResponseReceived")
}

pub(super) fn received(message: Item, person: &Principal, at: DateTime<Utc>) -> Item {
    let me = Address::new(&person.display, &person.smtp);
    message
        .with(Field::ReceivedBy, me.clone())
        .with(Field::ReceivedRepresenting, me)
        .with(Field::DateTimeReceived, at)
}

pub(super) fn deliver(cx: &Context, person: &Principal, message: Item) {
    let transaction = person
        .mailbox
        .and_then(|mailbox| cx.world.transaction(mailbox, person));
    if let Some(mut transaction) = transaction {
        transaction.deliver(DistinguishedFolder::Inbox.into(), message);
    }
}

fn save_sent(cx: &Context, message: Item) {
    let transaction = cx
        .user
        .mailbox
        .and_then(|mailbox| cx.world.transaction(mailbox, &cx.user));
    if let Some(mut transaction) = transaction {
        transaction.create(
            DistinguishedFolder::SentItems.into(),
            message.with(Field::IsRead, true),
        );
    }
}

/// Tells these people that a meeting does not take place. `item` is the meeting as it was.
pub fn cancel(cx: &Context, key: ItemKey, meeting: &Item, to: &[Address], save_copy: bool) {
    if to.is_empty() {
        return;
    }
    cx.world.ledger.record(Noticed::Cancellation {
        mailbox: cx.user.smtp.clone(),
        item: cx.world.ids.encode(Target::Item(key)),
        to: to.iter().map(|address| address.email.clone()).collect(),
    });
    let subject = format!("Canceled: {}", meeting.text(Field::Subject));
    let notice = message(
        Kind::MeetingCancellation,
        &cx.user,
        meeting,
        to,
        subject.clone(),
        cx.world.now(),
    )
    .with(Field::ResponseType, "Unknown");
    for person in inside(&cx.world, to) {
        if is_user(cx, person) {
            continue;
        }
        mark_cancelled(cx, person, meeting.text(Field::Uid), &subject);
        deliver(cx, person, received(notice.clone(), person, cx.world.now()));
    }
    if save_copy {
        save_sent(cx, notice);
    }
}

fn mark_cancelled(cx: &Context, person: &Principal, uid: &str, subject: &str) {
    let Some(key) = person.mailbox.and_then(|mailbox| find(&cx.world, mailbox, uid)) else {
        return;
    };
    let Some(mut transaction) = cx.world.transaction(key.mailbox, person) else {
        return;
    };
    let Some(stored) = transaction.mailbox().items.get(&key.serial).cloned() else {
        return;
    };
    let mut copy = stored.item.as_ref().clone();
    copy.set(Field::IsCancelled, true);
    copy.set(Field::AppointmentState, 7i64);
    copy.set(Field::LegacyFreeBusyStatus, "Free");
    copy.set(Field::Subject, subject);
    transaction.update(key.serial, copy, false);
}

/// An attendee's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the schema's value")]
pub enum Answer {
    Accept,
    Tentative,
    Decline,
}

impl Answer {
    /// The response type.
    pub fn name(self) -> &'static str {
        match self {
            Answer::Accept => "Accept",
            Answer::Tentative => "Tentative",
            Answer::Decline => "Decline",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Answer::Accept => "IPM.Schedule.Meeting.Resp.Pos",
            Answer::Tentative => "IPM.Schedule.Meeting.Resp.Tent",
            Answer::Decline => "IPM.Schedule.Meeting.Resp.Neg",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Answer::Accept => "Accepted: ",
            Answer::Tentative => "Tentative: ",
            Answer::Decline => "Declined: ",
        }
    }
}

/// Tells the organiser an answer. `meeting` is the attendee's copy.
pub fn answer(
    cx: &Context,
    key: ItemKey,
    meeting: &Item,
    answer: Answer,
    body: Option<Value>,
    save_copy: bool,
) {
    let Some(organizer) = meeting.recipient(Field::Organizer).cloned() else {
        return;
    };
    let now = cx.world.now();
    cx.world.ledger.record(Noticed::Response {
        mailbox: cx.user.smtp.clone(),
        item: cx.world.ids.encode(Target::Item(key)),
        to: vec![organizer.email.clone()],
        answer: answer.name().to_lowercase(),
    });
    let subject = format!("{}{}", answer.prefix(), meeting.text(Field::Subject));
    let mut response = message(
        Kind::MeetingResponse,
        &cx.user,
        meeting,
        std::slice::from_ref(&organizer),
        subject,
        now,
    )
    .with(Field::ItemClass, answer.class())
    .with(Field::ResponseType, answer.name());
    response.unset(Field::Body);
    if let Some(body) = body {
        response.set(Field::Body, body);
    }
    if let Some(person) = cx.world.directory.by_smtp(&organizer.email) {
        let found = |mailbox| find(&cx.world, mailbox, meeting.text(Field::Uid));
        if let Some(key) = person.mailbox.and_then(found) {
            track(&cx.world, person, key, &cx.user.smtp, answer);
        }
        deliver(cx, person, received(response.clone(), person, now));
    }
    if save_copy {
        save_sent(cx, response);
    }
}

/// Notes on the organiser's copy what somebody answered, here or by mail from outside.
pub fn track(world: &World, organizer: &Principal, key: ItemKey, smtp: &str, answer: Answer) {
    let at = world.now();
    let Some(mut transaction) = world.transaction(key.mailbox, organizer) else {
        return;
    };
    let Some(stored) = transaction.mailbox().items.get(&key.serial).cloned() else {
        return;
    };
    let mut item = stored.item.as_ref().clone();
    for field in [
        Field::RequiredAttendees,
        Field::OptionalAttendees,
        Field::Resources,
    ] {
        let attendees: Vec<Attendee> = item
            .attendees(field)
            .iter()
            .cloned()
            .map(|mut attendee| {
                if attendee.mailbox.is(smtp) {
                    attendee.response = answer.name().to_owned();
                    attendee.answered = Some(at);
                }
                attendee
            })
            .collect();
        if !attendees.is_empty() {
            item.set(field, attendees);
        }
    }
    transaction.update(key.serial, item, false);
}
