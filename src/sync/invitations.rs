//! Whether people are mailed of what happens to a meeting in the CRM (promise P7: nobody, unless a policy says so). Pure.

use crate::record::Record;
use crate::record::field::{Field, FieldSet};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What people who are asked to a meeting learn from the mail server of what the CRM's users do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invitations {
    /// Nothing.
    #[default]
    Never,
    /// The organiser's mail server invites them to what is made in the CRM, and tells them when it is moved, renamed or
    /// called off there, as if the organiser had done it in his calendar.
    FromCrm,
}

/// The fields of whose change people are told.
const TOLD: FieldSet = FieldSet::of(&[Field::Subject, Field::Location, Field::When, Field::Attendees]);

/// True where somebody is to be told of a meeting: it is its owner's own, somebody is asked to it, and it is not over.
pub fn concerns_somebody(record: &Record, now: DateTime<Utc>) -> bool {
    match record {
        Record::Event(event) => {
            event.is_organizer && event.when.span().1 > now && !event.attendees.is_empty()
        }
        _ => false,
    }
}

/// True where people are told that these fields of a meeting were changed, which was like this before and is like that
/// now.
pub fn is_news(before: &Record, after: &Record, fields: FieldSet, now: DateTime<Utc>) -> bool {
    let owned = matches!(before, Record::Event(event) if event.is_organizer);
    let either = concerns_somebody(before, now) || concerns_somebody(after, now);
    owned && either && !fields.and(TOLD).is_empty()
}
