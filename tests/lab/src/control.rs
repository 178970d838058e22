//! The control surface: plain HTTP on loopback, JSON, for tests and benchmarks.
//!
//! | call | what it does |
//! |---|---|
//! | POST, GET, DELETE /faults | adds a rule (or a list of rules), shows them, removes all |
//! | POST /clock `{"advance_s": n}` | moves the lab's time forward |
//! | GET, DELETE /ledger | what people would have noticed |
//! | GET /stats, POST /stats/reset | counts |
//! | GET /world | the whole content of both sides |
//! | /salesforce/… | see [`crate::salesforce::control`] |
//! | POST /exchange/import-eml?mailbox=&folder= | puts a raw mail into a mailbox |
//! | POST /exchange/restore?mailbox= | brings a mailbox back from a backup: the same items under other ids |
//! | POST /exchange/attach?item=&name=&size= | attaches the body to an item, or so many octets made up |

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use hyper::{Request, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::exchange::item::AttachmentContent;
use crate::exchange::value::Binary;
use crate::faults::{Rule, Side};
use crate::http::Reply;
use crate::lab::Parts;
use crate::stats::Stats;

/// Serves the control surface until dropped.
pub async fn serve(listener: TcpListener, parts: Parts) {
    // Its own counts, so that asking for the statistics does not change them.
    let uncounted = Stats::new();
    crate::http::serve(listener, None, Side::Exchange, uncounted, move |request, _| {
        let parts = parts.clone();
        async move {
            let (status, body) = match answer(&parts, &request) {
                Ok(body) => (StatusCode::OK, body),
                Err((status, message)) => (status, json!({"error": message})),
            };
            let mut response = Response::new(Bytes::from(body.to_string()));
            *response.status_mut() = status;
            response.headers_mut().insert(
                http::header::CONTENT_TYPE,
                http::HeaderValue::from_static("application/json"),
            );
            Reply::Full(response)
        }
    })
    .await;
}

type Answer = Result<Value, (StatusCode, String)>;

fn answer(parts: &Parts, request: &Request<Bytes>) -> Answer {
    let path = request.uri().path().trim_end_matches('/');
    match (request.method(), path) {
        (&Method::POST, "/faults") => add_faults(parts, request.body()),
        (&Method::GET, "/faults") => Ok(json!(parts.faults.rules())),
        (&Method::DELETE, "/faults") => {
            parts.faults.clear();
            Ok(json!({}))
        }
        (&Method::POST, "/clock") => move_clock(parts, request.body()),
        (&Method::GET, "/clock") => Ok(json!({"now": parts.clock.now()})),
        (&Method::GET, "/ledger") => Ok(parts.ledger.to_json()),
        (&Method::DELETE, "/ledger") => {
            parts.ledger.clear();
            Ok(json!({}))
        }
        (&Method::GET, "/stats") => Ok(stats(parts)),
        (&Method::POST, "/stats/reset") => {
            parts.stats.reset();
            parts.salesforce.reset_stats();
            Ok(json!({}))
        }
        (&Method::GET, "/world") => Ok(json!({
            "exchange": parts.exchange.content(),
            "salesforce": parts.salesforce.content(),
        })),
        (&Method::POST, "/exchange/import-eml") => import_eml(parts, request),
        (&Method::POST, "/exchange/restore") => restore(parts, request),
        (&Method::POST, "/exchange/attach") => attach(parts, request),
        (method, path) => {
            let world = &parts.salesforce;
            let answered = crate::salesforce::control::answer(world, method.as_str(), path, request.body());
            let missing = || {
                (
                    StatusCode::NOT_FOUND,
                    format!("the control surface has no {path}"),
                )
            };
            answered
                .ok_or_else(missing)?
                .map_err(|message| (StatusCode::BAD_REQUEST, message))
        }
    }
}

fn parsed<T: serde::de::DeserializeOwned>(body: &Bytes) -> Result<T, (StatusCode, String)> {
    serde_json::from_slice(body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}

fn add_faults(parts: &Parts, body: &Bytes) -> Answer {
    let given: Value = parsed(body)?;
    let list = match given {
        Value::Array(list) => list,
        one => vec![one],
    };
    for rule in list {
        let rule: Rule =
            serde_json::from_value(rule).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
        parts.faults.add(rule);
    }
    Ok(json!({}))
}

fn move_clock(parts: &Parts, body: &Bytes) -> Answer {
    let given: Value = parsed(body)?;
    let seconds = given.get("advance_s").and_then(Value::as_f64).unwrap_or(0.0);
    let by =
        Duration::try_from_secs_f64(seconds).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    parts.clock.advance(by);
    parts.journal.append("clock", &parts.clock.offset_ms());
    Ok(json!({"now": parts.clock.now()}))
}

fn stats(parts: &Parts) -> Value {
    let side = |side, world: Value| {
        let mut all = json!(parts.stats.side(side));
        if let (Some(all), Value::Object(world)) = (all.as_object_mut(), world) {
            all.extend(world);
        }
        all
    };
    json!({
        "exchange": side(Side::Exchange, parts.exchange.stats()),
        "salesforce": side(Side::Salesforce, parts.salesforce.stats()),
    })
}

fn attach(parts: &Parts, request: &Request<Bytes>) -> Answer {
    let query = request.uri().query().unwrap_or_default();
    let value = |name: &str| {
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    let content = match value("size").parse() {
        Ok(size) => AttachmentContent::Large(size),
        Err(_) => AttachmentContent::File(Binary(request.body().clone())),
    };
    let attached = parts
        .exchange
        .attach_file(&value("item"), &value("name"), content);
    attached.map_err(|message| (StatusCode::BAD_REQUEST, message))?;
    Ok(json!({}))
}

fn restore(parts: &Parts, request: &Request<Bytes>) -> Answer {
    let query = request.uri().query().unwrap_or_default();
    let mailbox = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "mailbox");
    let (_, mailbox) = mailbox.ok_or((StatusCode::BAD_REQUEST, "mailbox is missing".to_owned()))?;
    let restored = parts.exchange.restore(&mailbox);
    restored.map_err(|message| (StatusCode::BAD_REQUEST, message))?;
    Ok(json!({}))
}

fn import_eml(parts: &Parts, request: &Request<Bytes>) -> Answer {
    let query = request.uri().query().unwrap_or_default();
    let value = |name: &str| {
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let mailbox = value("mailbox").ok_or((StatusCode::BAD_REQUEST, "mailbox is missing".to_owned()))?;
    let folder = value("folder").unwrap_or_else(|| "inbox".to_owned());
    let id = parts
        .exchange
        .import_eml(&mailbox, &folder, request.body().clone())
        .map_err(|message| (StatusCode::BAD_REQUEST, message))?;
    Ok(json!({"id": id}))
}
