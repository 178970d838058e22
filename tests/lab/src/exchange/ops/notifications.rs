//! Subscribe, GetEvents, Unsubscribe, and the notifications that GetStreamingEvents sends.

use crate::exchange::context::Context;
use crate::exchange::event::{Event, EventKind};
use crate::exchange::folder::FolderKey;
use crate::exchange::ids::{ItemKey, Target};
use crate::exchange::messages::Messages;
use crate::exchange::refusal::Refusal;
use crate::exchange::subscription::{Subscription, Way};
use crate::exchange::world::World;
use crate::exchange::xml::read::Element;
use crate::exchange::xml::write::Writer;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Events of one GetEvents answer.
const MOST: usize = 512;

/// Subscribe.
///
/// # Errors
/// The request breaks the schema.
pub fn subscribe(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let mut messages = Messages::new("Subscribe");
    let element = request
        .children
        .first()
        .ok_or_else(|| Refusal::missing("PullSubscriptionRequest"))?;
    let way = match element.name.as_str() {
        "PullSubscriptionRequest" => {
            let timeout = element
                .t_text("Timeout")
                .ok_or_else(|| Refusal::missing("Timeout"))?
                .trim();
            match timeout.parse() {
                Ok(minutes @ 1..=1_440) => Way::Pull { timeout: minutes },
                _ => return Err(Refusal::invalid_value("Timeout", timeout)),
            }
        }
        "StreamingSubscriptionRequest" => Way::Streaming,
        _ => {
            messages.refuse(&Refusal::new(
                "ErrorInvalidPushSubscriptionUrl",
                "Push subscriptions are not possible here.",
            ));
            return Ok(messages.finish());
        }
    };
    let made = make(cx, element, way);
    messages.each(made, |writer, (id, change)| {
        writer.leaf("m:SubscriptionId", &id);
        if way != Way::Streaming {
            writer.leaf("m:Watermark", &watermark(change));
        }
    });
    Ok(messages.finish())
}

fn make(cx: &Context, element: &Element, way: Way) -> Result<(String, u64), Refusal> {
    let all = element.attribute("SubscribeToAllFolders") == Some("true");
    let mut mailbox = cx.own_mailbox()?;
    let mut folders = std::collections::BTreeSet::new();
    for id in element
        .t("FolderIds")
        .map(|ids| ids.children.as_slice())
        .unwrap_or_default()
    {
        let (of, folder) = cx.folder(id)?;
        if !folders.is_empty() && of != mailbox {
            return Err(Refusal::new(
                "ErrorInvalidSubscriptionRequest",
                "Subscriptions are supported for folders of one mailbox only.",
            ));
        }
        mailbox = of;
        folders.insert(folder);
    }
    if all != folders.is_empty() {
        return Err(Refusal::new(
            "ErrorInvalidSubscriptionRequest",
            "Either folders or all folders must be named.",
        ));
    }
    let events = element
        .t("EventTypes")
        .ok_or_else(|| Refusal::missing("EventTypes"))?;
    let events = events
        .children
        .iter()
        .map(|event| event.text.trim().to_owned())
        .collect();
    let now_at = cx.world.read(mailbox).map(|read| read.change).unwrap_or_default();
    let told = match element.t_text("Watermark") {
        Some(text) => unwatermark(text.trim())
            .ok_or_else(|| Refusal::new("ErrorInvalidWatermark", "The watermark is invalid."))?,
        None => now_at,
    };
    let subscription = Subscription {
        mailbox,
        folders: (!all).then_some(folders),
        events,
        way,
        told,
        read_at: cx.world.now(),
    };
    Ok((cx.world.subscriptions.add(subscription), told))
}

fn watermark(change: u64) -> String {
    STANDARD.encode(format!("lab-watermark:{change:020}"))
}

fn unwatermark(text: &str) -> Option<u64> {
    let octets = STANDARD.decode(text).ok()?;
    std::str::from_utf8(&octets)
        .ok()?
        .strip_prefix("lab-watermark:")?
        .parse()
        .ok()
}

/// GetEvents.
///
/// # Errors
/// The request breaks the schema.
pub fn get_events(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let id = request
        .m_text("SubscriptionId")
        .ok_or_else(|| Refusal::missing("SubscriptionId"))?
        .trim();
    let mark = request
        .m_text("Watermark")
        .ok_or_else(|| Refusal::missing("Watermark"))?
        .trim();
    let mut messages = Messages::new("GetEvents");
    let found = events_of(cx, id, mark);
    messages.each(found, |writer, (events, from, more, mailbox)| {
        writer.open("m:Notification");
        writer.leaf("t:SubscriptionId", id);
        writer.leaf("t:PreviousWatermark", &watermark(from));
        writer.bool("t:MoreEvents", more);
        write_events(writer, &cx.world, mailbox, &events, from, true);
        writer.close("m:Notification");
    });
    Ok(messages.finish())
}

