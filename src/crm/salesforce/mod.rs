//! Salesforce, over its REST API.
//!
//! **Signing in.** Best as each user ([`Flow::Jwt`]): what Holdfast writes is then what the user could have
//! written, by sharing, field security and CreatedBy alike. With one integration user
//! ([`Flow::ClientCredentials`]) new records get the user as owner. [`auth`] keeps one token per user, in
//! memory.
//!
//! **What becomes what.** A meeting is an Event, a card a Contact, something to do a Task, a mail an
//! EmailMessage. [`convert`] has a file for each. [`schema`] knows by the org's own description what the user
//! may see and set; columns that he may not are neither asked for nor sent.
//!
//! **Once only.** Every record we make carries a key in the column Holdfast_Key__c, which an administrator
//! makes once on Activity, Contact and EmailMessage: text of 64 characters, unique, external id. A repeated
//! insert finds its first copy by it ([`mod@write`]); people that are rows of their own follow the record and are
//! completed by the repetition too ([`relations`]), an event's guests with what they answered ([`guests`]).
//!
//! **Few calls.** Records are written 200 to a call, five questions are asked in one ([`client`]), addresses
//! are remembered for minutes ([`who`]). A thousand mails to a thousand people cost about a dozen calls.
//!
//! **Changes.** The feed asks for the user's own rows by SystemModstamp, deleted ones too ([`feed`]);
//! [`cursor`] says how nothing is left out. Whose records changed is asked of all users at once ([`news`]).
//!
//! **Trouble.** [`codes`] sorts the vendor's error codes into ours; [`throttle`] waits out hiccups and counts
//! calls. [`wire`] has the shapes of the calls, one file each.

mod accounts;
mod auth;
mod batch;
mod client;
mod codes;
mod convert;
mod cursor;
mod draft;
mod fate;
mod feed;
mod files;
mod filing;
mod guests;
mod lists;
mod news;
mod people;
mod read;
mod relations;
mod reminders;
mod rows;
mod schema;
mod settings;
mod soql;
mod throttle;
mod touched;
mod users;
mod who;
mod wire;
mod write;

pub use settings::{Flow, SalesforceSettings};

use self::client::Client;
use self::feed::Feed;
use self::files::Files;
use self::filing::Filing;
use self::lists::Lists;
use self::news::News;
use self::read::Reader;
use self::schema::Schemas;
use self::users::Users;
use self::who::Whois;
use self::write::Writer;
use super::budget::CallBudget;
use super::error::CrmError;
use super::filing::{Filed, PlaceBy, PlaceId};
use super::model::{
    CrmCapabilities, CrmChange, CrmCursor, CrmGreeting, CrmId, CrmPage, CrmProbe, CrmRecord, CrmUser,
    CrmWrite, CrmWritten, ExternalKey, Fate, FileId, Match, NewFile,
};
use super::news::CrmNews;
use super::port::{Crm, FileBody};
use crate::foundation::clock::Clock;
use crate::foundation::content::Content;
use crate::foundation::egress::Gate;
use crate::record::kind::RecordKind;
use async_trait::async_trait;
use std::sync::{Arc, Mutex, PoisonError};

/// One Salesforce org.
pub struct SalesforceCrm {
    client: Arc<Client>,
    schemas: Arc<Schemas>,
    users: Arc<Users>,
    whois: Arc<Whois>,
    reader: Reader,
    feed: Feed,
    files: Files,
    writer: Writer,
    filing: Filing,
    lists: Lists,
    news: News,
    /// The org that answered last.
    organisation: Mutex<Option<String>>,
}

impl SalesforceCrm {
    /// A connector that has not called yet.
    pub fn new(settings: SalesforceSettings, gate: Gate, clock: Clock) -> Self {
        Self::governed(settings, gate, clock, None)
    }

    /// The same, whose calls are counted against a budget.
    pub fn governed(
        settings: SalesforceSettings,
        gate: Gate,
        clock: Clock,
        budget: Option<Arc<dyn CallBudget>>,
    ) -> Self {
        let client = Arc::new(Client::new(Arc::new(settings), gate, clock, budget));
        let schemas = Arc::new(Schemas::new(Arc::clone(&client)));
        let users = Arc::new(Users::new(Arc::clone(&client)));
        let whois = Arc::new(Whois::new(Arc::clone(&client)));
        Self {
            organisation: Mutex::default(),
            filing: Filing::new(Arc::clone(&client)),
            lists: Lists::new(Arc::clone(&client), Arc::clone(&users)),
            news: News::new(Arc::clone(&client), Arc::clone(&schemas)),
            reader: Reader::new(Arc::clone(&client), Arc::clone(&schemas)),
            files: Files::new(Arc::clone(&client), Arc::clone(&users)),
            feed: Feed::new(Arc::clone(&client), Arc::clone(&schemas), Arc::clone(&users)),
            writer: Writer::new(
                Arc::clone(&client),
                Arc::clone(&schemas),
                Arc::clone(&users),
                Arc::clone(&whois),
            ),
            client,
            schemas,
            users,
            whois,
        }
    }
}

