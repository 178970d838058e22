//! Composite: up to 25 steps in one call, later ones using earlier results; and Batch, where every
//! step stands and counts alone (REST API Developer Guide, "Composite", "Composite Batch").

use std::collections::HashSet;

use http::Method;
use serde_json::{Map, Value, json};

use super::ask::{Answer, Ask, Body, Payload};
use super::call::{Access, Call};
use super::reference::{self, Earlier};
use super::{dispatch, operation};
use crate::salesforce::error::{ApiError, ApiResult, unreadable};

/// Steps a call may have.
const STEP_LIMIT: usize = 25;
/// How many of them may be queries or collections.
const HEAVY_LIMIT: usize = 5;

struct Step {
    method: Method,
    url: String,
    reference: String,
    body: Option<Value>,
    headers: Map<String, Value>,
}

/// Whether every step of a composite request only reads.
pub fn reads_only(ask: &Ask) -> bool {
    let body = ask.json().unwrap_or(Value::Null);
    let steps = body.get("compositeRequest").and_then(Value::as_array);
    steps.is_some_and(|steps| {
        steps
            .iter()
            .all(|step| step.get("method").and_then(Value::as_str) == Some("GET"))
    })
}

/// POST composite
pub fn composite(call: &mut Call, ask: &Ask) -> ApiResult<Answer> {
    let body = ask.object()?;
    let all_or_none = body.get("allOrNone").and_then(Value::as_bool).unwrap_or(false);
    let steps = steps(body.get("compositeRequest"), "compositeRequest")?;
    let mut results: Vec<(String, Answer)> = Vec::new();
    let savepoint = savepoint(call);
    let share = call.share(steps.len());
    for step in steps.into_iter().take(share) {
        let answer = run(call, &step, &results).unwrap_or_else(|error| Answer::error(&error));
        let failed = answer.failed();
        results.push((step.reference, answer));
        if failed && all_or_none {
            break;
        }
    }
    let failed = results.iter().any(|(_, answer)| answer.status >= 400);
    if all_or_none && (failed || call.half) {
        undo(call, savepoint);
        halt(&mut results, body.get("compositeRequest"));
    }
    Ok(Answer {
        body: Body::Steps(results),
        ..Answer::empty(200)
    })
}

fn savepoint(call: &Call) -> usize {
    match &call.access {
        Access::Write(tx) => tx.savepoint(),
        Access::Read(_) => 0,
    }
}

fn undo(call: &mut Call, savepoint: usize) {
    if let Access::Write(tx) = &mut call.access {
        tx.rollback_to(savepoint);
    }
}

/// Every step but the failed one says that it was rolled back or never run.
fn halt(results: &mut Vec<(String, Answer)>, steps: Option<&Value>) {
    let error = ApiError::new(
        "PROCESSING_HALTED",
        "The transaction was rolled back since another operation in the same transaction failed.",
    );
    for (_, answer) in results.iter_mut().filter(|(_, answer)| answer.status < 400) {
        *answer = Answer::error(&error);
    }
    let all = steps.and_then(Value::as_array).into_iter().flatten();
    for step in all.skip(results.len()) {
        let reference = step
            .get("referenceId")
            .and_then(Value::as_str)
            .unwrap_or_default();
        results.push((reference.to_owned(), Answer::error(&error)));
    }
}

fn steps(list: Option<&Value>, name: &str) -> ApiResult<Vec<Step>> {
    let Some(Value::Array(list)) = list else {
        return Err(unreadable(format!("{name} is missing in the request body")));
    };
    if list.len() > STEP_LIMIT {
        let message = format!("The number of subrequests exceeds the limit of {STEP_LIMIT}");
        return Err(ApiError::new("LIMIT_EXCEEDED", message));
    }
    let steps = list.iter().map(step).collect::<ApiResult<Vec<Step>>>()?;
    let mut seen = HashSet::new();
    for step in &steps {
        let legal = step
            .reference
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if step.reference.is_empty() || !legal || !seen.insert(step.reference.as_str()) {
            let message = format!(
                "Provided referenceId '{}' is missing, illegal or not unique",
                step.reference
            );
            return Err(ApiError::new("INVALID_INPUT", message));
        }
    }
    let heavy = steps.iter().filter(|step| is_heavy(step)).count();
    if heavy > HEAVY_LIMIT {
        let message =
            format!("At most {HEAVY_LIMIT} subrequests can be query or sObject collections operations");
        return Err(ApiError::new("LIMIT_EXCEEDED", message));
    }
    Ok(steps)
}

