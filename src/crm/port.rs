//! The port: what the engine may ask of a CRM.

use super::error::CrmError;
use super::filing::{Filed, PlaceBy, PlaceId};
use super::model::*;
use super::news::CrmNews;
use super::task_form::TaskForms;
use crate::foundation::content::Content;
use crate::foundation::egress::Abandoned;
use crate::record::kind::RecordKind;
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;

/// A CRM, seen as one of its users.
///
/// Every call is safe to repeat: a repeated create is recognised by its key.
#[async_trait]
pub trait Crm: Send + Sync {
    /// Does the CRM answer, and does it accept us as far as that shows without a user? `None` where a connector
    /// cannot tell.
    async fn greet(&self) -> Result<Option<CrmGreeting>, CrmError> {
        Ok(None)
    }

    /// Can we act as this user, and if not, why? Changes nothing.
    async fn probe(&self, user: &CrmUser) -> Result<CrmProbe, CrmError>;

    /// Which organisation the CRM is: a sandbox that was refreshed says another one, under the same address. As far as
    /// the last answer told; `None` where a connector cannot tell.
    async fn organisation(&self, _: &CrmUser) -> Result<Option<String>, CrmError> {
        Ok(None)
    }

    /// What the CRM can hold for this user. Connectors cache it for some minutes.
    async fn capabilities(&self, user: &CrmUser) -> Result<CrmCapabilities, CrmError>;

    /// The same CRM with its tasks in this form; `None` where it has only one. Whatever names a record by its id is
    /// understood of either form.
    fn with_tasks(&self, _forms: TaskForms) -> Option<Arc<dyn Crm>> {
        None
    }

    /// One page of changes to the user's own records of a kind since the cursor; `None` starts from the
    /// beginning. The feed may repeat records that were seen before; it never leaves one out. Mail has no
    /// feed: it goes one way.
    async fn changes(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        cursor: Option<&CrmCursor>,
    ) -> Result<CrmPage, CrmError>;

    /// True where one question tells whose records changed, of all users at once.
    fn tells_news(&self) -> bool {
        false
    }

    /// Whose records changed since the cursor, those of deleted records too, whoever he is; `None` begins now. Asked
    /// only where the connector [tells news](Self::tells_news).
    ///
    /// # Errors
    /// [`CrmError::WatcherBlind`] where the CRM would not show everybody's records.
    async fn news(&self, _cursor: Option<&CrmCursor>) -> Result<CrmNews, CrmError> {
        Err(CrmError::WatcherBlind)
    }

    /// Reads records; one entry for each id, in order; `None` for one that is gone or not to be seen.
    async fn read(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        ids: &[CrmId],
    ) -> Result<Vec<Option<CrmRecord>>, CrmError>;

    /// What became of records; one entry for each id, in order. A connector that cannot tell a deleted record
    /// from a hidden one says [`Fate::Unknown`] of both.
    async fn fates(&self, user: &CrmUser, kind: RecordKind, ids: &[CrmId]) -> Result<Vec<Fate>, CrmError> {
        let records = self.read(user, kind, ids).await?;
        Ok(records
            .into_iter()
            .map(|record| record.map_or(Fate::Unknown, |_| Fate::Alive))
            .collect())
    }

    /// How many records of a kind are the user's own, by the CRM's own count; `None` where it does not say.
    async fn count(&self, _: &CrmUser, _: RecordKind) -> Result<Option<u64>, CrmError> {
        Ok(None)
    }

    /// The user's own records that are in his list ([`CrmUser::list`]).
    async fn listed(&self, _user: &CrmUser, _kind: RecordKind) -> Result<Vec<CrmId>, CrmError> {
        Err(CrmError::ListMissing)
    }

    /// Who are these addresses? One entry for each address, in order.
    async fn who_is(&self, user: &CrmUser, addresses: &[Content<String>]) -> Result<Vec<Match>, CrmError>;

    /// What a mail of each of these people could be filed under: one entry for each, in order, with the records of
    /// this sort that are still open and that the user sees. A CRM without such records has none.
    async fn places(
        &self,
        _user: &CrmUser,
        _by: &PlaceBy,
        people: &[Match],
    ) -> Result<Vec<Vec<PlaceId>>, CrmError> {
        Ok(vec![Vec::new(); people.len()])
    }

    /// Where the mails that carry these keys are filed now: one entry for each key, in order; `None` for a mail that
    /// the CRM does not have, or not for this user to see.
    async fn filed(&self, _user: &CrmUser, keys: &[ExternalKey]) -> Result<Vec<Option<Filed>>, CrmError> {
        Ok(vec![None; keys.len()])
    }

    /// Writes; the answer has one entry for each write, in order. An `Err` of the whole means that it is
    /// not known which writes happened.
    async fn write(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        writes: &[CrmWrite],
    ) -> Result<Vec<Result<CrmWritten, CrmError>>, CrmError>;

    /// Calls used and allowed in the CRM's own window, as it last said.
    fn calls(&self) -> Option<(u64, u64)>;

    /// How much of the calls that are ours is used: from 0, nothing, to 1, all of it, and beyond.
    fn pressure(&self) -> f64 {
        0.0
    }

    /// The same of the share that first readings may take.
    fn backfill_pressure(&self) -> f64 {
        0.0
    }

    /// How large a file it takes; `None` where it takes none, and the four calls below are not made.
    fn largest_file(&self) -> Option<u64> {
        None
    }

    /// Finds the file that carries the key, as far as this user may see it.
    async fn find_file(&self, _user: &CrmUser, _key: &ExternalKey) -> Result<Option<FileId>, CrmError> {
        Ok(None)
    }

    /// Stores a file that belongs to no record yet. Not safe to repeat: look for the key first. What was
    /// abandoned inside is not stored, not even in part.
    async fn store_file(
        &self,
        _user: &CrmUser,
        _file: NewFile,
        _body: &mut dyn FileBody,
    ) -> Result<FileId, CrmError> {
        Err(no_files())
    }

    /// Hangs a file on a record of this kind. One that hangs there already is no failure.
    async fn link_file(
        &self,
        _user: &CrmUser,
        _kind: RecordKind,
        _record: &CrmId,
        _file: &FileId,
    ) -> Result<(), CrmError> {
        Err(no_files())
    }

    /// Takes off a meeting's record what [`link_file`](Self::link_file) hung on it, and nothing else. Safe to repeat.
    async fn take_files_off(&self, _user: &CrmUser, _meeting: &CrmId) -> Result<(), CrmError> {
        Err(no_files())
    }
}

fn no_files() -> CrmError {
    CrmError::NotPermitted {
        code: "FilesNotSupported".to_owned(),
    }
}

/// The bytes of a file on their way into the CRM.
#[async_trait]
pub trait FileBody: Send {
    /// The next piece; `None` at the end. `Err` abandons the transfer; the reason stays with whoever makes the bytes.
    async fn next(&mut self) -> Result<Option<Content<Bytes>>, Abandoned>;
}
