//! What the writing operations share: the zone of their times, the form of their answers, and the questions
//! that must be answered before a calendar item or a message is written.

use crate::exchange::context::{Context, Found};
use crate::exchange::field::Field;
use crate::exchange::ids::ItemKey;
use crate::exchange::item::{Item, Kind};
use crate::exchange::meeting;
use crate::exchange::messages::Messages;
use crate::exchange::read::item::Reading;
use crate::exchange::refusal::Refusal;
use crate::exchange::render;
use crate::exchange::value::{Address, Binary, Value};
use crate::exchange::xml::read::Element;
use crate::exchange::xml::write::Writer;
use crate::ledger::Noticed;
use chrono::{DateTime, Utc};

/// How elements of this request are read.
pub fn reading(cx: &Context) -> Reading {
    Reading {
        version: cx.version,
        rules: cx.rules(),
        at: cx.world.now(),
    }
}

/// Who is told of a calendar write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tell {
    /// Nobody.
    Nobody,
    /// Everybody, or those whom it concerns.
    Some {
        /// Whether a copy goes to the sent items.
        save_copy: bool,
        /// Only attendees that came or went, where nothing else changed.
        changed_only: bool,
    },
}

/// Reads the attribute that says who is told; `None` where it is absent.
///
/// # Errors
/// It has another value.
pub fn tell(request: &Element, attribute: &str) -> Result<Option<Tell>, Refusal> {
    let Some(value) = request.attribute(attribute) else {
        return Ok(None);
    };
    Ok(Some(match value {
        "SendToNone" => Tell::Nobody,
        "SendOnlyToAll" => Tell::Some {
            save_copy: false,
            changed_only: false,
        },
        "SendToAllAndSaveCopy" => Tell::Some {
            save_copy: true,
            changed_only: false,
        },
        "SendOnlyToChanged" => Tell::Some {
            save_copy: false,
            changed_only: true,
        },
        "SendToChangedAndSaveCopy" => Tell::Some {
            save_copy: true,
            changed_only: true,
        },
        other => return Err(Refusal::invalid_value(attribute, other)),
    }))
}

/// The answer to a written item: its id.
pub fn written(cx: &Context, messages: &mut Messages, result: Result<Option<ItemKey>, Refusal>) {
    match result {
        Ok(key) => messages.success(|writer| items(writer, cx, key)),
        Err(refusal) => messages.refuse_with(&refusal, |writer| writer.empty("m:Items", &[])),
    }
}

/// `m:Items` with the id of one item, or none.
pub fn items(writer: &mut Writer, cx: &Context, key: Option<ItemKey>) {
    let Some(found) = key.and_then(|key| cx.whole(key).ok()) else {
        writer.empty("m:Items", &[]);
        return;
    };
    writer.open("m:Items");
    id_of(writer, cx, &found);
    writer.close("m:Items");
}

/// An item's element with nothing but its id.
pub fn id_of(writer: &mut Writer, cx: &Context, found: &Found) {
    let name = format!("t:{}", found.item.kind.element());
    writer.open(&name);
    render::item_id(writer, cx, found);
    writer.close(&name);
}

/// Sends a message: who is inside gets it, and everybody is in the ledger.
pub fn send(cx: &Context, item: &Item) -> Item {
    let sender = Address::new(&cx.user.display, &cx.user.smtp);
    let now = cx.world.now();
    let mut sent = item.clone();
    for field in [Field::From, Field::Sender] {
        if sent.recipient(field).is_none() {
            sent.set(field, sender.clone());
        }
    }
    if sent.text(Field::InternetMessageId).is_empty() {
        sent.set(
            Field::InternetMessageId,
            format!("<{}@lab.example>", uuid::Uuid::new_v4()),
        );
    }
    sent.set(Field::IsDraft, false);
    sent.set(Field::IsSubmitted, false);
    sent.set(Field::IsRead, true);
    sent.set(Field::DateTimeSent, now);
    sent.set(Field::DateTimeReceived, now);
    sent.mime = sent
        .mime
        .take()
        .map(|mime| Binary(outgoing(&mime.0, &sent, now).into()));
    let to: Vec<Address> = [Field::ToRecipients, Field::CcRecipients, Field::BccRecipients]
        .into_iter()
        .flat_map(|field| sent.recipients(field).iter().cloned())
        .collect();
    cx.world.ledger.record(Noticed::Mail {
        from: cx.user.smtp.clone(),
        to: to.iter().map(|address| address.email.clone()).collect(),
    });
    let mut arriving = sent.clone();
    arriving.unset(Field::BccRecipients);
    arriving.set(Field::IsRead, false);
    arriving.extended.clear();
    for person in meeting::inside(&cx.world, &to) {
        meeting::deliver(cx, person, meeting::received(arriving.clone(), person, now));
    }
    sent
}

/// A MIME text as it leaves: as it came, without Bcc, with the headers that the server adds where they are missing.
fn outgoing(mime: &[u8], sent: &Item, at: DateTime<Utc>) -> Vec<u8> {
    let mut head: Vec<&[u8]> = Vec::new();
    let mut rest = mime;
    let mut hidden = false;
    while !rest.is_empty() {
        let end = rest
            .iter()
            .position(|octet| *octet == b'\n')
            .map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        if line.trim_ascii().is_empty() {
            break;
        }
        // A line that begins with white space goes on with the header before it.
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            hidden = is_header(line, "Bcc");
        }
        if !hidden {
            head.push(line);
        }
        rest = after;
    }
    let mut text = Vec::with_capacity(mime.len() + 256);
    let from = format!(
        "<{}>",
        sent.recipient(Field::From)
            .map(|from| from.email.as_str())
            .unwrap_or_default()
    );
    let added = [
        ("Message-ID", sent.text(Field::InternetMessageId).to_owned()),
        ("Date", at.to_rfc2822()),
        ("From", from),
    ];
    for (name, value) in added {
        if !head.iter().any(|line| is_header(line, name)) {
            text.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
    }
    text.extend(head.concat());
    text.extend_from_slice(rest);
    text
}

fn is_header(line: &[u8], name: &str) -> bool {
    let head = line.get(..name.len()).unwrap_or_default();
    head.eq_ignore_ascii_case(name.as_bytes()) && line.get(name.len()) == Some(&b':')
}

/// Refuses a kind of item in a folder of another class.
pub fn fits(refused: Option<&'static str>) -> Result<(), Refusal> {
    match refused {
        Some(code) => Err(Refusal::new(
            code,
            "Cannot create an item of this kind in this folder.",
        )),
        None => Ok(()),
    }
}

/// Whether a write of the item concerns a calendar.
pub fn is_calendar(item: &Item) -> bool {
    item.kind == Kind::CalendarItem
}

/// A text body as a value, where an element gives one.
pub fn body_of(element: &Element) -> Result<Option<Value>, Refusal> {
    match element.t("Body") {
        Some(body) => Ok(Some(Value::Body(crate::exchange::read::value::body(body)?))),
        None => Ok(None),
    }
}
