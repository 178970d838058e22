//! Who is this address? Contacts, leads and users by their e-mail columns, remembered for some minutes.
//!
//! What one user may see another may not, so each user's answers are his own. A stranger is remembered for a
//! shorter time than somebody known: he may become known any moment.

use super::client::{Client, misfit};
use super::codes;
use super::soql::{self, MOST_QUERIES};
use super::wire::query::{self, Rows, Scope};
use crate::crm::error::CrmError;
use crate::crm::model::{CrmId, CrmUser, CrmWrite, Match, Who, WhoKind};
use crate::foundation::content::Content;
use crate::record::Record;
use crate::record::person::address_key;
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const KEEP_KNOWN: Duration = Duration::from_secs(300);
const KEEP_STRANGERS: Duration = Duration::from_secs(60);
/// Answers kept for all users together.
const MOST_KEPT: usize = 100_000;

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

type Answers = HashMap<Content<String>, Vec<Who>>;

/// Answers of the last minutes.
#[derive(Default)]
struct Known {
    by_address: Mutex<HashMap<Content<String>, Vec<Entry>>>,
}

struct Entry {
    username: String,
    until: Instant,
    who: Vec<Who>,
}

impl Known {
    fn get(&self, now: Instant, username: &str, address: &Content<String>) -> Option<Vec<Who>> {
        let kept = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = kept
            .get(address)?
            .iter()
            .find(|entry| entry.username == username)?;
        (now < entry.until).then(|| entry.who.clone())
    }

    fn put(&self, now: Instant, username: &str, answers: &Answers) {
        let mut kept = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() + answers.len() > MOST_KEPT {
            kept.retain(|_, entries| entries.iter().any(|entry| now < entry.until));
        }
        if kept.len() + answers.len() > MOST_KEPT {
            kept.clear();
        }
        for (address, who) in answers {
            let keep = match who.is_empty() {
                true => KEEP_STRANGERS,
                false => KEEP_KNOWN,
            };
            let entries = kept.entry(address.clone()).or_default();
            entries.retain(|entry| entry.username != username && now < entry.until);
            entries.push(Entry {
                username: username.to_owned(),
                until: now + keep,
                who: who.clone(),
            });
        }
    }
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

    /// Forgets the addresses of contacts that are about to be written, for every user.
    pub(super) fn forget(&self, writes: &[CrmWrite]) {
        let mut kept = self
            .known
            .by_address
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for write in writes {
            if let CrmWrite::Create { record, .. } | CrmWrite::Update { record, .. } = write
                && let Record::Contact(contact) = record
            {
                kept.remove(&address_key(contact.email.expose()));
            }
        }
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

/// An e-mail column holds 80 characters; what is longer, or no address at all, is nobody's.
fn is_askable(address: &str) -> bool {
    address.len() <= 320 && address.contains('@') && !address.chars().any(char::is_control)
}
