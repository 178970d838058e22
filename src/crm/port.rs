//! The port: what the engine may ask of a CRM.

use super::error::CrmError;
use super::model::*;
use crate::foundation::content::Content;
use crate::record::kind::RecordKind;
use async_trait::async_trait;

/// A CRM, seen as one of its users.
///
/// Every call is safe to repeat: a repeated create is recognised by its key.
#[async_trait]
pub trait Crm: Send + Sync {
    /// Can we act as this user, and if not, why? Changes nothing.
    async fn probe(&self, user: &CrmUser) -> Result<CrmProbe, CrmError>;

    /// What the CRM can hold for this user. Connectors cache it for some minutes.
    async fn capabilities(&self, user: &CrmUser) -> Result<CrmCapabilities, CrmError>;

    /// One page of changes to the user's own records of a kind since the cursor; `None` starts from the
    /// beginning. The feed may repeat records that were seen before; it never leaves one out. Mail has no
    /// feed: it goes one way.
    async fn changes(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        cursor: Option<&CrmCursor>,
    ) -> Result<CrmPage, CrmError>;

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

    /// Who are these addresses? One entry for each address, in order.
    async fn who_is(&self, user: &CrmUser, addresses: &[Content<String>]) -> Result<Vec<Match>, CrmError>;

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
}