#[async_trait]
impl Crm for SalesforceCrm {
    async fn greet(&self) -> Result<Option<CrmGreeting>, CrmError> {
        self.users.greet().await.map(Some)
    }

    async fn probe(&self, user: &CrmUser) -> Result<CrmProbe, CrmError> {
        self.users.probe(&self.schemas, user).await
    }

    async fn organisation(&self, user: &CrmUser) -> Result<Option<String>, CrmError> {
        let now = self.client.organisation(&user.username).await?;
        let before = {
            let mut known = self.organisation.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *known, now.clone())
        };
        // What was remembered of the former org leads to records that the present one does not have.
        if before.is_some() && before != now {
            self.whois.clear();
            self.users.clear();
        }
        Ok(now)
    }

    async fn capabilities(&self, user: &CrmUser) -> Result<CrmCapabilities, CrmError> {
        self.schemas.of(&user.username).await?.capabilities()
    }

    async fn changes(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        cursor: Option<&CrmCursor>,
    ) -> Result<CrmPage, CrmError> {
        let mut page = self.feed.changes(user, kind, cursor).await?;
        let living = page.changes.iter_mut().filter_map(|change| match change {
            CrmChange::Upserted(record) => Some(record.as_mut()),
            CrmChange::Deleted(_) => None,
        });
        self.lists.mark(user, living).await?;
        Ok(page)
    }

    fn tells_news(&self) -> bool {
        self.client.watcher().is_some()
    }

    async fn news(&self, cursor: Option<&CrmCursor>) -> Result<CrmNews, CrmError> {
        self.news.since(cursor).await
    }

    async fn read(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        ids: &[CrmId],
    ) -> Result<Vec<Option<CrmRecord>>, CrmError> {
        let mut records = self.reader.by_id(user, kind, ids).await?;
        self.lists.mark(user, records.iter_mut().flatten()).await?;
        Ok(records)
    }

    async fn listed(&self, user: &CrmUser, _: RecordKind) -> Result<Vec<CrmId>, CrmError> {
        self.lists.members(user).await
    }

    async fn fates(&self, user: &CrmUser, kind: RecordKind, ids: &[CrmId]) -> Result<Vec<Fate>, CrmError> {
        let owner = self.users.id(user).await?;
        fate::fates(&self.client, user, &owner, kind, ids).await
    }

    async fn count(&self, user: &CrmUser, kind: RecordKind) -> Result<Option<u64>, CrmError> {
        self.feed.count(user, kind).await
    }

    async fn who_is(&self, user: &CrmUser, addresses: &[Content<String>]) -> Result<Vec<Match>, CrmError> {
        self.whois.who(user, addresses).await
    }

    async fn places(
        &self,
        user: &CrmUser,
        by: &PlaceBy,
        people: &[Match],
    ) -> Result<Vec<Vec<PlaceId>>, CrmError> {
        self.filing.places(user, by, people).await
    }

    async fn filed(&self, user: &CrmUser, keys: &[ExternalKey]) -> Result<Vec<Option<Filed>>, CrmError> {
        self.filing.filed(user, keys).await
    }

    async fn write(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        writes: &[CrmWrite],
    ) -> Result<Vec<Result<CrmWritten, CrmError>>, CrmError> {
        self.writer.write(user, kind, writes).await
    }

    fn pressure(&self) -> f64 {
        self.client.pressure()
    }

    fn backfill_pressure(&self) -> f64 {
        self.client.backfill_pressure()
    }

    fn calls(&self) -> Option<(u64, u64)> {
        self.client.calls()
    }

    fn largest_file(&self) -> Option<u64> {
        Some(files::LARGEST)
    }

    async fn find_file(&self, user: &CrmUser, key: &ExternalKey) -> Result<Option<FileId>, CrmError> {
        self.files.find(user, key).await
    }

    async fn store_file(
        &self,
        user: &CrmUser,
        file: NewFile,
        body: &mut dyn FileBody,
    ) -> Result<FileId, CrmError> {
        self.files.store(user, file, body).await
    }

    async fn link_file(
        &self,
        user: &CrmUser,
        _: RecordKind,
        record: &CrmId,
        file: &FileId,
    ) -> Result<(), CrmError> {
        self.files.link(user, record, file).await
    }

    async fn take_files_off(&self, user: &CrmUser, meeting: &CrmId) -> Result<(), CrmError> {
        self.files.take_off(user, meeting).await
    }
}
