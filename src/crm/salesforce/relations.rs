//! The people of a record that are rows of their own: an event's guests (EventRelation) and a mail's sender
//! (EmailMessageRelation).
//!
//! They are written after the record, so a crash in between leaves a record without them. Whoever repeats the
//! write finds the record by its key and comes through here again: what is missing is added then.

use super::client::{Call, Client};
use super::codes;
use super::convert::row::is_person;
use super::soql;
use super::wire::collections::{self, Fields, Saved};
use crate::crm::error::CrmError;
use crate::crm::model::{CrmId, CrmUser, Match, Who, WhoKind};
use crate::foundation::content::Content;
use crate::record::event::{Attendee, Response};
use crate::record::person::Person;
use crate::record::person::address_key;
use http::Method;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

/// "EventRelation", Object Reference: so many contacts, or one lead, are columns of an event.
const MOST_WHO: usize = 50;

/// The same: so many people can be invited to an event that is no series, beside those in its columns. Without
/// shared activities an invited contact needs a row, so this is what every org takes.
pub(super) const MOST_INVITED: usize = 1_000;

/// The guests of an event as Salesforce holds them.
#[derive(Clone, Default)]
pub(super) struct Guests {
    /// Contacts, or one lead: columns of the event. The first is its WhoId.
    pub(super) who: Vec<String>,
    /// Everybody else: rows.
    invited: Vec<(String, &'static str)>,
}

impl Guests {
    /// Sorts the attendees whom the org knows. The owner is no guest of his own event. Without shared
    /// activities an event has one person in its columns.
    pub(super) fn of(attendees: &[Attendee], matches: &[Match], owner: &CrmId, shared: bool) -> Self {
        let mut known: Vec<(WhoKind, String, &'static str)> = Vec::new();
        for attendee in attendees {
            let Some(who) = preferred(&attendee.person, matches) else {
                continue;
            };
            if who.id != *owner && !known.iter().any(|(_, id, _)| *id == who.id.0) {
                known.push((who.kind, who.id.0.clone(), status(attendee.response)));
            }
        }
        let contacts = known.iter().filter(|(kind, _, _)| *kind == WhoKind::Contact);
        let mut who: Vec<String> = contacts.map(|(_, id, _)| id.clone()).collect();
        if who.is_empty() {
            let lead = known.iter().find(|(kind, _, _)| *kind == WhoKind::Lead);
            who.extend(lead.map(|(_, id, _)| id.clone()));
        }
        who.truncate(if shared { MOST_WHO } else { 1 });
        let invited = known.into_iter().filter(|(_, id, _)| !who.contains(id));
        let invited = invited.map(|(_, id, status)| (id, status)).collect();
        Self { who, invited }
    }

    /// True where somebody is a row.
    pub(super) fn has_rows(&self) -> bool {
        !self.invited.is_empty()
    }

    fn has(&self, id: &str) -> bool {
        self.who.iter().any(|who| who == id) || self.invited.iter().any(|(invited, _)| invited == id)
    }
}

/// The record that stands for a person: the first that the org named.
pub(super) fn preferred<'a>(person: &Person, matches: &'a [Match]) -> Option<&'a Who> {
    let key = address_key(person.address.expose());
    matches.iter().find(|known| known.address == key)?.who.first()
}

fn status(response: Response) -> &'static str {
    match response {
        Response::Accepted => "Accepted",
        Response::Declined => "Declined",
        Response::None | Response::Tentative => "New",
    }
}

/// A record whose people are to be written.
pub(super) struct Pending<'a, P> {
    /// The record.
    pub(super) id: &'a str,
    /// True where it was just inserted, so that it has no rows yet.
    pub(super) fresh: bool,
    /// Its people.
    pub(super) people: &'a P,
}

/// A mail's sender whom the org knows.
pub(super) struct Sender {
    pub(super) id: String,
    pub(super) address: Content<String>,
}

/// What became of the rows, by record.
#[derive(Default)]
pub(super) struct Related {
    /// Whose rows failed in a way that a repetition may heal.
    pub(super) unfinished: HashMap<String, CrmError>,
    /// Who was refused for good.
    pub(super) refused: HashMap<String, Vec<CrmId>>,
}

