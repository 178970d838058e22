//! Properties that the server makes on each reading.

use super::{attachment, calendar, item_id, value};
use crate::exchange::context::{Context, Found};
use crate::exchange::field::Field;
use crate::exchange::folder::FolderKey;
use crate::exchange::ids::Target;
use crate::exchange::item::{Item, Kind};
use crate::exchange::meeting;
use crate::exchange::mime;
use crate::exchange::shape::{BodyForm, Shape};
use crate::exchange::version::Version;
use crate::exchange::xml::write::Writer;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Writes a property if it is one that the server makes. Says whether it was.
// long: one table of properties
pub fn write(
    writer: &mut Writer,
    cx: &Context,
    item: &Item,
    found: Option<&Found>,
    field: Field,
    shape: &Shape,
) -> bool {
    match field {
        Field::MimeContent => {
            let text = STANDARD.encode(mime::render(item));
            writer.leaf_with("t:MimeContent", &[("CharacterSet", "UTF-8")], &text);
        }
        Field::Body => value::body(writer, "t:Body", item.body(), shape.body),
        Field::UniqueBody => value::body(writer, "t:UniqueBody", item.body(), shape.body),
        Field::NormalizedBody => value::body(writer, "t:NormalizedBody", item.body(), shape.body),
        Field::TextBody => value::body(writer, "t:TextBody", item.body(), BodyForm::Text),
        Field::Preview => writer.leaf("t:Preview", &preview(item)),
        Field::Notes => writer.leaf("t:Notes", &item.body().map(value::text).unwrap_or_default()),
        Field::Attachments => attachment::list(writer, cx, item, found),
        Field::HasAttachments => {
            writer.bool(
                "t:HasAttachments",
                item.attachments.iter().any(|attachment| !attachment.inline),
            );
        }
        Field::HasPicture => {
            writer.bool(
                "t:HasPicture",
                item.attachments.iter().any(|attachment| attachment.contact_photo),
            );
        }
        Field::InternetMessageHeaders => headers(writer, item),
        Field::ResponseObjects => response_objects(writer, item),
        Field::DisplayTo => writer.leaf(
            "t:DisplayTo",
            &names(item, Field::ToRecipients, Field::RequiredAttendees),
        ),
        Field::DisplayCc => writer.leaf(
            "t:DisplayCc",
            &names(item, Field::CcRecipients, Field::OptionalAttendees),
        ),
        Field::ConversationId => {
            if let (Some(found), true) = (found, item.kind.is_mail()) {
                let id = STANDARD.encode(conversation(found.key.mailbox, item));
                writer.empty("t:ConversationId", &[("Id", &id)]);
            }
        }
        Field::ReminderNextTime => {
            let due = item
                .time(Field::ReminderDueBy)
                .filter(|_| item.flag(Field::ReminderIsSet));
            if let Some(due) = due {
                let before =
                    chrono::Duration::minutes(item.int(Field::ReminderMinutesBeforeStart).unwrap_or(0));
                writer.time("t:ReminderNextTime", due - before);
            }
        }
        Field::CompleteName => complete_name(writer, item),
        Field::IsComplete => writer.bool("t:IsComplete", item.text(Field::Status) == "Completed"),
        Field::TaskIsRecurring => writer.bool("t:IsRecurring", item.get(Field::TaskRecurrence).is_some()),
        Field::DateTimeSent if item.get(field).is_none() => {
            let sent = found
                .map(|found| found.stored.created)
                .filter(|_| !item.flag(Field::IsDraft));
            if let Some(sent) = sent.filter(|_| item.kind.is_mail()) {
                writer.time("t:DateTimeSent", sent);
            }
        }
        Field::ItemId
        | Field::ParentFolderId
        | Field::Size
        | Field::EffectiveRights
        | Field::LastModifiedName
        | Field::LastModifiedTime
        | Field::StoreEntryId
        | Field::InstanceKey
        | Field::DateTimeCreated
        | Field::DateTimeReceived => return stored(writer, cx, item, found, field),
        _ => return calendar::write(writer, cx, item, found, field),
    }
    true
}

/// Properties of an item that is stored; an attached item has none of them.
fn stored(writer: &mut Writer, cx: &Context, item: &Item, found: Option<&Found>, field: Field) -> bool {
    let Some(found) = found else {
        // Times that an attached item itself carries are plain properties.
        return item.get(field).is_none();
    };
    match field {
        Field::ItemId => item_id(writer, cx, found),
        Field::ParentFolderId => folder_id(
            writer,
            cx,
            found.key.mailbox,
            found.stored.folder,
            "t:ParentFolderId",
        ),
        Field::Size => writer.number("t:Size", found.stored.size),
        Field::EffectiveRights => effective_rights(writer, cx.version, false),
        Field::LastModifiedName => writer.leaf("t:LastModifiedName", &found.stored.modified_by),
        Field::LastModifiedTime => writer.time("t:LastModifiedTime", found.stored.modified),
        Field::StoreEntryId => writer.leaf("t:StoreEntryId", &STANDARD.encode(entry_id(cx, found))),
        Field::InstanceKey => writer.leaf("t:InstanceKey", &STANDARD.encode(found.key.serial.to_be_bytes())),
        Field::DateTimeCreated => writer.time("t:DateTimeCreated", found.stored.created),
        Field::DateTimeReceived => {
            let time = item.time(Field::DateTimeReceived).unwrap_or(found.stored.created);
            writer.time("t:DateTimeReceived", time);
        }
        _ => return false,
    }
    true
}

