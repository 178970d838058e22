//! The token endpoint, one function a grant type.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use hyper::Request;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::World;
use super::super::app;
use super::super::store::Fields;
use super::{Form, Refusal};

/// The grant type of RFC 7523.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Answers a token request.
pub(super) fn token(
    world: &World,
    request: &Request<Bytes>,
    form: &Form,
    base: &str,
) -> Result<Value, Refusal> {
    let given = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    match given("grant_type") {
        JWT_BEARER => {
            let username = jwt_bearer(given("assertion"), base, world.clock.now().timestamp())?;
            let username = usable(world, &username, "user hasn't approved this consumer")?;
            Ok(answer(world, &username, base, None))
        }
        "client_credentials" => {
            let (id, secret) = client_of(request, form);
            known_client(&id, &secret)?;
            Ok(answer(world, app::INTEGRATION_USERNAME, base, None))
        }
        "refresh_token" => {
            known_app(given("client_id"))?;
            let expired = Refusal::new("invalid_grant", "expired access/refresh token");
            let username = world.tokens.refresh_user(given("refresh_token")).ok_or(expired)?;
            let username = usable(world, &username, "expired access/refresh token")?;
            if !world.read().settings.refresh_rotation {
                return Ok(answer(
                    world,
                    &username,
                    base,
                    Some(given("refresh_token").to_owned()),
                ));
            }
            world.tokens.revoke(given("refresh_token"));
            let fresh = world.tokens.new_refresh(&username);
            let mut body = answer(world, &username, base, Some(fresh.clone()));
            body["refresh_token"] = json!(fresh);
            Ok(body)
        }
        "authorization_code" => authorization_code(world, form, base),
        _ => Err(Refusal::new("unsupported_grant_type", "grant type not supported")),
    }
}

fn authorization_code(world: &World, form: &Form, base: &str) -> Result<Value, Refusal> {
    let given = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    known_app(given("client_id"))?;
    let invalid = || Refusal::new("invalid_grant", "invalid authorization code");
    let code = world.tokens.take_code(given("code")).ok_or_else(invalid)?;
    if code.redirect_uri != given("redirect_uri") {
        return Err(Refusal::new(
            "redirect_uri_mismatch",
            "redirect_uri must match configuration",
        ));
    }
    let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(given("code_verifier")));
    if !code.challenge.is_empty() && code.challenge != proof {
        return Err(Refusal::new("invalid_grant", "invalid code verifier"));
    }
    let username = usable(world, &code.username, "user hasn't approved this consumer")?;
    let refresh = world.tokens.new_refresh(&username);
    let mut body = answer(world, &username, base, Some(refresh.clone()));
    body["refresh_token"] = json!(refresh);
    Ok(body)
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    iss: String,
    /// Seconds since 1970; the vendor also takes them as a text, which simple-salesforce sends.
    exp: Value,
}

impl Claims {
    fn expires(&self) -> Option<i64> {
        self.exp
            .as_i64()
            .or_else(|| self.exp.as_f64().map(|at| at as i64))
            .or_else(|| self.exp.as_str()?.parse().ok())
    }
}

/// The user that an assertion names (help: "OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration").
fn jwt_bearer(assertion: &str, base: &str, now: i64) -> Result<String, Refusal> {
    let invalid = Refusal::new("invalid_grant", "invalid assertion");
    let Ok(key) = DecodingKey::from_rsa_pem(app::JWT_PUBLIC_KEY_PEM.as_bytes()) else {
        return Err(invalid);
    };
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_audience(&[
        base,
        "https://login.salesforce.com",
        "https://test.salesforce.com",
    ]);
    rules.set_required_spec_claims(&["aud", "sub", "iss"]);
    rules.validate_exp = false;
    match jsonwebtoken::decode::<Claims>(assertion, &key, &rules) {
        Ok(token) if token.claims.iss != app::CLIENT_ID => {
            Err(Refusal::new("invalid_client_id", "client identifier invalid"))
        }
        Ok(token) if token.claims.expires().is_none_or(|at| at <= now) => {
            Err(Refusal::new("invalid_grant", "expired assertion"))
        }
        Ok(token) => Ok(token.claims.sub),
        Err(error) => Err(match error.kind() {
            jsonwebtoken::errors::ErrorKind::InvalidAudience => {
                Refusal::new("invalid_grant", "audience is invalid")
            }
            _ => invalid,
        }),
    }
}

/// The user, if he is there, active, and has the app approved for him.
fn usable(world: &World, username: &str, not_approved: &'static str) -> Result<String, Refusal> {
    let state = world.read();
    let mut users = state.table("User").rows();
    let row = users
        .find(|row| row.text("Username").eq_ignore_ascii_case(username))
        .ok_or_else(|| Refusal::new("invalid_grant", not_approved))?;
    if !row.flag("IsActive") {
        return Err(Refusal::new("inactive_user", "user is inactive"));
    }
    let name = row.text("Username").to_owned();
    if state.settings.users.get(&name).is_some_and(|user| !user.approved) {
        return Err(Refusal::new("invalid_grant", not_approved));
    }
    Ok(name)
}

fn known_app(id: &str) -> Result<(), Refusal> {
    if id == app::CLIENT_ID {
        Ok(())
    } else {
        Err(Refusal::new("invalid_client_id", "client identifier invalid"))
    }
}

fn known_client(id: &str, secret: &str) -> Result<(), Refusal> {
    known_app(id)?;
    if secret == app::CLIENT_SECRET {
        Ok(())
    } else {
        Err(Refusal::new("invalid_client", "invalid client credentials"))
    }
}

/// Client id and secret from a Basic header or from the form (RFC 6749 section 2.3.1).
fn client_of(request: &Request<Bytes>, form: &Form) -> (String, String) {
    let header = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    let basic = header
        .and_then(|header| header.strip_prefix("Basic "))
        .and_then(|packed| STANDARD.decode(packed.trim()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some((id, secret)) = basic.as_deref().and_then(|pair| pair.split_once(':')) {
        return (id.to_owned(), secret.to_owned());
    }
    let given = |name: &str| form.get(name).cloned().unwrap_or_default();
    (given("client_id"), given("client_secret"))
}

fn answer(world: &World, username: &str, base: &str, refresh: Option<String>) -> Value {
    let now = world.clock.now();
    let token = world.tokens.new_session(username, now, refresh);
    let id = world
        .caller(&world.read(), username)
        .map(|caller| caller.id)
        .unwrap_or_default();
    json!({
        "access_token": token,
        "instance_url": base,
        "id": format!("{base}/id/{}/{id}", app::organization_id()),
        "token_type": "Bearer",
        "scope": "api refresh_token id",
        "issued_at": now.timestamp_millis().to_string(),
    })
}
