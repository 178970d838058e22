//! Both ports with stops around every call, and with a count of what was written through them.

use super::stops::Stops;
use crate::harness::office::subject;
use async_trait::async_trait;
use holdfast::crm::error::CrmError;
use holdfast::crm::filing::{Filed, PlaceBy, PlaceId};
use holdfast::crm::model::*;
use holdfast::crm::port::{Crm, FileBody};
use holdfast::foundation::content::Content;
use holdfast::mailbox::error::MailboxError;
use holdfast::mailbox::model::*;
use holdfast::mailbox::port::{MailboxServer, OpenAttachment};
use holdfast::mailbox::series::{Series, Span};
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::sync::engine::Connections;
use holdfast::sync::journal::Act;
use holdfast::sync::model::Side;
use std::sync::Arc;

fn mailbox_down<T>() -> Result<T, MailboxError> {
    Err(MailboxError::Unreachable("the plan says so".into()))
}

fn crm_down<T>() -> Result<T, CrmError> {
    Err(CrmError::Unreachable("the plan says so".into()))
}

/// Both sides, with stops around every call.
pub struct Stopped {
    pub server: Arc<dyn MailboxServer>,
    pub crm: Arc<dyn Crm>,
    pub stops: Arc<Stops>,
}

impl Connections for Stopped {
    fn mail_server(&self, name: &str) -> Option<Arc<dyn MailboxServer>> {
        (name == "main").then(|| {
            Arc::new(StoppedServer(Arc::clone(&self.server), Arc::clone(&self.stops)))
                as Arc<dyn MailboxServer>
        })
    }

    fn crm(&self, name: &str) -> Option<Arc<dyn Crm>> {
        (name == "main")
            .then(|| Arc::new(StoppedCrm(Arc::clone(&self.crm), Arc::clone(&self.stops))) as Arc<dyn Crm>)
    }
}

struct StoppedServer(Arc<dyn MailboxServer>, Arc<Stops>);

#[async_trait]
impl MailboxServer for StoppedServer {
    fn capabilities(&self) -> MailboxCapabilities {
        self.0.capabilities()
    }

    async fn probe(&self, mailbox: &MailboxRef) -> Result<MailboxProbe, MailboxError> {
        let call = self.0.probe(mailbox);
        self.1.around("mailbox.probe", call, mailbox_down).await
    }

    async fn changes(
        &self,
        mailbox: &MailboxRef,
        kind: RecordKind,
        cursor: Option<&MailboxCursor>,
        page_size: usize,
    ) -> Result<ChangePage, MailboxError> {
        if cursor.is_some() && self.1.loses(Side::Mailbox) {
            return Err(MailboxError::CursorLost);
        }
        let call = self.0.changes(mailbox, kind, cursor, page_size);
        self.1.around("mailbox.changes", call, mailbox_down).await
    }

    async fn dates(
        &self,
        mailbox: &MailboxRef,
        series: &[ItemId],
        span: &Span,
    ) -> Result<Vec<Result<Series, MailboxError>>, MailboxError> {
        let call = self.0.dates(mailbox, series, span);
        self.1.around("mailbox.dates", call, mailbox_down).await
    }

    async fn read(
        &self,
        mailbox: &MailboxRef,
        kind: RecordKind,
        items: &[ItemId],
    ) -> Result<Vec<Result<MailboxItem, MailboxError>>, MailboxError> {
        let call = self.0.read(mailbox, kind, items);
        self.1.around("mailbox.read", call, mailbox_down).await
    }

    async fn write(
        &self,
        mailbox: &MailboxRef,
        kind: RecordKind,
        writes: &[MailboxWrite],
        notify: Notify,
    ) -> Result<Vec<Result<MailboxWritten, MailboxError>>, MailboxError> {
        self.1
            .says(writes.iter().map(of_mailbox).collect::<Vec<_>>().join("; "));
        let call = async {
            let answers = self.0.write(mailbox, kind, writes, notify).await?;
            for (write, answer) in writes.iter().zip(&answers) {
                match (write, answer) {
                    (MailboxWrite::Create { .. }, Ok(_)) => self.1.note(Side::Mailbox, Act::Created),
                    (MailboxWrite::Update { .. }, Ok(_)) => self.1.note(Side::Mailbox, Act::Updated),
                    (MailboxWrite::Delete { .. }, Ok(_) | Err(MailboxError::Gone)) => {
                        self.1.note(Side::Mailbox, Act::Deleted);
                    }
                    (_, Err(_)) => {}
                }
            }
            Ok(answers)
        };
        self.1.around("mailbox.write", call, mailbox_down).await
    }

    async fn find_stamped(
        &self,
        mailbox: &MailboxRef,
        kind: RecordKind,
        stamps: &[Stamp],
    ) -> Result<Vec<Option<ItemRef>>, MailboxError> {
        let call = self.0.find_stamped(mailbox, kind, stamps);
        self.1.around("mailbox.find_stamped", call, mailbox_down).await
    }

    async fn attachments(
        &self,
        mailbox: &MailboxRef,
        kind: RecordKind,
        item: &ItemId,
    ) -> Result<Vec<Attachment>, MailboxError> {
        let call = self.0.attachments(mailbox, kind, item);
        self.1.around("mailbox.attachments", call, mailbox_down).await
    }

    async fn open(
        &self,
        mailbox: &MailboxRef,
        attachment: &Attachment,
    ) -> Result<OpenAttachment, MailboxError> {
        let call = self.0.open(mailbox, attachment);
        self.1.around("mailbox.open", call, mailbox_down).await
    }
}

struct StoppedCrm(Arc<dyn Crm>, Arc<Stops>);

