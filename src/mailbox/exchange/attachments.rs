//! Attachments: `attachments()` and `open()`.
//!
//! EWS gives an attachment in one answer and knows no ranges, so what breaks in the middle begins anew. The answer
//! is taken out of its XML while it comes (`wire/octets.rs`); at no time is more of it here than some pieces.

use super::auth::AuthError;
use super::client::{CallError, Client, Operation, unanswered};
use super::wire::get_attachment;
use super::wire::get_item;
use super::wire::item::RawItem;
use super::wire::octets::Octets;
use super::wire::xml::clean;
use crate::foundation::content::Content;
use crate::foundation::egress::Streamed;
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::{Attachment, AttachmentBody, AttachmentId, ItemId, MailboxRef};
use crate::mailbox::port::{AttachmentBytes, OpenAttachment};
use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;

/// See [`MailboxServer::attachments`](crate::mailbox::port::MailboxServer::attachments).
///
/// # Errors
/// Those of the port.
pub async fn list(
    client: &Client,
    mailbox: &MailboxRef,
    item: &ItemId,
) -> Result<Vec<Attachment>, MailboxError> {
    let operation = Operation {
        name: "GetItem",
        repeatable: true,
    };
    let answer: Vec<Result<Vec<RawItem>, _>> = client
        .call(
            mailbox,
            operation,
            |w, _| get_attachment::list(w, item),
            get_item::read,
        )
        .await?;
    let items = answer.into_iter().next().ok_or(MailboxError::Unintelligible {
        what: "an answer without messages",
    })??;
    let raw = items.into_iter().next().ok_or(MailboxError::Gone)?;
    let body = Content::new(raw.body);
    let attachments = raw.attachments.into_iter().filter_map(|one| {
        let inline = one.is_shown_by(body.expose());
        let body = match one.element.as_str() {
            "FileAttachment" => AttachmentBody::File,
            "ItemAttachment" => AttachmentBody::Item,
            "ReferenceAttachment" => AttachmentBody::Link(Content::new(one.link)),
            _ => return None,
        };
        Some(Attachment {
            id: AttachmentId(one.id),
            body,
            name: Content::new(one.name),
            size: one.size,
            inline,
        })
    });
    Ok(attachments.collect())
}

/// See [`MailboxServer::open`](crate::mailbox::port::MailboxServer::open).
///
/// # Errors
/// Those of the port.
pub async fn open(
    client: &Client,
    mailbox: &MailboxRef,
    attachment: &Attachment,
) -> Result<OpenAttachment, MailboxError> {
    let answer = client
        .download(mailbox, |w| get_attachment::request(w, &attachment.id))
        .await?;
    let mut arriving = Arriving {
        answer,
        octets: Some(Octets::new()),
        first: Vec::new(),
        within: client.piece_within(),
    };
    arriving.first = match arriving.begin().await? {
        Some(first) => first,
        None => {
            let head = arriving.octets.as_ref().map(Octets::head).unwrap_or_default();
            return Err(client.refusal(&client.session(mailbox), &clean(head)).into());
        }
    };
    let item_extension = match attachment.body {
        AttachmentBody::Item => Some(extension(&arriving)),
        AttachmentBody::File | AttachmentBody::Link(_) => None,
    };
    Ok(OpenAttachment {
        item_extension,
        bytes: Box::new(arriving),
    })
}

/// MIME of an appointment is iCalendar, of a contact vCard, of everything else a mail ("MimeContent").
fn extension(arriving: &Arriving) -> &'static str {
    let head = arriving.octets.as_ref().map(Octets::head).unwrap_or_default();
    let holds = |name: &[u8]| head.windows(name.len()).any(|part| part == name);
    match () {
        () if holds(b"CalendarItem>") || holds(b"CalendarItem ") => "ics",
        () if holds(b":Contact>") || holds(b"<Contact>") => "vcf",
        () => "eml",
    }
}

struct Arriving {
    answer: Streamed,
    /// None once the end was reached.
    octets: Option<Octets>,
    /// Bytes that came with the head.
    first: Vec<u8>,
    within: Duration,
}

impl Arriving {
    /// Goes on until the content begins. `None` for an answer without content, which is a refusal.
    async fn begin(&mut self) -> Result<Option<Vec<u8>>, CallError> {
        let octets = self.octets.get_or_insert_with(Octets::new);
        while let Some(piece) = cut(self.answer.piece(self.within).await)? {
            let bytes = octets.take(&piece)?;
            if octets.found() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, CallError> {
        if !self.first.is_empty() {
            return Ok(Some(std::mem::take(&mut self.first).into()));
        }
        let Some(octets) = &mut self.octets else {
            return Ok(None);
        };
        while let Some(piece) = cut(self.answer.piece(self.within).await)? {
            let bytes = octets.take(&piece)?;
            if !bytes.is_empty() {
                return Ok(Some(bytes.into()));
            }
        }
        let last = self.octets.take().map(Octets::finish).transpose()?;
        Ok(last.filter(|last| !last.is_empty()).map(Bytes::from))
    }
}

fn cut<T>(taken: Result<T, crate::foundation::egress::EgressError>) -> Result<T, CallError> {
    taken.map_err(|error| unanswered(AuthError::from(error)))
}

#[async_trait]
impl AttachmentBytes for Arriving {
    async fn next(&mut self) -> Result<Option<Content<Bytes>>, MailboxError> {
        Ok(self.piece().await?.map(Content::new))
    }
}
