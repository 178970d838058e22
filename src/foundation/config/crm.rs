//! `[crm.NAME]`: one CRM organisation. Its secrets are sealed as `crm.NAME.private_key` and
//! `crm.NAME.client_secret`.

use serde::{Deserialize, Serialize};

/// A CRM organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crm {
    /// Which product.
    pub kind: CrmKind,
    /// Where its sign-in is, such as `https://example.my.salesforce.com`.
    pub login_url: String,
    /// The consumer key of the connected app.
    pub client_id: String,
    /// How Holdfast signs in.
    #[serde(default = "CrmFlow::jwt")]
    pub flow: CrmFlow,
    /// Whom an assertion is addressed to. Unset: the sign-in's own address.
    #[serde(default)]
    pub audience: Option<String>,
    /// The version of the interface, such as `v61.0`. Unset: the newest that both know.
    #[serde(default)]
    pub api_version: Option<String>,
    /// The share of the daily calls that is left for people and other programs.
    #[serde(default = "daily_call_reserve_percent")]
    pub daily_call_reserve_percent: u8,
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
}

/// Which product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrmKind {
    /// Salesforce: production, sandbox or developer organisation.
    Salesforce,
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

fn daily_call_reserve_percent() -> u8 {
    20
}
