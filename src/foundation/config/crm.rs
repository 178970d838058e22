//! `[crm.NAME]`: one CRM. Its secrets are sealed as `crm.NAME.private_key` and `crm.NAME.client_secret` for
//! Salesforce, and as `crm.NAME.key.LOGIN` for each user of an Odoo.

use serde::{Deserialize, Serialize};

/// A CRM. Which of the settings it needs follows from its kind; [`load`](super::load()) sees to that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crm {
    /// Which product.
    pub kind: CrmKind,
    /// Salesforce: where its sign-in is, such as `https://example.my.salesforce.com`.
    #[serde(default)]
    pub login_url: String,
    /// Salesforce: the consumer key of the connected app.
    #[serde(default)]
    pub client_id: String,
    /// Salesforce: how Holdfast signs in.
    #[serde(default = "CrmFlow::jwt")]
    pub flow: CrmFlow,
    /// Salesforce: whom an assertion is addressed to. Unset: the sign-in's own address.
    #[serde(default)]
    pub audience: Option<String>,
    /// Salesforce: the version of the interface, such as `v61.0`. Unset: the newest that both know.
    #[serde(default)]
    pub api_version: Option<String>,
    /// Salesforce: the share of the daily calls that is left for people and other programs.
    #[serde(default = "daily_call_reserve_percent")]
    pub daily_call_reserve_percent: u8,
    /// Salesforce: the share of Holdfast's own daily calls that first readings may take.
    #[serde(default = "backfill_call_percent")]
    pub backfill_call_percent: u8,
    /// Salesforce, with `flow = "jwt"`: a user who sees everybody's records, as whom Holdfast asks every few seconds whose
    /// changed. Unset: each user is asked for his own, every half minute to five minutes.
    #[serde(default)]
    pub watch_user: Option<String>,
    /// Odoo: the server's root, such as `https://odoo.example.com`.
    #[serde(default)]
    pub url: String,
    /// Odoo: the database's name.
    #[serde(default)]
    pub database: String,
    /// Odoo: the interface. Unset: the newest that the server has.
    #[serde(default)]
    pub api: Option<CrmApi>,
}

impl Crm {
    /// The name under which the signing key of the CRM `name` is sealed.
    pub fn private_key_secret(name: &str) -> String {
        format!("crm.{name}.private_key")
    }

    /// The name under which the client secret of the CRM `name` is sealed.
    pub fn client_secret_secret(name: &str) -> String {
        format!("crm.{name}.client_secret")
    }

    /// The name under which a user's API key in the CRM `name` is sealed.
    pub fn user_key_secret(name: &str, login: &str) -> String {
        format!("crm.{name}.key.{login}")
    }
}

/// Which product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrmKind {
    /// Salesforce: production, sandbox or developer organisation.
    Salesforce,
    /// Odoo, from version 16 on.
    Odoo,
}

/// How Holdfast signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrmFlow {
    /// As each user, by a signed assertion (OAuth 2.0 JWT bearer, RFC 7523).
    Jwt,
    /// As one integration user (OAuth 2.0 client credentials, RFC 6749 section 4.4).
    ClientCredentials,
}

impl CrmFlow {
    fn jwt() -> Self {
        Self::Jwt
    }
}

/// The interfaces that an Odoo has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrmApi {
    /// `/json/2`, from version 19 on.
    Json2,
    /// `/jsonrpc`, until version 22.
    Jsonrpc,
}

fn daily_call_reserve_percent() -> u8 {
    20
}

fn backfill_call_percent() -> u8 {
    50
}
