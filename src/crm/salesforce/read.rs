//! Reading records by id, and the addresses of the people in them.

use super::client::Client;
use super::convert;
use super::convert::contact::ContactRow;
use super::convert::email::EmailRow;
use super::convert::event::EventRow;
use super::convert::row::{Row, into_record};
use super::convert::task::TaskRow;
use super::people::people;
use super::schema::Schemas;
use super::soql;
use crate::crm::error::CrmError;
use crate::crm::model::{CrmId, CrmRecord, CrmUser};
use crate::record::kind::RecordKind;
use std::collections::HashMap;
use std::sync::Arc;

/// Reads.
pub(super) struct Reader {
    client: Arc<Client>,
    schemas: Arc<Schemas>,
}

impl Reader {
    pub(super) fn new(client: Arc<Client>, schemas: Arc<Schemas>) -> Self {
        Self { client, schemas }
    }

    /// See [`Crm::read`](crate::crm::port::Crm::read).
    pub(super) async fn by_id(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        ids: &[CrmId],
    ) -> Result<Vec<Option<CrmRecord>>, CrmError> {
        let wanted = ids.iter().map(|id| id.0.as_str());
        let found = self.find(user, kind, wanted).await?;
        let found: HashMap<String, CrmRecord> = found
            .into_iter()
            .map(|record| (record.id.0.clone(), record))
            .collect();
        Ok(ids.iter().map(|id| found.get(&id.0).cloned()).collect())
    }

    async fn find<'a>(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        ids: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<CrmRecord>, CrmError> {
        let schema = self.schemas.of(&user.username).await?;
        let select = format!("{} WHERE ", convert::select(kind, schema.object(kind)?));
        let queries = soql::in_lists(&select, "Id", ids, "");
        match kind {
            RecordKind::Calendar => self.records::<EventRow>(user, &queries).await,
            RecordKind::Contacts => self.records::<ContactRow>(user, &queries).await,
            RecordKind::Tasks => self.records::<TaskRow>(user, &queries).await,
            RecordKind::Mail => self.records::<EmailRow>(user, &queries).await,
        }
    }

    async fn records<R: Row>(&self, user: &CrmUser, queries: &[String]) -> Result<Vec<CrmRecord>, CrmError> {
        let mut rows: Vec<R> = self.client.queries(&user.username, queries).await?;
        let people = people(&self.client, &user.username, &mut rows).await?;
        let records = rows.into_iter().filter_map(|row| into_record(row, &people));
        Ok(records.collect())
    }
}
