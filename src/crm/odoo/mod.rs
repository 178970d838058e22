//! Odoo, over its external interface: `/json/2` from version 19 on, `/jsonrpc` from 16 to 18.
//!
//! **Signing in.** As each user, with an API key of his own ([`auth`]): access rights and record rules are his,
//! and what Holdfast writes he could have written.
//!
//! **What becomes what.** A meeting is a `calendar.event`, a card a `res.partner`, something to do a
//! `project.task`, or a `mail.activity` where the policy says so, a mail a `mail.message` in the chatter of whom it
//! concerns. [`convert`] has a file for each; the id of an activity says that it is one. [`schema`] knows by Odoo's own description what the user may see and set.
//!
//! **Once only.** A new record goes through the import with an external id that follows from its key
//! ([`mod@import`]), and carries the key in the field x_holdfast_key besides, where it is looked for
//! ([`mod@write`]).
//!
//! **Nobody is mailed.** Every call is made in a context that says so ([`silence`]), and a mail is recorded and not
//! posted.
//!
//! **Answers** of attendees are set in their own rows, once the event is written ([`answers`]).
//!
//! **Filing.** A mail is in one chatter: of the record that a rule of the policy named, or else of its first contact or
//! lead ([`filing`]).
//!
//! **Files.** Stored once and copied by Odoo itself to each record ([`files`]); a large one is sent while it is read
//! ([`upload`]).
//!
//! **Changes.** By `write_date` with an overlap ([`cursor`]), attendees' answers beside ([`feed`]). Of a record
//! that is deleted nothing is left; the engine asks for these ([`read`]).
//!
//! **Trouble.** [`codes`] sorts exceptions into ours by their names; messages and tracebacks are dropped where
//! they are read. [`wire`] has the shapes of the calls, one file each.

mod answers;
mod around;
mod auth;
mod call;
mod client;
mod codes;
mod convert;
mod cursor;
mod domain;
mod draft;
mod feed;
mod files;
mod filing;
mod import;
mod model;
mod places;
mod read;
mod reminders;
mod schema;
mod settings;
mod silence;
mod throttle;
mod upload;
mod users;
mod who;
mod wire;
mod write;

pub use settings::{Api, OdooSettings, UserKeys};

use self::client::Client;
use self::feed::Feed;
use self::files::Files;
use self::filing::Filing;
use self::read::Reader;
use self::schema::Schemas;
use self::users::Users;
use self::who::Whois;
use self::write::Writer;
use super::error::CrmError;
use super::filing::{Filed, PlaceBy, PlaceId};
use super::model::{
    CrmCapabilities, CrmCursor, CrmGreeting, CrmId, CrmPage, CrmProbe, CrmRecord, CrmUser, CrmWrite,
    CrmWritten, ExternalKey, Fate, FileId, Match, NewFile,
};
use super::port::{Crm, FileBody};
use super::task_form::TaskForms;
use crate::foundation::clock::Clock;
use crate::foundation::content::Content;
use crate::foundation::egress::Gate;
use crate::record::kind::RecordKind;
use async_trait::async_trait;
use std::sync::Arc;

/// One database of an Odoo.
pub struct OdooCrm {
    parts: Arc<Parts>,
    tasks: TaskForms,
}

struct Parts {
    client: Arc<Client>,
    schemas: Arc<Schemas>,
    users: Arc<Users>,
    whois: Arc<Whois>,
    reader: Reader,
    feed: Feed,
    writer: Writer,
    files: Files,
    filing: Filing,
}

impl OdooCrm {
    /// A connector that has not called yet.
    pub fn new(settings: OdooSettings, gate: Gate, clock: Clock) -> Self {
        let client = Arc::new(Client::new(settings, gate, clock));
        let schemas = Arc::new(Schemas::new(Arc::clone(&client)));
        let users = Arc::new(Users::new(Arc::clone(&client)));
        let whois = Arc::new(Whois::new(Arc::clone(&client), Arc::clone(&users)));
        let parts = || (Arc::clone(&client), Arc::clone(&schemas), Arc::clone(&users));
        let (a, b, c) = (parts(), parts(), parts());
        let parts = Parts {
            reader: Reader::new(a.0, a.1, a.2),
            feed: Feed::new(b.0, b.1, b.2),
            writer: Writer::new(c.0, c.1, c.2, Arc::clone(&whois)),
            files: Files::new(Arc::clone(&client)),
            filing: Filing::new(Arc::clone(&client)),
            client,
            schemas,
            users,
            whois,
        };
        Self {
            parts: Arc::new(parts),
            tasks: TaskForms::default(),
        }
    }

