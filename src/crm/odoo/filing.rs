//! Where mail is filed: the chatter of one record, which is an opportunity, a record with an address of the mail, or else
//! a contact or lead.
//!
//! A place is spelt `MODEL:NUMBER`. A bare number is a contact's company ([`Who::account`](crate::crm::model::Who)): its
//! mail stays with the contact. The thread says where its mails are for the same reason only of other records than
//! contacts: which contact of an answer comes first is the answer's own business.

use super::call::Call;
use super::client::Client;
use super::convert::{self, Form};
use super::domain::Domain;
use super::schema::is_not_there;
use super::wire::value;
use crate::crm::error::CrmError;
use crate::crm::filing::{AddressField, Filed, PlaceBy, PlaceId};
use crate::crm::model::{CrmUser, ExternalKey, Match, WhoKind};
use crate::foundation::content::Content;
use crate::record::person::address_key;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

const LEAD: &str = "crm.lead";
const CONTACT: &str = "res.partner";
/// What Odoo's support is kept in; not among what Odoo gives away, and not looked into.
const TICKET: &str = "helpdesk.ticket";
/// Keys, or people, in one question.
const MOST_KEYS: usize = 1000;
/// Addresses in one question that compares them whatever their case.
const MOST_ADDRESSES: usize = 100;

#[derive(Deserialize)]
struct OpportunityRow {
    id: i64,
    #[serde(default, deserialize_with = "value::reference")]
    partner_id: Option<i64>,
}

#[derive(Deserialize)]
struct MailRow {
    #[serde(deserialize_with = "value::string")]
    x_holdfast_key: Option<String>,
    #[serde(default, deserialize_with = "value::string")]
    model: Option<String>,
    #[serde(default)]
    res_id: Value,
}

/// The record behind a place; `None` for a company.
pub(super) fn parted(place: &PlaceId) -> Option<(&str, i64)> {
    let (model, id) = place.0.split_once(':')?;
    Some((model, id.parse().ok()?))
}

fn place(model: &str, id: i64) -> PlaceId {
    PlaceId(format!("{model}:{id}"))
}

/// Finds places.
pub(super) struct Filing {
    client: Arc<Client>,
}

