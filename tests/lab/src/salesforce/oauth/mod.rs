//! OAuth 2.0 as the help pages "OAuth Authorization Flows" describe it: JWT bearer per user, client
//! credentials, web server flow with PKCE, refresh with optional rotation, revocation, user information.
//!
//! Tokens live in memory alone: after a restart of the lab every client signs in again.

mod grants;
mod tokens;

pub use tokens::Tokens;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};
use std::collections::HashMap;

use super::World;
use super::app;
use super::front::{html, is_form, json_response};
use super::store::Fields;
use crate::faults::Fault;
use crate::http::Reply;

/// An OAuth error (RFC 6749 section 5.2), with the vendor's words.
pub(super) struct Refusal {
    status: u16,
    error: &'static str,
    description: &'static str,
}

impl Refusal {
    fn new(error: &'static str, description: &'static str) -> Refusal {
        Refusal {
            status: 400,
            error,
            description,
        }
    }
}

pub(super) type Form = HashMap<String, String>;

/// Answers a request below /services/oauth2 or /id.
pub(super) async fn handle(
    world: &World,
    request: &Request<Bytes>,
    path: &str,
    base: &str,
    fault: Option<Fault>,
) -> Reply {
    match &fault {
        Some(Fault::Down) => return Reply::Close,
        Some(Fault::Html { status }) => return Reply::Full(html(*status)),
        Some(Fault::WrongPassword) => {
            return refused(&Refusal::new("invalid_grant", "authentication failure"));
        }
        Some(Fault::Slow { ms }) => tokio::time::sleep(std::time::Duration::from_millis(*ms)).await,
        _ => {}
    }
    let form = form_of(request);
    match path {
        "/services/oauth2/token" => match grants::token(world, request, &form, base) {
            Ok(body) => Reply::Full(json_response(200, &body)),
            Err(refusal) => refused(&refusal),
        },
        "/services/oauth2/authorize" => authorize(world, &form),
        "/services/oauth2/revoke" => {
            let known = form.get("token").is_some_and(|token| world.tokens.revoke(token));
            if known {
                Reply::Full(Response::new(Bytes::new()))
            } else {
                refused(&Refusal::new(
                    "unsupported_token_type",
                    "this token type is not supported",
                ))
            }
        }
        _ => identity(world, request, path, base, &form),
    }
}

fn form_of(request: &Request<Bytes>) -> Form {
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let mut form: Form = url::form_urlencoded::parse(query).into_owned().collect();
    if is_form(request) {
        form.extend(url::form_urlencoded::parse(request.body()).into_owned());
    }
    form
}

fn refused(refusal: &Refusal) -> Reply {
    let body = json!({"error": refusal.error, "error_description": refusal.description});
    Reply::Full(json_response(refusal.status, &body))
}

/// The approval page: a form, or at once a redirection where the query says who signs in (`username`), as a
/// browser with an open session would see it.
fn authorize(world: &World, form: &Form) -> Reply {
    let given = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if given("client_id") != app::CLIENT_ID {
        return refused(&Refusal::new("invalid_client_id", "client identifier invalid"));
    }
    let username = given("username");
    if username.is_empty() {
        let mut response = Response::new(Bytes::from_static(
            b"<!DOCTYPE html><html><body><form><input name=\"username\"><button>Log In</button></form></body></html>",
        ));
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("text/html;charset=UTF-8"));
        return Reply::Full(response);
    }
    let code = world
        .tokens
        .new_code(username, given("redirect_uri"), given("code_challenge"));
    let Ok(mut back) = url::Url::parse(given("redirect_uri")) else {
        return refused(&Refusal::new(
            "redirect_uri_mismatch",
            "redirect_uri must match configuration",
        ));
    };
    back.query_pairs_mut().append_pair("code", &code);
    if let Some(state) = form.get("state") {
        back.query_pairs_mut().append_pair("state", state);
    }
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::FOUND;
    if let Ok(location) = HeaderValue::from_str(back.as_str()) {
        response.headers_mut().insert(LOCATION, location);
    }
    Reply::Full(response)
}

/// GET /services/oauth2/userinfo and the identity URL.
fn identity(world: &World, request: &Request<Bytes>, path: &str, base: &str, form: &Form) -> Reply {
    let header = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    let token = header
        .and_then(|header| header.split_once(' '))
        .map(|(_, token)| token.trim())
        .or(form
            .get("oauth_token")
            .or(form.get("access_token"))
            .map(String::as_str));
    let state = world.read();
    let minutes = state.settings.session_minutes;
    let username = token.and_then(|token| world.tokens.session(token, world.clock.now(), minutes));
    let known = path == "/services/oauth2/userinfo" || path.starts_with("/id/");
    let caller = username
        .and_then(|username| world.caller(&state, &username))
        .filter(|_| known);
    let Some(caller) = caller else {
        let mut response = Response::new(Bytes::from_static(b"Bad_OAuth_Token"));
        *response.status_mut() = StatusCode::FORBIDDEN;
        return Reply::Full(response);
    };
    let row = state.row("User", &caller.id);
    let text = |field: &str| row.map(|row| row.text(field)).unwrap_or_default().to_owned();
    let id_url = format!("{base}/id/{}/{}", app::organization_id(), caller.id);
    let body: Value = json!({
        "sub": id_url, "id": id_url, "user_id": caller.id, "organization_id": app::organization_id(),
        "preferred_username": caller.username, "username": caller.username, "display_name": text("Name"),
        "name": text("Name"), "email": text("Email"), "active": row.is_some_and(|row| row.flag("IsActive")),
        "urls": {"rest": format!("{base}/services/data/v{{version}}/")},
    });
    Reply::Full(json_response(200, &body))
}