    /// Requests made so far. Odoo counts none.
    pub fn sent(&self) -> u64 {
        self.parts.client.sent()
    }
}

#[async_trait]
impl Crm for OdooCrm {
    async fn greet(&self) -> Result<Option<CrmGreeting>, CrmError> {
        self.parts.users.greet().await.map(Some)
    }

    async fn probe(&self, user: &CrmUser) -> Result<CrmProbe, CrmError> {
        self.parts
            .users
            .probe(&self.parts.schemas, user, self.tasks.new)
            .await
    }

    async fn capabilities(&self, user: &CrmUser) -> Result<CrmCapabilities, CrmError> {
        self.parts
            .schemas
            .capabilities(&user.username, self.tasks.new)
            .await
    }

    fn with_tasks(&self, forms: TaskForms) -> Option<Arc<dyn Crm>> {
        Some(Arc::new(Self {
            parts: Arc::clone(&self.parts),
            tasks: forms,
        }))
    }

    async fn changes(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        cursor: Option<&CrmCursor>,
    ) -> Result<CrmPage, CrmError> {
        // A saved filter of Odoo is Python text that its own page evaluates; nothing else does.
        if user.list.is_some() {
            return Err(CrmError::ListMissing);
        }
        self.parts.feed.changes(user, kind, self.tasks, cursor).await
    }

    async fn fates(&self, user: &CrmUser, kind: RecordKind, ids: &[CrmId]) -> Result<Vec<Fate>, CrmError> {
        self.parts.reader.fates(user, kind, ids).await
    }

    async fn read(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        ids: &[CrmId],
    ) -> Result<Vec<Option<CrmRecord>>, CrmError> {
        self.parts.reader.by_id(user, kind, ids).await
    }

    async fn who_is(&self, user: &CrmUser, addresses: &[Content<String>]) -> Result<Vec<Match>, CrmError> {
        self.parts.whois.who(user, addresses).await
    }

    async fn places(
        &self,
        user: &CrmUser,
        by: &PlaceBy,
        people: &[Match],
    ) -> Result<Vec<Vec<PlaceId>>, CrmError> {
        self.parts.filing.places(user, by, people).await
    }

    async fn filed(&self, user: &CrmUser, keys: &[ExternalKey]) -> Result<Vec<Option<Filed>>, CrmError> {
        self.parts.filing.filed(user, keys).await
    }

    async fn write(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        writes: &[CrmWrite],
    ) -> Result<Vec<Result<CrmWritten, CrmError>>, CrmError> {
        self.parts.writer.write(user, kind, self.tasks.new, writes).await
    }

    fn calls(&self) -> Option<(u64, u64)> {
        None
    }

    fn largest_file(&self) -> Option<u64> {
        Some(files::LARGEST)
    }

    async fn find_file(&self, user: &CrmUser, key: &ExternalKey) -> Result<Option<FileId>, CrmError> {
        self.parts.files.find(user, key).await
    }

    async fn store_file(
        &self,
        user: &CrmUser,
        file: NewFile,
        body: &mut dyn FileBody,
    ) -> Result<FileId, CrmError> {
        self.parts.files.store(user, file, body).await
    }

    async fn link_file(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        record: &CrmId,
        file: &FileId,
    ) -> Result<(), CrmError> {
        self.parts.files.link(user, kind, record, file).await
    }

    async fn take_files_off(&self, user: &CrmUser, meeting: &CrmId) -> Result<(), CrmError> {
        self.parts.files.take_off(user, meeting).await
    }
}
