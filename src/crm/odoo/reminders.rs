//! Reminders are records that all events share, one for each number of minutes.

use super::call::Call;
use super::client::Client;
use super::domain::Domain;
use crate::crm::error::CrmError;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

/// The kind of reminder that is shown to the user and mails nobody.
const SHOWN: &str = "notification";

#[derive(Deserialize)]
struct AlarmRow {
    id: i64,
    duration_minutes: u32,
}

/// The reminders of so many minutes. Those that nobody has used yet are made.
pub(super) async fn of_minutes(
    client: &Client,
    login: &str,
    minutes: BTreeSet<u32>,
) -> Result<HashMap<u32, i64>, CrmError> {
    if minutes.is_empty() {
        return Ok(HashMap::new());
    }
    let domain =
        Domain::default()
            .and("alarm_type", "=", SHOWN)
            .and("duration_minutes", "in", json!(minutes));
    let call = Call::of("calendar.alarm", "search_read")
        .with("domain", domain)
        .with("fields", json!(["duration_minutes"]))
        .with("order", "id desc");
    let rows: Vec<AlarmRow> = client.ask(login, &call).await?;
    // The oldest comes last and stays.
    let mut found: HashMap<u32, i64> = rows
        .into_iter()
        .map(|row| (row.duration_minutes, row.id))
        .collect();
    let missing: Vec<u32> = minutes
        .into_iter()
        .filter(|minutes| !found.contains_key(minutes))
        .collect();
    if !missing.is_empty() {
        let values: Vec<Value> = missing.iter().map(|minutes| values(*minutes)).collect();
        let call = Call::of("calendar.alarm", "create").with("vals_list", json!(values));
        let made: Vec<i64> = client.ask(login, &call).await?;
        found.extend(missing.into_iter().zip(made));
    }
    Ok(found)
}

fn values(minutes: u32) -> Value {
    json!({
        "name": format!("Notification - {minutes} Minutes"),
        "alarm_type": SHOWN,
        "duration": minutes,
        "interval": "minutes",
    })
}
