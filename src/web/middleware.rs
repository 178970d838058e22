//! What holds for every request and every answer: a number, the headers that tell a browser what our pages
//! may do, refusal of other sites' forms, and failures in words.

use super::problem::Problem;
use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use uuid::Uuid;

/// The header with the request's number.
pub const REQUEST_NUMBER: &str = "x-request-id";

/// Nothing but our own style, script and images; no frames, no other site's form target. `connect-src` is for
/// the script that keeps a page fresh.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// On every answer.
pub const HEADERS: [(&str, &str); 8] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=31536000"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Around every handler.
///
/// # Errors
/// None of its own; what the handler fails with has become an answer.
pub async fn around(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let number = Uuid::new_v4().simple().to_string();
    let scripted = request.path().starts_with("/api/");
    let route = request.match_pattern().unwrap_or_default();
    let mut answer = if from_another_site(&request) {
        let refused = Problem::AnotherSite.answer(scripted, &number);
        request.into_response(refused)
    } else {
        in_words(next.call(request).await?.map_into_boxed_body(), scripted, &number)
    };
    let status = answer.status().as_u16();
    if answer.status().is_server_error() {
        tracing::error!(request = number, route, status, "a request failed");
    } else {
        tracing::debug!(request = number, route, status, "a request was answered");
    }
    put_headers(answer.headers_mut(), &number);
    Ok(answer)
}

/// Browsers say where a request comes from (Fetch Metadata, W3C); other clients do not, and have no cookie
/// that somebody else could use.
fn from_another_site(request: &ServiceRequest) -> bool {
    let site = request.headers().get("sec-fetch-site");
    *request.method() == Method::POST && site.is_some_and(|site| site != "same-origin" && site != "none")
}

/// Replaces a bare failure by one in words.
fn in_words(answer: ServiceResponse, scripted: bool, number: &str) -> ServiceResponse {
    let Some(error) = answer.response().error() else {
        return answer;
    };
    let told = match (error.as_error::<Problem>(), answer.status()) {
        (Some(problem), _) => {
            if answer.status().is_server_error() {
                tracing::error!(request = number, error = %problem, "no page could be made");
            }
            problem.answer(scripted, number)
        }
        // What actix itself could not read: a number that is none, a form that is too long.
        (None, StatusCode::NOT_FOUND) => Problem::NoSuchPage.answer(scripted, number),
        (None, _) => Problem::Unreadable.answer(scripted, number),
    };
    answer.into_response(told)
}

fn put_headers(headers: &mut HeaderMap, number: &str) {
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Ok(number) = HeaderValue::from_str(number) {
        headers.insert(HeaderName::from_static(REQUEST_NUMBER), number);
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
