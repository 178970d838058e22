//! One REST call as one user: token, limit header, error body, small retries.

use super::auth::{Auth, TOO_LARGE, Token, unreachable};
use super::codes;
use super::settings::{SalesforceSettings, WRITTEN_AGAINST};
use super::soql::MOST_QUERIES;
use super::throttle::{self, TRIES, Usage};
use super::wire::composite::{self, Outcome};
use super::wire::fault::Fault;
use super::wire::query::{self, Rows, Scope};
use super::wire::versions::{self, ApiVersion};
use crate::crm::budget::CallBudget;
use crate::crm::error::CrmError;
use crate::foundation::clock::Clock;
use crate::foundation::egress::{
    BodyLimits, BodySource, ClientLimits, Gate, HttpClient, Purpose, Repeatable, Upload, UploadError,
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use url::Url;

/// How long the org may take for one piece of an upload, and for its answer once it has them all.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(120);

/// Calls are fetched within so long, of all nodes' share; and tried again so many times before the share counts as spent.
const FETCH: Duration = Duration::from_millis(250);
const FETCHES: u32 = 12;

/// Speaks REST.
pub(super) struct Client {
    settings: Arc<SalesforceSettings>,
    gate: Gate,
    http: HttpClient,
    auth: Auth,
    version: OnceCell<ApiVersion>,
    usage: Usage,
    budget: Option<Arc<dyn CallBudget>>,
    clock: Clock,
}

/// A call.
pub(super) struct Call {
    method: Method,
    /// Below the version's path, or from the host's root where it starts with a slash.
    path: String,
    body: Bytes,
    /// Sending it twice does no harm.
    repeatable: bool,
}

impl Call {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, Bytes::new())
    }

    pub(super) fn new(method: Method, path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self {
            method,
            path: path.into(),
            body: body.into(),
            repeatable: true,
        }
    }

    /// A call that must not be sent twice.
    pub(super) fn once(mut self) -> Self {
        self.repeatable = false;
        self
    }
}

/// What came back.
pub(super) struct Answer {
    pub(super) body: Bytes,
    /// The server's clock when it answered.
    pub(super) at: Option<DateTime<Utc>>,
}

impl Answer {
    /// The body as JSON. What serde has to say about a misfit may quote the body, so it is dropped.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, CrmError> {
        serde_json::from_slice(&self.body).map_err(|_| misfit())
    }
}

enum Failure {
    /// The token is over.
    Session,
    /// Trying again within a second or two may help.
    Passing(CrmError),
    /// It will not.
    Final(CrmError),
}

