//! A row of a model, as every kind of record is read from one.

use super::names::Form;
use crate::crm::model::{CrmId, CrmRecord, ExternalKey};
use crate::record::Record;
use crate::record::event::Response;
use crate::record::person::Person;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// What the feed needs of a row besides its content.
pub(in crate::crm::odoo) struct Head {
    /// The record.
    pub(in crate::crm::odoo) id: i64,
    /// Last change, by the database's clock.
    pub(in crate::crm::odoo) modified: DateTime<Utc>,
    /// Put away by somebody.
    pub(in crate::crm::odoo) archived: bool,
    /// Our key.
    pub(in crate::crm::odoo) key: Option<String>,
    /// Whose it is.
    pub(in crate::crm::odoo) owner: Option<i64>,
}

/// An attendee of an event.
#[derive(Clone)]
pub(in crate::crm::odoo) struct Guest {
    /// His row.
    pub(in crate::crm::odoo) row: i64,
    /// His card.
    pub(in crate::crm::odoo) partner: i64,
    /// Who it is; `None` without an address, since nobody could tell who he is on the other side.
    pub(in crate::crm::odoo) person: Option<Person>,
    /// What he answered.
    pub(in crate::crm::odoo) response: Response,
}

/// What rows name by id only.
#[derive(Default)]
pub(in crate::crm::odoo) struct Around {
    /// The attendees of events.
    pub(in crate::crm::odoo) guests: HashMap<i64, Vec<Guest>>,
    /// The minutes of reminders that are shown and not mailed.
    pub(in crate::crm::odoo) reminders: HashMap<i64, u32>,
    /// The cards of owners.
    pub(in crate::crm::odoo) cards: HashMap<i64, i64>,
    /// The zone in which the user's days begin.
    pub(in crate::crm::odoo) zone: chrono_tz::Tz,
    /// The user.
    pub(in crate::crm::odoo) me: i64,
}

/// A row of a model.
pub(in crate::crm::odoo) trait Row: DeserializeOwned + Send {
    /// What it is.
    const FORM: Form;
    /// Takes the head out.
    fn head(&self, me: i64) -> Head;
    /// The reminders that it names.
    fn reminders(&self) -> &[i64] {
        &[]
    }
    /// True where attendees belong to it.
    fn has_guests(&self) -> bool {
        false
    }
    /// What it says; `None` where it is no record of its kind (an event without a time, a company).
    fn record(self, around: &Around) -> Option<Record>;
}

/// A row as the port returns it.
pub(in crate::crm::odoo) fn into_record<R: Row>(row: R, around: &Around) -> Option<CrmRecord> {
    let head = row.head(around.me);
    let record = row.record(around)?;
    Some(CrmRecord {
        id: R::FORM.id(head.id),
        modified: head.modified,
        key: head.key.map(ExternalKey),
        owner: head.owner.map(|id| CrmId(id.to_string())),
        record,
        fixed: false,
        listed: true,
    })
}
