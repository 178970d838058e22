//! Accounts by exact name, for new contacts. A name that two accounts bear says nothing.

use super::client::Client;
use super::soql;
use crate::crm::error::CrmError;
use crate::crm::model::CrmUser;
use crate::foundation::content::Content;
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const KEEP: Duration = Duration::from_secs(600);
/// Names kept for all users together; beyond it all are forgotten.
const MOST_KEPT: usize = 50_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AccountRow {
    id: String,
    name: Option<String>,
}

/// A user name and a company, and what was found for them when.
type Kept = HashMap<(String, Content<String>), (Instant, Option<String>)>;

/// Finds accounts, and remembers the answers of the last minutes, each user's his own.
pub(super) struct Accounts {
    client: Arc<Client>,
    kept: Mutex<Kept>,
}

impl Accounts {
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self {
            client,
            kept: Mutex::default(),
        }
    }

    /// The account of each name, where there is exactly one.
    pub(super) async fn of<'a>(
        &self,
        user: &CrmUser,
        names: impl Iterator<Item = &'a Content<String>>,
    ) -> Result<HashMap<Content<String>, String>, CrmError> {
        let now = self.client.clock().instant();
        let mut found = HashMap::new();
        let mut unknown = BTreeSet::new();
        for name in names.filter(|name| !name.expose().trim().is_empty()) {
            match self.get(now, &user.username, name) {
                Some(Some(id)) => {
                    found.insert(name.clone(), id);
                }
                Some(None) => {}
                None => {
                    unknown.insert(name);
                }
            }
        }
        if unknown.is_empty() {
            return Ok(found);
        }
        let values = unknown.iter().map(|name| name.expose().as_str());
        let queries = soql::in_lists("SELECT Id, Name FROM Account WHERE ", "Name", values, "");
        let rows: Vec<AccountRow> = match self.client.queries(&user.username, &queries).await {
            Ok(rows) => rows,
            Err(CrmError::NotPermitted { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        for name in unknown {
            // SOQL compares without regard to case; the name must be the same to the letter.
            let mut same = rows
                .iter()
                .filter(|row| row.name.as_deref() == Some(name.expose().as_str()));
            let id = match (same.next(), same.next()) {
                (Some(only), None) => Some(only.id.clone()),
                _ => None,
            };
            self.put(now, &user.username, name, id.clone());
            if let Some(id) = id {
                found.insert(name.clone(), id);
            }
        }
        Ok(found)
    }

    fn get(&self, now: Instant, username: &str, name: &Content<String>) -> Option<Option<String>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, id) = kept.get(&(username.to_owned(), name.clone()))?;
        (now.saturating_duration_since(*since) < KEEP).then(|| id.clone())
    }

    fn put(&self, now: Instant, username: &str, name: &Content<String>, id: Option<String>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert((username.to_owned(), name.clone()), (now, id));
    }
}