impl Client {
    pub(super) fn new(
        settings: Arc<SalesforceSettings>,
        gate: Gate,
        clock: Clock,
        budget: Option<Arc<dyn CallBudget>>,
    ) -> Self {
        let http = HttpClient::new(gate.clone(), Purpose::Crm, ClientLimits::default());
        let auth = Auth::new(Arc::clone(&settings), http.clone(), clock.clone());
        Self {
            settings,
            gate,
            http,
            auth,
            version: OnceCell::new(),
            usage: Usage::default(),
            budget,
            clock,
        }
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn calls(&self) -> Option<(u64, u64)> {
        self.usage.calls()
    }

    pub(super) fn pressure(&self) -> f64 {
        self.budget.as_ref().map_or(0.0, |budget| budget.pressure())
    }

    pub(super) fn backfill_pressure(&self) -> f64 {
        let budget = self.budget.as_ref();
        budget.map_or(0.0, |budget| budget.backfill_pressure())
    }

    pub(super) fn acts_as_user(&self) -> bool {
        self.settings.acts_as_user()
    }

    /// The user as whom everybody's news is asked for, where there is one.
    pub(super) fn watcher(&self) -> Option<&str> {
        self.settings.watcher()
    }

    /// The id of the user as whom calls are made, where the sign-in said it.
    pub(super) async fn signed_in_id(&self, username: &str) -> Result<Option<String>, CrmError> {
        Ok(self.auth.token(username).await?.user_id.clone())
    }

    /// The org that gave the present token, where it said.
    pub(super) async fn organisation(&self, username: &str) -> Result<Option<String>, CrmError> {
        Ok(self.auth.token(username).await?.organisation.clone())
    }

    /// Makes a call; renews the token once, and retries what is likely to pass.
    pub(super) async fn send(&self, username: &str, call: Call) -> Result<Answer, CrmError> {
        let mut token = self.auth.token(username).await?;
        let version = self.version(&token).await?;
        let mut renewed = false;
        let mut tried = 1;
        loop {
            match self.once(&token, &version.number, &call).await {
                Ok(answer) => return Ok(answer),
                Err(Failure::Session) if !renewed => {
                    renewed = true;
                    token = self.auth.renewed(username, &token).await?;
                }
                Err(Failure::Session) => {
                    return Err(CrmError::UserRefused {
                        code: "INVALID_SESSION_ID".to_owned(),
                    });
                }
                Err(Failure::Passing(_)) if call.repeatable && tried < TRIES => {
                    throttle::pause(&self.clock, tried).await;
                    tried += 1;
                }
                Err(Failure::Passing(error) | Failure::Final(error)) => return Err(error),
            }
        }
    }

    /// Counts a call. Where there are calls enough and only none at hand, some are being fetched.
    async fn spend(&self) -> Result<(), CrmError> {
        let Some(budget) = &self.budget else {
            return Ok(());
        };
        let mut fetches = 0;
        loop {
            match budget.spend() {
                Ok(()) => return Ok(()),
                Err(_) if fetches < FETCHES && budget.pressure() < 1.0 => {
                    fetches += 1;
                    self.clock.sleep(FETCH).await;
                }
                Err(wait) => return Err(CrmError::LimitReached { wait }),
            }
        }
    }

    async fn once(&self, token: &Token, version: &str, call: &Call) -> Result<Answer, Failure> {
        let path = match call.path.starts_with('/') {
            true => call.path.clone(),
            false => format!("/services/data/v{version}/{}", call.path),
        };
        let url = token.instance.join(&path).ok();
        // A path may come from an answer; it must not lead to another host, with our token.
        let url = url.filter(|url| url.origin() == token.instance.origin());
        let url = url.ok_or(Failure::Final(CrmError::Unintelligible {
            what: "it leads to another host",
        }))?;
        let request = prepared(token, call).map_err(Failure::Final)?;
        self.spend().await.map_err(Failure::Final)?;
        let answer = self.http.send(&url, request).await;
        let (head, body) = answer
            .map_err(|error| Failure::Final(unreachable(error)))?
            .into_parts();
        self.note(&head.headers);
        sorted(head.status.as_u16(), &head.headers, &body)?;
        Ok(Answer {
            body,
            at: http_date(&head.headers),
        })
    }

    /// Sends a body that is made while it is sent, of this type and length. It cannot be sent twice: whoever
    /// makes it begins anew when this asks for another try.
    pub(super) async fn upload(
        &self,
        username: &str,
        path: &str,
        (kind, length): (HeaderValue, u64),
        source: &mut dyn BodySource,
    ) -> Result<Answer, CrmError> {
        let token = self.auth.token(username).await?;
        let version = &self.version(&token).await?.number;
        let url = token.instance.join(&format!("/services/data/v{version}/{path}"));
        let url = url.map_err(|_| misfit())?;
        let mut head = Request::new(());
        *head.method_mut() = Method::POST;
        let headers = head.headers_mut();
        headers.insert(AUTHORIZATION, token.header()?);
        headers.insert(ACCEPT, JSON);
        headers.insert(CONTENT_TYPE, kind);
        let upload = Upload {
            length,
            within: UPLOAD_PATIENCE,
            body: BodyLimits::default(),
        };
        let answer = upload.send(&self.gate, Purpose::Crm, &url, head, source).await;
        let (head, body) = answer
            .map_err(|error| match error {
                UploadError::Egress(error) => unreachable(error),
                UploadError::Abandoned => CrmError::Unintelligible {
                    what: "the file was not sent to its end",
                },
            })?
            .into_parts();
        self.note(&head.headers);
        match sorted(head.status.as_u16(), &head.headers, &body) {
            Ok(()) => Ok(Answer {
                body,
                at: http_date(&head.headers),
            }),
            Err(Failure::Session) => {
                self.auth.renewed(username, &token).await?;
                Err(CrmError::Busy {
                    code: "INVALID_SESSION_ID".to_owned(),
                    wait: throttle::BUSY_WAIT,
                })
            }
            Err(Failure::Passing(error) | Failure::Final(error)) => Err(error),
        }
    }

    fn note(&self, headers: &HeaderMap) {
        if let Some(info) = headers
            .get("sforce-limit-info")
            .and_then(|value| value.to_str().ok())
        {
            self.usage.note(info);
            if let (Some(budget), Some((used, allowed))) = (&self.budget, self.usage.calls()) {
                budget.heard(used, allowed);
            }
        }
    }

    /// The version that is spoken with this org; asked once.
    async fn version(&self, token: &Token) -> Result<&ApiVersion, CrmError> {
        self.version
            .get_or_try_init(|| self.versions_at(&token.instance))
            .await
    }

    /// Asks a host for its versions, which needs no token.
    async fn versions_at(&self, root: &Url) -> Result<ApiVersion, CrmError> {
        let url = root.join("/services/data/").map_err(|_| misfit())?;
        let mut request = Request::new(Bytes::new());
        request.headers_mut().insert(ACCEPT, JSON);
        let answer = self.http.send(&url, request).await.map_err(unreachable)?;
        if !answer.status().is_success() {
            return Err(codes::of_call(answer.status().as_u16(), None));
        }
        let wanted = self.settings.api_version.as_deref().unwrap_or(WRITTEN_AGAINST);
        versions::choose(answer.body(), wanted).ok_or(CrmError::Unintelligible {
            what: "it is not a list of API versions",
        })
    }

    /// The version that is spoken, and whether that took a sign-in: an integration user signs in, and where each
    /// user does so himself the login host is asked, which tells its versions to anybody.
    pub(super) async fn greeted(&self) -> Result<(ApiVersion, bool), CrmError> {
        match self.acts_as_user() {
            true => Ok((self.versions_at(&self.settings.login_url).await?, false)),
            false => Ok((self.version_for("").await?, true)),
        }
    }

    /// The version spoken, for a person.
    pub(super) async fn version_for(&self, username: &str) -> Result<ApiVersion, CrmError> {
        let token = self.auth.token(username).await?;
        self.version(&token).await.cloned()
    }

    /// One page of a query, encoded already, and when the server answered.
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        username: &str,
        scope: Scope,
        encoded: &str,
    ) -> Result<(Rows<T>, Option<DateTime<Utc>>), CrmError> {
        let answer = self
            .send(username, Call::get(query::path(scope, encoded)))
            .await?;
        Ok((answer.json()?, answer.at))
    }