/// The MAPI entry id: provider flags, the mailbox, the item.
pub fn entry_id(cx: &Context, found: &Found) -> Vec<u8> {
    let mut id = vec![0; 4];
    id.extend_from_slice(cx.world.ids.mailbox_guid(found.key.mailbox).as_bytes());
    id.extend_from_slice(&[7, 0]);
    id.extend_from_slice(&found.key.serial.to_be_bytes());
    id
}

/// A folder's id under a given element name.
pub fn folder_id(writer: &mut Writer, cx: &Context, mailbox: usize, folder: FolderKey, name: &str) {
    let id = cx.world.ids.encode(Target::Folder(mailbox, folder));
    let change = cx
        .world
        .read(mailbox)
        .and_then(|read| read.folders.get(&folder).map(|folder| folder.change))
        .unwrap_or(0);
    let key = cx.world.ids.change_key(mailbox, change, false);
    writer.empty(name, &[("Id", &id), ("ChangeKey", &key)]);
}

/// The owner's rights.
pub fn effective_rights(writer: &mut Writer, version: Version, folder: bool) {
    writer.open("t:EffectiveRights");
    for name in ["CreateAssociated", "CreateContents", "CreateHierarchy"] {
        writer.bool(&format!("t:{name}"), folder);
    }
    for name in ["Delete", "Modify", "Read"] {
        writer.bool(&format!("t:{name}"), true);
    }
    if version >= Version::E2010Sp1 {
        writer.bool("t:ViewPrivateItems", true);
    }
    writer.close("t:EffectiveRights");
}

fn preview(item: &Item) -> String {
    let text = item.body().map(value::text).unwrap_or_default();
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(255)
        .collect()
}

fn names(item: &Item, recipients: Field, attendees: Field) -> String {
    let shown = |name: &str, email: &str| {
        if name.is_empty() {
            email.to_owned()
        } else {
            name.to_owned()
        }
    };
    let mut names: Vec<String> = item
        .recipients(recipients)
        .iter()
        .map(|address| shown(&address.name, &address.email))
        .collect();
    names.extend(
        item.attendees(attendees)
            .iter()
            .map(|attendee| shown(&attendee.mailbox.name, &attendee.mailbox.email)),
    );
    names.join("; ")
}

/// Mails of one thread share the first message they refer to.
fn conversation(mailbox: usize, item: &Item) -> Vec<u8> {
    let references = item.text(Field::References);
    let root = references
        .split_whitespace()
        .next()
        .or_else(|| item.text(Field::InReplyTo).split_whitespace().next())
        .unwrap_or(item.text(Field::InternetMessageId));
    let root = if root.is_empty() {
        item.text(Field::ConversationTopic)
    } else {
        root
    };
    let mut digest = Sha256::new_with_prefix((mailbox as u64).to_be_bytes());
    digest.update(root);
    let mut id = vec![1, 0];
    id.extend_from_slice(&digest.finalize()[..16]);
    id
}

fn headers(writer: &mut Writer, item: &Item) {
    if !item.kind.is_mail() {
        return;
    }
    let text = mime::render(item);
    let mut found: Vec<(String, String)> = Vec::new();
    for line in String::from_utf8_lossy(&text).lines() {
        if line.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = found.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            found.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    if found.is_empty() {
        return;
    }
    writer.open("t:InternetMessageHeaders");
    for (name, value) in &found {
        writer.leaf_with("t:InternetMessageHeader", &[("HeaderName", name)], value);
    }
    writer.close("t:InternetMessageHeaders");
}

/// What a client may answer with.
fn response_objects(writer: &mut Writer, item: &Item) {
    let invited = item.kind == Kind::MeetingRequest
        || (item.kind == Kind::CalendarItem && item.flag(Field::IsMeeting) && !meeting::is_organizer(item));
    let mine = item.kind == Kind::CalendarItem && item.flag(Field::IsMeeting) && !invited;
    let names: &[&str] = if invited {
        &[
            "t:AcceptItem",
            "t:TentativelyAcceptItem",
            "t:DeclineItem",
            "t:ReplyToItem",
            "t:ReplyAllToItem",
            "t:ForwardItem",
        ]
    } else if mine {
        &["t:CancelCalendarItem", "t:ForwardItem"]
    } else if item.kind == Kind::Message && !item.flag(Field::IsDraft) {
        &["t:ReplyToItem", "t:ReplyAllToItem", "t:ForwardItem"]
    } else {
        return;
    };
    writer.open("t:ResponseObjects");
    for name in names {
        writer.empty(name, &[]);
    }
    writer.close("t:ResponseObjects");
}

fn complete_name(writer: &mut Writer, item: &Item) {
    let parts = [
        ("t:FirstName", Field::GivenName),
        ("t:MiddleName", Field::MiddleName),
        ("t:LastName", Field::Surname),
        ("t:Suffix", Field::Generation),
        ("t:Initials", Field::Initials),
        ("t:FullName", Field::DisplayName),
        ("t:Nickname", Field::Nickname),
    ];
    if parts.iter().all(|(_, field)| item.text(*field).is_empty()) {
        return;
    }
    writer.open("t:CompleteName");
    for (name, field) in parts {
        if !item.text(field).is_empty() {
            writer.leaf(name, item.text(field));
        }
    }
    writer.close("t:CompleteName");
}
