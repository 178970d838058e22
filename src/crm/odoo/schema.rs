//! What a user may see and set, by Odoo's own description of the models for him. Kept for ten minutes.

use super::call::Call;
use super::client::Client;
use super::convert;
use super::model::{Facts, Model};
use super::places;
use crate::crm::error::CrmError;
use crate::crm::model::{CrmCapabilities, WhoKind};
use crate::foundation::clock::Clock;
use crate::record::field::FieldSet;
use crate::record::kind::RecordKind;
use crate::record::places::Places;
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OnceCell;

const KEEP: Duration = Duration::from_secs(600);

/// Odoo sets no limit; beyond this a meeting is an assembly, and its list is left alone.
const MOST_ATTENDEES: usize = 500;

/// The models behind the four kinds; a model that the user may not see, or that is not installed, is missing.
pub(super) struct Schema {
    models: HashMap<RecordKind, Model>,
    places: Arc<Places>,
}

impl Schema {
    /// The model behind a kind.
    ///
    /// # Errors
    /// [`CrmError::NotPermitted`] where the user may not see it.
    pub(super) fn model(&self, kind: RecordKind) -> Result<&Model, CrmError> {
        self.models.get(&kind).ok_or_else(|| CrmError::NotPermitted {
            code: format!("{} not visible", convert::model_name(kind)),
        })
    }

    /// The countries and states that Odoo knows.
    pub(super) fn places(&self) -> &Places {
        &self.places
    }

    /// What the engine is told.
    ///
    /// # Errors
    /// [`CrmError::SetupMissing`] where a model in which the user may create lacks our key field.
    pub(super) fn capabilities(&self) -> Result<CrmCapabilities, CrmError> {
        let mut capabilities = CrmCapabilities {
            writable: Vec::new(),
            readable: Vec::new(),
            lengths: Vec::new(),
            max_attendees: MOST_ATTENDEES,
            // An attendee is a partner, which a lead is not yet.
            attendee_kinds: &[WhoKind::Contact, WhoKind::User],
            tentative: false,
            out_of_office: false,
            started: false,
            waiting: false,
            low_priority: false,
            places: Some(Arc::clone(&self.places)),
            mail_needs_record: true,
            deletions_in_feed: false,
        };
        for kind in RecordKind::ALL {
            let Some(model) = self.models.get(&kind) else {
                continue;
            };
            let table = convert::fields(kind);
            let set = |wanted: &dyn Fn(&str) -> bool| {
                let held = table
                    .iter()
                    .filter(|(_, names)| names.iter().all(|name| wanted(name)));
                held.fold(FieldSet::NONE, |set, (field, _)| set.with(*field))
            };
            capabilities.readable.push((kind, set(&|name| model.has(name))));
            if model.creatable {
                if !model.has(convert::KEY) {
                    return Err(CrmError::SetupMissing {
                        field: format!("{}.{}", convert::model_name(kind), convert::KEY),
                    });
                }
                let writable = set(&|name| model.may_set(name));
                capabilities.writable.push((kind, writable));
            }
        }
        Ok(capabilities)
    }
}

/// The schemas of the users.
pub(super) struct Schemas {
    client: Arc<Client>,
    by_user: Mutex<HashMap<String, (Instant, Arc<Schema>)>>,
    places: OnceCell<Arc<Places>>,
}

impl Schemas {
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self {
            client,
            by_user: Mutex::default(),
            places: OnceCell::new(),
        }
    }

    /// The user's schema, asked for if it is not known or too old.
    pub(super) async fn of(&self, login: &str) -> Result<Arc<Schema>, CrmError> {
        if let Some(schema) = self.known(self.client.clock(), login) {
            return Ok(schema);
        }
        let mut models = HashMap::new();
        for kind in RecordKind::ALL {
            if let Some(model) = self.ask(login, convert::model_name(kind)).await? {
                models.insert(kind, model);
            }
        }
        let places = self
            .places
            .get_or_try_init(|| async { places::load(&self.client, login).await.map(Arc::new) });
        let schema = Arc::new(Schema {
            models,
            places: Arc::clone(places.await?),
        });
        let entry = (self.client.clock().instant(), Arc::clone(&schema));
        let mut held = self.by_user.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(login.to_owned(), entry);
        Ok(schema)
    }

    fn known(&self, clock: &Clock, login: &str) -> Option<Arc<Schema>> {
        let held = self.by_user.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, schema) = held.get(login)?;
        let age = clock.instant().saturating_duration_since(*since);
        (age < KEEP).then(|| Arc::clone(schema))
    }

    async fn ask(&self, login: &str, model: &'static str) -> Result<Option<Model>, CrmError> {
        let call = Call::of(model, "fields_get").with("attributes", json!(["type", "readonly", "selection"]));
        let described: Result<HashMap<String, Facts>, CrmError> = self.client.ask(login, &call).await;
        let fields = match described {
            Ok(fields) => fields,
            Err(error) if is_not_there(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        if !self.may(login, model, "read").await? {
            return Ok(None);
        }
        Ok(Some(Model {
            fields,
            creatable: self.may(login, model, "create").await?,
            writable: self.may(login, model, "write").await?,
        }))
    }

    async fn may(&self, login: &str, model: &'static str, operation: &str) -> Result<bool, CrmError> {
        let version = &self.client.spoken().await?.version;
        let call = match version.major {
            18.. => Call::on(model, "has_access", Vec::new()),
            _ => Call::of(model, "check_access_rights").with("raise_exception", false),
        };
        self.client.ask(login, &call.with("operation", operation)).await
    }
}

/// True for what is said of a model that is not installed, or not for this user.
pub(super) fn is_not_there(error: &CrmError) -> bool {
    match error {
        CrmError::NotPermitted { .. } | CrmError::RuleRefused { .. } => true,
        CrmError::ApplicationRefused { code } => code == "NotFound",
        _ => false,
    }
}
