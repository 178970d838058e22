//! Mail that comes in: any bytes to an item. Nothing here fails or panics, whatever the bytes.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use mail_parser::{HeaderName, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::super::field::Field;
use super::super::item::{Attachment, AttachmentContent, Item, Kind};
use super::super::value::{Address, Binary, Body};
use super::icalendar;

/// How deep attached messages are opened; what is nested deeper stays a file. Exchange's own
/// limit for nested items.
const DEEPEST: usize = 10;

/// The item that a mail, or an iCalendar text, becomes. The bytes are kept as its MIME text.
pub fn read(raw: impl Into<Bytes>) -> Item {
    let raw = raw.into();
    let text = raw
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(&raw)
        .trim_ascii_start();
    if text
        .get(..15)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"BEGIN:VCALENDAR"))
        && let Some(item) = icalendar::read(&String::from_utf8_lossy(text))
    {
        return item;
    }
    // A parser that stumbles over one mail must not take the connection with it.
    let parsed = std::panic::catch_unwind(|| {
        MessageParser::default()
            .parse(&raw[..])
            .map(|message| mail(&message, 0))
    });
    let mut item = match parsed {
        Ok(Some(item)) => item,
        // No header at all: Exchange shows such a thing as a mail with a body only.
        Ok(None) | Err(_) => {
            Item::new(Kind::Message).with(Field::Body, plain(&String::from_utf8_lossy(&raw)))
        }
    };
    item.mime = Some(Binary(raw));
    item
}

fn mail(message: &Message<'_>, depth: usize) -> Item {
    let mut item = Item::new(Kind::Message).with(Field::ItemClass, class(message));
    item.set(Field::Subject, message.subject().unwrap_or_default());
    set_correspondents(&mut item, message);
    set_identity(&mut item, message);
    set_times(&mut item, message);
    item.set(Field::Importance, importance(message));
    item.set(Field::Sensitivity, sensitivity(message));
    item.set(Field::Body, body(message));
    item.set(Field::IsRead, false);
    item.headers = headers(message);
    let html = item
        .body()
        .filter(|body| body.html)
        .map(|body| body.text.clone())
        .unwrap_or_default();
    let modified = item.time(Field::DateTimeSent).unwrap_or(DateTime::UNIX_EPOCH);
    let parts = message.attachments().enumerate();
    item.attachments = parts
        .map(|(at, part)| attachment(part, at, &html, modified, depth))
        .collect();
    meeting(item, message)
}

/// [MS-OXCMAIL] 2.1.3.2: the item class by the outermost media type.
fn class(message: &Message<'_>) -> String {
    let kind = message.content_type();
    let is = |main: &str, sub: &str| {
        kind.is_some_and(|kind| {
            kind.c_type.eq_ignore_ascii_case(main)
                && kind
                    .c_subtype
                    .as_deref()
                    .is_some_and(|found| found.eq_ignore_ascii_case(sub))
        })
    };
    if is("multipart", "signed") {
        "IPM.Note.SMIME.MultipartSigned".to_owned()
    } else if is("application", "pkcs7-mime") || is("application", "x-pkcs7-mime") {
        "IPM.Note.SMIME".to_owned()
    } else if is("multipart", "report") {
        let kind = kind
            .and_then(|kind| kind.attribute("report-type"))
            .unwrap_or_default();
        if kind.eq_ignore_ascii_case("disposition-notification") {
            "REPORT.IPM.Note.IPNRN".to_owned()
        } else {
            "REPORT.IPM.Note.NDR".to_owned()
        }
    } else {
        "IPM.Note".to_owned()
    }
}

fn set_correspondents(item: &mut Item, message: &Message<'_>) {
    let from = message
        .from()
        .or(message.sender())
        .and_then(|list| addresses(list).into_iter().next());
    let sender = message
        .sender()
        .and_then(|list| addresses(list).into_iter().next());
    if let Some(sender) = sender.or_else(|| from.clone()) {
        item.set(Field::Sender, sender);
    }
    if let Some(from) = from {
        item.set(Field::From, from);
    }
    let all = |lists: &mut dyn Iterator<Item = &mail_parser::Address<'_>>| {
        lists.flat_map(addresses).collect::<Vec<_>>()
    };
    for (field, list) in [
        (Field::ToRecipients, all(&mut message.all_to())),
        (Field::CcRecipients, all(&mut message.all_cc())),
        (Field::BccRecipients, all(&mut message.all_bcc())),
        (Field::ReplyTo, all(&mut message.reply_to().into_iter())),
    ] {
        if !list.is_empty() {
            item.set(field, list);
        }
    }
}

fn addresses(list: &mail_parser::Address<'_>) -> Vec<Address> {
    let known = list
        .iter()
        .filter(|entry| entry.name.is_some() || entry.address.is_some());
    known
        .map(|entry| {
            Address::new(
                entry.name().unwrap_or_default(),
                entry.address().unwrap_or_default(),
            )
        })
        .collect()
}

