//! Who is this address? Partners, leads and users by their normalised address.
//!
//! Every user of Odoo has a partner as well; he is a colleague and no contact, which `partner_share` tells.

use super::call::Call;
use super::client::Client;
use super::domain::Domain;
use super::schema::is_not_there;
use super::users::Users;
use super::wire::value;
use crate::crm::error::CrmError;
use crate::crm::known::{Answers, Known, is_askable};
use crate::crm::model::{CrmId, CrmUser, CrmWrite, Match, Who, WhoKind};
use crate::foundation::content::Content;
use crate::record::person::address_key;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Addresses in one question.
const MOST_ADDRESSES: usize = 1000;

#[derive(Deserialize)]
struct WhoRow {
    id: i64,
    #[serde(deserialize_with = "value::string")]
    email_normalized: Option<String>,
    #[serde(default, deserialize_with = "value::reference")]
    parent_id: Option<i64>,
    #[serde(default, deserialize_with = "value::reference")]
    partner_id: Option<i64>,
}

/// Asks who somebody is, and remembers.
pub(super) struct Whois {
    client: Arc<Client>,
    users: Arc<Users>,
    known: Known,
}

impl Whois {
    pub(super) fn new(client: Arc<Client>, users: Arc<Users>) -> Self {
        Self {
            client,
            users,
            known: Known::default(),
        }
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
        let keys: Vec<Content<String>> = addresses
            .iter()
            .map(|address| address_key(address.expose()))
            .collect();
        let mut answers = Answers::new();
        let mut unknown = BTreeSet::new();
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
            let found = self.ask_all(&user.username, unknown).await?;
            self.known.put(now, &user.username, &found);
            answers.extend(found);
        }
        let matches = keys.into_iter().map(|address| Match {
            who: answers.get(&address).cloned().unwrap_or_default(),
            address,
        });
        Ok(matches.collect())
    }

    async fn ask_all(&self, login: &str, addresses: BTreeSet<Content<String>>) -> Result<Answers, CrmError> {
        let mut answers: Answers = addresses
            .iter()
            .map(|address| (address.clone(), Vec::new()))
            .collect();
        let addresses: Vec<&str> = addresses
            .iter()
            .map(|address| address.expose().as_str())
            .collect();
        // Contacts first, then leads, then users, each oldest first.
        for some in addresses.chunks(MOST_ADDRESSES) {
            for (kind, model, fields, condition) in questions() {
                let (field, value) = condition;
                let domain = Domain::default()
                    .and("email_normalized", "in", json!(some))
                    .and(field, "=", value);
                let call = Call::of(model, "search_read")
                    .with("domain", domain)
                    .with("fields", fields)
                    .with("order", "id");
                let rows: Vec<WhoRow> = match self.client.ask(login, &call).await {
                    // A user without the right to see leads knows no leads; so does an Odoo without them.
                    Err(error) if kind == WhoKind::Lead && is_not_there(&error) => continue,
                    rows => rows?,
                };
                self.take(kind, rows, &mut answers);
            }
        }
        Ok(answers)
    }

    fn take(&self, kind: WhoKind, rows: Vec<WhoRow>, answers: &mut Answers) {
        for row in rows {
            let Some(who) = row
                .email_normalized
                .as_deref()
                .and_then(|address| answers.get_mut(&address_key(address)))
            else {
                continue;
            };
            if let (WhoKind::User, Some(partner)) = (kind, row.partner_id) {
                self.users.learn_partners([(row.id, partner)]);
            }
            who.push(Who {
                kind,
                id: CrmId(row.id.to_string()),
                account: row.parent_id.map(|id| CrmId(id.to_string())),
            });
        }
    }
}

type Question = (WhoKind, &'static str, Value, (&'static str, Value));

fn questions() -> [Question; 3] {
    [
        (
            WhoKind::Contact,
            "res.partner",
            json!(["email_normalized", "parent_id"]),
            ("partner_share", json!(true)),
        ),
        (
            WhoKind::Lead,
            "crm.lead",
            json!(["email_normalized"]),
            ("active", json!(true)),
        ),
        (
            WhoKind::User,
            "res.users",
            json!(["email_normalized", "partner_id"]),
            ("share", json!(false)),
        ),
    ]
}
