//! The port: what the engine may ask of a mail server.

use super::error::MailboxError;
use super::listener::MailboxListener;
use super::model::*;
use super::series::{Series, Span};
use crate::foundation::content::Content;
use crate::record::kind::RecordKind;
use async_trait::async_trait;
use bytes::Bytes;

/// A mail server, seen through a service account that may act in mailboxes.
///
/// Every call is safe to repeat, except that a repeated [`write`](Self::write) of a `Create` makes a second
/// item: look for the stamp first with [`find_stamped`](Self::find_stamped).
#[async_trait]
pub trait MailboxServer: Send + Sync {
    /// What the server can hold.
    fn capabilities(&self) -> MailboxCapabilities;

    /// Does the server answer, and does it accept the service account? Acts in no mailbox. The server's product in
    /// words; `None` where a connector cannot tell without a mailbox.
    async fn greet(&self) -> Result<Option<String>, MailboxError> {
        Ok(None)
    }

    /// Can we act in this mailbox, and if not, which right is missing? Changes nothing.
    async fn probe(&self, mailbox: &MailboxRef) -> Result<MailboxProbe, MailboxError>;

    /// One page of changes to a stream since the cursor; `None` starts from the beginning, newest first.
    /// `page_size` is at most 512. For mail the stream is the inbox and the sent items with their
    /// subfolders; else it is the mailbox's [choice](super::folders::FolderChoice) of folders of the kind. A cursor
    /// of which a folder takes part no more is lost: what lies in it is to be looked at once more.
    async fn changes(
        &self,
        mailbox: &MailboxRef,
        kind: RecordKind,
        cursor: Option<&MailboxCursor>,
        page_size: usize,
    ) -> Result<ChangePage, MailboxError>;

    /// The dates of series within a span: one entry for each series, in order. An item that is no series (any
    /// more) is [`MailboxError::Gone`]. The change feed names series, never their dates; `read` and `write`
    /// take both.
    async fn dates(
        &self,
        mailbox: &MailboxRef,
        series: &[ItemId],
        span: &Span,
    ) -> Result<Vec<Result<Series, MailboxError>>, MailboxError>;

    /// Reads items; the answer has one entry for each id, in order. [`Class::Gone`](crate::foundation::failure::Class)
    /// for an item that vanished between the feed and the read is not a fault.
    async fn read(
        &self,
        mailbox: &MailboxRef,
        kind: RecordKind,
        items: &[ItemId],
    ) -> Result<Vec<Result<MailboxItem, MailboxError>>, MailboxError>;

    /// Writes; the answer has one entry for each write, in order. An `Err` of the whole means that it is
    /// not known which writes happened.
    async fn write(
        &self,
        mailbox: &MailboxRef,
        kind: RecordKind,
        writes: &[MailboxWrite],
        notify: Notify,
    ) -> Result<Vec<Result<MailboxWritten, MailboxError>>, MailboxError>;

    /// Finds the items of a stream that carry these stamps; one entry for each stamp, in order.
    async fn find_stamped(
        &self,
        mailbox: &MailboxRef,
        kind: RecordKind,
        stamps: &[Stamp],
    ) -> Result<Vec<Option<ItemRef>>, MailboxError>;

    /// Something that hears of news before it is asked; `None` where the server must be asked. At most 200
    /// mailboxes are listened to by one.
    fn listener(&self) -> Option<Box<dyn MailboxListener>> {
        None
    }

    /// What is attached to an item. A server without attachments has none.
    async fn attachments(
        &self,
        _mailbox: &MailboxRef,
        _kind: RecordKind,
        _item: &ItemId,
    ) -> Result<Vec<Attachment>, MailboxError> {
        Ok(Vec::new())
    }

    /// Opens an attachment; its bytes then come piece by piece, and never lie in memory as a whole.
    async fn open(
        &self,
        _mailbox: &MailboxRef,
        _attachment: &Attachment,
    ) -> Result<OpenAttachment, MailboxError> {
        Err(MailboxError::Gone)
    }
}

/// An attachment's bytes as they come.
#[async_trait]
pub trait AttachmentBytes: Send {
    /// The next piece, of some kilobytes; `None` at the end. An end is told only where the server said that the
    /// attachment ends there: a broken connection is an error.
    async fn next(&mut self) -> Result<Option<Content<Bytes>>, MailboxError>;
}

/// An opened attachment.
pub struct OpenAttachment {
    /// What an attached item's bytes are, as a file's extension: `eml`, `ics`, `vcf`; `None` for a file.
    pub item_extension: Option<&'static str>,
    /// Its bytes.
    pub bytes: Box<dyn AttachmentBytes>,
}
