//! A request taken apart, and an answer before it is HTTP.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use percent_encoding::percent_decode_str;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::salesforce::error::{ApiError, ApiResult, unreadable};

/// A request's body.
#[derive(Clone)]
pub enum Payload {
    /// As it came.
    Bytes(Bytes),
    /// As a composite step holds it.
    Json(Value),
}

/// A request below the version.
#[derive(Clone)]
pub struct Ask {
    /// The method.
    pub method: Method,
    /// The decoded parts of the path below `/services/data/vNN.0`, without empty ones.
    pub segments: Vec<String>,
    /// The decoded query parameters.
    pub query: HashMap<String, String>,
    /// The body.
    pub payload: Payload,
    /// Request headers that resources look at, by lower-case name.
    pub headers: HashMap<String, String>,
}

impl Ask {
    /// Takes a path with its query apart; the path begins below the version.
    pub fn new(method: Method, path_and_query: &str, payload: Payload) -> Ask {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        Ask {
            method,
            segments: path
                .split('/')
                .filter(|part| !part.is_empty())
                .map(decoded)
                .collect(),
            query: url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            payload,
            headers: HashMap::new(),
        }
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// JSON_PARSER_ERROR.
    pub fn json(&self) -> ApiResult<Value> {
        match &self.payload {
            Payload::Json(value) => Ok(value.clone()),
            Payload::Bytes(bytes) => {
                serde_json::from_slice(bytes).map_err(|error| unreadable(error.to_string()))
            }
        }
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    /// JSON_PARSER_ERROR.
    pub fn object(&self) -> ApiResult<Map<String, Value>> {
        match self.json()? {
            Value::Object(object) => Ok(object),
            _ => Err(unreadable(
                "The HTTP entity body is required, but this request has no entity body.",
            )),
        }
    }

    /// A query parameter that must be there.
    ///
    /// # Errors
    /// MISSING_ARGUMENT.
    pub fn required(&self, name: &str) -> ApiResult<&str> {
        self.query
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| ApiError::new("MISSING_ARGUMENT", format!("Missing required argument: {name}")))
    }

    /// Whether a query parameter says true.
    pub fn says(&self, name: &str) -> bool {
        self.query.get(name).is_some_and(|value| value == "true")
    }
}

/// An answer's body.
#[derive(Clone)]
pub enum Body {
    /// JSON.
    Json(Value),
    /// JSON that was written out before.
    Text(Arc<RawValue>),
    /// The answers to a composite request's steps, each under its reference.
    Steps(Vec<(String, Answer)>),
    /// A file's bytes.
    Bytes(Bytes),
    /// None.
    Empty,
}

/// An answer.
#[derive(Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Body,
    /// `Location`, where a record was made.
    pub location: Option<String>,
}

impl Answer {
    /// 200 with JSON.
    pub fn json(value: Value) -> Answer {
        Answer {
            status: 200,
            body: Body::Json(value),
            location: None,
        }
    }

    /// A status with JSON.
    pub fn with(status: u16, value: Value) -> Answer {
        Answer {
            status,
            ..Answer::json(value)
        }
    }

    /// A status alone.
    pub fn empty(status: u16) -> Answer {
        Answer {
            status,
            body: Body::Empty,
            location: None,
        }
    }

    /// An error's answer.
    pub fn error(error: &ApiError) -> Answer {
        Answer::with(error.status, json!([error.to_rest()]))
    }

    /// Whether a step that got this answer failed.
    pub fn failed(&self) -> bool {
        self.status >= 300 && self.status != 304
    }

    /// The body as a later step or a batch result takes it.
    pub fn value(&self) -> Cow<'_, Value> {
        match &self.body {
            Body::Json(value) => Cow::Borrowed(value),
            Body::Text(text) => Cow::Owned(serde_json::from_str(text.get()).unwrap_or_default()),
            Body::Steps(_) | Body::Bytes(_) | Body::Empty => Cow::Owned(Value::Null),
        }
    }
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Body::Json(value) => value.serialize(serializer),
            Body::Text(text) => text.serialize(serializer),
            Body::Steps(steps) => {
                let shown: Vec<_> = steps.iter().map(Shown::of).collect();
                serializer.collect_map([("compositeResponse", shown)])
            }
            Body::Bytes(_) | Body::Empty => serializer.serialize_unit(),
        }
    }
}

/// A step's answer as a composite result holds it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    body: &'a Body,
    http_headers: Headers<'a>,
    http_status_code: u16,
    reference_id: &'a str,
}

#[derive(Serialize)]
struct Headers<'a> {
    #[serde(rename = "Location", skip_serializing_if = "Option::is_none")]
    location: Option<&'a str>,
}

impl<'a> Shown<'a> {
    fn of((reference, answer): &'a (String, Answer)) -> Self {
        Shown {
            body: &answer.body,
            http_headers: Headers {
                location: answer.location.as_deref(),
            },
            http_status_code: answer.status,
            reference_id: reference,
        }
    }
}
