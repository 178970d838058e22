//! Reading records by id, and asking which of many are still there.

use super::around::around;
use super::call::Call;
use super::client::Client;
use super::convert;
use super::convert::contact::ContactRow;
use super::convert::email::EmailRow;
use super::convert::event::EventRow;
use super::convert::row::{Row, into_record};
use super::convert::task::TaskRow;
use super::domain::Domain;
use super::schema::Schemas;
use super::users::Users;
use super::wire::value;
use crate::crm::error::CrmError;
use crate::crm::model::{CrmId, CrmRecord, CrmUser, Fate};
use crate::record::kind::RecordKind;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

/// Records in one question.
const MOST_IDS: usize = 500;
/// Ids in one question that asks for nothing else.
const MOST_BARE_IDS: usize = 5000;

/// What is asked of a record whose fate is in doubt.
#[derive(Deserialize)]
struct FateRow {
    id: i64,
    #[serde(default = "living")]
    active: bool,
    #[serde(default, deserialize_with = "value::reference")]
    user_id: Option<i64>,
    #[serde(default)]
    user_ids: Vec<i64>,
}

fn living() -> bool {
    true
}

impl FateRow {
    fn fate(&self, kind: RecordKind, me: i64) -> Fate {
        let owner = match kind {
            RecordKind::Tasks => self
                .user_ids
                .iter()
                .find(|user| **user == me)
                .or(self.user_ids.first()),
            _ => self.user_id.as_ref(),
        };
        match owner {
            _ if !self.active => Fate::Deleted,
            Some(owner) if *owner != me => Fate::Elsewhere {
                owner: CrmId(owner.to_string()),
            },
            _ => Fate::Alive,
        }
    }
}

/// Reads.
pub(super) struct Reader {
    client: Arc<Client>,
    schemas: Arc<Schemas>,
    users: Arc<Users>,
}

/// The number behind an id.
///
/// # Errors
/// [`CrmError::Gone`] for what is none of Odoo's.
pub(super) fn number(id: &CrmId) -> Result<i64, CrmError> {
    id.0.parse().map_err(|_| CrmError::Gone)
}

impl Reader {
    pub(super) fn new(client: Arc<Client>, schemas: Arc<Schemas>, users: Arc<Users>) -> Self {
        Self {
            client,
            schemas,
            users,
        }
    }

    /// See [`Crm::read`](crate::crm::port::Crm::read).
    pub(super) async fn by_id(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        ids: &[CrmId],
    ) -> Result<Vec<Option<CrmRecord>>, CrmError> {
        let mut found = HashMap::new();
        for some in ids.chunks(MOST_IDS) {
            let numbers: Vec<i64> = some.iter().filter_map(|id| number(id).ok()).collect();
            let records = match kind {
                RecordKind::Calendar => self.records::<EventRow>(user, kind, numbers).await?,
                RecordKind::Contacts => self.records::<ContactRow>(user, kind, numbers).await?,
                RecordKind::Tasks => self.records::<TaskRow>(user, kind, numbers).await?,
                RecordKind::Mail => self.records::<EmailRow>(user, kind, numbers).await?,
            };
            found.extend(records.into_iter().map(|record| (record.id.clone(), record)));
        }
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }

    /// Living records. A search leaves out what the user may not see, where a read would refuse the whole.
    async fn records<R: Row>(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        ids: Vec<i64>,
    ) -> Result<Vec<CrmRecord>, CrmError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let schema = self.schemas.of(&user.username).await?;
        let columns = schema.model(kind)?.columns(convert::columns(kind));
        let call = Call::of(convert::model_name(kind), "search_read")
            .with("domain", Domain::default().and("id", "in", ids))
            .with("fields", json!(columns));
        let rows: Vec<R> = self.client.ask(&user.username, &call).await?;
        let me = self.users.person(user).await?;
        let around = around(&self.client, &self.users, &user.username, &me, &rows).await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| into_record(row, &around))
            .collect())
    }

    /// See [`Crm::fates`](crate::crm::port::Crm::fates).
    pub(super) async fn fates(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        ids: &[CrmId],
    ) -> Result<Vec<Fate>, CrmError> {
        let me = self.users.person(user).await?.id;
        let mut fates = Vec::with_capacity(ids.len());
        for some in ids.chunks(MOST_BARE_IDS) {
            let visible = self.visible(user, kind, some).await?;
            for id in some {
                let seen = number(id).ok().and_then(|number| visible.get(&number));
                fates.push(match seen {
                    Some(row) => row.fate(kind, me),
                    None if self.is_deleted(user, kind, id).await? => Fate::Deleted,
                    None => Fate::Unknown,
                });
            }
        }
        Ok(fates)
    }

    /// Those of some records that the user can see, archived ones too.
    async fn visible(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        ids: &[CrmId],
    ) -> Result<HashMap<i64, FateRow>, CrmError> {
        let numbers: Vec<i64> = ids.iter().filter_map(|id| number(id).ok()).collect();
        let mut domain = Domain::default().and("id", "in", json!(numbers));
        let mut fields = vec!["id"];
        if convert::can_be_archived(kind) {
            domain = domain.archived_too();
            fields.push("active");
        }
        fields.extend(convert::owner_column(kind));
        let call = Call::of(convert::model_name(kind), "search_read")
            .with("domain", domain)
            .with("fields", json!(fields));
        let rows: Vec<FateRow> = self.client.ask(&user.username, &call).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    /// What is not visible is either deleted or not for this user any more. Reading it tells which.
    async fn is_deleted(&self, user: &CrmUser, kind: RecordKind, id: &CrmId) -> Result<bool, CrmError> {
        let Ok(number) = number(id) else { return Ok(true) };
        let call =
            Call::on(convert::model_name(kind), "read", vec![number]).with("fields", json!(["write_date"]));
        match self
            .client
            .ask::<Vec<serde_json::Value>>(&user.username, &call)
            .await
        {
            Ok(rows) => Ok(rows.is_empty()),
            Err(CrmError::NotPermitted { .. }) => Ok(false),
            Err(CrmError::Gone) => Ok(true),
            Err(error) => Err(error),
        }
    }
}
