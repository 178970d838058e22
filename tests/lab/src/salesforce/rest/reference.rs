//! References between the steps of a composite request: `@{ref.id}`, `@{ref[0].Id}`, `@{ref.records[0].Id}`.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::ask::Answer;
use crate::salesforce::error::{ApiError, ApiResult};

/// The answers to earlier steps by reference id; one that failed cannot be referred to.
pub type Earlier<'a> = &'a [(String, Answer)];

/// The body with every reference replaced; a text that is one reference takes the value's own type.
///
/// # Errors
/// PROCESSING_HALTED for a reference that leads nowhere.
pub fn in_body(earlier: Earlier<'_>, body: &Value) -> ApiResult<Value> {
    Ok(match body {
        Value::String(text) => match text.strip_prefix("@{").and_then(|rest| rest.strip_suffix('}')) {
            Some(path) if !path.contains('}') => follow(earlier, path)?,
            _ => Value::String(replaced(earlier, text, plain)?),
        },
        Value::Array(list) => Value::Array(
            list.iter()
                .map(|element| in_body(earlier, element))
                .collect::<ApiResult<_>>()?,
        ),
        Value::Object(object) => {
            let fields = object
                .iter()
                .map(|(name, value)| Ok((name.clone(), in_body(earlier, value)?)));
            Value::Object(fields.collect::<ApiResult<_>>()?)
        }
        other => other.clone(),
    })
}

/// The URL with every reference replaced.
///
/// # Errors
/// PROCESSING_HALTED for a reference that leads nowhere.
pub fn in_url(earlier: Earlier<'_>, url: &str) -> ApiResult<String> {
    replaced(earlier, url, |value| {
        utf8_percent_encode(&plain(value), NON_ALPHANUMERIC).to_string()
    })
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn replaced(earlier: Earlier<'_>, text: &str, write: impl Fn(&Value) -> String) -> ApiResult<String> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("@{") {
        let Some((path, tail)) = after.split_once('}') else {
            break;
        };
        result.push_str(before);
        result.push_str(&write(&follow(earlier, path)?));
        rest = tail;
    }
    result.push_str(rest);
    Ok(result)
}

fn follow(earlier: Earlier<'_>, path: &str) -> ApiResult<Value> {
    let name_end = path.find(['.', '[']).unwrap_or(path.len());
    let (name, tail) = path.split_at(name_end);
    let step = earlier.iter().find(|(reference, _)| reference == name);
    let body = step
        .filter(|(_, answer)| !answer.failed())
        .map(|(_, answer)| answer.value());
    let found = body
        .as_deref()
        .and_then(|body| walk(body, tail))
        .filter(|value| !value.is_null());
    found.cloned().ok_or_else(|| {
        let message = format!("Invalid reference specified. No value for {path} found in {name}");
        ApiError::new("PROCESSING_HALTED", message)
    })
}

fn walk<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let mut at = value;
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix('[') {
            let (index, tail) = tail.split_once(']')?;
            at = at.get(index.trim().parse::<usize>().ok()?)?;
            rest = tail;
        } else {
            let tail = rest.strip_prefix('.')?;
            let end = tail.find(['.', '[']).unwrap_or(tail.len());
            let (name, tail) = tail.split_at(end);
            at = at
                .as_object()?
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))?
                .1;
            rest = tail;
        }
    }
    Some(at)
}
