//! What the synchronising app makes, deletes and overwrites in the org, told to the ledger.
//!
//! The vendor's REST API knows no version that a write could be tied to, so an update is lost when it overwrites a
//! field that a person changed after the app last read the record. The org keeps that in memory; a restarted lab
//! begins anew.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::World;
use super::rest::ask::{Answer, Body};
use super::store::{Fields, MADE_BY_SYNC, Row, State};
use super::transaction::{Caller, Touch};
use crate::faults::Side;
use crate::ledger::Noticed;
use crate::likeness::{Holder, Likeness};

/// What a person's copies on the other side can be.
const OBJECTS: [&str; 3] = ["Event", "Task", "Contact"];

/// Fields that the org itself sets.
const STAMPS: [&str; 3] = ["LastModifiedById", "LastModifiedDate", "SystemModstamp"];

/// When people last changed which field, and when the app last read the record.
#[derive(Clone, Default)]
pub struct Edits {
    by_people: HashMap<String, HashMap<&'static str, DateTime<Utc>>>,
    read: HashMap<String, DateTime<Utc>>,
}

impl Edits {
    /// The app was given this answer. What was written out before is a description, and no record.
    pub(super) fn was_given(&mut self, answer: &Answer, now: DateTime<Utc>) {
        match &answer.body {
            Body::Json(body) => self.saw(body, now),
            Body::Steps(steps) => steps.iter().for_each(|(_, answer)| self.was_given(answer, now)),
            Body::Text(_) | Body::Bytes(_) | Body::Empty => {}
        }
    }

    fn saw(&mut self, answer: &Value, now: DateTime<Utc>) {
        match answer {
            Value::Array(all) => all.iter().for_each(|one| self.saw(one, now)),
            Value::Object(all) => {
                if let Some(Value::String(id)) = all.get("Id") {
                    self.read.insert(id.clone(), now);
                }
                all.values().for_each(|one| self.saw(one, now));
            }
            _ => {}
        }
    }

    /// Whether the app overwrote something unseen; remembers what people change.
    fn lost(&mut self, caller: &Caller, touch: &Touch, now: DateTime<Utc>) -> bool {
        let (Some(old), Some(new)) = (&touch.old, &touch.new) else {
            return false;
        };
        let fields = changed(old, new);
        if !caller.syncs {
            let edits = self.by_people.entry(touch.id.clone()).or_default();
            edits.extend(fields.map(|field| (field, now)));
            return false;
        }
        let read = self.read.get(&touch.id).copied().unwrap_or_default();
        let Some(edits) = self.by_people.get_mut(&touch.id) else {
            return false;
        };
        // Each edit is lost once.
        let overwritten = fields.filter_map(|field| edits.remove(field));
        overwritten.max().is_some_and(|at| at > read)
    }
}

fn changed<'a>(old: &'a Row, new: &'a Row) -> impl Iterator<Item = &'static str> + use<'a> {
    let names = old
        .keys()
        .chain(new.keys().filter(|name| !old.contains_key(*name)));
    names
        .copied()
        .filter(|name| old.get(name) != new.get(name) && !STAMPS.contains(name))
}

impl World {
    /// Tells of what a transaction did, once it is over and the rows are free again.
    pub(super) fn notice(&self, caller: &Caller, touches: &[Touch], now: DateTime<Utc>) {
        let lost: Vec<&Touch> = {
            let mut edits = self.edits();
            touches
                .iter()
                .filter(|touch| edits.lost(caller, touch, now))
                .collect()
        };
        if !caller.syncs {
            return;
        }
        for touch in lost {
            self.ledger.record(Noticed::LostUpdate {
                side: Side::Salesforce,
                mailbox: caller.username.clone(),
                id: touch.id.clone(),
            });
        }
        self.notice_made(touches);
        for touch in touches {
            self.notice_gone(touch);
        }
    }

