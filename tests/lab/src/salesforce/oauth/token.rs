//! The token endpoint: JWT bearer, client credentials, refresh token, authorization code; and revocation.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::PoisonError;

use super::{Form, OAuthError};
use crate::salesforce::app;
use crate::salesforce::sessions::{Event, new_token};
use crate::salesforce::store::Fields;

type Granted = Result<Value, OAuthError>;

/// Assertions live at most so long (with leeway for clocks that differ).
const ASSERTION_MINUTES: i64 = 5;

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Value,
    /// Seconds since 1970; the vendor also takes them as a text, which simple-salesforce sends.
    exp: Value,
}

impl Claims {
    fn expires(&self) -> Option<i64> {
        let number = self
            .exp
            .as_i64()
            .or_else(|| self.exp.as_f64().map(|at| at as i64));
        number.or_else(|| self.exp.as_str()?.parse().ok())
    }
}

/// POST /services/oauth2/token
pub fn grant(form: &Form) -> Granted {
    match form.field("grant_type") {
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => assertion(form),
        "client_credentials" => {
            client(form, true)?;
            give(form, &app::integration_user_id(), None, true)
        }
        "refresh_token" => refresh(form),
        "authorization_code" => code(form),
        "password" => Err(OAuthError::new("invalid_grant", "authentication failure")),
        _ => Err(OAuthError::new(
            "unsupported_grant_type",
            "grant type not supported",
        )),
    }
}

fn client(form: &Form, secret_needed: bool) -> Result<(), OAuthError> {
    if form.field("client_id") != app::CLIENT_ID {
        return Err(OAuthError::new("invalid_client_id", "client identifier invalid"));
    }
    let secret = form.field("client_secret");
    if (secret_needed || !secret.is_empty()) && secret != app::CLIENT_SECRET {
        return Err(OAuthError::new("invalid_client", "invalid client credentials"));
    }
    Ok(())
}

fn assertion(form: &Form) -> Granted {
    let invalid = || OAuthError::new("invalid_grant", "invalid assertion");
    let key = DecodingKey::from_rsa_pem(app::JWT_PUBLIC_KEY_PEM.as_bytes()).map_err(|_| invalid())?;
    let mut validation = Validation::new(Algorithm::RS256);
    // Times and audience are judged below, with the vendor's own words for each.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let claims = jsonwebtoken::decode::<Claims>(form.field("assertion"), &key, &validation);
    let claims = claims.map_err(|_| invalid())?.claims;
    if claims.iss != app::CLIENT_ID && claims.iss != app::PEOPLES_CLIENT_ID {
        return Err(OAuthError::new("invalid_client_id", "client identifier invalid"));
    }
    if !audience_fits(&claims.aud) {
        return Err(OAuthError::new("invalid_grant", "audience is invalid"));
    }
    // Judged by the real clock: the client knows nothing of the lab's offset.
    let now = Utc::now().timestamp();
    let expires = claims.expires().unwrap_or_default();
    if expires <= now {
        return Err(OAuthError::new("invalid_grant", "assertion is expired"));
    }
    if expires > now + ASSERTION_MINUTES * 60 {
        return Err(OAuthError::new("invalid_grant", "assertion validity is too long"));
    }
    let unapproved = || OAuthError::new("invalid_grant", "user hasn't approved this consumer");
    let user = user_named(form, &claims.sub).ok_or_else(unapproved)?;
    if !approved(form, &claims.sub) {
        return Err(unapproved());
    }
    give(form, &user, None, claims.iss == app::CLIENT_ID)
}

/// A login host of the vendor, or this lab at whichever of its ports.
fn audience_fits(audience: &Value) -> bool {
    let fits = |text: &str| {
        let host = url::Url::parse(text)
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned));
        let hosts = [
            "login.salesforce.com",
            "test.salesforce.com",
            "localhost",
            "127.0.0.1",
        ];
        host.is_some_and(|host| hosts.contains(&host.as_str()))
    };
    match audience {
        Value::String(text) => fits(text),
        Value::Array(list) => list.iter().filter_map(Value::as_str).any(fits),
        _ => false,
    }
}