    /// Every row of a query: the first page is here, the others are fetched.
    pub(super) async fn rest<T: DeserializeOwned>(
        &self,
        username: &str,
        mut rows: Rows<T>,
    ) -> Result<Vec<T>, CrmError> {
        let mut all = std::mem::take(&mut rows.records);
        while let (false, Some(next)) = (rows.done, rows.next.take()) {
            rows = self.send(username, Call::get(next)).await?.json()?;
            all.append(&mut rows.records);
        }
        Ok(all)
    }

    /// The living rows of each query, encoded already; five queries cost one call.
    pub(super) async fn queries<T: DeserializeOwned>(
        &self,
        username: &str,
        encoded: &[String],
    ) -> Result<Vec<T>, CrmError> {
        self.queries_of(Scope::Living, username, encoded).await
    }

    /// The same, of rows in this scope.
    pub(super) async fn queries_of<T: DeserializeOwned>(
        &self,
        scope: Scope,
        username: &str,
        encoded: &[String],
    ) -> Result<Vec<T>, CrmError> {
        let mut all = Vec::new();
        for few in encoded.chunks(MOST_QUERIES) {
            if let [one] = few {
                let (rows, _) = self.page(username, scope, one).await?;
                all.append(&mut self.rest(username, rows).await?);
                continue;
            }
            let paths: Vec<String> = few.iter().map(|query| query::path(scope, query)).collect();
            for outcome in self.composite(username, &paths).await? {
                let rows = rows_of(outcome)?;
                all.append(&mut self.rest(username, rows).await?);
            }
        }
        Ok(all)
    }