    fn notice_made(&self, touches: &[Touch]) {
        let mut things: BTreeMap<Likeness, Vec<String>> = BTreeMap::new();
        {
            let state = self.read();
            let made = touches.iter().filter(|touch| touch.old.is_none());
            let made: Vec<_> = made
                .filter_map(|touch| Some((touch.object, touch.new.as_ref()?)))
                .collect();
            for (object, row) in &made {
                if let Some(thing) = likeness(&state, object, row) {
                    things.entry(thing).or_default();
                }
            }
            let mut places: BTreeSet<(&str, &str)> = BTreeSet::new();
            places.extend(made.iter().map(|(object, row)| (*object, place(object, row))));
            for (object, place) in places {
                for row in living_at(&state, object, place) {
                    let copies = likeness(&state, object, row).and_then(|thing| things.get_mut(&thing));
                    copies
                        .into_iter()
                        .for_each(|copies| copies.push(row.text("Id").to_owned()));
                }
            }
        }
        for (thing, ids) in things {
            self.ledger.made(Side::Salesforce, &thing, ids);
        }
    }

    /// Into the recycle bin.
    fn notice_gone(&self, touch: &Touch) {
        let (Some(old), Some(new)) = (&touch.old, &touch.new) else {
            return;
        };
        if old.flag("IsDeleted") || !new.flag("IsDeleted") || old.flag(MADE_BY_SYNC) {
            return;
        }
        let (thing, left) = {
            let state = self.read();
            let Some(thing) = likeness(&state, touch.object, old) else {
                return;
            };
            let left = copies(&state, touch.object, &thing, &[place(touch.object, old)]);
            (thing, left)
        };
        self.ledger.gone(Side::Salesforce, &thing, left, touch.id.clone());
    }
}

/// Where the rows stand among which a row's copies are: with the same owner, or under the same Message-ID.
fn place<'a>(object: &str, row: &'a Row) -> &'a str {
    match object {
        "EmailMessage" => row.text("MessageIdentifier"),
        _ => row.text("OwnerId"),
    }
}

/// The living rows there. A Message-ID stands with its brackets or without.
fn living_at<'a>(
    state: &'a State,
    object: &str,
    place: &str,
) -> impl Iterator<Item = &'a Arc<Row>> + use<'a> {
    let table = state.table(object);
    let (field, places) = match object {
        "EmailMessage" => {
            let bare = place.trim_start_matches('<').trim_end_matches('>');
            ("MessageIdentifier", vec![bare.to_owned(), format!("<{bare}>")])
        }
        _ => ("OwnerId", vec![place.to_owned()]),
    };
    let rows = places
        .into_iter()
        .flat_map(move |place| table.live_where(field, &place));
    rows.filter(|row| !row.flag("IsChild"))
}

fn copies(state: &State, object: &str, thing: &Likeness, places: &[&str]) -> usize {
    let rows = places.iter().flat_map(|place| living_at(state, object, place));
    rows.filter(|row| likeness(state, object, row).as_ref() == Some(thing))
        .count()
}

/// What a row is, for a person who looks at both sides.
fn likeness(state: &State, object: &str, row: &Row) -> Option<Likeness> {
    let owner = state.row("User", row.text("OwnerId"));
    let owner = owner.map(|owner| owner.text("Email")).unwrap_or_default();
    let subject = row.text("Subject");
    Some(match object {
        "Event" => {
            let start = match row.flag("IsAllDayEvent") {
                true => row.text("ActivityDate"),
                false => row.text("StartDateTime").get(..16).unwrap_or_default(),
            };
            Likeness::event(owner, subject, start)
        }
        // A mail has a task of its own beside it.
        "Task" if row.text("TaskSubtype") == "Email" => return None,
        "Task" => Likeness::task(owner, subject, row.text("ActivityDate"), row.text("Description")),
        "Contact" => Likeness::contact(
            owner,
            row.text("Email"),
            row.text("FirstName"),
            row.text("LastName"),
        ),
        "EmailMessage" if !row.text("MessageIdentifier").is_empty() => {
            Likeness::mail(row.text("MessageIdentifier"))
        }
        _ => return None,
    })
}

impl Holder for World {
    fn copies(&self, thing: &Likeness) -> usize {
        let state = self.read();
        // Mail is made here alone, so that the other side never asks for it.
        let owners = state.table("User").live_where("Email", &thing.owner);
        let owners: Vec<&str> = owners.map(|owner| owner.text("Id")).collect();
        let counts = OBJECTS
            .iter()
            .map(|object| copies(&state, object, thing, &owners));
        counts.sum()
    }
}