/// The id of the user with this username.
pub(super) fn user_named(form: &Form, username: &str) -> Option<String> {
    let state = form.world.read();
    let mut found = state.table("User").live_where("Username", username);
    found.next().map(|row| row.text("Id").to_owned())
}

fn approved(form: &Form, username: &str) -> bool {
    form.world
        .read()
        .settings
        .users
        .get(username)
        .is_none_or(|user| user.approved)
}

fn refresh(form: &Form) -> Granted {
    client(form, false)?;
    let given = form.field("refresh_token").to_owned();
    let user = {
        let sessions = form.world.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.refreshed(&given).map(str::to_owned)
    };
    let user = user.ok_or_else(|| OAuthError::new("invalid_grant", "expired access/refresh token"))?;
    if !form.world.read().settings.refresh_rotation {
        let mut body = give(form, &user, Some(&given), true)?;
        // Without rotation the answer repeats no refresh token.
        body.as_object_mut().map(|body| body.remove("refresh_token"));
        return Ok(body);
    }
    let fresh = offline(form, &user);
    let body = give(form, &user, Some(&fresh), true)?;
    form.world.session_event(Event::Revoked { token: given });
    Ok(body)
}

/// A new refresh token.
fn offline(form: &Form, user: &str) -> String {
    let refresh = new_token("5Aep861");
    form.world.session_event(Event::RefreshGranted {
        refresh: refresh.clone(),
        user: user.to_owned(),
    });
    refresh
}

fn code(form: &Form) -> Granted {
    client(form, false)?;
    let expired = || OAuthError::new("invalid_grant", "expired authorization code");
    let code = {
        let mut sessions = form.world.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.take_code(form.field("code"))
    };
    let code = code
        .filter(|code| code.expires > form.world.clock.now())
        .ok_or_else(expired)?;
    if code.redirect_uri != form.field("redirect_uri") {
        return Err(OAuthError::new(
            "redirect_uri_mismatch",
            "redirect_uri must match configuration",
        ));
    }
    let verifier = form.field("code_verifier");
    match &code.challenge {
        Some(challenge) if *challenge != URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) => {
            return Err(OAuthError::new("invalid_grant", "invalid code verifier"));
        }
        None if form.field("client_secret").is_empty() => {
            return Err(OAuthError::new("invalid_client", "invalid client credentials"));
        }
        _ => {}
    }
    let refresh = code.offline.then(|| offline(form, &code.user));
    give(form, &code.user, refresh.as_deref(), true)
}

/// A new access token with everything that goes with it, for the synchronising app or for people's.
fn give(form: &Form, user: &str, refresh: Option<&str>, syncs: bool) -> Granted {
    let inactive = OAuthError::new("inactive_user", "user is inactive");
    let (minutes, refreshes) = {
        let state = form.world.read();
        if !state.row("User", user).is_some_and(|row| row.flag("IsActive")) {
            return Err(inactive);
        }
        (state.settings.session_minutes, state.settings.refreshes)
    };
    let now = form.world.clock.now();
    let organization = app::organization_id(refreshes);
    let access = new_token(&format!("{}!AQ", organization.get(..15).unwrap_or_default()));
    form.world.session_event(Event::Granted {
        access: access.clone(),
        user: user.to_owned(),
        expires: now + TimeDelta::minutes(minutes),
        refresh: refresh.map(str::to_owned),
        syncs,
    });
    let mut body = json!({
        "access_token": access,
        "instance_url": form.base,
        "id": format!("{}/id/{organization}/{user}", form.base),
        "token_type": "Bearer",
        "issued_at": now.timestamp_millis().to_string(),
        "signature": URL_SAFE_NO_PAD.encode(Sha256::digest(user)),
        "scope": if refresh.is_some() { "refresh_token api id" } else { "api id" },
    });
    if let (Some(refresh), Some(body)) = (refresh, body.as_object_mut()) {
        body.insert("refresh_token".to_owned(), json!(refresh));
    }
    Ok(body)
}

/// POST /services/oauth2/revoke
pub fn revoke(form: &Form) -> Granted {
    let token = form.field("token").to_owned();
    let known = form
        .world
        .sessions
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .knows(&token);
    if !known {
        return Err(OAuthError::new("invalid_token", "invalid token"));
    }
    form.world.session_event(Event::Revoked { token });
    Ok(json!({}))
}