impl Filing {
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self { client }
    }

    /// See [`Crm::places`](crate::crm::port::Crm::places).
    pub(super) async fn places(
        &self,
        user: &CrmUser,
        by: &PlaceBy,
        people: &[Match],
    ) -> Result<Vec<Vec<PlaceId>>, CrmError> {
        match by {
            PlaceBy::Opportunity => self.opportunities(user, people).await,
            PlaceBy::Case => Err(CrmError::PlaceMissing {
                field: TICKET.to_owned(),
            }),
            PlaceBy::Address(field) => self.by_address(user, people, field).await,
        }
    }

    /// Open opportunities of the contacts among these people, and those that bear their address themselves.
    async fn opportunities(&self, user: &CrmUser, people: &[Match]) -> Result<Vec<Vec<PlaceId>>, CrmError> {
        let contacts: Vec<i64> = all(people, WhoKind::Contact);
        let leads: Vec<i64> = all(people, WhoKind::Lead);
        let mut of_contact: HashMap<i64, Vec<i64>> = HashMap::new();
        for some in contacts.chunks(MOST_KEYS) {
            for row in self.open(user, "partner_id", some).await? {
                let contact = row.partner_id.unwrap_or_default();
                of_contact.entry(contact).or_default().push(row.id);
            }
        }
        let mut themselves = BTreeSet::new();
        for some in leads.chunks(MOST_KEYS) {
            themselves.extend(self.open(user, "id", some).await?.into_iter().map(|row| row.id));
        }
        let places = people.iter().map(|person| {
            let own = ids(person, WhoKind::Lead).filter(|id| themselves.contains(id));
            let theirs = ids(person, WhoKind::Contact)
                .filter_map(|id| of_contact.get(&id))
                .flatten();
            let found: BTreeSet<i64> = own.chain(theirs.copied()).collect();
            found.into_iter().map(|id| place(LEAD, id)).collect()
        });
        Ok(places.collect())
    }

    async fn open(&self, user: &CrmUser, field: &str, ids: &[i64]) -> Result<Vec<OpportunityRow>, CrmError> {
        // What is lost is archived, which a search leaves out.
        let domain = Domain::default()
            .and(field, "in", json!(ids))
            .and("type", "=", "opportunity")
            .and("stage_id.is_won", "!=", true);
        let call = Call::of(LEAD, "search_read")
            .with("domain", domain)
            .with("fields", json!(["partner_id"]))
            .with("order", "id");
        match self.client.ask(&user.username, &call).await {
            // An Odoo without opportunities, or a user who may not see them, has none.
            Err(error) if is_not_there(&error) => Ok(Vec::new()),
            rows => rows,
        }
    }

    async fn by_address(
        &self,
        user: &CrmUser,
        people: &[Match],
        AddressField { object, field }: &AddressField,
    ) -> Result<Vec<Vec<PlaceId>>, CrmError> {
        let (model, field) = (object.as_str(), field.as_str());
        let missing = || CrmError::PlaceMissing {
            field: format!("{model}.{field}"),
        };
        let mut found: HashMap<Content<String>, Vec<PlaceId>> = HashMap::new();
        for some in people.chunks(MOST_ADDRESSES) {
            let call = Call::of(model.to_owned(), "search_read")
                .with("domain", any_of(field, some))
                .with("fields", json!([field]))
                .with("order", "id");
            let rows: Vec<Map<String, Value>> = match self.client.ask(&user.username, &call).await {
                Err(CrmError::NotPermitted { .. }) => continue,
                // No such model, or no such field.
                Err(CrmError::ApplicationRefused { code }) if code == "NotFound" => return Err(missing()),
                Err(CrmError::BadRequest { .. } | CrmError::RuleRefused { .. }) => return Err(missing()),
                rows => rows?,
            };
            for row in rows {
                let address = row.get(field).and_then(Value::as_str);
                let id = row.get("id").and_then(Value::as_i64);
                if let (Some(address), Some(id)) = (address, id) {
                    found
                        .entry(address_key(address))
                        .or_default()
                        .push(place(model, id));
                }
            }
        }
        let of = |person: &Match| found.get(&person.address).cloned().unwrap_or_default();
        Ok(people.iter().map(of).collect())
    }

    /// See [`Crm::filed`](crate::crm::port::Crm::filed).
    pub(super) async fn filed(
        &self,
        user: &CrmUser,
        keys: &[ExternalKey],
    ) -> Result<Vec<Option<Filed>>, CrmError> {
        let mut found = HashMap::new();
        for some in keys.chunks(MOST_KEYS) {
            let some: Vec<&str> = some.iter().map(|key| key.0.as_str()).collect();
            let call = Call::of(Form::Mail.model(), "search_read")
                .with("domain", Domain::default().and(convert::KEY, "in", json!(some)))
                .with("fields", json!([convert::KEY, "model", "res_id"]))
                .with("order", "id desc");
            let rows: Vec<MailRow> = self.client.ask(&user.username, &call).await?;
            found.extend(rows.into_iter().filter_map(|row| {
                let under = match (row.model.as_deref(), row.res_id.as_i64()) {
                    (Some(model), Some(id)) if model != CONTACT && id > 0 => Some(place(model, id)),
                    _ => None,
                };
                Some((row.x_holdfast_key?, Filed { under }))
            }));
        }
        Ok(keys.iter().map(|key| found.get(&key.0).cloned()).collect())
    }
}

fn ids(person: &Match, kind: WhoKind) -> impl Iterator<Item = i64> {
    let who = person.who.iter().filter(move |who| who.kind == kind);
    who.filter_map(|who| who.id.0.parse().ok())
}

fn all(people: &[Match], kind: WhoKind) -> Vec<i64> {
    let all: BTreeSet<i64> = people.iter().flat_map(|person| ids(person, kind)).collect();
    all.into_iter().collect()
}

/// A field has one of these addresses, in any case.
fn any_of(field: &str, people: &[Match]) -> Value {
    let mut domain = vec![json!("|"); people.len().saturating_sub(1)];
    domain.extend(people.iter().map(|person| {
        let address = person.address.expose();
        // What stands for any letter in a pattern stands for itself in an address.
        let literal: String = address.chars().fold(String::new(), |mut text, letter| {
            if matches!(letter, '%' | '_' | '\\') {
                text.push('\\');
            }
            text.push(letter);
            text
        });
        json!([field, "=ilike", literal])
    }));
    Value::Array(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(address: &str) -> Match {
        Match {
            address: address.into(),
            who: Vec::new(),
        }
    }

    #[test]
    fn a_place_names_its_record_and_a_company_is_none() {
        assert_eq!(parted(&place("crm.lead", 7)), Some(("crm.lead", 7)));
        assert_eq!(parted(&PlaceId("42".to_owned())), None);
        assert_eq!(parted(&PlaceId("crm.lead:x".to_owned())), None);
    }

    #[test]
    fn no_address_is_a_pattern() {
        let domain = any_of("email", &[person("a_b%@x.example"), person("c@x.example")]);
        let expected = json!([
            "|",
            ["email", "=ilike", "a\\_b\\%@x.example"],
            ["email", "=ilike", "c@x.example"]
        ]);
        assert_eq!(domain, expected);
    }
}
