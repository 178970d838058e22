//! Carries the attachments of one item.

use super::content::{ContentKey, Hash, Learned, Sending, learn};
use super::error::AttachmentError;
use super::model::{Carrier, LeftOut, Outcome, Transfer};
use super::plan;
use super::policy::AttachmentPolicy;
use super::store::{self, Claim};
use crate::crm::error::CrmError;
use crate::crm::model::{CrmId, CrmUser, ExternalKey, FileId, NewFile, NewFileBody};
use crate::crm::port::{Crm, FileBody};
use crate::foundation::clock::Clock;
use crate::foundation::content::Content;
use crate::foundation::db::Db;
use crate::foundation::egress::Abandoned;
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::{Attachment, AttachmentBody, ItemId, MailboxRef};
use crate::mailbox::port::MailboxServer;
use async_trait::async_trait;
use bytes::Bytes;
use ring::digest;

/// The turn's lease, looked at right before anything goes out: a process that slept through it must not send what
/// another node has sent meanwhile.
#[async_trait]
pub trait Held: Send + Sync {
    /// # Errors
    /// [`AttachmentError::Elsewhere`] where another node has the stream now.
    async fn still_ours(&self) -> Result<(), AttachmentError>;
}

/// Between which sides, for whom, by which rules.
pub struct Road<'a> {
    /// The database.
    pub db: &'a Db,
    /// The time.
    pub clock: &'a Clock,
    /// The mail server.
    pub server: &'a dyn MailboxServer,
    /// The mailbox.
    pub mailbox: &'a MailboxRef,
    /// The CRM.
    pub crm: &'a dyn Crm,
    /// Its name in the settings.
    pub crm_name: &'a str,
    /// The CRM's user.
    pub user: &'a CrmUser,
    /// The rules.
    pub policy: &'a AttachmentPolicy,
    /// The key under which contents are hashed.
    pub key: &'a ContentKey,
    /// Which turn this is.
    pub carrier: Carrier,
    /// Its lease.
    pub held: &'a dyn Held,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Attachments that hang on the record now, and did not before.
    pub stored: u64,
    /// Attachments that do not go.
    pub left_out: u64,
}

/// A file on its way: its content, its name, and how it is sent.
struct Parcel<'a> {
    attachment: &'a Attachment,
    hash: Hash,
    name: Content<String>,
    learned: Option<Learned>,
}

