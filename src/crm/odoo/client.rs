//! One call of one method of one model as one user, over either of Odoo's interfaces.
//!
//! Every call that is made here is safe to repeat: reading changes nothing, a write sets values, and what is new
//! carries an external id.

use super::auth::{Auth, Pass};
use super::call::Call;
use super::codes;
use super::settings::{Api, OdooSettings};
use super::throttle::{self, BUSY_WAIT, MAX_OPEN, TRIES};
use super::wire::fault::Fault;
use super::wire::{json2, jsonrpc, version};
use crate::crm::error::CrmError;
use crate::foundation::clock::Clock;
use crate::foundation::egress::{ClientLimits, EgressError, Gate, HttpClient, Purpose, Repeatable};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::OnceCell;
use url::Url;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Speaks with one database.
pub(super) struct Client {
    pub(super) settings: OdooSettings,
    pub(super) gate: Gate,
    root: Url,
    http: HttpClient,
    pub(super) auth: Auth,
    spoken: OnceCell<Spoken>,
    sent: AtomicU64,
    clock: Clock,
}

/// Which Odoo it is, and by which interface it is spoken to.
pub(super) struct Spoken {
    pub(super) version: version::Version,
    pub(super) api: Api,
}

impl Spoken {
    /// For a person.
    pub(super) fn words(&self) -> String {
        let api = match self.api {
            Api::Json2 => "JSON-2",
            Api::JsonRpc => "JSON-RPC",
        };
        format!("Odoo {} ({api})", self.version.label)
    }
}

/// What came back.
pub(super) struct Answer {
    result: Bytes,
    /// The server's clock when it answered.
    pub(super) at: Option<DateTime<Utc>>,
}

impl Answer {
    /// The result as JSON. What serde has to say about a misfit may quote the body, so it is dropped.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, CrmError> {
        serde_json::from_slice(&self.result).map_err(|_| misfit())
    }
}

pub(super) enum Failure {
    /// The key is not, or no longer, the user's.
    Key(CrmError),
    /// Trying again within a second or two may help.
    Passing(CrmError),
    /// It will not.
    Final(CrmError),
}

impl From<CrmError> for Failure {
    fn from(error: CrmError) -> Self {
        match &error {
            CrmError::UserRefused { .. } => Self::Key(error),
            CrmError::Busy { wait, .. } if *wait <= BUSY_WAIT => Self::Passing(error),
            _ => Self::Final(error),
        }
    }
}

