//! What became of records, by `queryAll` ("QueryAll", REST API guide): it shows rows of the recycle bin with
//! IsDeleted, and of a contact that was merged away the winner in MasterRecordId ("Contact", Object Reference).

use super::client::Client;
use super::convert::object_name;
use super::soql;
use super::wire::query::Scope;
use crate::crm::error::CrmError;
use crate::crm::model::{CrmId, CrmUser, Fate};
use crate::record::kind::RecordKind;
use serde::Deserialize;
use std::collections::HashMap;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    id: String,
    is_deleted: bool,
    #[serde(default)]
    owner_id: Option<String>,
    #[serde(default)]
    master_record_id: Option<String>,
}

/// See [`Crm::fates`](crate::crm::port::Crm::fates).
pub(super) async fn fates(
    client: &Client,
    user: &CrmUser,
    owner: &CrmId,
    kind: RecordKind,
    ids: &[CrmId],
) -> Result<Vec<Fate>, CrmError> {
    // The columns that every org has and that no field-level security hides.
    let columns = match kind {
        RecordKind::Contacts => "Id, IsDeleted, OwnerId, MasterRecordId",
        RecordKind::Calendar | RecordKind::Tasks => "Id, IsDeleted, OwnerId",
        RecordKind::Mail => "Id, IsDeleted",
    };
    let select = format!("SELECT {columns} FROM {} WHERE ", object_name(kind));
    let queries = soql::in_lists(&select, "Id", ids.iter().map(|id| id.0.as_str()), "");
    let rows: Vec<Row> = client.queries_of(Scope::All, &user.username, &queries).await?;
    let mut fates: HashMap<String, Fate> = rows
        .into_iter()
        .map(|row| (row.id.clone(), fate(row, owner)))
        .collect();
    Ok(ids
        .iter()
        .map(|id| fates.remove(&id.0).unwrap_or(Fate::Unknown))
        .collect())
}

fn fate(row: Row, user: &CrmId) -> Fate {
    match (row.is_deleted, row.master_record_id, row.owner_id) {
        (true, Some(into), _) => Fate::Merged { into: CrmId(into) },
        (true, None, _) => Fate::Deleted,
        (false, _, Some(owner)) if owner != user.0 => Fate::Elsewhere { owner: CrmId(owner) },
        (false, _, _) => Fate::Alive,
    }
}