impl Road<'_> {
    /// Carries an item's attachments, those that were not dealt with before. One failure does not keep the others
    /// back; the first is told.
    ///
    /// # Errors
    /// The first failure. What was carried until then stays.
    pub async fn carry(&self, transfer: &Transfer, carried: &mut Carried) -> Result<(), AttachmentError> {
        let item = ItemId(transfer.item.clone());
        let (of, key) = (self.carrier, transfer.item_key);
        let listed = self.server.attachments(self.mailbox, of.kind, &item).await;
        let listed = match listed {
            // Nothing is left to carry of an item that is gone.
            Err(MailboxError::Gone) => return Ok(()),
            listed => listed?,
        };
        let record = transfer.record.clone();
        let known = self
            .db
            .run_for(of.mailbox, move |conn| {
                Ok::<_, AttachmentError>(store::outcomes(conn, of, key, Some(&record))?)
            })
            .await?;
        let mut failed = None;
        for attachment in &listed {
            let attachment_key = short(attachment.id.0.as_bytes());
            if known.contains_key(&attachment_key) {
                continue;
            }
            let outcome = match self.one(transfer, attachment).await {
                Ok(outcome) => outcome,
                Err(AttachmentError::Mailbox(MailboxError::Gone)) => continue,
                Err(error) if error.class().stops_the_turn() => return Err(error),
                Err(error) => {
                    failed.get_or_insert(error);
                    continue;
                }
            };
            let record = transfer.record.clone();
            self.db
                .run_for(of.mailbox, move |conn| {
                    store::put_outcome(conn, of, (key, attachment_key, &record), outcome)
                })
                .await?;
            match outcome {
                Outcome::Stored => carried.stored += 1,
                Outcome::LeftOut(_) => carried.left_out += 1,
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Takes off an item's record what was carried to it.
    ///
    /// # Errors
    /// Those of the CRM, and of the lease.
    pub async fn take_off(&self, transfer: &Transfer) -> Result<(), AttachmentError> {
        self.held.still_ours().await?;
        let (of, key, record) = (self.carrier, transfer.item_key, CrmId(transfer.record.clone()));
        self.crm.take_files_off(self.user, &record).await?;
        self.db
            .run_for(of.mailbox, move |conn| {
                Ok::<_, AttachmentError>(store::forget_outcomes(conn, of, key)?)
            })
            .await
    }

    async fn one(&self, transfer: &Transfer, attachment: &Attachment) -> Result<Outcome, AttachmentError> {
        if let Err(reason) = plan::by_list(self.policy, attachment) {
            return Ok(Outcome::LeftOut(reason));
        }
        let parcel = match self.pack(attachment).await? {
            Ok(parcel) => parcel,
            Err(reason) => return Ok(Outcome::LeftOut(reason)),
        };
        let record = CrmId(transfer.record.clone());
        self.deliver(&record, &parcel).await?;
        Ok(Outcome::Stored)
    }

    /// The first pass.
    async fn pack<'a>(
        &self,
        attachment: &'a Attachment,
    ) -> Result<Result<Parcel<'a>, LeftOut>, AttachmentError> {
        if let AttachmentBody::Link(url) = &attachment.body {
            return Ok(Ok(Parcel {
                attachment,
                hash: self.key.of_link(url),
                name: attachment.name.clone(),
                learned: None,
            }));
        }
        let most = self
            .crm
            .largest_file()
            .unwrap_or_default()
            .min(self.policy.max_bytes);
        let mut opened = self.server.open(self.mailbox, attachment).await?;
        let Some(learned) = learn(self.key, opened.bytes.as_mut(), most).await? else {
            return Ok(Err(LeftOut::TooLarge));
        };
        if let Err(reason) = plan::by_first_bytes(self.policy, learned.first.expose()) {
            return Ok(Err(reason));
        }
        let name = match opened.item_extension {
            Some(extension) => attachment
                .name
                .clone()
                .map(|name| format!("{}.{extension}", name.replace(['/', '\\'], "_"))),
            None => attachment.name.clone(),
        };
        Ok(Ok(Parcel {
            attachment,
            hash: learned.hash,
            name,
            learned: Some(learned),
        }))
    }

    /// Links the file that holds the content, stored now if there is none.
    async fn deliver(&self, record: &CrmId, parcel: &Parcel<'_>) -> Result<(), AttachmentError> {
        let shared = parcel.hash;
        let file = self.file(parcel, shared).await?;
        let refused = match self.link(record, &file).await? {
            Ok(()) => return Ok(()),
            // Somebody deleted the file, or the record. If it was the record, the next link says so again.
            Err(CrmError::Gone) => {
                let (crm, id) = (self.crm_name.to_owned(), file.0.clone());
                self.db
                    .run(move |conn| store::forget(conn, &crm, shared, &id))
                    .await?;
                shared
            }
            // Another user's file, which this one may not hang anywhere: he gets a copy of his own, once.
            Err(CrmError::NotPermitted { .. }) => self.key.for_user(shared, &self.user.username),
            Err(error) => return Err(error.into()),
        };
        let file = self.file(parcel, refused).await?;
        Ok(self.link(record, &file).await??)
    }

    async fn link(&self, record: &CrmId, file: &FileId) -> Result<Result<(), CrmError>, AttachmentError> {
        self.held.still_ours().await?;
        let kind = self.carrier.kind;
        Ok(self.crm.link_file(self.user, kind, record, file).await)
    }

    async fn store(
        &self,
        file: NewFile,
        body: &mut dyn FileBody,
    ) -> Result<Result<FileId, CrmError>, AttachmentError> {
        self.held.still_ours().await?;
        Ok(self.crm.store_file(self.user, file, body).await)
    }

    /// The file that holds the content.
    async fn file(&self, parcel: &Parcel<'_>, hash: Hash) -> Result<FileId, AttachmentError> {
        let (crm, us, now) = (self.crm_name.to_owned(), self.carrier, self.clock.now());
        let claim = self
            .db
            .run(move |conn| store::claim(conn, &crm, hash, us, now))
            .await?;
        let key = ExternalKey(hash.hex());
        let found = match claim {
            Claim::Known(file) => return Ok(FileId(file)),
            Claim::Elsewhere => return Err(AttachmentError::Elsewhere),
            Claim::Ours { begun: true } => self.crm.find_file(self.user, &key).await?,
            Claim::Ours { begun: false } => None,
        };
        let file = match found {
            Some(file) => file,
            None => self.send(parcel, hash, key).await?,
        };
        let (crm, id) = (self.crm_name.to_owned(), file.0.clone());
        let ours = self
            .db
            .run(move |conn| store::publish(conn, &crm, hash, us, &id))
            .await?;
        match ours {
            true => Ok(file),
            // We slept through our lease, and another turn has stored it too.
            false => Err(AttachmentError::Elsewhere),
        }
    }

    /// The second pass.
    async fn send(
        &self,
        parcel: &Parcel<'_>,
        hash: Hash,
        key: ExternalKey,
    ) -> Result<FileId, AttachmentError> {
        let file = |body| NewFile {
            key: key.clone(),
            name: parcel.name.clone(),
            body,
        };
        let Some(learned) = &parcel.learned else {
            let AttachmentBody::Link(url) = &parcel.attachment.body else {
                return Err(AttachmentError::Changed);
            };
            let body = NewFileBody::Link(url.clone());
            return Ok(self.store(file(body), &mut Nothing).await??);
        };
        let mut sending = match &learned.kept {
            Some(bytes) => Sending::kept(self.key, learned, bytes.clone()),
            None => {
                let opened = self.server.open(self.mailbox, parcel.attachment).await?;
                Sending::again(self.key, learned, opened.bytes)
            }
        };
        let body = NewFileBody::Bytes(learned.length);
        let stored = self.store(file(body), &mut sending).await?;
        match sending.failed.take() {
            // The request was not complete, so there is no file behind the claim.
            Some(error) => {
                let (crm, us) = (self.crm_name.to_owned(), self.carrier);
                self.db
                    .run(move |conn| store::give_back(conn, &crm, hash, us))
                    .await?;
                Err(error)
            }
            None => Ok(stored?),
        }
    }
}

/// The bytes of a link.
struct Nothing;

#[async_trait]
impl FileBody for Nothing {
    async fn next(&mut self) -> Result<Option<Content<Bytes>>, Abandoned> {
        Ok(None)
    }
}

/// An id shortened: the first eight bytes of its SHA-256.
fn short(bytes: &[u8]) -> i64 {
    let digest = digest::digest(&digest::SHA256, bytes);
    digest
        .as_ref()
        .iter()
        .take(8)
        .fold(0_i64, |sum, byte| (sum << 8) | i64::from(*byte))
}
