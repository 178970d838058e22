//! The user as a record: his number, his partner (every user is somebody's card as well), his time zone.

use super::call::Call;
use super::client::Client;
use super::domain::Domain;
use super::model::Person;
use super::schema::Schemas;
use super::wire::value;
use crate::crm::error::CrmError;
use crate::crm::model::{CrmGreeting, CrmId, CrmProbe, CrmUser};
use crate::crm::task_form::TaskForm;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Deserialize)]
struct UserRow {
    id: i64,
    #[serde(deserialize_with = "value::reference")]
    partner_id: Option<i64>,
    #[serde(default, deserialize_with = "value::string")]
    tz: Option<String>,
    #[serde(default)]
    active: bool,
}

#[derive(Deserialize)]
struct Context {
    #[serde(default)]
    uid: Option<i64>,
}

/// Users by login. What is remembered of one does not change.
pub(super) struct Users {
    client: Arc<Client>,
    known: Mutex<HashMap<String, Person>>,
    partners: Mutex<HashMap<i64, i64>>,
}

impl Users {
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self {
            client,
            known: Mutex::default(),
            partners: Mutex::default(),
        }
    }

    /// The user.
    pub(super) async fn person(&self, user: &CrmUser) -> Result<Person, CrmError> {
        if let Some(person) = lock(&self.known).get(&user.username) {
            return Ok(*person);
        }
        let person = self.look_up(&user.username).await?;
        lock(&self.known).insert(user.username.clone(), person);
        self.learn_partners([(person.id, person.partner)]);
        Ok(person)
    }

    /// See [`Crm::greet`](crate::crm::port::Crm::greet). Each user signs in with a key of his own.
    pub(super) async fn greet(&self) -> Result<CrmGreeting, CrmError> {
        Ok(CrmGreeting {
            server: self.client.spoken().await?.words(),
            signed_in: false,
        })
    }

    /// See [`Crm::probe`](crate::crm::port::Crm::probe).
    pub(super) async fn probe(
        &self,
        schemas: &Schemas,
        user: &CrmUser,
        tasks: TaskForm,
    ) -> Result<CrmProbe, CrmError> {
        let spoken = self.client.spoken().await?;
        let person = self.look_up(&user.username).await?;
        // What an administrator has yet to set up is said now rather than at the first write.
        schemas.capabilities(&user.username, tasks).await?;
        Ok(CrmProbe {
            server: spoken.words(),
            user: CrmId(person.id.to_string()),
            calls: None,
        })
    }

    async fn look_up(&self, login: &str) -> Result<Person, CrmError> {
        let refused = |code: &str| CrmError::UserRefused {
            code: code.to_owned(),
        };
        let call = Call::of("res.users", "search_read")
            .with(
                "domain",
                Domain::default().and("login", "=", login).archived_too(),
            )
            .with("fields", json!(["partner_id", "tz", "active"]));
        let rows: Vec<UserRow> = self.client.ask(login, &call).await?;
        let row = rows.into_iter().next().ok_or_else(|| refused("unknown user"))?;
        if !row.active {
            return Err(refused("inactive user"));
        }
        // JSON-2 knows the user by his key alone, so that a key stored under the wrong name would act as
        // somebody else.
        let context: Context = self
            .client
            .ask(login, &Call::of("res.users", "context_get"))
            .await?;
        if context.uid.is_some_and(|uid| uid != row.id) {
            return Err(refused("a key of somebody else"));
        }
        Ok(Person {
            id: row.id,
            partner: row.partner_id.ok_or_else(|| refused("a user without a card"))?,
            zone: row
                .tz
                .and_then(|name| name.parse().ok())
                .unwrap_or(chrono_tz::UTC),
        })
    }

    /// Remembers which card belongs to which user.
    pub(super) fn learn_partners(&self, pairs: impl IntoIterator<Item = (i64, i64)>) {
        lock(&self.partners).extend(pairs);
    }

    /// The cards of users; those that nobody may see are left out.
    pub(super) async fn partners(&self, login: &str, users: &[i64]) -> Result<HashMap<i64, i64>, CrmError> {
        let mut found: HashMap<i64, i64> = HashMap::new();
        let mut unknown = Vec::new();
        for user in users {
            match lock(&self.partners).get(user) {
                Some(partner) => {
                    found.insert(*user, *partner);
                }
                None => unknown.push(*user),
            }
        }
        if !unknown.is_empty() {
            let call = Call::of("res.users", "search_read")
                .with(
                    "domain",
                    Domain::default().and("id", "in", unknown).archived_too(),
                )
                .with("fields", json!(["partner_id"]));
            let rows: Vec<UserRow> = self.client.ask(login, &call).await?;
            let pairs: Vec<(i64, i64)> = rows
                .into_iter()
                .filter_map(|row| Some((row.id, row.partner_id?)))
                .collect();
            self.learn_partners(pairs.iter().copied());
            found.extend(pairs);
        }
        Ok(found)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
