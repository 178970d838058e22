//! Keeps every request of both sides in one file, in the order in which they came, so that [`crate::replay`]
//! can send them once more: the floor that a client's own work is measured against. Off unless a file is
//! named. Requests that were answered 401 are left out, since a replay signs in in advance.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use hyper::Request;
use serde::{Deserialize, Serialize};

use crate::faults::Side;
use crate::http::Reply;

/// Headers that say something to the server and do not belong to one connection or sign-in.
const KEPT: &[&str] = &[
    "accept",
    "accept-encoding",
    "content-type",
    "soapaction",
    "user-agent",
    "x-anchormailbox",
    "sforce-duplicate-rule-header",
    "if-modified-since",
];

/// One request as it came.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Taped {
    /// Which side it was for.
    pub side: Side,
    /// The connection it came on; distinct in the whole tape.
    pub connection: u64,
    /// Its method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Headers worth sending again.
    pub headers: BTreeMap<String, String>,
    /// The token that it was signed with, on the Salesforce side.
    pub token: Option<String>,
    /// The token that it was answered with: a sign-in.
    pub issued: Option<String>,
    /// The body in base64.
    pub body: String,
}

impl Taped {
    /// The body as it came.
    pub fn body(&self) -> Bytes {
        STANDARD.decode(&self.body).map(Bytes::from).unwrap_or_default()
    }
}

/// Where requests are kept, if anywhere; clones share it.
#[derive(Clone, Default)]
pub struct Tape {
    file: Option<Arc<Mutex<BufWriter<File>>>>,
}

/// A request that waits for its answer.
pub struct Pending {
    tape: Tape,
    taped: Taped,
}

impl Tape {
    /// Keeps requests in a file, which is made anew.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn into_file(path: &Path) -> std::io::Result<Tape> {
        let file = BufWriter::new(File::create(path)?);
        Ok(Tape {
            file: Some(Arc::new(Mutex::new(file))),
        })
    }

    /// Notes a request. None if nothing is kept.
    pub fn request(&self, side: Side, connection: u64, request: &Request<Bytes>) -> Option<Pending> {
        self.file.as_ref()?;
        let target = request.uri().path_and_query().map_or("/", |both| both.as_str());
        Some(Pending {
            tape: self.clone(),
            taped: Taped {
                side,
                connection,
                method: request.method().to_string(),
                target: target.to_owned(),
                headers: kept(request.headers()),
                token: bearer(request.headers()),
                issued: None,
                body: STANDARD.encode(request.body()),
            },
        })
    }

    fn write(&self, taped: &Taped) {
        let Some(file) = &self.file else { return };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = serde_json::to_writer(&mut *file, taped).map_err(std::io::Error::from);
        let written = written
            .and_then(|()| file.write_all(b"\n"))
            .and_then(|()| file.flush());
        if let Err(error) = written {
            tracing::warn!(%error, "a request could not be kept");
        }
    }
}

impl Pending {
    /// Keeps the request, now that its answer is known.
    pub fn answered(mut self, reply: &Reply) {
        let status = match reply {
            Reply::Full(response) => Some(response.status()),
            Reply::Stream(response) => Some(response.status()),
            Reply::Close | Reply::Cut { .. } => None,
        };
        if let Reply::Full(response) = reply
            && self.taped.target.starts_with("/services/oauth2/token")
        {
            self.taped.issued = issued(response.body());
        }
        if status != Some(StatusCode::UNAUTHORIZED) {
            self.tape.write(&self.taped);
        }
    }
}

fn kept(headers: &HeaderMap) -> BTreeMap<String, String> {
    KEPT.iter()
        .filter_map(|name| Some(((*name).to_owned(), headers.get(*name)?.to_str().ok()?.to_owned())))
        .collect()
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(str::to_owned)
}

fn issued(body: &[u8]) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(answer.get("access_token")?.as_str()?.to_owned())
}
