//! What the user may do in this org, by the org's own description of itself (promise P4).
//!
//! Five descriptions cost one call and are kept for ten minutes. Users of one profile have the same ones, so
//! equal schemas are shared: ten thousand users hold a handful.

use super::client::{Client, misfit};
use super::codes;
use super::convert;
use super::convert::row::KEY;
use super::guests::{IS_INVITEE, MOST_INVITED};
use super::wire::describe::Object;
use crate::crm::error::CrmError;
use crate::crm::model::{CrmCapabilities, WhoKind};
use crate::foundation::clock::Clock;
use crate::record::field::{Field, FieldSet};
use crate::record::kind::RecordKind;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const KEEP: Duration = Duration::from_secs(600);
/// Distinct schemas that are compared with a new one; more profiles than this are not shared.
const MOST_SHARED: usize = 64;

/// The rows in which an event's invitees and their answers live.
const INVITEES: &str = "EventRelation";
const OF_INVITEES: [&str; 2] = ["Status", IS_INVITEE];

/// The objects behind the four kinds; `None` for one that the user may not see.
#[derive(PartialEq, Eq)]
pub(super) struct Schema {
    objects: Vec<(RecordKind, Option<Object>)>,
    invitees: Option<Object>,
}

impl Schema {
    /// The object behind a kind.
    ///
    /// # Errors
    /// [`CrmError::NotPermitted`] where the user may not see it.
    pub(super) fn object(&self, kind: RecordKind) -> Result<&Object, CrmError> {
        let found = self.objects.iter().find(|(of, _)| *of == kind);
        found
            .and_then(|(_, object)| object.as_ref())
            .ok_or_else(|| CrmError::NotPermitted {
                code: format!("{} not visible", convert::object_name(kind)),
            })
    }

    /// True where a person who is a column of an event has a row as well, which says whether he is invited.
    pub(super) fn columns_have_rows(&self) -> bool {
        self.may_set_of_invitees(IS_INVITEE)
    }

    fn may_set_of_invitees(&self, column: &str) -> bool {
        let invitees = self.invitees.as_ref();
        invitees.is_some_and(|invitees| invitees.may_set(column))
    }

    /// What the engine is told.
    ///
    /// # Errors
    /// [`CrmError::SetupMissing`] where an object that the user may create lacks our key field.
    pub(super) fn capabilities(&self) -> Result<CrmCapabilities, CrmError> {
        let mut capabilities = CrmCapabilities {
            writable: Vec::new(),
            readable: Vec::new(),
            lengths: Vec::new(),
            max_attendees: MOST_INVITED,
            attendee_kinds: &[WhoKind::Contact, WhoKind::Lead, WhoKind::User],
            tentative: false,
            out_of_office: true,
            perhaps: false,
            started: true,
            low_priority: true,
            undated: true,
            other_form: FieldSet::NONE,
            places: None,
            mail_needs_record: false,
            deletions_in_feed: true,
            waiting: self.object(RecordKind::Tasks).is_ok_and(convert::task::can_wait),
        };
        for (kind, object) in &self.objects {
            let Some(object) = object else { continue };
            let table = convert::fields(*kind);
            let set = |wanted: &dyn Fn(&str) -> bool| {
                let held = table
                    .iter()
                    .filter(|(_, names)| names.iter().all(|name| wanted(name)));
                held.fold(FieldSet::NONE, |set, (field, _)| set.with(*field))
            };
            capabilities.readable.push((*kind, set(&|name| object.has(name))));
            if object.createable {
                has_key(*kind, object)?;
                let mut writable = set(&|name| object.may_set(name));
                if !self.may_set_of_invitees("Status") {
                    writable = writable.without(Field::Responses);
                }
                capabilities.writable.push((*kind, writable));
            }
            capabilities.lengths.extend(lengths(*kind, object, table));
        }
        Ok(capabilities)
    }
}

fn has_key(kind: RecordKind, object: &Object) -> Result<(), CrmError> {
    match object.field(KEY) {
        Some(key) if key.createable => Ok(()),
        _ => Err(CrmError::SetupMissing {
            field: format!("{}.{KEY}", convert::setup_object(kind)),
        }),
    }
}

fn lengths<'a>(
    kind: RecordKind,
    object: &'a Object,
    table: &'a [(Field, &'a [&'a str])],
) -> impl Iterator<Item = (RecordKind, Field, usize)> + 'a {
    // A field of several columns (an address) has no length of its own.
    table.iter().filter_map(move |(field, names)| match names {
        [name] => match object.field(name)?.length {
            0 => None,
            length => Some((kind, *field, length)),
        },
        _ => None,
    })
}

/// The schemas of the users.
pub(super) struct Schemas {
    client: Arc<Client>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    by_user: HashMap<String, (Instant, Arc<Schema>)>,
    distinct: Vec<Arc<Schema>>,
}

impl Schemas {
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self {
            client,
            held: Mutex::default(),
        }
    }

    /// The user's schema, asked for if it is not known or too old.
    pub(super) async fn of(&self, username: &str) -> Result<Arc<Schema>, CrmError> {
        let client = &self.client;
        if let Some(schema) = self.known(client.clock(), username) {
            return Ok(schema);
        }
        let schema = ask(client, username).await?;
        Ok(self.keep(client.clock(), username, schema))
    }

    fn known(&self, clock: &Clock, username: &str) -> Option<Arc<Schema>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, schema) = held.by_user.get(username)?;
        let age = clock.instant().saturating_duration_since(*since);
        (age < KEEP).then(|| Arc::clone(schema))
    }

    fn keep(&self, clock: &Clock, username: &str, schema: Schema) -> Arc<Schema> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.distinct.retain(|known| Arc::strong_count(known) > 1);
        let shared = held.distinct.iter().find(|known| ***known == schema).cloned();
        let schema = shared.unwrap_or_else(|| Arc::new(schema));
        if held.distinct.len() < MOST_SHARED && !held.distinct.iter().any(|known| Arc::ptr_eq(known, &schema))
        {
            held.distinct.push(Arc::clone(&schema));
        }
        let entry = (clock.instant(), Arc::clone(&schema));
        held.by_user.insert(username.to_owned(), entry);
        schema
    }
}

async fn ask(client: &Client, username: &str) -> Result<Schema, CrmError> {
    let kinds = RecordKind::ALL;
    let wanted: Vec<(&str, &[&str])> = kinds
        .map(|kind| (convert::object_name(kind), convert::columns(kind)))
        .into_iter()
        .chain([(INVITEES, &OF_INVITEES[..])])
        .collect();
    let paths: Vec<String> = wanted
        .iter()
        .map(|(object, _)| format!("sobjects/{object}/describe"))
        .collect();
    let mut described = Vec::with_capacity(wanted.len());
    for ((_, columns), outcome) in wanted.iter().zip(client.composite(username, &paths).await?) {
        described.push(match outcome {
            Ok(body) => Object::parse(body.get().as_bytes(), columns).map_err(|_| misfit())?,
            // An object that the user may not see, or that the org does not have, is not found.
            Err((403 | 404, _)) => None,
            Err((status, fault)) => return Err(codes::of_call(status, fault.as_ref())),
        });
    }
    let invitees = described.pop().flatten();
    Ok(Schema {
        objects: kinds.into_iter().zip(described).collect(),
        invitees,
    })
}
