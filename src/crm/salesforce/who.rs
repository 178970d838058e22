//! Who is this address? Contacts, leads and users by their e-mail columns, remembered for some minutes.
//!
//! What one user may see another may not, so each user's answers are his own. A stranger is remembered for a
//! shorter time than somebody known: he may become known any moment.

use super::client::{Client, misfit};
use super::codes;
use super::soql::{self, MOST_QUERIES};
use super::wire::query::{self, Rows, Scope};
use crate::crm::error::CrmError;
use crate::crm::known::{Answers, Known, is_askable};
use crate::crm::model::{CrmId, CrmUser, CrmWrite, Match, Who, WhoKind};
use crate::foundation::content::Content;
use crate::record::person::address_key;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The three objects in the order of preference, and the rest of their queries.
const OBJECTS: [(WhoKind, &str, &str); 3] = [
    (
        WhoKind::Contact,
        "SELECT Id, Email, AccountId FROM Contact WHERE ",
        " ORDER BY CreatedDate, Id",
    ),
    (
        WhoKind::Lead,
        "SELECT Id, Email FROM Lead WHERE IsConverted = false AND ",
        " ORDER BY CreatedDate, Id",
    ),
    (
        WhoKind::User,
        "SELECT Id, Email FROM User WHERE IsActive = true AND ",
        " ORDER BY CreatedDate, Id",
    ),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WhoRow {
    id: String,
    email: Option<String>,
    account_id: Option<String>,
}

/// Asks who somebody is, and remembers.
pub(super) struct Whois {
    client: Arc<Client>,
    known: Known,
}

impl Whois {
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self {
            client,
            known: Known::default(),
        }
    }

    /// Forgets every answer.
    pub(super) fn clear(&self) {
        self.known.clear();
    }

    /// Forgets the addresses of contacts that are about to be written, for every user.
    pub(super) fn forget(&self, writes: &[CrmWrite]) {
        self.known.forget(writes);
    }

    /// See [`Crm::who_is`](crate::crm::port::Crm::who_is).
    pub(super) async fn who(
        &self,
        user: &CrmUser,
        addresses: &[Content<String>],
    ) -> Result<Vec<Match>, CrmError> {
        let now = self.client.clock().instant();
        let mut answers = Answers::new();
        let mut unknown = BTreeSet::new();
        let keys: Vec<Content<String>> = addresses
            .iter()
            .map(|address| address_key(address.expose()))
            .collect();
        for key in &keys {
            match self.known.get(now, &user.username, key) {
                Some(who) => {
                    answers.insert(key.clone(), who);
                }
                None if is_askable(key.expose()) => {
                    unknown.insert(key.clone());
                }
                None => {}
            }
        }
        if !unknown.is_empty() {
            let found = self.ask_who(user, &unknown).await?;
            self.known.put(now, &user.username, &found);
            answers.extend(found);
        }
        let matches = keys.into_iter().map(|address| Match {
            who: answers.get(&address).cloned().unwrap_or_default(),
            address,
        });
        Ok(matches.collect())
    }

    async fn ask_who(
        &self,
        user: &CrmUser,
        addresses: &BTreeSet<Content<String>>,
    ) -> Result<Answers, CrmError> {
        let mut questions = Vec::new();
        for (kind, before, after) in OBJECTS {
            let values = addresses.iter().map(|address| address.expose().as_str());
            let queries = soql::in_lists(before, "Email", values, after);
            questions.extend(
                queries
                    .into_iter()
                    .map(|query| (kind, query::path(Scope::Living, &query))),
            );
        }
        let mut found: Vec<(WhoKind, WhoRow)> = Vec::new();
        for few in questions.chunks(MOST_QUERIES) {
            let paths: Vec<String> = few.iter().map(|(_, path)| path.clone()).collect();
            let outcomes = self.client.composite(&user.username, &paths).await?;
            for ((kind, _), outcome) in few.iter().zip(outcomes) {
                let rows: Rows<WhoRow> = match outcome {
                    Ok(body) => serde_json::from_str(body.get()).map_err(|_| misfit())?,
                    Err((status, fault)) => match codes::of_call(status, fault.as_ref()) {
                        // A user without the right to see leads knows no leads.
                        CrmError::NotPermitted { .. } => continue,
                        error => return Err(error),
                    },
                };
                let rows = self.client.rest(&user.username, rows).await?;
                found.extend(rows.into_iter().map(|row| (*kind, row)));
            }
        }
        Ok(sorted(addresses, found))
    }
}

/// The rows come contacts first, then leads, then users, each oldest first, and stay so.
fn sorted(addresses: &BTreeSet<Content<String>>, found: Vec<(WhoKind, WhoRow)>) -> Answers {
    let mut answers: Answers = addresses
        .iter()
        .map(|address| (address.clone(), Vec::new()))
        .collect();
    for (kind, row) in found {
        let Some(email) = row.email else { continue };
        if let Some(who) = answers.get_mut(&address_key(&email)) {
            who.push(Who {
                kind,
                id: CrmId(row.id),
                account: row.account_id.map(CrmId),
            });
        }
    }
    answers
}