    /// Gets several paths below the version's in one call; each has its own outcome.
    pub(super) async fn composite(&self, username: &str, paths: &[String]) -> Result<Vec<Outcome>, CrmError> {
        Ok(self.composite_at(username, paths).await?.0)
    }

    /// The same, and when the server answered.
    pub(super) async fn composite_at(
        &self,
        username: &str,
        paths: &[String],
    ) -> Result<(Vec<Outcome>, Option<DateTime<Utc>>), CrmError> {
        let token = self.auth.token(username).await?;
        let version = &self.version(&token).await?.number;
        let urls: Vec<String> = paths
            .iter()
            .map(|path| format!("/services/data/v{version}/{path}"))
            .collect();
        let body = composite::body(&urls).map_err(|_| misfit())?;
        let answer = self
            .send(username, Call::new(Method::POST, "composite", body))
            .await?;
        let outcomes = composite::outcomes(&answer.body).ok_or_else(misfit)?;
        match outcomes.len() == paths.len() {
            true => Ok((outcomes, answer.at)),
            false => Err(misfit()),
        }
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

fn prepared(token: &Token, call: &Call) -> Result<Request<Bytes>, CrmError> {
    let mut request = Request::new(call.body.clone());
    *request.method_mut() = call.method.clone();
    let headers = request.headers_mut();
    headers.insert(AUTHORIZATION, token.header()?);
    headers.insert(ACCEPT, JSON);
    if !call.body.is_empty() {
        headers.insert(CONTENT_TYPE, JSON);
        // A person who is only warned of a possible duplicate may save all the same, and so may we for him
        // ("Duplicate Rule Header", REST API guide). Rules that block still block.
        headers.insert(
            "sforce-duplicate-rule-header",
            HeaderValue::from_static("allowSave=true"),
        );
    }
    if call.repeatable {
        request.extensions_mut().insert(Repeatable);
    }
    Ok(request)
}

/// Sorts an answer that is not what was asked for.
fn sorted(status: u16, headers: &HeaderMap, body: &[u8]) -> Result<(), Failure> {
    let page = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<');
    match status {
        200..300 if page => Err(Failure::Final(a_page())),
        200..300 => Ok(()),
        400..500 if page => Err(Failure::Final(a_page())),
        _ => {
            let fault = Fault::of_body(body);
            if status == 401
                && fault
                    .as_ref()
                    .is_none_or(|fault| fault.code() == "INVALID_SESSION_ID")
            {
                return Err(Failure::Session);
            }
            let error = codes::of_call(status, fault.as_ref());
            Err(match (error, retry_after(headers)) {
                (CrmError::Busy { code, .. }, Some(wait)) => Failure::Final(CrmError::Busy { code, wait }),
                (error, _) if codes::is_hiccup(&error) => Failure::Passing(error),
                (error, _) => Failure::Final(error),
            })
        }
    }
}

fn a_page() -> CrmError {
    CrmError::Unintelligible {
        what: "a web page came instead of data",
    }
}

/// The rows of one answer of a composite call.
pub(super) fn rows_of<T: DeserializeOwned>(outcome: Outcome) -> Result<Rows<T>, CrmError> {
    match outcome {
        Ok(body) => serde_json::from_str(body.get()).map_err(|_| misfit()),
        Err((status, fault)) => Err(codes::of_call(status, fault.as_ref())),
    }
}

/// The answer does not have the shape that it should have.
pub(super) fn misfit() -> CrmError {
    CrmError::Unintelligible {
        what: "it does not have the expected shape",
    }
}

/// True where the answer was larger than we take, so that a smaller question helps.
pub(super) fn is_too_large(error: &CrmError) -> bool {
    matches!(error, CrmError::Unintelligible { what } if *what == TOO_LARGE)
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The Date header (RFC 9110 section 6.6.1).
fn http_date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let text = headers.get(DATE)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(text).ok().map(|at| at.to_utc())
}
