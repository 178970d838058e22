//! The guests of an event: columns of it, and rows of their own (EventRelation).
//!
//! Answers live in the rows of invitees. A contact or lead in an event's columns has such a row once he has answered:
//! with shared activities the one that relates him, which then says that he is invited too, and else one of his own.

use super::client::Client;
use super::convert::row::is_person;
use super::relations::{NewRow, Pending, Related, add_rows, fields, preferred};
use super::soql;
use super::wire::collections::{self, Fields};
use crate::crm::error::CrmError;
use crate::crm::model::{CrmId, CrmUser, Match, WhoKind};
use crate::record::event::{Attendee, Response};
use crate::record::field::{Field, FieldSet};
use http::Method;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

/// "EventRelation", Object Reference: so many contacts, or one lead, are columns of an event.
const MOST_WHO: usize = 50;

/// The same: so many people can be invited to an event that is no series, beside those in its columns. Without
/// shared activities an invited contact needs a row, so this is what every org takes.
pub(super) const MOST_INVITED: usize = 1_000;

/// Visible with shared activities alone, like the rows of those who are no invitees.
pub(super) const IS_INVITEE: &str = "IsInvitee";

/// Of somebody who has not answered.
const NEW: &str = "New";

/// What is told of an event's guests.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Who they are.
    pub(super) list: bool,
    /// What they answered.
    pub(super) answers: bool,
}

impl Told {
    /// Of a new event.
    pub(super) const ALL: Self = Self {
        list: true,
        answers: true,
    };

    /// Of a change of these fields.
    pub(super) fn of(fields: FieldSet) -> Self {
        Self {
            list: fields.has(Field::Attendees),
            answers: fields.has(Field::Responses),
        }
    }
}

