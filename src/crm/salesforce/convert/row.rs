//! A row of an object, as every kind of record is read from one.

use super::relation::Relation;
use crate::crm::model::{CrmId, CrmRecord, ExternalKey};
use crate::foundation::content::Content;
use crate::record::Record;
use crate::record::person::Person;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// The column that holds our key: text of 64 characters, unique, an external id. On activities it is made
/// once, on Activity, and serves events and tasks alike.
pub(in crate::crm::salesforce) const KEY: &str = "Holdfast_Key__c";

/// The columns that every object has.
pub(in crate::crm::salesforce) const HEAD: &str = "Id, SystemModstamp, IsDeleted";

/// What the feed needs of a row besides its content.
pub(in crate::crm::salesforce) struct Head {
    /// The record.
    pub(in crate::crm::salesforce) id: String,
    /// Last change, by the org's clock.
    pub(in crate::crm::salesforce) modified: DateTime<Utc>,
    /// In the recycle bin.
    pub(in crate::crm::salesforce) deleted: bool,
    /// Our key.
    pub(in crate::crm::salesforce) key: Option<String>,
    /// Whose it is.
    pub(in crate::crm::salesforce) owner: Option<String>,
    /// A change of it would change others as well.
    pub(in crate::crm::salesforce) fixed: bool,
}

/// The people behind record ids.
pub(in crate::crm::salesforce) type People = HashMap<String, Person>;

/// A row of an object.
pub(in crate::crm::salesforce) trait Row: DeserializeOwned + Send {
    /// Takes the head out.
    fn head(&self) -> Head;
    /// The ids of the people that it names without their addresses.
    fn people(&self) -> Vec<&str> {
        Vec::new()
    }
    /// The path of further people whom it names, where the answer has the first of them only.
    fn take_rest(&mut self) -> Option<String> {
        None
    }
    /// Those people.
    fn add_rest(&mut self, _rest: Vec<Relation>) {}
    /// What it says; `None` where it makes no sense (an event without a time).
    fn record(self, people: &People) -> Option<Record>;
}

/// A row as the port returns it.
pub(in crate::crm::salesforce) fn into_record<R: Row>(row: R, people: &People) -> Option<CrmRecord> {
    let head = row.head();
    let record = row.record(people)?;
    Some(CrmRecord {
        id: CrmId(head.id),
        modified: head.modified,
        key: head.key.map(ExternalKey),
        owner: head.owner.map(CrmId),
        record,
        fixed: head.fixed,
        listed: true,
    })
}

/// An absent text is an empty one.
pub(super) fn text(value: Option<String>) -> Content<String> {
    Content::new(value.unwrap_or_default())
}

/// A person as the org knows him.
pub(in crate::crm::salesforce) fn person(address: String, name: Option<String>) -> Person {
    Person {
        address: address.into(),
        name: name.filter(|name| !name.is_empty()).map(Into::into),
    }
}

/// True for the id of a contact, a lead or a user; false for a room, an account, an opportunity.
pub(in crate::crm::salesforce) fn is_person(id: &str) -> bool {
    ["003", "00Q", "005"].iter().any(|prefix| id.starts_with(prefix))
}
