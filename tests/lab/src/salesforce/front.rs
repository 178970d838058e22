//! The front door: from an HTTP request to a resource and back, with sign-in, budget and faults.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chrono_tz::Tz;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};

use super::World;
use super::error::{ApiError, ApiResult, as_told, limit_exceeded, not_found, session_invalid};
use super::oauth;
use super::rest::ask::{Answer, Ask, Body, Payload};
use super::rest::call::{Access, Call};
use super::rest::{dispatch, multipart, operation, reads_only, resources};
use super::sessions::Event;
use super::store::Fields;
use super::transaction::{Caller, Obstacle, WriteOptions};
use crate::faults::{Fault, Side};
use crate::http::{ConnectionState, Reply};

/// The longest request target.
const URI_LIMIT: usize = 16_384;

/// Where a request goes.
enum Target {
    Versions,
    Api { version: String, ask: Box<Ask> },
    OAuth(&'static str),
    Nowhere,
}

/// Answers one HTTP request.
pub async fn handle(world: Arc<World>, request: Request<Bytes>, connection: &ConnectionState) -> Reply {
    let target = target(&request);
    let operation = match &target {
        Target::Versions => "versions",
        Target::Api { ask, .. } => operation(ask),
        Target::OAuth(_) => oauth::OPERATION,
        Target::Nowhere => "other",
    };
    connection.count_operation(operation);
    let caller = bearer(&request).and_then(|token| world.caller_of_token(&token));
    let username = caller
        .as_ref()
        .map(|caller| caller.username.as_str())
        .unwrap_or_default();
    let fault = world.faults.decide(Side::Salesforce, operation, username);
    if let Some(Fault::Slow { ms }) = fault {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    if let Some(reply) = instead(&world, fault.as_ref(), &target, &request) {
        return reply;
    }
    let base = base(&request, connection);
    if request
        .uri()
        .path_and_query()
        .is_some_and(|target| target.as_str().len() > URI_LIMIT)
    {
        let error = ApiError::new(
            "URI_TOO_LONG",
            "The length of the URI exceeds the 16,384 byte limit",
        );
        return response(&Answer::error(&error), None).into();
    }
    let response = match target {
        Target::Versions => response(&Answer::json(resources::versions()), None),
        Target::OAuth(endpoint) => oauth::answer(&world, &request, &base, endpoint),
        Target::Nowhere => response(&Answer::error(&not_found()), None),
        Target::Api { version, ask } => {
            let answer = api(&world, caller.as_ref(), version, base, &ask, fault.as_ref());
            let answer = answer.unwrap_or_else(|error| Answer::error(&error));
            let limit = world.read().settings.daily_limit;
            response(&answer, Some((world.calls_used(), limit)))
        }
    };
    match fault {
        Some(Fault::Cut { after_bytes }) => Reply::Cut {
            response,
            after: after_bytes,
        },
        Some(Fault::ApplyThenCut | Fault::HalfApplied) => Reply::Close,
        _ => Reply::Full(response),
    }
}

fn target(request: &Request<Bytes>) -> Target {
    let path = request.uri().path();
    if let Some(endpoint) = oauth::endpoint(path) {
        return Target::OAuth(endpoint);
    }
    let Some(rest) = path.strip_prefix("/services/data") else {
        return Target::Nowhere;
    };
    let rest = rest.trim_start_matches('/');
    if rest.is_empty() {
        return Target::Versions;
    }
    let (version, below) = rest.split_once('/').unwrap_or((rest, ""));
    let full = match request.uri().query() {
        Some(query) => format!("{below}?{query}"),
        None => below.to_owned(),
    };
    let mut ask = Ask::new(
        request.method().clone(),
        &full,
        Payload::Bytes(request.body().clone()),
    );
    for (name, value) in request.headers() {
        if let Ok(value) = value.to_str() {
            ask.headers.insert(name.as_str().to_owned(), value.to_owned());
        }
    }
    Target::Api {
        version: version.to_owned(),
        ask: Box::new(ask),
    }
}

/// The token of an Authorization header; the vendor takes `Bearer` and `OAuth`.
pub(super) fn bearer(request: &Request<Bytes>) -> Option<String> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth");
    known.then(|| token.trim().to_owned())
}

fn base(request: &Request<Bytes>, connection: &ConnectionState) -> String {
    let scheme = if connection.tls { "https" } else { "http" };
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    format!("{scheme}://{host}")
}

/// The answer that a fault gives instead of the right one, before anything is applied.
fn instead(world: &World, fault: Option<&Fault>, target: &Target, request: &Request<Bytes>) -> Option<Reply> {
    let oauth = matches!(target, Target::OAuth(_));
    let grant = |description: &str| {
        let body = serde_json::json!({"error": "invalid_grant", "error_description": description});
        response(&Answer::with(400, body), None)
    };
    Some(match fault? {
        Fault::Down => Reply::Close,
        Fault::HalfApplied if !is_batch(target) => Reply::Close,
        Fault::Html { status } => page(*status).into(),
        Fault::HttpStatus { status, retry_after } => bare(*status, *retry_after).into(),
        Fault::Busy { back_off_ms } => {
            let error = ApiError::new(
                "SERVER_UNAVAILABLE",
                "The server is temporarily unavailable. Please try again later.",
            );
            let mut response = response(&Answer::error(&error), None);
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(back_off_ms.div_ceil(1000)));
            response.into()
        }
        Fault::WrongPassword if oauth => grant("authentication failure").into(),
        Fault::ExpiredToken if oauth => grant("expired access/refresh token").into(),
        Fault::ExpiredToken => {
            world.session_event(Event::Revoked {
                token: bearer(request).unwrap_or_default(),
            });
            response(&Answer::error(&session_invalid()), None).into()
        }
        Fault::Refused { code } if matches!(target, Target::Api { ask, .. } if reads_only(ask)) => {
            response(&Answer::error(&as_told(*code)), None).into()
        }
        Fault::LimitExceeded if !oauth => response(&Answer::error(&limit_exceeded()), None).into(),
        Fault::LostCursor => {
            world.locators.clear();
            return None;
        }
        _ => return None,
    })
}

