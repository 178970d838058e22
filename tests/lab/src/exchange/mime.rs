//! Mail text and items: what `item:MimeContent` gives, and what becomes of mail that comes in.
//!
//! [`render`] gives the MIME text of an item: the text it came as where there is one, else one
//! made from its properties; calendar items give an iCalendar text, as Exchange does (see
//! [`icalendar`]). [`read`] makes an item of any bytes that claim to be mail. It never fails:
//! what cannot be understood is left out of the properties and still in the kept text, and
//! that text is what `MimeContent` gives back.
//!
//! Texts made here are the same on every reading: boundaries are counted, not drawn, and a
//! mail without Message-ID stays without.
//!
//! Sources: RFC 5322, RFC 2046, RFC 2387, RFC 8551 (S/MIME types); [MS-OXCMAIL] for how mail
//! becomes properties and which item classes S/MIME and reports get.

pub mod icalendar;
mod reading;

use std::borrow::Cow;
use std::io;

use bytes::Bytes;
use mail_builder::MessageBuilder;
use mail_builder::headers::Header as _;
use mail_builder::headers::address::Address as MailAddress;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_builder::headers::{HeaderType, message_id::MessageId};
use mail_builder::mime::{BodyPart, MimePart};
use mail_parser::decoders::html::html_to_text;

use super::field::Field;
use super::item::{Attachment, AttachmentContent, Item, Kind};
use super::value::Address;

pub use reading::read;

/// The text that `item:MimeContent` carries, before base64.
pub fn render(item: &Item) -> Bytes {
    match (&item.mime, item.kind) {
        (Some(kept), _) => kept.0.clone(),
        (None, Kind::CalendarItem) => icalendar::render(item, icalendar::METHOD_PUBLISH).into(),
        (None, _) => mail(item).into(),
    }
}

/// A mail text made from properties.
fn mail(item: &Item) -> Vec<u8> {
    let mut text = Vec::new();
    write_mail(item, &mut text).expect("writing to memory does not fail");
    text
}

fn write_mail(item: &Item, out: &mut Vec<u8>) -> io::Result<()> {
    for (name, value) in headers(item) {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        value.write_header(&mut *out, name.len() + 2)?;
    }
    let mut boundaries = Boundaries(0);
    let body = root_part(item, &mut boundaries);
    // Not `write_to`, which would draw a Message-ID and a Date where the item has none.
    MessageBuilder::new().body(body).write_body(out)
}

fn headers(item: &Item) -> Vec<(&str, HeaderType<'_>)> {
    let mut headers: Vec<(&str, HeaderType<'_>)> = Vec::new();
    for (name, field) in [("From", Field::From), ("Sender", Field::Sender)] {
        let same = field == Field::Sender && item.recipient(Field::From) == item.recipient(field);
        if let Some(address) = item.recipient(field).filter(|_| !same) {
            headers.push((name, mailbox(address).into()));
        }
    }
    for (name, field) in [
        ("To", Field::ToRecipients),
        ("CC", Field::CcRecipients),
        ("BCC", Field::BccRecipients),
        ("Reply-To", Field::ReplyTo),
    ] {
        let list: Vec<_> = item.recipients(field).iter().map(mailbox).collect();
        if !list.is_empty() {
            headers.push((name, MailAddress::new_list(list).into()));
        }
    }
    headers.push(("Subject", Text::new(item.text(Field::Subject)).into()));
    if let Some(sent) = item
        .time(Field::DateTimeSent)
        .or(item.time(Field::DateTimeCreated))
    {
        headers.push(("Date", Date::new(sent.timestamp()).into()));
    }
    for (name, field) in [
        ("Message-ID", Field::InternetMessageId),
        ("In-Reply-To", Field::InReplyTo),
        ("References", Field::References),
    ] {
        let ids: Vec<&str> = item.text(field).split_whitespace().map(bare_id).collect();
        if !ids.is_empty() {
            headers.push((name, MessageId::new_list(ids.into_iter()).into()));
        }
    }
    if matches!(item.text(Field::Importance), "High" | "Low") {
        headers.push(("Importance", Raw::new(item.text(Field::Importance)).into()));
    }
    headers.extend(
        item.headers
            .iter()
            .map(|(name, value)| (name.as_str(), Text::new(value.as_str()).into())),
    );
    headers.push(("MIME-Version", Raw::new("1.0").into()));
    headers
}

/// A message id without its angle brackets.
fn bare_id(id: &str) -> &str {
    id.strip_prefix('<')
        .and_then(|id| id.strip_suffix('>'))
        .unwrap_or(id)
}

fn mailbox(address: &Address) -> MailAddress<'_> {
    let name = (!address.name.is_empty()).then_some(address.name.as_str());
    MailAddress::new_address(name, address.email.as_str())
}

