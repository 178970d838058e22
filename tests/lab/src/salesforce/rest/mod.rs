//! The REST API below `/services/data/vNN.0/`, one file per family of resources.
//!
//! [`ask`] is a request with its path taken apart, [`call`] the circumstances it runs in, and
//! [`dispatch`] leads it to its resource. Composite resources come back here for each of their steps.

pub mod ask;
pub mod call;
mod collections;
mod composite;
mod describe;
pub mod multipart;
mod query;
mod records;
mod reference;
mod replication;
pub mod resources;

use http::Method;

use super::error::{ApiError, ApiResult, not_found};
use super::schema::{self, Object};
use ask::{Answer, Ask};
use call::Call;

/// The operation's name in /stats and for fault rules.
pub fn operation(ask: &Ask) -> &'static str {
    let segments: Vec<&str> = ask.segments.iter().map(String::as_str).collect();
    match (ask.method.as_str(), segments.as_slice()) {
        (_, []) => "resources",
        (_, ["limits"]) => "limits",
        (_, ["query"]) => "query",
        (_, ["queryAll"]) => "query_all",
        (_, ["query" | "queryAll", _]) => "query_more",
        (_, ["search"]) => "search",
        (_, ["parameterizedSearch"]) => "parameterized_search",
        (_, ["composite"]) => "composite",
        (_, ["composite", "batch"]) => "batch",
        ("POST", ["composite", "sobjects"]) => "collections_create",
        ("PATCH", ["composite", "sobjects"]) => "collections_update",
        ("DELETE", ["composite", "sobjects"]) => "collections_delete",
        ("PATCH", ["composite", "sobjects", ..]) => "collections_upsert",
        (_, ["composite", "sobjects", ..]) => "collections_retrieve",
        (_, ["sobjects"]) => "describe_global",
        ("POST", ["sobjects", _]) => "create",
        (_, ["sobjects", _]) => "object",
        (_, ["sobjects", _, "describe"]) => "describe",
        (_, ["sobjects", _, "listviews", ..]) => "list_view",
        (_, ["sobjects", _, "updated"]) => "updated",
        (_, ["sobjects", _, "deleted"]) => "deleted",
        ("GET", ["sobjects", _, _]) => "get",
        ("PATCH", ["sobjects", _, _]) => "update",
        ("DELETE", ["sobjects", _, _]) => "delete",
        ("PATCH" | "POST", ["sobjects", _, _, _]) => "upsert",
        ("DELETE", ["sobjects", _, _, _]) => "delete",
        ("GET", ["sobjects", _, _, _]) => "get_by_key",
        _ => "other",
    }
}

/// Whether the request changes nothing, so that it can share the store with others.
pub fn reads_only(ask: &Ask) -> bool {
    let path: Vec<&str> = ask.segments.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["parameterizedSearch"] | ["composite", "sobjects", _] => ask.method != Method::PATCH,
        ["composite"] => composite::reads_only(ask),
        _ => ask.method == Method::GET,
    }
}

/// Leads a request to its resource.
///
/// # Errors
/// What the resource says, or NOT_FOUND.
pub fn dispatch(call: &mut Call, ask: &Ask) -> ApiResult<Answer> {
    let segments: Vec<&str> = ask.segments.iter().map(String::as_str).collect();
    match (ask.method.as_str(), segments.as_slice()) {
        ("GET", []) => Ok(resources::list(call)),
        ("GET", ["limits"]) => Ok(resources::limits(call)),
        ("GET", ["query"]) => query::query(call, ask, false),
        ("GET", ["queryAll"]) => query::query(call, ask, true),
        ("GET", ["query" | "queryAll", locator]) => query::more(call, locator),
        ("GET", ["search"]) => query::search(call, ask),
        ("GET" | "POST", ["parameterizedSearch"]) => query::parameterized(call, ask),
        ("GET", ["sobjects"]) => Ok(describe::global(call)),
        ("GET", ["sobjects", name]) => Ok(describe::basic(call, object(name)?)),
        ("POST", ["sobjects", name]) => records::create(call, object(name)?, ask),
        ("GET", ["sobjects", name, "describe"]) => describe::object(call, object(name)?, ask),
        ("GET", ["sobjects", name, "listviews", id, "describe"]) => {
            describe::list_view(call, object(name)?, id)
        }
        ("GET", ["sobjects", name, "updated"]) => replication::updated(call, object(name)?, ask),
        ("GET", ["sobjects", name, "deleted"]) => replication::deleted(call, object(name)?, ask),
        (_, ["sobjects", name, id]) => records::by_id(call, object(name)?, id, ask),
        ("GET", ["sobjects", name, id, "VersionData"]) => records::bytes(call, object(name)?, id),
        (_, ["sobjects", name, field, value]) => records::by_key(call, object(name)?, field, value, ask),
        ("POST", ["composite"]) => composite::composite(call, ask),
        ("POST", ["composite", "batch"]) => composite::batch(call, ask),
        (_, ["composite", "sobjects"]) => collections::rows(call, ask),
        ("PATCH", ["composite", "sobjects", name, key]) => collections::upsert(call, object(name)?, key, ask),
        ("GET" | "POST", ["composite", "sobjects", name]) => collections::retrieve(call, object(name)?, ask),
        _ => Err(not_found()),
    }
}

fn object(name: &str) -> ApiResult<&'static Object> {
    schema::object(name).ok_or_else(not_found)
}

/// The vendor's answer to a method that a resource does not know.
fn wrong_method(ask: &Ask, allowed: &str) -> ApiError {
    let message = format!("HTTP Method '{}' not allowed. Allowed are {allowed}", ask.method);
    ApiError::new("METHOD_NOT_ALLOWED", message)
}
