//! Where mail is filed: opportunities and cases of its people, records that have their addresses, and what the mails
//! before it are filed under.
//!
//! Object Reference: "OpportunityContactRole" names the contacts of an opportunity; "Case" has one contact;
//! "EmailMessage" has RelatedToId, and ParentId where it belongs to a case.

use super::client::Client;
use super::codes::{self, is_unknown_name};
use super::convert::row::KEY;
use super::soql;
use crate::crm::error::CrmError;
use crate::crm::filing::{AddressField, Filed, PlaceBy, PlaceId};
use crate::crm::model::{CrmUser, ExternalKey, Match, WhoKind};
use crate::foundation::content::Content;
use crate::record::person::address_key;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RoleRow {
    contact_id: Option<String>,
    opportunity_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CaseRow {
    id: String,
    contact_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MailRow {
    #[serde(rename = "Holdfast_Key__c")]
    key: Option<String>,
    related_to_id: Option<String>,
    parent_id: Option<String>,
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
            PlaceBy::Opportunity => {
                let rows = self.opportunities(user, &all_contacts(people)).await?;
                Ok(by_contact(people, rows))
            }
            PlaceBy::Case => {
                let rows = self.cases(user, &all_contacts(people)).await?;
                Ok(by_contact(people, rows))
            }
            PlaceBy::Address(field) => self.by_address(user, people, field).await,
        }
    }

    async fn opportunities(&self, user: &CrmUser, ids: &[&str]) -> Result<Vec<(String, PlaceId)>, CrmError> {
        let before = "SELECT ContactId, OpportunityId FROM OpportunityContactRole WHERE Opportunity.IsClosed = false AND ";
        let queries = soql::in_lists(before, "ContactId", ids.iter().copied(), "");
        let rows = self.client.queries(&user.username, &queries).await;
        let rows: Vec<RoleRow> = where_there_are_any(rows)?;
        let places = rows
            .into_iter()
            .filter_map(|row| Some((row.contact_id?, PlaceId(row.opportunity_id))));
        Ok(places.collect())
    }

    async fn cases(&self, user: &CrmUser, ids: &[&str]) -> Result<Vec<(String, PlaceId)>, CrmError> {
        let before = "SELECT Id, ContactId FROM Case WHERE IsClosed = false AND ";
        let queries = soql::in_lists(before, "ContactId", ids.iter().copied(), "");
        let rows = self.client.queries(&user.username, &queries).await;
        let rows: Vec<CaseRow> = where_there_are_any(rows)?;
        let places = rows
            .into_iter()
            .filter_map(|row| Some((row.contact_id?, PlaceId(row.id))));
        Ok(places.collect())
    }

    async fn by_address(
        &self,
        user: &CrmUser,
        people: &[Match],
        AddressField { object, field }: &AddressField,
    ) -> Result<Vec<Vec<PlaceId>>, CrmError> {
        let (object, field) = (object.as_str(), field.as_str());
        if object.contains('.') || field.contains('.') {
            // A name of another CRM's; here a dot leads from one object to the next, which is no place.
            return Err(CrmError::PlaceMissing {
                field: format!("{object}.{field}"),
            });
        }
        let before = format!("SELECT Id, {field} FROM {object} WHERE ");
        let addresses = people.iter().map(|person| person.address.expose().as_str());
        let queries = soql::in_lists(&before, field, addresses, "");
        let rows: Vec<Map<String, Value>> = match self.client.queries(&user.username, &queries).await {
            Err(error) if is_unknown_name(&error) => {
                return Err(CrmError::PlaceMissing {
                    field: format!("{object}.{field}"),
                });
            }
            rows => rows?,
        };
        let mut places: HashMap<Content<String>, Vec<PlaceId>> = HashMap::new();
        for row in rows {
            let named = |name: &str| {
                let found = row.iter().find(|(column, _)| column.eq_ignore_ascii_case(name));
                found.and_then(|(_, value)| value.as_str())
            };
            if let (Some(id), Some(address)) = (named("Id"), named(field)) {
                let places = places.entry(address_key(address)).or_default();
                places.push(PlaceId(id.to_owned()));
            }
        }
        let of = |person: &Match| places.get(&person.address).cloned().unwrap_or_default();
        Ok(people.iter().map(of).collect())
    }

    /// See [`Crm::filed`](crate::crm::port::Crm::filed).
    pub(super) async fn filed(
        &self,
        user: &CrmUser,
        keys: &[ExternalKey],
    ) -> Result<Vec<Option<Filed>>, CrmError> {
        let before = format!("SELECT {KEY}, RelatedToId, ParentId FROM EmailMessage WHERE ");
        let queries = soql::in_lists(&before, KEY, keys.iter().map(|key| key.0.as_str()), "");
        let rows = self.client.queries(&user.username, &queries).await;
        let rows: Vec<MailRow> = where_there_are_any(rows)?;
        let found: HashMap<String, Filed> = rows
            .into_iter()
            .filter_map(|row| {
                let under = row.related_to_id.or(row.parent_id).map(PlaceId);
                Some((row.key?, Filed { under }))
            })
            .collect();
        Ok(keys.iter().map(|key| found.get(&key.0).cloned()).collect())
    }
}

fn all_contacts(people: &[Match]) -> Vec<&str> {
    let ids: HashSet<&str> = people.iter().flat_map(contacts).collect();
    ids.into_iter().collect()
}

/// The places of the contacts among these people.
fn by_contact(people: &[Match], rows: Vec<(String, PlaceId)>) -> Vec<Vec<PlaceId>> {
    let mut places: HashMap<String, Vec<PlaceId>> = HashMap::new();
    for (contact, place) in rows {
        places.entry(contact).or_default().push(place);
    }
    let of = |person: &Match| {
        let found = contacts(person).filter_map(|id| places.get(id)).flatten();
        found.cloned().collect()
    };
    people.iter().map(of).collect()
}

fn contacts(person: &Match) -> impl Iterator<Item = &str> {
    let contacts = person.who.iter().filter(|who| who.kind == WhoKind::Contact);
    contacts.map(|who| who.id.0.as_str())
}

/// An edition without the object, or a user who may not see it or what it is filed under, has no such records.
fn where_there_are_any<T>(rows: Result<Vec<T>, CrmError>) -> Result<Vec<T>, CrmError> {
    match rows {
        Err(CrmError::NotPermitted { .. }) => Ok(Vec::new()),
        Err(error) if codes::is_unknown_name(&error) => Ok(Vec::new()),
        rows => rows,
    }
}
