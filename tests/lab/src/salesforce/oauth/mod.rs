//! OAuth below `/services/oauth2/` and the identity URL `/id/…` (help: "Authorize Apps with OAuth").
//!
//! Errors are `{"error", "error_description"}` with status 400.

mod authorize;
mod identity;
mod token;

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::World;

/// What an OAuth answer fails with.
pub struct OAuthError {
    error: &'static str,
    description: &'static str,
}

impl OAuthError {
    fn new(error: &'static str, description: &'static str) -> OAuthError {
        OAuthError { error, description }
    }
}

/// What OAuth counts as in /stats and for fault rules.
pub const OPERATION: &str = "oauth";

/// The endpoint that a path names; `None` if the path is not OAuth's.
pub fn endpoint(path: &str) -> Option<&'static str> {
    if path.starts_with("/id/") {
        return Some("identity");
    }
    Some(
        match path.trim_end_matches('/').strip_prefix("/services/oauth2/")? {
            "token" => "token",
            "authorize" => "authorize",
            "revoke" => "revoke",
            "userinfo" => "userinfo",
            _ => "other",
        },
    )
}

/// An OAuth request.
pub(super) struct Form<'a> {
    world: &'a World,
    /// `https://localhost:1234`, as the client reached it.
    base: &'a str,
    fields: HashMap<String, String>,
}

impl Form<'_> {
    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// Answers an OAuth request.
pub fn answer(world: &World, request: &Request<Bytes>, base: &str, endpoint: &str) -> Response<Bytes> {
    let form = form(world, request, base);
    match endpoint {
        "token" if request.method() == Method::POST => result(token::grant(&form)),
        "revoke" => result(token::revoke(&form)),
        "authorize" => authorize::answer(&form),
        "userinfo" | "identity" => identity::answer(&form, request, endpoint),
        _ => result(Err(OAuthError::new(
            "invalid_request",
            "no such endpoint or method",
        ))),
    }
}

/// Query and body parameters together; a Basic header gives the client's.
fn form<'a>(world: &'a World, request: &Request<Bytes>, base: &'a str) -> Form<'a> {
    let query = request.uri().query().unwrap_or_default();
    let mut fields: HashMap<String, String> = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    fields.extend(url::form_urlencoded::parse(request.body()).into_owned());
    let basic = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let basic = basic.and_then(|value| value.strip_prefix("Basic "));
    let basic = basic.and_then(|value| STANDARD.decode(value.trim()).ok());
    if let Some((id, secret)) = basic
        .as_deref()
        .and_then(|pair| std::str::from_utf8(pair).ok()?.split_once(':'))
    {
        fields.insert("client_id".to_owned(), id.to_owned());
        fields.insert("client_secret".to_owned(), secret.to_owned());
    }
    Form { world, base, fields }
}

fn result(result: Result<Value, OAuthError>) -> Response<Bytes> {
    match result {
        Ok(body) => json_response(StatusCode::OK, &body),
        Err(OAuthError { error, description }) => json_response(
            StatusCode::BAD_REQUEST,
            &json!({"error": error, "error_description": description}),
        ),
    }
}

fn json_response(status: StatusCode, body: &Value) -> Response<Bytes> {
    typed(status, "application/json;charset=UTF-8", body.to_string())
}

fn typed(status: StatusCode, kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}

fn redirect(to: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::FOUND;
    if let Ok(value) = http::HeaderValue::from_str(to) {
        response.headers_mut().insert(LOCATION, value);
    }
    response
}
