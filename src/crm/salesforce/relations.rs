//! The people of a record that are rows of their own: an event's guests ([`super::guests`]) and a mail's sender
//! (EmailMessageRelation).
//!
//! They are written after the record, so a crash in between leaves a record without them. Whoever repeats the
//! write finds the record by its key and comes through here again: what is missing is added then.

use super::client::Client;
use super::codes;
use super::soql;
use super::wire::collections::{Fields, Saved};
use crate::crm::error::CrmError;
use crate::crm::model::{CrmId, CrmUser, Match, Who};
use crate::foundation::content::Content;
use crate::record::person::{Person, address_key};
use http::Method;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

/// The record that stands for a person: the first that the org named.
pub(super) fn preferred<'a>(person: &Person, matches: &'a [Match]) -> Option<&'a Who> {
    let key = address_key(person.address.expose());
    matches.iter().find(|known| known.address == key)?.who.first()
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
struct SenderRow {
    email_message_id: String,
    relation_id: Option<String>,
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
pub(super) struct NewRow<'a> {
    pub(super) record: &'a str,
    pub(super) person: &'a str,
    pub(super) fields: Fields,
}

pub(super) async fn add_rows(
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
    pub(super) fn note(&mut self, record: &str, person: Option<&str>, saved: Saved) {
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

pub(super) fn fields<const N: usize>(pairs: [(&str, &str); N]) -> Fields {
    let pairs = pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)));
    pairs.collect()
}
