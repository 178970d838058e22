//! The countries and states that Odoo knows, and their ids. They are the same for every user and hardly ever
//! change, so they are read once.

use super::call::Call;
use super::client::Client;
use super::wire::value;
use crate::crm::error::CrmError;
use crate::record::places::Places;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;

#[derive(Deserialize)]
struct Country {
    id: i64,
    #[serde(deserialize_with = "value::string")]
    name: Option<String>,
    #[serde(default, deserialize_with = "value::string")]
    code: Option<String>,
}

#[derive(Deserialize)]
struct State {
    id: i64,
    #[serde(deserialize_with = "value::string")]
    name: Option<String>,
    #[serde(default, deserialize_with = "value::string")]
    code: Option<String>,
    #[serde(deserialize_with = "value::reference")]
    country_id: Option<i64>,
}

/// Reads them.
pub(super) async fn load(client: &Client, login: &str) -> Result<Places, CrmError> {
    let all = |model, fields| {
        Call::of(model, "search_read")
            .with("domain", json!([]))
            .with("fields", fields)
    };
    let countries: Vec<Country> = client
        .ask(login, &all("res.country", json!(["name", "code"])))
        .await?;
    let states: Vec<State> = client
        .ask(
            login,
            &all("res.country.state", json!(["name", "code", "country_id"])),
        )
        .await?;
    let mut places = Places::default();
    let mut names = HashMap::new();
    for country in countries {
        if let Some(name) = country.name {
            places.add_country(country.id, &name, country.code.as_deref());
            names.insert(country.id, name);
        }
    }
    for state in states {
        let country = state.country_id.and_then(|id| names.get(&id));
        if let (Some(name), Some(country)) = (&state.name, country) {
            places.add_state(country, state.id, name, state.code.as_deref());
        }
    }
    Ok(places)
}