fn step(value: &Value) -> ApiResult<Step> {
    let text = |name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let method = match text("method").as_str() {
        "GET" => Method::GET,
        "POST" => Method::POST,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        "PUT" => Method::PUT,
        other => return Err(unreadable(format!("method '{other}' is not known"))),
    };
    Ok(Step {
        method,
        url: text("url"),
        reference: text("referenceId"),
        body: value
            .get("body")
            .or_else(|| value.get("richInput"))
            .filter(|body| !body.is_null())
            .cloned(),
        headers: value
            .get("httpHeaders")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default(),
    })
}

fn is_heavy(step: &Step) -> bool {
    let Some(ask) = inner(step.method.clone(), &step.url, Value::Null) else {
        return false;
    };
    let name = operation(&ask);
    name.starts_with("query") || name.starts_with("collections")
}

/// The request that a step's URL names, with or without `/services/data`.
fn inner(method: Method, url: &str, body: Value) -> Option<Ask> {
    let path = url
        .strip_prefix("/services/data")
        .unwrap_or(url)
        .trim_start_matches('/');
    let at = path.find(['/', '?']).unwrap_or(path.len());
    let (version, rest) = path.split_at(at);
    version.strip_prefix('v')?;
    Some(Ask::new(method, rest, Payload::Json(body)))
}

fn run(call: &mut Call, step: &Step, earlier: Earlier<'_>) -> ApiResult<Answer> {
    let url = reference::in_url(earlier, &step.url)?;
    let body = reference::in_body(earlier, &step.body.clone().unwrap_or(Value::Null))?;
    perform(call, step, &url, body)
}

fn perform(call: &mut Call, step: &Step, url: &str, body: Value) -> ApiResult<Answer> {
    let ask = inner(step.method.clone(), url, body);
    let mut ask =
        ask.ok_or_else(|| ApiError::new("NOT_FOUND", format!("The URL {url} names no API resource")))?;
    if ask.segments.first().is_some_and(|first| first == "composite")
        && ask.segments.get(1).is_none_or(|second| second != "sobjects")
    {
        return Err(ApiError::new(
            "INVALID_INPUT",
            "Composite requests cannot be nested",
        ));
    }
    for (name, value) in &step.headers {
        ask.headers
            .insert(name.to_lowercase(), value.as_str().unwrap_or_default().to_owned());
    }
    dispatch(call, &ask)
}

/// POST composite/batch
pub fn batch(call: &mut Call, ask: &Ask) -> ApiResult<Answer> {
    let body = ask.object()?;
    let halt = body.get("haltOnError").and_then(Value::as_bool).unwrap_or(false);
    let Some(Value::Array(list)) = body.get("batchRequests") else {
        return Err(unreadable("batchRequests is missing in the request body"));
    };
    if list.len() > STEP_LIMIT {
        let message = format!("The number of subrequests exceeds the limit of {STEP_LIMIT}");
        return Err(ApiError::new("LIMIT_EXCEEDED", message));
    }
    let (mut results, mut failed) = (Vec::new(), false);
    let share = call.share(list.len());
    for value in list.iter().take(share) {
        if failed && halt {
            let error = ApiError::new("BATCH_PROCESSING_HALTED", "Batch processing halted per request");
            results.push(json!({"statusCode": 412, "result": [error.to_rest()]}));
            continue;
        }
        call.world.count_call(&call.caller.username);
        let step = step(value)?;
        let answer = perform(call, &step, &step.url, step.body.clone().unwrap_or(Value::Null));
        let answer = answer.unwrap_or_else(|error| Answer::error(&error));
        failed |= answer.status >= 400;
        results.push(json!({"statusCode": answer.status, "result": answer.value()}));
    }
    Ok(Answer::json(json!({"hasErrors": failed, "results": results})))
}
