//! The addresses of people whom a row names by id only.

use super::client::Client;
use super::convert::row::{People, Row, person};
use super::soql;
use super::wire::query::Rows;
use crate::crm::error::CrmError;
use serde::Deserialize;
use std::collections::BTreeSet;

/// A contact, lead or user as an attendee is named.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PersonRow {
    id: String,
    email: Option<String>,
    name: Option<String>,
}

/// The people whom these rows name by id only: three queries at most, in one call. Someone without an
/// address is left out, since nobody could tell who he is on the other side.
///
/// Salesforce pages the rows below a row too. Whoever is on a further page would look as if he had been taken off
/// the event, so those are fetched first.
pub(super) async fn people<R: Row>(
    client: &Client,
    username: &str,
    rows: &mut [R],
) -> Result<People, CrmError> {
    for row in rows.iter_mut() {
        if let Some(path) = row.take_rest() {
            let rest = Rows {
                records: Vec::new(),
                total: None,
                done: false,
                next: Some(path),
            };
            row.add_rest(client.rest(username, rest).await?);
        }
    }
    let ids: BTreeSet<&str> = rows.iter().flat_map(Row::people).collect();
    let mut queries = Vec::new();
    for (prefix, object) in [("003", "Contact"), ("00Q", "Lead"), ("005", "User")] {
        let ids = ids.iter().copied().filter(|id| id.starts_with(prefix));
        let select = format!("SELECT Id, Email, Name FROM {object} WHERE ");
        queries.append(&mut soql::in_lists(&select, "Id", ids, ""));
    }
    let rows: Vec<PersonRow> = match client.queries(username, &queries).await {
        Err(CrmError::NotPermitted { .. }) => where_allowed(client, username, &queries).await?,
        rows => rows?,
    };
    let people = rows.into_iter().filter_map(|row| {
        let address = row.email.filter(|address| !address.is_empty())?;
        Some((row.id, person(address, row.name)))
    });
    Ok(people.collect())
}

/// One by one, without those objects that the user may not see.
async fn where_allowed(
    client: &Client,
    username: &str,
    queries: &[String],
) -> Result<Vec<PersonRow>, CrmError> {
    let mut all = Vec::new();
    for query in queries {
        match client.queries(username, std::slice::from_ref(query)).await {
            Ok(mut rows) => all.append(&mut rows),
            Err(CrmError::NotPermitted { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}
