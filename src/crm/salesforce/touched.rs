//! Events whose guests changed. Who is invited or uninvited, or answers, changes a row of EventRelation and
//! not always the event, so the feed of events asks for changed relations too, in the same call.

use super::client::{Client, misfit, rows_of};
use super::convert::event::EventRow;
use super::cursor::{self, Cursor};
use super::soql::{self, literal};
use super::wire::composite::Outcome;
use super::wire::query::Rows;
use crate::crm::error::CrmError;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::collections::BTreeSet;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RelationRow {
    id: String,
    event_id: String,
    system_modstamp: String,
}

/// The query for relations of the user's events that changed since, encoded.
pub(super) fn question(owner: &str, since: DateTime<Utc>) -> String {
    soql::encoded(&format!(
        "SELECT Id, EventId, SystemModstamp FROM EventRelation WHERE Event.OwnerId = {} AND SystemModstamp >= {}",
        literal(owner),
        soql::instant(since)
    ))
}

/// The events that the relations name and that are not among these rows, as `select` reads them.
pub(super) async fn events(
    client: &Client,
    username: &str,
    (select, rows, answered): (&str, &[EventRow], Option<DateTime<Utc>>),
    relations: Outcome,
    cursor: &mut Cursor,
) -> Result<Vec<EventRow>, CrmError> {
    let relations: Rows<RelationRow> = rows_of(relations)?;
    let known: BTreeSet<&str> = rows.iter().map(EventRow::id).collect();
    let mut touched = BTreeSet::new();
    for relation in client.rest(username, relations).await? {
        let at = super::convert::time::parse(&relation.system_modstamp).ok_or_else(misfit)?;
        if cursor.is_news(&relation.id, at, answered, cursor::FEED)
            && !known.contains(relation.event_id.as_str())
        {
            touched.insert(relation.event_id);
        }
    }
    let condition = format!("{select} WHERE IsChild = false AND ");
    let queries = soql::in_lists(&condition, "Id", touched.iter().map(String::as_str), "");
    client.queries(username, &queries).await
}
