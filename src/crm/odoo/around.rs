//! What rows name by id only: attendees with their addresses and answers, reminders, the cards of owners. Each
//! is one question for a whole page.

use super::call::Call;
use super::client::Client;
use super::convert::row::{Around, Guest, Row};
use super::domain::Domain;
use super::model::Person;
use super::users::Users;
use super::wire::value;
use crate::crm::error::CrmError;
use crate::foundation::content::Content;
use crate::record::event::Response;
use crate::record::person::Person as Named;
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};

#[derive(Deserialize)]
struct GuestRow {
    id: i64,
    #[serde(deserialize_with = "value::reference")]
    event_id: Option<i64>,
    #[serde(deserialize_with = "value::reference")]
    partner_id: Option<i64>,
    #[serde(default, deserialize_with = "value::text")]
    email: Content<String>,
    #[serde(default, deserialize_with = "value::text")]
    common_name: Content<String>,
    #[serde(default, deserialize_with = "value::string")]
    state: Option<String>,
}

#[derive(Deserialize)]
struct AlarmRow {
    id: i64,
    #[serde(default, deserialize_with = "value::string")]
    alarm_type: Option<String>,
    #[serde(default)]
    duration_minutes: i64,
}

/// Asks for what these rows name.
pub(super) async fn around<R: Row>(
    client: &Client,
    users: &Users,
    login: &str,
    me: &Person,
    rows: &[R],
) -> Result<Around, CrmError> {
    let mut around = Around {
        zone: me.zone,
        me: me.id,
        ..Around::default()
    };
    let events: Vec<i64> = rows
        .iter()
        .filter(|row| row.has_guests())
        .map(|row| row.head(me.id).id)
        .collect();
    if !events.is_empty() {
        around.guests = guests(client, login, &events).await?;
        let owners: BTreeSet<i64> = rows.iter().filter_map(|row| row.head(me.id).owner).collect();
        let owners: Vec<i64> = owners.into_iter().collect();
        around.cards = users.partners(login, &owners).await?;
    }
    let alarms: BTreeSet<i64> = rows.iter().flat_map(Row::reminders).copied().collect();
    if !alarms.is_empty() {
        around.reminders = reminders(client, login, alarms.into_iter().collect()).await?;
    }
    Ok(around)
}

/// The attendees of events.
pub(super) async fn guests(
    client: &Client,
    login: &str,
    events: &[i64],
) -> Result<HashMap<i64, Vec<Guest>>, CrmError> {
    let call = Call::of("calendar.attendee", "search_read")
        .with("domain", Domain::default().and("event_id", "in", json!(events)))
        .with(
            "fields",
            json!(["event_id", "partner_id", "email", "common_name", "state"]),
        )
        .with("order", "id");
    let rows: Vec<GuestRow> = client.ask(login, &call).await?;
    let mut guests: HashMap<i64, Vec<Guest>> = HashMap::new();
    for row in rows {
        let (Some(event), Some(partner)) = (row.event_id, row.partner_id) else {
            continue;
        };
        let address = row.email.expose().trim();
        let person = address.contains('@').then(|| Named {
            address: address.into(),
            name: Some(row.common_name.clone()).filter(|name| !name.expose().is_empty()),
        });
        guests.entry(event).or_default().push(Guest {
            row: row.id,
            partner,
            person,
            response: response(row.state.as_deref()),
        });
    }
    Ok(guests)
}

fn response(state: Option<&str>) -> Response {
    match state {
        Some("accepted") => Response::Accepted,
        Some("tentative") => Response::Tentative,
        Some("declined") => Response::Declined,
        _ => Response::None,
    }
}

/// The minutes of those reminders that are shown; the others are mails or messages, which are no reminder here.
pub(super) async fn reminders(
    client: &Client,
    login: &str,
    alarms: Vec<i64>,
) -> Result<HashMap<i64, u32>, CrmError> {
    let call = Call::of("calendar.alarm", "search_read")
        .with("domain", Domain::default().and("id", "in", alarms))
        .with("fields", json!(["alarm_type", "duration_minutes"]));
    let rows: Vec<AlarmRow> = client.ask(login, &call).await?;
    let shown = rows
        .into_iter()
        .filter(|row| row.alarm_type.as_deref() == Some("notification"));
    Ok(shown
        .filter_map(|row| Some((row.id, u32::try_from(row.duration_minutes).ok()?)))
        .collect())
}
