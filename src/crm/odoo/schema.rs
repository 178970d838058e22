//! What a user may see and set, by Odoo's own description of the models for him. Kept for ten minutes.

use super::call::Call;
use super::client::Client;
use super::convert::{self, Form, activity};
use super::model::{Facts, Model};
use super::places;
use crate::crm::error::CrmError;
use crate::crm::model::{CrmCapabilities, WhoKind};
use crate::crm::task_form::TaskForm;
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

/// The schemas of the users.
pub(super) struct Schemas {
    client: Arc<Client>,
    models: Mutex<HashMap<(String, Form), Known>>,
    places: OnceCell<Arc<Places>>,
}

/// Since when it is known, and what; `None` for one that the user may not see, or that is not installed.
type Known = (Instant, Option<Arc<Model>>);

impl Schemas {
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self {
            client,
            models: Mutex::default(),
            places: OnceCell::new(),
        }
    }

    /// What the engine is told of, with tasks of this form.
    ///
    /// # Errors
    /// [`CrmError::SetupMissing`] where a model in which the user may create lacks our key field,
    /// [`CrmError::NotPermitted`] where tasks are to be activities and cannot be.
    pub(super) async fn capabilities(
        &self,
        login: &str,
        tasks: TaskForm,
    ) -> Result<CrmCapabilities, CrmError> {
        let mut capabilities = bare(tasks);
        for kind in RecordKind::ALL {
            let form = Form::of(kind, tasks);
            let model = match form {
                Form::Activity => self.model(login, form).await?,
                _ => match self.find(login, form).await? {
                    Some(model) => model,
                    None => continue,
                },
            };
            capabilities
                .readable
                .push((kind, held(form, |name| model.has(name))));
            if model.creatable {
                if !model.has(convert::KEY) {
                    return Err(CrmError::SetupMissing {
                        field: format!("{}.{}", form.model(), convert::KEY),
                    });
                }
                let writable = held(form, |name| model.may_set(name));
                capabilities.writable.push((kind, writable));
            }
        }
        capabilities.places = Some(self.places(login).await?);
        Ok(capabilities)
    }

    /// The model behind a form.
    ///
    /// # Errors
    /// [`CrmError::NotPermitted`] where the user may not see it.
    pub(super) async fn model(&self, login: &str, form: Form) -> Result<Arc<Model>, CrmError> {
        self.find(login, form)
            .await?
            .ok_or_else(|| CrmError::NotPermitted {
                code: match form {
                    Form::Activity => "mail.activity without a record, before Odoo 19".to_owned(),
                    _ => format!("{} not visible", form.model()),
                },
            })
    }

    /// The same; `None` where the user may not see it.
    pub(super) async fn find(&self, login: &str, form: Form) -> Result<Option<Arc<Model>>, CrmError> {
        if let Some(known) = self.known(login, form) {
            return Ok(known);
        }
        let model = self.ask(login, form.model()).await?;
        let model = model.filter(|model| form != Form::Activity || activity::can_hold(model));
        let entry = (self.client.clock().instant(), model.map(Arc::new));
        let mut held = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert((login.to_owned(), form), entry.clone());
        Ok(entry.1)
    }

    /// The countries and states that Odoo knows.
    pub(super) async fn places(&self, login: &str) -> Result<Arc<Places>, CrmError> {
        let places = self
            .places
            .get_or_try_init(|| async { places::load(&self.client, login).await.map(Arc::new) });
        Ok(Arc::clone(places.await?))
    }

    fn known(&self, login: &str, form: Form) -> Option<Option<Arc<Model>>> {
        let held = self.models.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, model) = held.get(&(login.to_owned(), form))?;
        let age = self.client.clock().instant().saturating_duration_since(*since);
        (age < KEEP).then(|| model.clone())
    }

    async fn ask(&self, login: &str, model: &'static str) -> Result<Option<Model>, CrmError> {
        let call = Call::of(model, "fields_get")
            .with("attributes", json!(["type", "readonly", "required", "selection"]));
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

/// What holds of every Odoo.
fn bare(tasks: TaskForm) -> CrmCapabilities {
    CrmCapabilities {
        writable: Vec::new(),
        readable: Vec::new(),
        lengths: Vec::new(),
        max_attendees: MOST_ATTENDEES,
        // An attendee is a partner, which a lead is not yet.
        attendee_kinds: &[WhoKind::Contact, WhoKind::User],
        tentative: false,
        out_of_office: false,
        perhaps: true,
        started: false,
        waiting: false,
        low_priority: false,
        undated: tasks == TaskForm::Task,
        other_form: held(Form::of(RecordKind::Tasks, tasks.other()), |_| true),
        places: None,
        mail_needs_record: true,
        deletions_in_feed: false,
    }
}

/// The fields all of whose columns are wanted.
fn held(form: Form, wanted: impl Fn(&str) -> bool) -> FieldSet {
    let table = convert::fields(form).iter();
    table
        .filter(|(_, columns)| columns.iter().all(|column| wanted(column)))
        .fold(FieldSet::NONE, |set, (field, _)| set.with(*field))
}

/// True for what is said of a model that is not installed, or not for this user.
pub(super) fn is_not_there(error: &CrmError) -> bool {
    match error {
        CrmError::NotPermitted { .. } | CrmError::RuleRefused { .. } => true,
        CrmError::ApplicationRefused { code } => code == "NotFound",
        _ => false,
    }
}
