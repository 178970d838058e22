//! The connector to Microsoft Exchange on premises, by Exchange Web Services (EWS).
//!
//! How a call goes: [`ExchangeServer`] hands it to `feed` (changes), `reading`, `writing` or `probe`; these
//! speak through `client`, which waits for its turn (`throttle`), wraps the request in an envelope that
//! impersonates the mailbox, and sends it on a connection of the account's own (`pool`, `auth`). `wire` knows
//! the protocol, one file an operation; `convert` knows what its words mean in our records; `fault` says by
//! table what each response code means to us; `session` is what is remembered of a mailbox between calls. `listen`
//! hears of news by streaming notifications.
//!
//! Three rules run through all of it. A calendar write says in so many words whether people are told
//! (promise P7). One item that the server or the parser cannot take never holds up its batch. And nothing of
//! what passes through is logged: logs carry the mailbox's number, the operation and Exchange's request id.

mod attachments;
mod auth;
mod chosen_folders;
mod client;
mod convert;
mod cookies;
mod cursor;
mod dates;
mod dates_writing;
mod fault;
mod feed;
mod folder_list;
mod folder_map;
mod folder_pages;
mod groups;
mod home_zone;
mod known_folders;
mod listen;
mod lockout;
mod mail_folders;
mod members;
mod pool;
mod pressure;
mod probe;
mod reading;
mod session;
mod settings;
mod throttle;
mod valve;
mod wire;
mod writing;

pub use settings::{ExchangeSettings, ImpersonateBy, SignIn};

use self::client::Client;
use self::listen::ExchangeListener;
use super::error::MailboxError;
use super::listener::MailboxListener;
use super::model::*;
use super::port::{MailboxServer, OpenAttachment};
use super::series::{Series, Span};
use crate::foundation::egress::Gate;
use crate::record::field::{Field, FieldSet};
use crate::record::kind::RecordKind;
use async_trait::async_trait;
use std::sync::Arc;

/// An Exchange organisation, seen through one service account.
pub struct ExchangeServer {
    client: Arc<Client>,
    notifications: bool,
}

impl ExchangeServer {
    /// A server; connects at its first call, through the gate.
    pub fn new(settings: ExchangeSettings, gate: Gate) -> Self {
        Self {
            notifications: settings.notifications,
            client: Arc::new(Client::new(settings, gate)),
        }
    }
}

#[async_trait]
impl MailboxServer for ExchangeServer {
    fn capabilities(&self) -> MailboxCapabilities {
        MailboxCapabilities {
            event: FieldSet::of_kind(RecordKind::Calendar).minus(FieldSet::ONE_WAY),
            attendee_copy: FieldSet::of(&[Field::ShowAs, Field::Reminder]),
            contact: FieldSet::of_kind(RecordKind::Contacts),
            task: FieldSet::of_kind(RecordKind::Tasks),
        }
    }

    async fn greet(&self) -> Result<Option<String>, MailboxError> {
        probe::greet(&self.client).await.map(Some)
    }

    async fn probe(&self, mailbox: &MailboxRef) -> Result<MailboxProbe, MailboxError> {
        probe::probe(&self.client, mailbox).await
    }

    async fn changes(
        &self,
        mailbox: &MailboxRef,
        kind: RecordKind,
        cursor: Option<&MailboxCursor>,
        page_size: usize,
    ) -> Result<ChangePage, MailboxError> {
        feed::changes(&self.client, mailbox, kind, cursor, page_size).await
    }

    async fn dates(
        &self,
        mailbox: &MailboxRef,
        series: &[ItemId],
        span: &Span,
    ) -> Result<Vec<Result<Series, MailboxError>>, MailboxError> {
        dates::of_series(&self.client, mailbox, series, span).await
    }

    async fn read(
        &self,
        mailbox: &MailboxRef,
        kind: RecordKind,
        items: &[ItemId],
    ) -> Result<Vec<Result<MailboxItem, MailboxError>>, MailboxError> {
        dates::read(&self.client, mailbox, kind, items).await
    }

    async fn write(
        &self,
        mailbox: &MailboxRef,
        kind: RecordKind,
        writes: &[MailboxWrite],
        notify: Notify,
    ) -> Result<Vec<Result<MailboxWritten, MailboxError>>, MailboxError> {
        dates_writing::write(&self.client, mailbox, kind, writes, notify).await
    }

    async fn find_stamped(
        &self,
        mailbox: &MailboxRef,
        kind: RecordKind,
        stamps: &[Stamp],
    ) -> Result<Vec<Option<ItemRef>>, MailboxError> {
        reading::find_stamped(&self.client, mailbox, kind, stamps).await
    }

    fn listener(&self) -> Option<Box<dyn MailboxListener>> {
        let listener = || Box::new(ExchangeListener::new(Arc::clone(&self.client)));
        self.notifications.then(|| listener() as Box<dyn MailboxListener>)
    }

    async fn attachments(
        &self,
        mailbox: &MailboxRef,
        _kind: RecordKind,
        item: &ItemId,
    ) -> Result<Vec<Attachment>, MailboxError> {
        attachments::list(&self.client, mailbox, item).await
    }

    async fn open(
        &self,
        mailbox: &MailboxRef,
        attachment: &Attachment,
    ) -> Result<OpenAttachment, MailboxError> {
        attachments::open(&self.client, mailbox, attachment).await
    }
}
