//! `POST composite` ("Composite", REST API guide): up to 25 requests for one call, five of them queries or
//! collections.

use super::fault::Fault;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    all_or_none: bool,
    composite_request: Vec<Step<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Step<'a> {
    method: &'static str,
    url: &'a str,
    reference_id: String,
}

/// The body that asks for each of these paths, which start at the host's root.
pub(in crate::crm::salesforce) fn body(urls: &[String]) -> serde_json::Result<Vec<u8>> {
    let steps = urls.iter().enumerate().map(|(at, url)| Step {
        method: "GET",
        url,
        reference_id: format!("step{at}"),
    });
    serde_json::to_vec(&Request {
        all_or_none: false,
        composite_request: steps.collect(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    composite_response: Vec<StepAnswer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StepAnswer {
    #[serde(default)]
    body: Option<Box<RawValue>>,
    http_status_code: u16,
}

/// What became of one step: its body, or its status and error.
pub(in crate::crm::salesforce) type Outcome = Result<Box<RawValue>, (u16, Option<Fault>)>;

/// The steps' answers in order; `None` where the answer is something else.
pub(in crate::crm::salesforce) fn outcomes(body: &[u8]) -> Option<Vec<Outcome>> {
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let steps = answer.composite_response.into_iter();
    let outcomes = steps.map(|step| match (step.http_status_code, step.body) {
        (200..300, Some(body)) => Ok(body),
        (status, body) => Err((
            status,
            body.and_then(|body| Fault::of_body(body.get().as_bytes())),
        )),
    });
    Some(outcomes.collect())
}