/// Whether half of the request can be applied.
fn is_batch(target: &Target) -> bool {
    matches!(target, Target::Api { ask, .. } if ask.segments.first().is_some_and(|first| first == "composite"))
}

fn page(status: u16) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(
        b"<!doctype html><html><body><h1>Maintenance</h1></body></html>",
    ));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=UTF-8"));
    response
}

fn bare(status: u16, retry_after: Option<u64>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    if let Some(seconds) = retry_after {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn response(answer: &Answer, usage: Option<(u64, u64)>) -> Response<Bytes> {
    let (body, kind) = match &answer.body {
        json @ (Body::Json(_) | Body::Text(_) | Body::Steps(_)) => {
            let text = serde_json::to_vec(json).unwrap_or_default();
            (Bytes::from(text), "application/json;charset=UTF-8")
        }
        Body::Bytes(bytes) => (bytes.clone(), "application/octetstream"),
        Body::Empty => (Bytes::new(), ""),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if !kind.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    if let Some(Ok(location)) = answer
        .location
        .as_ref()
        .map(|location| HeaderValue::from_str(location))
    {
        headers.insert(LOCATION, location);
    }
    if let Some((used, limit)) = usage
        && let Ok(value) = HeaderValue::from_str(&format!("api-usage={used}/{limit}"))
    {
        headers.insert(HeaderName::from_static("sforce-limit-info"), value);
    }
    response
}

/// Counts the call, if the caller may make it.
fn admit(world: &World, caller: &Caller) -> ApiResult<()> {
    let (limit, enabled) = {
        let state = world.read();
        let user = state.settings.users.get(&caller.username);
        (
            state.settings.daily_limit,
            user.is_none_or(|user| user.api_enabled),
        )
    };
    if !enabled {
        return Err(ApiError::new(
            "API_DISABLED_FOR_ORG",
            "API is not enabled for this Organization or Partner",
        ));
    }
    if world.calls_used() >= limit {
        return Err(limit_exceeded());
    }
    world.count_call(&caller.username);
    Ok(())
}

/// One call of the API.
fn api(
    world: &World,
    caller: Option<&Caller>,
    version: String,
    base: String,
    ask: &Ask,
    fault: Option<&Fault>,
) -> ApiResult<Answer> {
    known_version(&version)?;
    let caller = caller.ok_or_else(session_invalid)?;
    admit(world, caller)?;
    let ask = whole(ask)?;
    let half = matches!(fault, Some(Fault::HalfApplied));
    let now = world.clock.now();
    let batch_size = batch_size(&ask);
    if reads_only(&ask) {
        let state = world.read();
        let access = Access::Read(&state);
        let mut call = Call {
            world,
            access,
            caller,
            now,
            version,
            base,
            batch_size,
            half,
        };
        let answer = dispatch(&mut call, &ask)?;
        // As long as nobody else can write: what is written from now on was not in the answer.
        if caller.syncs {
            world.edits().was_given(&answer, world.clock.now());
        }
        return Ok(answer);
    }
    let duplicates = ask.headers.get("sforce-duplicate-rule-header");
    let options = WriteOptions {
        allow_duplicates: duplicates.is_some_and(|value| value.replace(' ', "").contains("allowSave=true")),
        obstacle: match fault {
            Some(Fault::LockedRow) => Some(Obstacle::Lock),
            Some(Fault::Refused { code }) => Some(Obstacle::Code(*code)),
            _ => None,
        },
    };
    world.change(caller, options, |tx| {
        let now = tx.now;
        let access = Access::Write(tx);
        let mut call = Call {
            world,
            access,
            caller,
            now,
            version,
            base,
            batch_size,
            half,
        };
        dispatch(&mut call, &ask)
    })
}

/// A multipart body becomes JSON; an overlong target is refused.
fn whole(ask: &Ask) -> ApiResult<Ask> {
    let mut ask = ask.clone();
    if let (Some(kind), Payload::Bytes(body)) = (ask.headers.get("content-type"), &ask.payload)
        && kind.starts_with("multipart/form-data")
    {
        ask.payload = Payload::Json(multipart::to_json(kind, body)?);
    }
    Ok(ask)
}

fn known_version(version: &str) -> ApiResult<()> {
    let number: Option<u32> = version
        .strip_prefix('v')
        .and_then(|rest| rest.strip_suffix(".0")?.parse().ok());
    match number {
        Some(number) if (7..resources::OLDEST).contains(&number) => {
            let message =
                "The requested API version is retired. Use a version that GET /services/data lists.";
            Err(ApiError::new("UNSUPPORTED_API_VERSION", message).status(410))
        }
        Some(number) if (resources::OLDEST..=resources::NEWEST).contains(&number) => Ok(()),
        _ => Err(not_found()),
    }
}

fn batch_size(ask: &Ask) -> usize {
    let header = ask.headers.get("sforce-query-options");
    let size = header.and_then(|value| value.trim().strip_prefix("batchSize=")?.trim().parse().ok());
    size.unwrap_or(2000usize).clamp(200, 2000)
}

impl World {
    /// Who a token speaks for; `None` if it is not in force or its user is not active.
    pub(super) fn caller_of_token(&self, token: &str) -> Option<Caller> {
        let (user, syncs) = {
            let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            let session = sessions.session(token, self.clock.now())?;
            (session.user.clone(), session.syncs)
        };
        let caller = self.caller(&user)?;
        Some(Caller { syncs, ..caller })
    }

    /// The caller that a user is.
    pub(super) fn caller(&self, user: &str) -> Option<Caller> {
        let state = self.read();
        let row = state.row("User", user).filter(|row| row.flag("IsActive"))?;
        let username = row.text("Username").to_owned();
        let settings = state.settings.users.get(&username);
        let integration = username == super::app::INTEGRATION_USERNAME;
        Some(Caller {
            id: user.to_owned(),
            view_all: integration || settings.is_some_and(|user| user.view_all),
            modify_all: integration || settings.is_some_and(|user| user.modify_all),
            zone: row.text("TimeZoneSidKey").parse().unwrap_or(Tz::UTC),
            username,
            syncs: false,
        })
    }
}
