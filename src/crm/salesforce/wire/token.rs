//! `POST services/oauth2/token` ("OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration", "OAuth 2.0
//! Client Credentials Flow for Server-to-Server Integration", Salesforce Help).

use crate::crm::error::CrmError;
use crate::foundation::secret::Secret;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

/// How long an assertion is good. The vendor takes three minutes at most.
const ASSERTION_SECONDS: i64 = 180;

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
}

/// The form that asks for a token as a user.
///
/// # Errors
/// [`CrmError::ApplicationRefused`] where the key is not an RSA key in PEM form.
pub(in crate::crm::salesforce) fn jwt_form(
    client_id: &str,
    username: &str,
    audience: &str,
    key: &Secret<String>,
    now: DateTime<Utc>,
) -> Result<String, CrmError> {
    let unusable = |_| CrmError::ApplicationRefused {
        code: "private key unusable".to_owned(),
    };
    let key = EncodingKey::from_rsa_pem(key.expose().as_bytes()).map_err(unusable)?;
    let claims = Claims {
        iss: client_id,
        sub: username,
        aud: audience,
        exp: now.timestamp() + ASSERTION_SECONDS,
    };
    let assertion = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).map_err(unusable)?;
    Ok(form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
        .append_pair("assertion", &assertion)
        .finish())
}

/// The form that asks for a token as the integration user.
pub(in crate::crm::salesforce) fn client_credentials_form(
    client_id: &str,
    secret: &Secret<String>,
) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", client_id)
        .append_pair("client_secret", secret.expose())
        .finish()
}

/// The answer to either.
#[derive(Deserialize)]
pub(in crate::crm::salesforce) struct Granted {
    pub(in crate::crm::salesforce) access_token: String,
    pub(in crate::crm::salesforce) instance_url: String,
    /// The identity URL; it ends in the ids of the org and of the user.
    #[serde(default)]
    id: String,
}

impl Granted {
    /// The id of the org, in the form of 15 characters.
    pub(in crate::crm::salesforce) fn organisation_id(&self) -> Option<String> {
        let id = self.id.rsplit('/').nth(1)?;
        let named = id.starts_with("00D") && matches!(id.len(), 15 | 18);
        named.then(|| id.chars().take(15).collect())
    }

    /// The id of the user whose token it is.
    pub(in crate::crm::salesforce) fn user_id(&self) -> Option<String> {
        let id = self.id.rsplit('/').next()?;
        (id.starts_with("005") && matches!(id.len(), 15 | 18)).then(|| id.to_owned())
    }
}

#[derive(Deserialize)]
struct Refused {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// What a refusal means; `None` where the body is not one.
pub(in crate::crm::salesforce) fn refusal(body: &[u8], acts_as_user: bool) -> Option<CrmError> {
    let refused: Refused = serde_json::from_slice(body).ok()?;
    let description = refused.error_description.to_ascii_lowercase();
    let known = DESCRIPTIONS
        .iter()
        .find(|(phrase, _)| description.contains(phrase));
    let error: String = refused
        .error
        .chars()
        .filter(|c| c.is_ascii_lowercase() || *c == '_')
        .take(40)
        .collect();
    let code = match known {
        Some((phrase, _)) => format!("{error}: {phrase}"),
        None => error.clone(),
    };
    let by_user = match (error.as_str(), known) {
        (_, Some((_, by_user))) => *by_user,
        ("invalid_grant" | "invalid_app_access" | "inactive_user", None) => acts_as_user,
        _ => false,
    };
    Some(match by_user {
        true => CrmError::UserRefused { code },
        false => CrmError::ApplicationRefused { code },
    })
}

/// Phrases of `error_description` that tell more than the code, and whether the user is meant (true) or the
/// application. The rest of a description is not passed on: it may name somebody.
const DESCRIPTIONS: &[(&str, bool)] = &[
    ("user hasn't approved this consumer", true),
    ("user is not admin approved", true),
    ("inactive user", true),
    ("user is inactive", true),
    ("expired access/refresh token", true),
    ("authentication failure", true),
    ("ip restricted", true),
    ("audience is invalid", false),
    ("invalid audience", false),
    ("invalid assertion", false),
    ("invalid signature", false),
    ("expired assertion", false),
    ("no client credentials user enabled", false),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(error: &str, description: &str) -> CrmError {
        let body = serde_json::json!({ "error": error, "error_description": description });
        refusal(body.to_string().as_bytes(), true).expect("a refusal")
    }

    #[test]
    fn a_wrong_application_and_a_wrong_user_are_told_apart() {
        let user = |error, description| matches!(refused(error, description), CrmError::UserRefused { .. });
        assert!(user("invalid_grant", "user hasn't approved this consumer"));
        assert!(user(
            "invalid_app_access",
            "user is not admin approved to access this app"
        ));
        assert!(user("invalid_grant", "Inactive User"));
        assert!(!user("invalid_client_id", "client identifier invalid"));
        assert!(!user("invalid_client", "invalid client credentials"));
        assert!(!user("invalid_grant", "invalid assertion"));
    }

    #[test]
    fn a_description_is_passed_on_only_where_it_is_one_of_the_vendors_own() {
        let error = refused("invalid_grant", "no access for ada@customer.example");
        assert!(!error.to_string().contains("ada"));
    }
}
