//! Reading records by id, and asking which of many are still there.

use super::around::around;
use super::call::Call;
use super::client::Client;
use super::convert::activity::ActivityRow;
use super::convert::contact::ContactRow;
use super::convert::email::EmailRow;
use super::convert::event::EventRow;
use super::convert::row::{Row, into_record};
use super::convert::task::TaskRow;
use super::convert::{self, Form};
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
    fn fate(&self, form: Form, me: i64) -> Fate {
        let owner = match form {
            Form::Task => self
                .user_ids
                .iter()
                .find(|user| **user == me)
                .or(self.user_ids.first()),
            _ => self.user_id.as_ref(),
        };
        match owner {
            _ if !self.active && form.is_deleted_into_archive() => Fate::Deleted,
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
        for (form, ids) in by_form(kind, ids) {
            for some in ids.chunks(MOST_IDS) {
                let numbers: Vec<i64> = some.iter().filter_map(|id| form.number(id)).collect();
                let records = match form {
                    Form::Event => self.records::<EventRow>(user, numbers).await?,
                    Form::Contact => self.records::<ContactRow>(user, numbers).await?,
                    Form::Task => self.records::<TaskRow>(user, numbers).await?,
                    Form::Activity => self.records::<ActivityRow>(user, numbers).await?,
                    Form::Mail => self.records::<EmailRow>(user, numbers).await?,
                };
                found.extend(records.into_iter().map(|record| (record.id.clone(), record)));
            }
        }
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }

    /// Living records. A search leaves out what the user may not see, where a read would refuse the whole.
    async fn records<R: Row>(&self, user: &CrmUser, ids: Vec<i64>) -> Result<Vec<CrmRecord>, CrmError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let form = R::FORM;
        let model = self.schemas.model(&user.username, form).await?;
        let columns = model.columns(convert::columns(form));
        let mut domain = Domain::default().and("id", "in", ids);
        if form.has_archive() && !form.is_deleted_into_archive() {
            domain = domain.archived_too();
        }
        let call = Call::of(form.model(), "search_read")
            .with("domain", domain)
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
        let mut fates = HashMap::new();
        for (form, ids) in by_form(kind, ids) {
            for some in ids.chunks(MOST_BARE_IDS) {
                let visible = self.visible(user, form, some).await?;
                for id in some {
                    let seen = form.number(id).and_then(|number| visible.get(&number));
                    let fate = match seen {
                        Some(row) => row.fate(form, me),
                        None if self.is_deleted(user, form, id).await? => Fate::Deleted,
                        None => Fate::Unknown,
                    };
                    fates.insert(id.clone(), fate);
                }
            }
        }
        let fates = ids
            .iter()
            .map(|id| fates.get(id).cloned().unwrap_or(Fate::Unknown));
        Ok(fates.collect())
    }

    /// Those of some records that the user can see, archived ones too.
    async fn visible(
        &self,
        user: &CrmUser,
        form: Form,
        ids: &[CrmId],
    ) -> Result<HashMap<i64, FateRow>, CrmError> {
        let numbers: Vec<i64> = ids.iter().filter_map(|id| form.number(id)).collect();
        let mut domain = Domain::default().and("id", "in", json!(numbers));
        let mut fields = vec!["id"];
        if form.has_archive() {
            domain = domain.archived_too();
            fields.push("active");
        }
        fields.extend(form.owner_column());
        let call = Call::of(form.model(), "search_read")
            .with("domain", domain)
            .with("fields", json!(fields));
        let rows: Vec<FateRow> = self.client.ask(&user.username, &call).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    /// What is not visible is either deleted or not for this user any more. Reading it tells which.
    async fn is_deleted(&self, user: &CrmUser, form: Form, id: &CrmId) -> Result<bool, CrmError> {
        let Some(number) = form.number(id) else {
            return Ok(true);
        };
        let call = Call::on(form.model(), "read", vec![number]).with("fields", json!(["write_date"]));
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

/// Ids by what is behind them.
fn by_form(kind: RecordKind, ids: &[CrmId]) -> HashMap<Form, Vec<CrmId>> {
    let mut parted: HashMap<Form, Vec<CrmId>> = HashMap::new();
    for id in ids {
        parted.entry(Form::of_id(kind, id)).or_default().push(id.clone());
    }
    parted
}
