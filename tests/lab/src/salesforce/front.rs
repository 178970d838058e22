//! From HTTP to the API and back: paths, tokens, counts, faults.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method};
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};

use super::World;
use super::error::{ApiError, limit_exceeded, session_invalid};
use super::oauth;
use super::rest::ask::{Answer, Ask, Body, Payload};
use super::rest::call::{Access, Call};
use super::rest::resources::{NEWEST, OLDEST, versions};
use super::rest::{self, ask};
use super::transaction::{Caller, Transaction, WriteOptions};
use crate::faults::{Fault, Side};
use crate::http::{ConnectionState, Reply};

/// What an address may measure in bytes, its query included (414 beyond).
const URI_LIMIT: usize = 16_384;

/// Answers one HTTP request.
pub async fn handle(world: Arc<World>, request: Request<Bytes>, connection: &ConnectionState) -> Reply {
    let path = request.uri().path().trim_end_matches('/').to_owned();
    let base = base_of(&request, connection);
    if request
        .uri()
        .path_and_query()
        .is_some_and(|whole| whole.as_str().len() > URI_LIMIT)
    {
        return failure(&world, &ApiError::new("URI_TOO_LONG", "The URI is too long"));
    }
    if path == "/services/data" {
        connection.count_operation("versions");
        return Reply::Full(json_response(200, &versions()));
    }
    if path.starts_with("/services/oauth2") || path.starts_with("/id/") {
        connection.count_operation("oauth");
        let fault = world.faults.decide(Side::Salesforce, "oauth", "");
        return oauth::handle(&world, &request, &path, &base, fault).await;
    }
    let Some((version, rest)) = version_of(&path) else {
        return failure(&world, &super::error::not_found());
    };
    if !(OLDEST..=NEWEST).contains(&version) {
        let error = ApiError::new(
            "UNSUPPORTED_API_VERSION",
            format!("v{version}.0 is not supported"),
        );
        return failure(&world, &error.status(410));
    }
    let query = request
        .uri()
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let mut ask = Ask::new(
        request.method().clone(),
        &format!("{rest}{query}"),
        Payload::Bytes(request.body().clone()),
    );
    ask.headers = headers(request.headers());
    api(&world, ask, version, base, connection).await
}

/// `https://localhost:1234` as the client wrote it.
fn base_of(request: &Request<Bytes>, connection: &ConnectionState) -> String {
    let host = request
        .headers()
        .get("host")
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    format!("{}://{host}", if connection.tls { "https" } else { "http" })
}

fn headers(all: &HeaderMap) -> HashMap<String, String> {
    all.iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect()
}

/// `/services/data/v60.0/x/y` is version 60 and `/x/y`.
fn version_of(path: &str) -> Option<(u32, &str)> {
    let rest = path.strip_prefix("/services/data/v")?;
    let (version, rest) = rest.split_once('/').unwrap_or((rest, ""));
    Some((version.split('.').next()?.parse().ok()?, rest))
}

async fn api(
    world: &Arc<World>,
    ask: Ask,
    version: u32,
    base: String,
    connection: &ConnectionState,
) -> Reply {
    let operation = rest::operation(&ask);
    connection.count_operation(operation);
    let caller = match signed_in(world, &ask) {
        Ok(caller) => caller,
        Err(error) => return failure(world, &error),
    };
    let fault = world.faults.decide(Side::Salesforce, operation, &caller.username);
    if let Some(reply) = before_work(world, fault.as_ref()).await {
        return reply;
    }
    let limit = world.read().settings.daily_limit;
    if world.calls_used() >= limit {
        return failure(world, &limit_exceeded());
    }
    world.count_call(&caller.username);
    let setting = Setting {
        version,
        base,
        half: matches!(fault, Some(Fault::HalfApplied)),
    };
    let locked_rows = matches!(fault, Some(Fault::LockedRow));
    let answer = run(world, &ask, &caller, &setting, locked_rows);
    let response = respond(world, &answer);
    match fault {
        Some(Fault::HalfApplied | Fault::ApplyThenCut) => Reply::Close,
        Some(Fault::Cut { after_bytes }) => Reply::Cut {
            response,
            after: after_bytes,
        },
        _ => Reply::Full(response),
    }
}

/// Who calls, by the bearer token (RFC 6750 section 2.1).
fn signed_in(world: &World, ask: &Ask) -> Result<Caller, ApiError> {
    let header = ask
        .headers
        .get("authorization")
        .map(String::as_str)
        .unwrap_or_default();
    let token = header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth"))
        .map(|(_, token)| token.trim());
    let state = world.read();
    let username = token
        .and_then(|token| {
            world
                .tokens
                .session(token, world.clock.now(), state.settings.session_minutes)
        })
        .ok_or_else(session_invalid)?;
    let caller = world.caller(&state, &username).ok_or_else(session_invalid)?;
    let enabled = state
        .settings
        .users
        .get(&username)
        .is_none_or(|user| user.api_enabled);
    if enabled {
        Ok(caller)
    } else {
        Err(ApiError::new(
            "API_DISABLED_FOR_ORG",
            "API is disabled for this User",
        ))
    }
}