/// Gives every multipart of one mail a boundary of its own.
struct Boundaries(usize);

impl Boundaries {
    fn multipart<'x>(&mut self, subtype: &str, parts: Vec<MimePart<'x>>) -> MimePart<'x> {
        self.0 += 1;
        let kind = ContentType::new(format!("multipart/{subtype}"))
            .attribute("boundary", format!("_{:03}_holdfast-lab_", self.0));
        MimePart::new(kind, parts)
    }
}

/// mixed(related(alternative(text, HTML, calendar), inline …), attachment …), each level only
/// where it has something to hold.
fn root_part<'x>(item: &'x Item, boundaries: &mut Boundaries) -> MimePart<'x> {
    let (inline, attached): (Vec<_>, Vec<_>) = item
        .attachments
        .iter()
        .partition(|attachment| attachment.inline && attachment.content_id.is_some());
    let mut part = body_part(item, boundaries);
    if !inline.is_empty() {
        let parts = std::iter::once(part).chain(inline.into_iter().filter_map(attachment_part));
        part = boundaries.multipart("related", parts.collect());
    }
    if !attached.is_empty() {
        let parts = std::iter::once(part).chain(attached.into_iter().filter_map(attachment_part));
        part = boundaries.multipart("mixed", parts.collect());
    }
    part
}

fn body_part<'x>(item: &'x Item, boundaries: &mut Boundaries) -> MimePart<'x> {
    let mut parts = Vec::new();
    match item.body() {
        Some(body) if body.html => {
            parts.push(MimePart::new("text/plain", html_to_text(&body.text)));
            parts.push(MimePart::new("text/html", body.text.as_str()));
        }
        Some(body) => parts.push(MimePart::new("text/plain", body.text.as_str())),
        None => parts.push(MimePart::new("text/plain", "")),
    }
    if let Some(method) = icalendar::method(item.kind) {
        let kind = ContentType::new("text/calendar")
            .attribute("charset", "utf-8")
            .attribute("method", method);
        parts.push(MimePart::new(kind, icalendar::render(item, method)));
    }
    if parts.len() == 1 {
        return parts.remove(0);
    }
    boundaries.multipart("alternative", parts)
}

/// A link (ReferenceAttachment) has no octets, so it has no part.
fn attachment_part(attachment: &Attachment) -> Option<MimePart<'_>> {
    let name = attachment.name.as_str();
    let part = match &attachment.content {
        AttachmentContent::File(octets) => {
            let kind = attachment
                .content_type
                .as_deref()
                .unwrap_or("application/octet-stream");
            let kind = ContentType::new(kind).attribute("name", name);
            MimePart::new(kind, BodyPart::Binary(Cow::Borrowed(&octets.0)))
        }
        AttachmentContent::Item(item) => {
            let nested = render(item);
            let kind = if item.kind == Kind::CalendarItem {
                "text/calendar"
            } else {
                "message/rfc822"
            };
            MimePart::new(
                ContentType::new(kind),
                BodyPart::Text(String::from_utf8_lossy(&nested).into_owned().into()),
            )
            .transfer_encoding("8bit")
        }
        AttachmentContent::Reference { .. } | AttachmentContent::Large(_) => return None,
    };
    let part = match &attachment.content_id {
        Some(id) => part.cid(id.as_str()),
        None => part,
    };
    let disposition = if attachment.inline { "inline" } else { "attachment" };
    let disposition = ContentType::new(disposition).attribute("filename", name);
    Some(part.header("Content-Disposition", disposition))
}

#[cfg(test)]
mod tests;