type Events = (Vec<Event>, u64, bool, usize);

fn events_of(cx: &Context, id: &str, mark: &str) -> Result<Events, Refusal> {
    let unknown = || Refusal::new("ErrorSubscriptionNotFound", "The subscription was not found.");
    let now = cx.world.now();
    let known = cx.world.subscriptions.get(id, now);
    let subscription = known
        .filter(|known| !cx.cursors_lost && cx.user.mailbox == Some(known.mailbox))
        .ok_or_else(unknown)?;
    let Way::Pull { .. } = subscription.way else {
        return Err(Refusal::new(
            "ErrorInvalidSubscription",
            "The subscription is not a pull subscription.",
        ));
    };
    let from = unwatermark(mark)
        .ok_or_else(|| Refusal::new("ErrorInvalidWatermark", "The watermark is invalid."))?;
    let read = cx.world.read(subscription.mailbox).ok_or_else(unknown)?;
    let events = read.events.after(from).ok_or_else(|| {
        Refusal::new(
            "ErrorMissedNotificationEvents",
            "Events have been missed for this subscription.",
        )
    })?;
    let mut events: Vec<Event> = events
        .filter(|event| subscription.wants(event))
        .copied()
        .collect();
    drop(read);
    let more = events.len() > MOST;
    events.truncate(MOST);
    let told = events.last().map_or(from, |event| event.change);
    cx.world.subscriptions.told(id, told, now);
    Ok((events, from, more, subscription.mailbox))
}

/// Events, or a StatusEvent where there are none.
pub fn write_events(
    writer: &mut Writer,
    world: &World,
    mailbox: usize,
    events: &[Event],
    from: u64,
    watermarks: bool,
) {
    if events.is_empty() {
        writer.open("t:StatusEvent");
        if watermarks {
            writer.leaf("t:Watermark", &watermark(from));
        }
        writer.close("t:StatusEvent");
    }
    for event in events {
        let name = format!("t:{}Event", event.kind.name());
        writer.open(&name);
        if watermarks {
            writer.leaf("t:Watermark", &watermark(event.change));
        }
        writer.time("t:TimeStamp", event.at);
        write_ids(writer, world, mailbox, event);
        writer.close(&name);
    }
}

fn write_ids(writer: &mut Writer, world: &World, mailbox: usize, event: &Event) {
    let folder = |writer: &mut Writer, name: &str, key: FolderKey| {
        let id = world.ids.encode(Target::Folder(mailbox, key));
        writer.empty(name, &[("Id", &id), ("ChangeKey", "AQAAAA==")]);
    };
    let item = |writer: &mut Writer, name: &str, serial: u64| {
        let key = ItemKey { mailbox, serial };
        let id = world.ids.encode(Target::Item(key));
        let change_key = world.ids.change_key(mailbox, event.change, false);
        writer.empty(name, &[("Id", &id), ("ChangeKey", &change_key)]);
    };
    if event.kind.is_folder() {
        folder(writer, "t:FolderId", FolderKey(event.serial));
        folder(writer, "t:ParentFolderId", event.folder);
        return;
    }
    item(writer, "t:ItemId", event.serial);
    folder(writer, "t:ParentFolderId", event.folder);
    match event.kind {
        EventKind::Moved {
            old_serial,
            old_folder,
        } => {
            item(writer, "t:OldItemId", old_serial);
            folder(writer, "t:OldParentFolderId", old_folder);
        }
        EventKind::Copied { old_serial } => {
            item(writer, "t:OldItemId", old_serial);
            folder(writer, "t:OldParentFolderId", event.folder);
        }
        _ => {}
    }
}

/// Unsubscribe.
///
/// # Errors
/// The request breaks the schema.
pub fn unsubscribe(cx: &Context, request: &Element) -> Result<String, Refusal> {
    let id = request
        .m_text("SubscriptionId")
        .ok_or_else(|| Refusal::missing("SubscriptionId"))?
        .trim();
    let mut messages = Messages::new("Unsubscribe");
    if cx.world.subscriptions.remove(id) {
        messages.success(|_| {});
    } else {
        messages.refuse(&Refusal::new(
            "ErrorSubscriptionNotFound",
            "The subscription was not found.",
        ));
    }
    Ok(messages.finish())
}
