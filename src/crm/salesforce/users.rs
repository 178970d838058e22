//! The user as a record of the org: his id, and whether we may act as him.

use super::client::Client;
use super::schema::Schemas;
use super::soql::{self, literal};
use crate::crm::error::CrmError;
use crate::crm::model::{CrmGreeting, CrmId, CrmProbe, CrmUser};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UserRow {
    id: String,
    #[serde(default)]
    is_active: bool,
}

/// Ids by user name. A user keeps his id for as long as the org is the same.
pub(super) struct Users {
    client: Arc<Client>,
    ids: Mutex<HashMap<String, CrmId>>,
}

impl Users {
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self {
            client,
            ids: Mutex::default(),
        }
    }

    /// The id of the user: given, known, named by his sign-in, or asked for.
    pub(super) async fn id(&self, user: &CrmUser) -> Result<CrmId, CrmError> {
        if let Some(id) = &user.id {
            return Ok(id.clone());
        }
        if let Some(id) = self.known().get(&user.username) {
            return Ok(id.clone());
        }
        let signed_in = match self.client.acts_as_user() {
            true => self.client.signed_in_id(&user.username).await?,
            false => None,
        };
        let id = match signed_in {
            Some(id) => CrmId(id),
            None => self.look_up(user).await?,
        };
        self.known().insert(user.username.clone(), id.clone());
        Ok(id)
    }

    /// See [`Crm::greet`](crate::crm::port::Crm::greet).
    pub(super) async fn greet(&self) -> Result<CrmGreeting, CrmError> {
        let (version, signed_in) = self.client.greeted().await?;
        Ok(CrmGreeting {
            server: format!("Salesforce REST API {} ({})", version.number, version.label),
            signed_in,
        })
    }

    /// See [`Crm::probe`](crate::crm::port::Crm::probe).
    pub(super) async fn probe(&self, schemas: &Schemas, user: &CrmUser) -> Result<CrmProbe, CrmError> {
        let version = self.client.version_for(&user.username).await?;
        let id = self.look_up(user).await?;
        // What an administrator has yet to set up is said now rather than at the first write.
        schemas.of(&user.username).await?.capabilities()?;
        Ok(CrmProbe {
            server: format!("Salesforce REST API {} ({})", version.number, version.label),
            user: id,
            calls: self.client.calls(),
        })
    }

    async fn look_up(&self, user: &CrmUser) -> Result<CrmId, CrmError> {
        let query = format!(
            "SELECT Id, IsActive FROM User WHERE Username = {}",
            literal(&user.username)
        );
        let rows: Vec<UserRow> = self
            .client
            .queries(&user.username, &[soql::encoded(&query)])
            .await?;
        let refused = |code: &str| CrmError::UserRefused {
            code: code.to_owned(),
        };
        match rows.into_iter().next() {
            Some(row) if row.is_active => Ok(CrmId(row.id)),
            Some(_) => Err(refused("inactive user")),
            None => Err(refused("unknown user")),
        }
    }

    /// Forgets every id.
    pub(super) fn clear(&self) {
        self.known().clear();
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, CrmId>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
