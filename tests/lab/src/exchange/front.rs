//! From HTTP to an operation and back: sign-in, envelopes, impersonation, faults.

use super::World;
use super::context::Context;
use super::directory::Principal;
use super::ops;
use super::refusal::Refusal;
use super::soap::{self, Request as Soap};
use super::xml::read;
use super::{auth, impersonate, large, streaming};
use crate::faults::{Fault, Side};
use crate::http::{ConnectionState, Reply};
use crate::lab::SERVICE_LOGIN;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, Response, StatusCode};
use std::sync::Arc;
use std::time::Duration;

/// DavMail compares this text as a whole.
const XML: &str = "text/xml; charset=utf-8";

/// Answers one HTTP request.
pub async fn handle(world: Arc<World>, request: Request<Bytes>, connection: &ConnectionState) -> Reply {
    let path = request.uri().path().to_ascii_lowercase();
    if path != "/ews/exchange.asmx" && path != "/ews/services.wsdl" {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return Reply::Full(response);
    }
    let caller = match auth::caller(&world, &request, connection) {
        Ok(caller) => caller.clone(),
        Err(response) => return Reply::Full(response),
    };
    if request.method() != Method::POST {
        return Reply::Full(Response::new(Bytes::from_static(
            b"<html><body>Service</body></html>",
        )));
    }
    let parsed = read::parse(request.body()).map_err(Refusal::from);
    let envelope = match &parsed {
        Ok(envelope) => envelope,
        Err(refusal) => return fault(refusal),
    };
    let soap = match Soap::read(envelope, world.build()) {
        Ok(soap) => soap,
        Err(refusal) => return fault(&refusal),
    };
    connection.count_operation(&soap.operation.name);
    let user = match impersonate::effective(&world.directory, &caller, soap.impersonated) {
        Ok(user) => Principal {
            syncs: caller.login == SERVICE_LOGIN && soap.impersonated.is_some(),
            ..user.clone()
        },
        Err(refusal) => return fault(&refusal),
    };
    let met = world
        .faults
        .decide(Side::Exchange, &soap.operation.name, &user.smtp);
    if let Some(reply) = before_work(met.as_ref()).await {
        return reply;
    }
    let cx = Context {
        user,
        version: soap.version,
        zone: soap.zone.clone(),
        half: matches!(met, Some(Fault::HalfApplied)),
        cursors_lost: matches!(met, Some(Fault::LostCursor)),
        world,
    };
    if soap.operation.name == "GetStreamingEvents" {
        return streaming::open(cx, soap.operation);
    }
    let answer = ops::run(&cx, soap.operation);
    let response = match &answer {
        Ok(body) => whole(StatusCode::OK, &cx, body, &met),
        Err(refusal) => return fault(refusal),
    };
    let response = with_headers(response, &request);
    if !matches!(met, Some(Fault::Cut { .. }))
        && let Some(reply) = large::streamed(&response)
    {
        return reply;
    }
    match met {
        Some(Fault::HalfApplied | Fault::ApplyThenCut) => Reply::Close,
        Some(Fault::Cut { after_bytes }) => Reply::Cut {
            response,
            after: after_bytes,
        },
        _ => Reply::Full(response),
    }
}

/// Faults that meet a request before any work is done.
async fn before_work(met: Option<&Fault>) -> Option<Reply> {
    match met? {
        Fault::Busy { back_off_ms } => Some(busy(*back_off_ms)),
        Fault::LimitExceeded => Some(busy(300_000)),
        Fault::Slow { ms } => {
            tokio::time::sleep(Duration::from_millis(*ms)).await;
            None
        }
        Fault::Html { status } => Some(Reply::Full(html(*status))),
        Fault::HttpStatus { status, retry_after } => {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::from_u16(*status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            if let Some(seconds) = retry_after {
                response
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Some(Reply::Full(response))
        }
        Fault::ExpiredToken | Fault::WrongPassword => Some(Reply::Full(auth::refused(None))),
        Fault::Down => Some(Reply::Close),
        _ => None,
    }
}

/// What a proxy or a maintenance page answers.
fn html(status: u16) -> Response<Bytes> {
    let page = "<!DOCTYPE html><html><head><title>Maintenance</title></head><body>Back soon.</body></html>";
    let mut response = Response::new(Bytes::from_static(page.as_bytes()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}

fn busy(back_off_ms: u64) -> Reply {
    let refusal = Refusal::new(
        "ErrorServerBusy",
        "The server cannot service this request right now. Try again later.",
    );
    fault(&refusal.with("BackOffMilliseconds", back_off_ms.to_string()))
}

fn whole(status: StatusCode, cx: &Context, body: &str, met: &Option<Fault>) -> Response<Bytes> {
    let mut text = soap::envelope(cx.world.build(), body);
    if matches!(met, Some(Fault::IllegalXml)) {
        // What real mailboxes hold and real servers pass on: characters that XML 1.0 does not know.
        for element in ["<t:Subject>", "<t:Name>", "<t:DisplayName>"] {
            text = text.replacen(element, &format!("{element}&#x0B;&#x1F;"), 1);
        }
    }
    xml(status, text)
}

/// An XML answer.
pub fn xml(status: StatusCode, text: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(XML));
    response
}

fn fault(refusal: &Refusal) -> Reply {
    Reply::Full(xml(StatusCode::INTERNAL_SERVER_ERROR, soap::fault(refusal)))
}

fn with_headers(mut response: Response<Bytes>, request: &Request<Bytes>) -> Response<Bytes> {
    let headers = response.headers_mut();
    headers.insert(
        HeaderName::from_static("x-feserver"),
        HeaderValue::from_static("MAIL1"),
    );
    headers.insert(
        HeaderName::from_static("x-calculatedbetarget"),
        HeaderValue::from_static("mail1.lab.example"),
    );
    let name = HeaderName::from_static("client-request-id");
    if let Some(id) = request.headers().get(&name) {
        headers.insert(HeaderName::from_static("request-id"), id.clone());
    }
    response
}