/// A guest, and what he answered.
type Guest = (String, &'static str);

/// The guests of an event as Salesforce holds them.
#[derive(Clone, Default)]
pub(super) struct Guests {
    /// Contacts, or one lead: columns of the event. The first is its WhoId.
    who: Vec<Guest>,
    /// Everybody else: rows.
    invited: Vec<Guest>,
    told: Told,
}

impl Guests {
    /// Sorts the attendees whom the org knows. The owner is no guest of his own event. Without shared
    /// activities an event has one person in its columns.
    pub(super) fn of(
        attendees: &[Attendee],
        matches: &[Match],
        owner: &CrmId,
        shared: bool,
        told: Told,
    ) -> Self {
        let mut known: Vec<(WhoKind, String, &'static str)> = Vec::new();
        for attendee in attendees {
            let Some(who) = preferred(&attendee.person, matches) else {
                continue;
            };
            if who.id != *owner && !known.iter().any(|(_, id, _)| *id == who.id.0) {
                known.push((who.kind, who.id.0.clone(), status(attendee.response)));
            }
        }
        let as_what = |kind| known.iter().filter(move |(of, _, _)| *of == kind);
        let mut who: Vec<&(WhoKind, String, &str)> = as_what(WhoKind::Contact).collect();
        if who.is_empty() {
            who.extend(as_what(WhoKind::Lead).next());
        }
        who.truncate(if shared { MOST_WHO } else { 1 });
        let who: Vec<Guest> = who
            .into_iter()
            .map(|(_, id, status)| (id.clone(), *status))
            .collect();
        let guests = known.into_iter().map(|(_, id, status)| (id, status));
        let invited = guests.filter(|guest| !who.contains(guest)).collect();
        Self { who, invited, told }
    }

    /// Those in the columns.
    pub(super) fn who(&self) -> impl Iterator<Item = &str> {
        self.who.iter().map(|(id, _)| id.as_str())
    }

    /// True where somebody is a row, or has to become one.
    pub(super) fn has_rows(&self) -> bool {
        !self.invited.is_empty() || self.answers_of_columns().next().is_some()
    }

    fn answers_of_columns(&self) -> impl Iterator<Item = &Guest> {
        let answered = self.who.iter().filter(|(_, status)| *status != NEW);
        answered.filter(|_| self.told.answers)
    }

    /// Those who must have rows. Whoever is in the columns has one anyway where `columns_have_rows`.
    fn rows(&self, columns_have_rows: bool) -> impl Iterator<Item = &Guest> {
        let invited = self.invited.iter().filter(|_| self.told.list);
        invited.chain(self.answers_of_columns().filter(move |_| !columns_have_rows))
    }

    fn get(&self, id: &str) -> Option<&Guest> {
        self.who.iter().chain(&self.invited).find(|(of, _)| of == id)
    }

    fn is_column(&self, id: &str) -> bool {
        self.who.iter().any(|(of, _)| of == id)
    }
}

fn status(response: Response) -> &'static str {
    match response {
        Response::Accepted => "Accepted",
        Response::Declined => "Declined",
        Response::None | Response::Tentative => NEW,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GuestRow {
    id: String,
    event_id: String,
    relation_id: Option<String>,
    status: Option<String>,
}

/// How the guests of events are to be made rows.
pub(super) struct Rows<'a> {
    pub(super) client: &'a Client,
    pub(super) user: &'a CrmUser,
    /// Whoever is in the columns has a row as well.
    pub(super) columns_have_rows: bool,
    /// Whoever is not invited any more loses his row.
    pub(super) remove: bool,
}

impl Rows<'_> {
    /// The rows that there are, of those events that may have some that matter.
    async fn held(&self, events: &[Pending<'_, Guests>]) -> Result<Vec<GuestRow>, CrmError> {
        let may_have = |event: &&Pending<'_, Guests>| {
            let related = self.columns_have_rows && event.people.answers_of_columns().next().is_some();
            !event.fresh || related
        };
        let ids = events.iter().filter(may_have).map(|event| event.id);
        let before = "SELECT Id, EventId, RelationId, Status FROM EventRelation WHERE ";
        let queries = soql::in_lists(before, "EventId", ids, "");
        self.client.queries(&self.user.username, &queries).await
    }

    async fn change(&self, changes: Vec<(&str, Fields)>) -> Result<Related, CrmError> {
        let mut related = Related::default();
        let rows: Vec<&Fields> = changes.iter().map(|(_, row)| row).collect();
        let saved = self
            .client
            .save(&self.user.username, Method::PATCH, "EventRelation", &rows, true)
            .await?;
        for ((event, _), saved) in changes.iter().zip(saved) {
            related.note(event, None, saved);
        }
        Ok(related)
    }

    async fn take_off(&self, rows: &[(&str, &str)]) -> Result<Related, CrmError> {
        let mut related = Related::default();
        for some in rows.chunks(collections::MOST_ROWS) {
            let ids = some.iter().map(|(_, id)| *id);
            let saved = self.client.delete(&self.user.username, ids).await?;
            for ((event, _), saved) in some.iter().zip(saved) {
                related.note(event, None, saved);
            }
        }
        Ok(related)
    }
}

/// Adds the guests that are rows, takes away those who are not invited any more, and sets what they answered.
pub(super) async fn relate_guests(
    rows: Rows<'_>,
    events: &[Pending<'_, Guests>],
) -> Result<Related, CrmError> {
    let there = rows.held(events).await?;
    let mut held: HashMap<&str, Vec<&GuestRow>> = HashMap::new();
    for row in &there {
        held.entry(&row.event_id).or_default().push(row);
    }
    let (mut missing, mut changed, mut leftover) = (Vec::new(), Vec::new(), Vec::new());
    for Pending {
        id: event, people, ..
    } in events
    {
        let held = held.get(event).map(Vec::as_slice).unwrap_or_default();
        let is_held = |id: &str| held.iter().any(|row| row.relation_id.as_deref() == Some(id));
        let new = people.rows(rows.columns_have_rows).filter(|(id, _)| !is_held(id));
        missing.extend(new.map(|(id, status)| NewRow {
            record: event,
            person: id,
            fields: fields([("EventId", *event), ("RelationId", id), ("Status", status)]),
        }));
        for row in held {
            let relation = row.relation_id.as_deref().unwrap_or_default();
            match people.get(relation) {
                Some(guest) if people.told.answers => {
                    let is_related = rows.columns_have_rows && people.is_column(relation);
                    changed.extend(answered(row, guest, is_related).map(|row| (*event, row)));
                }
                Some(_) => {}
                None if rows.remove && people.told.list && is_person(relation) => {
                    leftover.push((*event, row.id.as_str()));
                }
                None => {}
            }
        }
    }
    let mut related = add_rows(rows.client, rows.user, "EventRelation", missing).await?;
    related.add(rows.change(changed).await?);
    related.add(rows.take_off(&leftover).await?);
    Ok(related)
}

/// What is to be set in a guest's row; `None` where it says so already.
fn answered(row: &GuestRow, (_, status): &Guest, is_related: bool) -> Option<Fields> {
    if row.status.as_deref().unwrap_or(NEW) == *status {
        return None;
    }
    let mut answer = fields([("id", row.id.as_str()), ("Status", status)]);
    if is_related {
        answer.insert(IS_INVITEE.to_owned(), Value::from(true));
    }
    Some(answer)
}