impl Client {
    pub(super) fn new(settings: OdooSettings, gate: Gate, clock: Clock) -> Self {
        let limits = ClientLimits {
            max_open: MAX_OPEN,
            ..ClientLimits::default()
        };
        let mut root = settings.url.clone();
        if !root.path().ends_with('/') {
            root.set_path(&format!("{}/", settings.url.path()));
        }
        Self {
            auth: Auth::new(&settings),
            http: HttpClient::new(gate.clone(), Purpose::Crm, limits),
            gate,
            settings,
            root,
            spoken: OnceCell::new(),
            sent: AtomicU64::new(0),
            clock,
        }
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Requests made so far.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Makes a call; looks once for a new key, and retries what is likely to pass.
    pub(super) async fn call(&self, login: &str, call: &Call) -> Result<Answer, CrmError> {
        let mut pass = self.auth.pass(login).await?;
        let mut tried = 1;
        let mut renewed = false;
        loop {
            match self.once(&pass, call).await {
                Ok(answer) => return Ok(answer),
                Err(Failure::Key(error)) if !renewed => {
                    renewed = true;
                    pass = self.auth.renewed(&pass).await?.ok_or(error)?;
                }
                Err(Failure::Passing(_)) if tried < TRIES => {
                    throttle::pause(&self.clock, tried).await;
                    tried += 1;
                }
                Err(Failure::Key(error) | Failure::Passing(error) | Failure::Final(error)) => {
                    return Err(error);
                }
            }
        }
    }

    /// The same, with the result as JSON.
    pub(super) async fn ask<T: DeserializeOwned>(&self, login: &str, call: &Call) -> Result<T, CrmError> {
        self.call(login, call).await?.json()
    }

    /// Which Odoo it is; asked once.
    pub(super) async fn spoken(&self) -> Result<&Spoken, CrmError> {
        self.spoken
            .get_or_try_init(|| async {
                let answer = self.post(version::PATH, version::BODY.into(), None).await?;
                if !answer.status().is_success() {
                    return Err(codes::of_status(answer.status().as_u16()));
                }
                let version = version::parse(answer.body()).ok_or(CrmError::Unintelligible {
                    what: "it is not an Odoo's version",
                })?;
                let newest = match version.major {
                    19.. => Api::Json2,
                    _ => Api::JsonRpc,
                };
                Ok(Spoken {
                    api: self.settings.api.unwrap_or(newest),
                    version,
                })
            })
            .await
    }

    async fn once(&self, pass: &Pass, call: &Call) -> Result<Answer, Failure> {
        match self.spoken().await.map_err(Failure::from)?.api {
            Api::Json2 => self.by_json2(pass, call).await,
            Api::JsonRpc => self.by_jsonrpc(pass, call).await,
        }
    }

    async fn by_json2(&self, pass: &Pass, call: &Call) -> Result<Answer, Failure> {
        let body = json2::body(call).to_string();
        let answer = self
            .post(&json2::path(call), body, Some(pass))
            .await
            .map_err(Failure::from)?;
        opened_json2(answer)
    }

    async fn by_jsonrpc(&self, pass: &Pass, call: &Call) -> Result<Answer, Failure> {
        let number = self.number(pass).await?;
        let body = jsonrpc::body(call, &self.settings.database, number, pass.key.expose());
        self.enveloped(body).await
    }

    /// The number that Odoo knows the user by.
    pub(super) async fn number(&self, pass: &Pass) -> Result<i64, Failure> {
        match self.auth.number(&pass.login) {
            Some(number) => Ok(number),
            None => self.authenticate(pass).await,
        }
    }

    async fn authenticate(&self, pass: &Pass) -> Result<i64, Failure> {
        let body = jsonrpc::authenticate(&self.settings.database, &pass.login, pass.key.expose());
        let number: Value = self.enveloped(body).await?.json().map_err(Failure::Final)?;
        let number = number.as_i64().ok_or_else(|| {
            Failure::Key(CrmError::UserRefused {
                code: "AccessDenied".to_owned(),
            })
        })?;
        self.auth.learn_number(&pass.login, number);
        Ok(number)
    }

    async fn enveloped(&self, body: Value) -> Result<Answer, Failure> {
        let answer = self
            .post(jsonrpc::PATH, body.to_string(), None)
            .await
            .map_err(Failure::from)?;
        opened_envelope(&answer)
    }

    async fn post(&self, path: &str, body: String, pass: Option<&Pass>) -> Result<Response<Bytes>, CrmError> {
        let (url, head) = self.head(path, pass)?;
        let mut request = head.map(|()| Bytes::from(body));
        request.extensions_mut().insert(Repeatable);
        self.count();
        self.http.send(&url, request).await.map_err(unreachable)
    }

    /// One request more.
    pub(super) fn count(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// A request without its body, and where it goes.
    pub(super) fn head(&self, path: &str, pass: Option<&Pass>) -> Result<(Url, Request<()>), CrmError> {
        let url = self.root.join(path).map_err(|_| misfit())?;
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(ACCEPT, JSON);
        if let Some(pass) = pass {
            // A database's name with a line break in it, or a key: neither can be sent, nor is it theirs.
            let refused = || CrmError::UserRefused {
                code: "a key that is none".to_owned(),
            };
            let bearer = format!("bearer {}", pass.key.expose());
            let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| refused())?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
            let database = HeaderValue::from_str(&self.settings.database).map_err(|_| refused())?;
            headers.insert("x-odoo-database", database);
        }
        Ok((url, request))
    }
}

/// What an answer of `/json/2` says.
pub(super) fn opened_json2(answer: Response<Bytes>) -> Result<Answer, Failure> {
    let (head, body) = answer.into_parts();
    let status = head.status.as_u16();
    if !head.status.is_success() {
        let error = Fault::of_body(&body).map_or_else(
            || codes::of_status(status),
            |fault| match status {
                401 => CrmError::UserRefused { code: fault.name },
                _ => codes::of_fault(&fault),
            },
        );
        return Err(error.into());
    }
    no_page(&body)?;
    Ok(Answer {
        at: http_date(&head.headers),
        result: body,
    })
}

/// What an answer of `/jsonrpc` says.
pub(super) fn opened_envelope(answer: &Response<Bytes>) -> Result<Answer, Failure> {
    if !answer.status().is_success() {
        return Err(codes::of_status(answer.status().as_u16()).into());
    }
    no_page(answer.body())?;
    match jsonrpc::open(answer.body()) {
        Some(Ok(result)) => Ok(Answer {
            result: Bytes::copy_from_slice(result.get().as_bytes()),
            at: http_date(answer.headers()),
        }),
        Some(Err(fault)) => Err(codes::of_fault(&fault).into()),
        None => Err(Failure::Final(misfit())),
    }
}

fn no_page(body: &[u8]) -> Result<(), Failure> {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'<') => Err(Failure::Final(CrmError::Unintelligible {
            what: "a web page came instead of data",
        })),
        _ => Ok(()),
    }
}

/// The answer does not have the shape that it should have.
pub(super) fn misfit() -> CrmError {
    CrmError::Unintelligible {
        what: "it does not have the expected shape",
    }
}

/// What a failure at the gate means.
pub(super) fn unreachable(error: EgressError) -> CrmError {
    match error {
        EgressError::TooLarge { .. } => CrmError::Unintelligible { what: TOO_LARGE },
        EgressError::Protocol { what, .. } => CrmError::Unintelligible { what },
        other => CrmError::Unreachable(Box::new(other)),
    }
}

const TOO_LARGE: &str = "it is too large";

/// True where the answer was larger than we take, so that a smaller question helps.
pub(super) fn is_too_large(error: &CrmError) -> bool {
    matches!(error, CrmError::Unintelligible { what } if *what == TOO_LARGE)
}

/// The Date header (RFC 9110 section 6.6.1).
fn http_date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let text = headers.get(DATE)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(text).ok().map(|at| at.to_utc())
}