#[async_trait]
impl Crm for StoppedCrm {
    async fn probe(&self, user: &CrmUser) -> Result<CrmProbe, CrmError> {
        self.1.around("crm.probe", self.0.probe(user), crm_down).await
    }

    async fn capabilities(&self, user: &CrmUser) -> Result<CrmCapabilities, CrmError> {
        let call = self.0.capabilities(user);
        self.1.around("crm.capabilities", call, crm_down).await
    }

    async fn changes(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        cursor: Option<&CrmCursor>,
    ) -> Result<CrmPage, CrmError> {
        if cursor.is_some() && self.1.loses(Side::Crm) {
            return Err(CrmError::CursorLost);
        }
        let call = self.0.changes(user, kind, cursor);
        self.1.around("crm.changes", call, crm_down).await
    }

    async fn read(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        ids: &[CrmId],
    ) -> Result<Vec<Option<CrmRecord>>, CrmError> {
        self.1
            .around("crm.read", self.0.read(user, kind, ids), crm_down)
            .await
    }

    async fn fates(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        ids: &[CrmId],
    ) -> Result<Vec<holdfast::crm::model::Fate>, CrmError> {
        let call = self.0.fates(user, kind, ids);
        self.1.around("crm.fates", call, crm_down).await
    }

    async fn who_is(&self, user: &CrmUser, addresses: &[Content<String>]) -> Result<Vec<Match>, CrmError> {
        let call = self.0.who_is(user, addresses);
        self.1.around("crm.who_is", call, crm_down).await
    }

    async fn places(
        &self,
        user: &CrmUser,
        by: &PlaceBy,
        people: &[Match],
    ) -> Result<Vec<Vec<PlaceId>>, CrmError> {
        let call = self.0.places(user, by, people);
        self.1.around("crm.places", call, crm_down).await
    }

    async fn filed(&self, user: &CrmUser, keys: &[ExternalKey]) -> Result<Vec<Option<Filed>>, CrmError> {
        let call = self.0.filed(user, keys);
        self.1.around("crm.filed", call, crm_down).await
    }

    async fn write(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        writes: &[CrmWrite],
    ) -> Result<Vec<Result<CrmWritten, CrmError>>, CrmError> {
        self.1
            .says(writes.iter().map(of_crm).collect::<Vec<_>>().join("; "));
        let call = async {
            let answers = self.0.write(user, kind, writes).await?;
            for (write, answer) in writes.iter().zip(&answers) {
                match (write, answer) {
                    (
                        CrmWrite::Create { .. } | CrmWrite::File { .. },
                        Ok(CrmWritten { existed: true, .. }),
                    ) => {}
                    (CrmWrite::Create { .. } | CrmWrite::File { .. }, Ok(_)) => {
                        self.1.note(Side::Crm, Act::Created)
                    }
                    (CrmWrite::Update { .. }, Ok(_)) => self.1.note(Side::Crm, Act::Updated),
                    (CrmWrite::Delete { .. }, Ok(_) | Err(CrmError::Gone)) => {
                        self.1.note(Side::Crm, Act::Deleted);
                    }
                    (_, Err(_)) => {}
                }
            }
            Ok(answers)
        };
        self.1.around("crm.write", call, crm_down).await
    }

    fn calls(&self) -> Option<(u64, u64)> {
        self.0.calls()
    }

    fn pressure(&self) -> f64 {
        self.0.pressure()
    }

    fn largest_file(&self) -> Option<u64> {
        self.0.largest_file()
    }

    async fn count(&self, user: &CrmUser, kind: RecordKind) -> Result<Option<u64>, CrmError> {
        self.1
            .around("crm.count", self.0.count(user, kind), crm_down)
            .await
    }

    async fn find_file(&self, user: &CrmUser, key: &ExternalKey) -> Result<Option<FileId>, CrmError> {
        let call = self.0.find_file(user, key);
        self.1.around("crm.find_file", call, crm_down).await
    }

    async fn store_file(
        &self,
        user: &CrmUser,
        file: NewFile,
        body: &mut dyn FileBody,
    ) -> Result<FileId, CrmError> {
        let call = async {
            let stored = self.0.store_file(user, file, body).await?;
            self.1.note_file();
            Ok(stored)
        };
        self.1.around("crm.store_file", call, crm_down).await
    }

    async fn link_file(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        record: &CrmId,
        file: &FileId,
    ) -> Result<(), CrmError> {
        let call = async {
            self.0.link_file(user, kind, record, file).await?;
            self.1.note_file();
            Ok(())
        };
        self.1.around("crm.link_file", call, crm_down).await
    }

    async fn take_files_off(&self, user: &CrmUser, meeting: &CrmId) -> Result<(), CrmError> {
        let call = self.0.take_files_off(user, meeting);
        self.1.around("crm.take_files_off", call, crm_down).await
    }
}

fn of_mailbox(write: &MailboxWrite) -> String {
    match write {
        MailboxWrite::Create { record, .. } => format!("create {} in the mailbox", subject(record)),
        MailboxWrite::Update { fields, record, .. } => {
            format!("set {} of {} in the mailbox", words(*fields), subject(record))
        }
        MailboxWrite::Delete { item } => format!("delete {} in the mailbox", item.0),
    }
}

fn of_crm(write: &CrmWrite) -> String {
    match write {
        CrmWrite::Create { record, .. } | CrmWrite::File { record, .. } => {
            format!("create {} in the CRM", subject(record))
        }
        CrmWrite::Update { fields, record, .. } => {
            format!("set {} of {} in the CRM", words(*fields), subject(record))
        }
        CrmWrite::Delete { id } => format!("delete {} in the CRM", id.0),
    }
}

fn words(fields: FieldSet) -> String {
    let words: Vec<_> = fields.iter().map(Field::word).collect();
    words.join(", ")
}