impl Related {
    /// Adds what became of others.
    pub(super) fn add(&mut self, other: Self) {
        self.unfinished.extend(other.unfinished);
        self.refused.extend(other.refused);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GuestRow {
    id: String,
    event_id: String,
    relation_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SenderRow {
    email_message_id: String,
    relation_id: Option<String>,
}

/// Adds the guests that are rows, and where `remove` is set takes away those who are not invited any more.
pub(super) async fn relate_guests(
    client: &Client,
    user: &CrmUser,
    events: &[Pending<'_, Guests>],
    remove: bool,
) -> Result<Related, CrmError> {
    let old = events.iter().filter(|event| !event.fresh).map(|event| event.id);
    let before = "SELECT Id, EventId, RelationId FROM EventRelation WHERE ";
    let queries = soql::in_lists(before, "EventId", old, "");
    let rows: Vec<GuestRow> = client.queries(&user.username, &queries).await?;
    let mut held: HashMap<&str, Vec<&GuestRow>> = HashMap::new();
    for row in &rows {
        held.entry(&row.event_id).or_default().push(row);
    }
    let (mut missing, mut leftover) = (Vec::new(), Vec::new());
    for event in events {
        let held = held.get(event.id).map(Vec::as_slice).unwrap_or_default();
        let is_held = |id: &str| held.iter().any(|row| row.relation_id.as_deref() == Some(id));
        for (id, status) in event.people.invited.iter().filter(|(id, _)| !is_held(id)) {
            missing.push(NewRow {
                record: event.id,
                person: id,
                fields: fields([("EventId", event.id), ("RelationId", id), ("Status", status)]),
            });
        }
        let gone = held.iter().filter(|row| {
            let relation = row.relation_id.as_deref().unwrap_or_default();
            is_person(relation) && !event.people.has(relation)
        });
        leftover.extend(gone.filter(|_| remove).map(|row| (event.id, row.id.as_str())));
    }
    let mut related = add_rows(client, user, "EventRelation", missing).await?;
    for some in leftover.chunks(collections::MOST_ROWS) {
        let path = collections::delete_path(some.iter().map(|(_, id)| *id));
        let call = Call::new(Method::DELETE, path, "");
        let saved: Vec<Saved> = client.send(&user.username, call).await?.json()?;
        for ((event, _), saved) in some.iter().zip(saved) {
            related.note(event, None, saved);
        }
    }
    Ok(related)
}

/// Relates the senders.
pub(super) async fn relate_senders(
    client: &Client,
    user: &CrmUser,
    mails: &[Pending<'_, Sender>],
) -> Result<Related, CrmError> {
    let old = mails.iter().filter(|mail| !mail.fresh).map(|mail| mail.id);
    let before =
        "SELECT EmailMessageId, RelationId FROM EmailMessageRelation WHERE RelationType = 'FromAddress' AND ";
    let queries = soql::in_lists(before, "EmailMessageId", old, "");
    let rows: Vec<SenderRow> = client.queries(&user.username, &queries).await?;
    let related = |mail: &str| {
        rows.iter()
            .any(|row| row.email_message_id == mail && row.relation_id.is_some())
    };
    let missing = mails
        .iter()
        .filter(|mail| mail.fresh || !related(mail.id))
        .map(|mail| {
            let row = fields([
                ("EmailMessageId", mail.id),
                ("RelationId", &mail.people.id),
                ("RelationType", "FromAddress"),
                ("RelationAddress", mail.people.address.expose()),
            ]);
            NewRow {
                record: mail.id,
                person: &mail.people.id,
                fields: row,
            }
        });
    add_rows(client, user, "EmailMessageRelation", missing.collect()).await
}

/// A person who is to be related to a record.
struct NewRow<'a> {
    record: &'a str,
    person: &'a str,
    fields: Fields,
}

async fn add_rows(
    client: &Client,
    user: &CrmUser,
    object: &str,
    rows: Vec<NewRow<'_>>,
) -> Result<Related, CrmError> {
    let mut related = Related::default();
    let fields: Vec<&Fields> = rows.iter().map(|row| &row.fields).collect();
    // These rows carry no key of ours: sending them twice could relate somebody twice.
    let saved = client
        .save(&user.username, Method::POST, object, &fields, false)
        .await?;
    for (row, saved) in rows.iter().zip(saved) {
        related.note(row.record, Some(row.person), saved);
    }
    Ok(related)
}

impl Related {
    /// A person who cannot be related for good (gone meanwhile, no right) does not make a failure of the record;
    /// one who could not be related just now does, so that the write is repeated.
    fn note(&mut self, record: &str, person: Option<&str>, saved: Saved) {
        if saved.success {
            return;
        }
        let Some(fault) = saved.errors.first() else { return };
        match codes::of_record(fault) {
            error @ (CrmError::Busy { .. } | CrmError::LimitReached { .. }) => {
                self.unfinished.insert(record.to_owned(), error);
            }
            // A relation that was to be taken away, and is.
            CrmError::Gone if person.is_none() => {}
            _ => {
                tracing::debug!(
                    record,
                    code = fault.code(),
                    "a person was not related to the record"
                );
                let refused = self.refused.entry(record.to_owned()).or_default();
                refused.extend(person.map(|id| CrmId(id.to_owned())));
            }
        }
    }
}

fn fields<const N: usize>(pairs: [(&str, &str); N]) -> Fields {
    let pairs = pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)));
    pairs.collect()
}