/// Faults that meet a request before any work is done.
async fn before_work(world: &World, fault: Option<&Fault>) -> Option<Reply> {
    match fault? {
        Fault::Busy { .. } => Some(failure(
            world,
            &ApiError::new("SERVER_UNAVAILABLE", "server temporarily unavailable"),
        )),
        Fault::Slow { ms } => {
            tokio::time::sleep(Duration::from_millis(*ms)).await;
            None
        }
        Fault::Html { status } => Some(Reply::Full(html(*status))),
        Fault::HttpStatus { status, retry_after } => Some(Reply::Full(status_only(*status, *retry_after))),
        Fault::ExpiredToken => Some(failure(world, &session_invalid())),
        Fault::LostCursor => {
            world.locators.clear();
            None
        }
        Fault::Down => Some(Reply::Close),
        Fault::LimitExceeded => Some(failure(world, &limit_exceeded())),
        _ => None,
    }
}

struct Setting {
    version: u32,
    base: String,
    half: bool,
}

fn run(world: &World, ask: &Ask, caller: &Caller, setting: &Setting, locked_rows: bool) -> Answer {
    let call = |access| Call {
        world,
        access,
        caller,
        now: world.clock.now(),
        version: format!("v{}.0", setting.version),
        base: setting.base.clone(),
        batch_size: batch_size(ask),
        half: setting.half,
    };
    if rest::reads_only(ask) {
        let state = world.read();
        let mut call = call(Access::Read(&state));
        return rest::dispatch(&mut call, ask).unwrap_or_else(|error| Answer::error(&error));
    }
    let mut state = world.write();
    let options = WriteOptions {
        allow_duplicates: ask
            .headers
            .get("sforce-duplicate-rule-header")
            .is_some_and(|header| {
                header
                    .to_ascii_lowercase()
                    .replace(' ', "")
                    .contains("allowsave=true")
            }),
        locked_rows,
    };
    let tx = Transaction::new(&mut state, caller, world.clock.now(), options);
    let mut call = call(Access::Write(tx));
    let answer = rest::dispatch(&mut call, ask).unwrap_or_else(|error| Answer::error(&error));
    if let Access::Write(tx) = &call.access {
        if let Some(images) = tx.images() {
            world.journal().append("salesforce", &images);
        }
    }
    answer
}

/// `Sforce-Query-Options: batchSize=200`; 200 to 2,000.
fn batch_size(ask: &ask::Ask) -> usize {
    ask.headers
        .get("sforce-query-options")
        .and_then(|header| header.split_once('=')?.1.trim().parse().ok())
        .map_or(2_000, |size: usize| size.clamp(200, 2_000))
}

/// An error as the whole answer.
pub(super) fn failure(world: &World, error: &ApiError) -> Reply {
    Reply::Full(respond(world, &Answer::error(error)))
}

fn respond(world: &World, answer: &Answer) -> Response<Bytes> {
    let mut response = match &answer.body {
        Body::Json(value) => json_response(answer.status, value),
        Body::Bytes(bytes) => {
            let mut response = Response::new(bytes.clone());
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
            response
        }
        Body::Empty => Response::new(Bytes::new()),
    };
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let usage = format!(
        "api-usage={}/{}",
        world.calls_used(),
        world.read().settings.daily_limit
    );
    if let Ok(usage) = HeaderValue::from_str(&usage) {
        response.headers_mut().insert("sforce-limit-info", usage);
    }
    if let Some(location) = answer
        .location
        .as_deref()
        .and_then(|at| HeaderValue::from_str(at).ok())
    {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// JSON with a status.
pub(super) fn json_response(status: u16, value: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(value.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = HeaderValue::from_static("application/json;charset=UTF-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// What a proxy or a maintenance page answers.
pub(super) fn html(status: u16) -> Response<Bytes> {
    let page = "<!DOCTYPE html><html><head><title>Maintenance</title></head><body>Please come back later.</body></html>";
    let mut response = Response::new(Bytes::from_static(page.as_bytes()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/html;charset=UTF-8"));
    response
}

fn status_only(status: u16, retry_after: Option<u64>) -> Response<Bytes> {
    let body = json!([{"message": "request refused", "errorCode": "UNKNOWN_EXCEPTION"}]);
    let mut response = json_response(status, &body);
    if let Some(seconds) = retry_after {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// True for a request whose parameters are in its body.
pub(super) fn is_form(request: &Request<Bytes>) -> bool {
    request.method() == Method::POST
}