fn set_identity(item: &mut Item, message: &Message<'_>) {
    for (field, name) in [
        (Field::InternetMessageId, HeaderName::MessageId),
        (Field::InReplyTo, HeaderName::InReplyTo),
        (Field::References, HeaderName::References),
    ] {
        // As written, brackets included: Exchange keeps even ill-formed ids.
        let value = message.headers().iter().find(|header| header.name == name);
        let value = value.map(|header| unfolded(message, header)).unwrap_or_default();
        if !value.is_empty() {
            item.set(field, value);
        }
    }
    let topic = message.thread_name().unwrap_or_default();
    item.set(Field::ConversationTopic, topic);
}

fn set_times(item: &mut Item, message: &Message<'_>) {
    let sent = message.date().and_then(instant);
    let received = message
        .received_all()
        .filter_map(|hop| hop.date().as_ref().and_then(instant))
        .next();
    if let Some(sent) = sent.or(received) {
        item.set(Field::DateTimeSent, sent);
    }
    if let Some(received) = received.or(sent) {
        item.set(Field::DateTimeReceived, received);
    }
}

fn instant(date: &mail_parser::DateTime) -> Option<DateTime<Utc>> {
    // The year bounds are those of xs:dateTime as Exchange writes it.
    let sensible = date.is_valid() && (1601..=4500).contains(&date.year);
    sensible
        .then(|| DateTime::from_timestamp(date.to_timestamp(), 0))
        .flatten()
}

fn importance(message: &Message<'_>) -> &'static str {
    let of = |name: &'static str| {
        message
            .header(name)
            .and_then(|value| value.as_text())
            .unwrap_or_default()
            .trim()
    };
    match (
        of("Importance").to_ascii_lowercase().as_str(),
        of("X-Priority").get(..1),
    ) {
        ("high", _) | ("", Some("1" | "2")) => "High",
        ("low", _) | ("", Some("4" | "5")) => "Low",
        _ => "Normal",
    }
}

fn sensitivity(message: &Message<'_>) -> &'static str {
    let value = message
        .header("Sensitivity")
        .and_then(|value| value.as_text())
        .unwrap_or_default();
    match value.trim().to_ascii_lowercase().as_str() {
        "personal" => "Personal",
        "private" => "Private",
        "company-confidential" => "Confidential",
        _ => "Normal",
    }
}

fn plain(text: &str) -> Body {
    Body {
        html: false,
        text: text.to_owned(),
    }
}

fn body(message: &Message<'_>) -> Body {
    let html = message.html_bodies().find_map(|part| match &part.body {
        PartType::Html(html) => Some(Body {
            html: true,
            text: html.to_string(),
        }),
        _ => None,
    });
    html.unwrap_or_else(|| {
        let texts = message.text_bodies().filter_map(|part| match &part.body {
            PartType::Text(text) => Some(text.as_ref()),
            _ => None,
        });
        plain(&texts.collect::<Vec<_>>().join("\r\n"))
    })
}

/// All headers in order, unfolded.
fn headers(message: &Message<'_>) -> Vec<(String, String)> {
    let named = message
        .headers()
        .iter()
        .filter(|header| !header.name().trim().is_empty());
    named
        .map(|header| (header.name().trim().to_owned(), unfolded(message, header)))
        .collect()
}

fn unfolded(message: &Message<'_>, header: &mail_parser::Header<'_>) -> String {
    let range = header.offset_start as usize..header.offset_end as usize;
    let raw = message.raw_message.get(range).unwrap_or_default();
    String::from_utf8_lossy(raw)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn attachment(
    part: &MessagePart<'_>,
    at: usize,
    html: &str,
    modified: DateTime<Utc>,
    depth: usize,
) -> Attachment {
    let content = match &part.body {
        PartType::Message(nested) if depth < DEEPEST => {
            let mut item = mail(nested, depth + 1);
            item.mime = Some(Binary(Bytes::copy_from_slice(nested.raw_message())));
            AttachmentContent::Item(Box::new(item))
        }
        PartType::Message(nested) => {
            AttachmentContent::File(Binary(Bytes::copy_from_slice(nested.raw_message())))
        }
        _ => AttachmentContent::File(Binary(Bytes::copy_from_slice(part.contents()))),
    };
    let kind = part.content_type().map(|kind| match kind.subtype() {
        Some(sub) => format!("{}/{sub}", kind.ctype()),
        None => kind.ctype().to_owned(),
    });
    let content_id = part.content_id().map(str::to_owned);
    let referred = content_id
        .as_ref()
        .is_some_and(|id| html.contains(&format!("cid:{id}")));
    let said_inline = part.content_disposition().is_some_and(|kind| kind.is_inline());
    let name = match (part.attachment_name(), &content) {
        (Some(name), _) => name.to_owned(),
        (None, AttachmentContent::Item(item)) => item.text(Field::Subject).to_owned(),
        (None, _) => format!("ATT{:05}.dat", at + 1),
    };
    Attachment {
        serial: 0,
        name,
        content_type: kind,
        inline: referred || said_inline && content_id.is_some(),
        content_id,
        contact_photo: false,
        modified,
        content,
    }
}

/// [MS-OXCICAL]: a mail whose body has a calendar part with a scheduling method becomes a
/// meeting message.
fn meeting(item: Item, message: &Message<'_>) -> Item {
    let calendar = message
        .parts
        .iter()
        .find(|part| part.is_content_type("text", "calendar"));
    let Some(text) = calendar.and_then(|part| part.text_contents()) else {
        return item;
    };
    icalendar::read_meeting(text, item)
}
