//! One call: a request in a mailbox, and the answer's response messages or the reason why there are none.

// long: one call in its three forms (whole, left open, in pieces), from its turn to the judged answer

use super::auth::{Account, AuthError, Patience};
use super::cookies::Jar;
use super::fault;
use super::pool::Pool;
use super::session::{Session, Sessions};
use super::settings::ExchangeSettings;
use super::throttle::{Signal, Throttle};
use super::wire::answer::{self, Answer, Fault};
use super::wire::envelope::{Identity, envelope};
use super::wire::get_folder;
use super::wire::version::{Build, Version};
use super::wire::writer::Writer;
use super::wire::xml::{Document, Element, XmlError, clean};
use crate::foundation::clock::Clock;
use crate::foundation::egress::{BodyLimits, EgressError, Gate, Streamed};
use crate::mailbox::error::MailboxError;
use crate::mailbox::model::MailboxRef;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, USER_AGENT};
use http::{HeaderValue, Request, Response, StatusCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// Administrators allow and block clients by it (EwsApplicationAccessPolicy), so it is ours and it is stable.
const OUR_NAME: &str = concat!("Holdfast/", env!("CARGO_PKG_VERSION"));

/// What is called, for logs, and whether calling it twice does no harm.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The operation's name in the reference.
    pub name: &'static str,
    /// True for reading.
    pub repeatable: bool,
}

/// Why a call gave no messages.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Exchange refused the request as a whole.
    #[error("Exchange refused the request: {}", .0.code)]
    Fault(Fault),
    /// The answer is damaged.
    #[error("the answer is damaged: {0}")]
    Damaged(#[from] XmlError),
    /// The answer is too large, or took too long: less at once may do.
    #[error("too much at once")]
    TooMuch(#[source] EgressError),
    /// Everything else.
    #[error(transparent)]
    Other(#[from] MailboxError),
}

impl From<CallError> for MailboxError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Fault(fault) => fault.into(),
            CallError::Damaged(_) => Self::Unintelligible {
                what: "the answer is not well-formed",
            },
            CallError::TooMuch(source) => Self::Unreachable(Box::new(source)),
            CallError::Other(error) => error,
        }
    }
}

/// One entry for each response message.
pub type Messages<T> = Vec<Result<T, Fault>>;

/// The way of a group of subscriptions to their common back end: the anchor's address and the group's cookies
/// stand in for the mailbox's own ("How to: Maintain affinity between a group of subscriptions and the Mailbox
/// server in Exchange").
pub struct Route {
    /// The group's anchor mailbox.
    pub anchor: String,
    /// The group's cookies.
    pub jar: Jar,
}

/// Where a call acts, and by which way it gets there.
#[derive(Clone, Copy)]
struct Caller<'a> {
    mailbox: &'a MailboxRef,
    session: &'a Session,
    route: Option<&'a Route>,
}

impl Caller<'_> {
    fn jar(&self) -> &Jar {
        self.route.map_or(self.session.jar(), |route| &route.jar)
    }
}

/// Speaks to one server as one account.
pub struct Client {
    settings: ExchangeSettings,
    pool: Pool,
    throttle: Throttle,
    sessions: Sessions,
    known: Mutex<Option<(Version, Build)>>,
    clock: Clock,
}

impl Client {
    /// A client; connects at its first call.
    pub fn new(settings: ExchangeSettings, gate: Gate) -> Self {
        let clock = Clock::system();
        let account = Account::of(&settings);
        Self {
            pool: Pool::new(
                gate,
                settings.url.clone(),
                account,
                settings.max_concurrency,
                clock.clone(),
            ),
            throttle: Throttle::new(settings.max_concurrency, clock.clone()),
            sessions: Sessions::new(clock.clone()),
            known: Mutex::default(),
            clock,
            settings,
        }
    }

    /// Items in one GetItem request.
    pub fn read_batch(&self) -> usize {
        self.settings.read_batch.max(1)
    }

    /// The time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// For how many minutes a notification stream is opened.
    pub fn stream_minutes(&self) -> u32 {
        self.settings.stream_minutes
    }

    /// How long a notification stream may say nothing.
    pub fn silence(&self) -> Duration {
        self.settings.silence
    }

    /// What is remembered of a mailbox.
    pub fn session(&self, mailbox: &MailboxRef) -> Arc<Session> {
        self.sessions.of(mailbox)
    }

    /// The server's product and build, where it told.
    pub fn build(&self) -> Option<Build> {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .map(|(_, build)| build)
    }

    /// Calls an operation in a mailbox. `payload` reads what is the operation's own in a response message.
    ///
    /// # Errors
    /// [`CallError`]; faults of single messages are in the list.
    pub async fn call<T: Default>(
        &self,
        mailbox: &MailboxRef,
        operation: Operation,
        write: impl Fn(&mut Writer, Version),
        payload: impl Fn(&mut T, &Element<'_>, &mut Document<'_>) -> Result<(), XmlError>,
    ) -> Result<Messages<T>, CallError> {
        self.call_by(None, mailbox, operation, write, payload).await
    }

    /// Calls an operation in a mailbox that is one of a group.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_by<T: Default>(
        &self,
        route: Option<&Route>,
        mailbox: &MailboxRef,
        operation: Operation,
        write: impl Fn(&mut Writer, Version),
        payload: impl Fn(&mut T, &Element<'_>, &mut Document<'_>) -> Result<(), XmlError>,
    ) -> Result<Messages<T>, CallError> {
        let session = self.session(mailbox);
        let caller = Caller {
            mailbox,
            session: &session,
            route,
        };
        let mut version = self.version(caller).await?;
        loop {
            let answer = self
                .exchange(caller, operation, version, &write, &payload)
                .await?;
            match answer.outcome {
                Ok(messages) => return Ok(messages),
                Err(fault) if fault::asks_for_an_older_version(&fault.code) => {
                    version = version.older().ok_or(CallError::Fault(fault))?;
                    session.set_version(version);
                }
                Err(fault) => return Err(CallError::Fault(fault)),
            }
        }
    }

    /// Opens an answer that stays open, acting in a mailbox of a group. What says at once that it will not is
    /// the error that it says.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn open(
        &self,
        route: &Route,
        mailbox: &MailboxRef,
        write: impl Fn(&mut Writer),
    ) -> Result<Streamed, CallError> {
        let session = self.session(mailbox);
        let caller = Caller {
            mailbox,
            session: &session,
            route: Some(route),
        };
        if let Some(wait) = self.throttle.must_wait(&session) {
            return Err(MailboxError::Busy { wait }.into());
        }
        let version = self.version(caller).await?;
        let body = envelope(version, &self.settings.identity(mailbox), write);
        let request = self.request(caller, body)?;
        let patience = self.patience();
        let answer = self.pool.stream(&request, patience).await.map_err(unanswered)?;
        route.jar.keep(answer.headers());
        let is_xml = answer
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|value| String::from_utf8_lossy(value.as_bytes()).contains("xml"));
        if answer.status() == StatusCode::OK && is_xml {
            return Ok(answer);
        }
        let answer = answer.whole(&patience.body, patience.within).await;
        let answer = answer.map_err(|error| unanswered(error.into()))?;
        let text = self.judged(&session, &answer)?;
        let read: Answer<()> = answer::read(&text, |_, _, doc| doc.skip())?;
        self.throttle.note(&session, signal(&read));
        Err(match read.outcome {
            Err(fault) => CallError::Fault(fault),
            Ok(_) => MailboxError::Unintelligible {
                what: "the notification stream ended before it began",
            }
            .into(),
        })
    }

    /// Calls an operation and leaves its answer to be taken piece by piece. An answer that is no success of HTTP
    /// is judged here.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn download(
        &self,
        mailbox: &MailboxRef,
        write: impl Fn(&mut Writer),
    ) -> Result<Streamed, CallError> {
        let session = self.session(mailbox);
        let caller = Caller {
            mailbox,
            session: &session,
            route: None,
        };
        let version = self.version(caller).await?;
        let _turn = self.throttle.turn(&session).await?;
        let body = envelope(version, &self.settings.identity(mailbox), write);
        let request = self.request(caller, body)?;
        let patience = self.patience();
        let answer = self.pool.stream(&request, patience).await.map_err(unanswered)?;
        caller.jar().keep(answer.headers());
        if answer.status() == StatusCode::OK {
            return Ok(answer);
        }
        let answer = answer.whole(&patience.body, patience.within).await;
        let answer = answer.map_err(|error| unanswered(error.into()))?;
        let text = self.judged(&session, &answer)?;
        Err(self.refusal(&session, &text))
    }

    /// What an answer says that has nothing of what was asked for.
    pub fn refusal(&self, session: &Session, text: &str) -> CallError {
        let read: Answer<()> = match answer::read(text, |_, _, doc| doc.skip()) {
            Ok(read) => read,
            Err(damage) => return damage.into(),
        };
        self.throttle.note(session, signal(&read));
        let fault = match read.outcome {
            Ok(messages) => messages.into_iter().find_map(Result::err),
            Err(fault) => Some(fault),
        };
        let nothing = MailboxError::Unintelligible {
            what: "an answer without what was asked for",
        };
        fault.map_or(CallError::Other(nothing), CallError::Fault)
    }

    /// How long a server may let us wait for the next piece of an answer.
    pub fn piece_within(&self) -> Duration {
        self.settings.timeout
    }

    fn patience(&self) -> Patience {
        Patience {
            body: BodyLimits::default(),
            within: self.settings.timeout,
        }
    }

    /// The version that is spoken in a mailbox.
    async fn version(&self, caller: Caller<'_>) -> Result<Version, CallError> {
        match caller.session.version() {
            Some(version) => Ok(version),
            None => self.negotiated(caller).await,
        }
    }

    /// The newest version that the server understands, asked for once.
    async fn negotiated(&self, caller: Caller<'_>) -> Result<Version, CallError> {
        if let Some((version, _)) = *self.known.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(version);
        }
        let mut version = Version::NEWEST;
        loop {
            let operation = Operation {
                name: "GetFolder",
                repeatable: true,
            };
            let probe = |w: &mut Writer, _| get_folder::probe(w);
            let answer: Answer<()> = self
                .exchange(caller, operation, version, &probe, &|_, _, doc| doc.skip())
                .await?;
            match answer.outcome {
                // A server that does not know the value calls the request invalid, each in its own way.
                Err(fault)
                    if fault::asks_for_an_older_version(&fault.code)
                        || matches!(
                            fault.code.as_str(),
                            "ErrorInvalidRequest" | "ErrorSchemaValidation"
                        ) =>
                {
                    version = version.older().ok_or(CallError::Fault(fault))?;
                }
                Err(fault) => return Err(CallError::Fault(fault)),
                Ok(_) => {
                    let build = answer.build.unwrap_or_default();
                    let version = if answer.build.is_some() {
                        version.min(build.speaks())
                    } else {
                        version
                    };
                    tracing::info!(
                        version = version.name(),
                        server = build.words(),
                        "the mail server's version is known"
                    );
                    *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((version, build));
                    return Ok(version);
                }
            }
        }
    }

    async fn exchange<T: Default>(
        &self,
        caller: Caller<'_>,
        operation: Operation,
        version: Version,
        write: &impl Fn(&mut Writer, Version),
        payload: &impl Fn(&mut T, &Element<'_>, &mut Document<'_>) -> Result<(), XmlError>,
    ) -> Result<Answer<T>, CallError> {
        let Caller { mailbox, session, .. } = caller;
        let _turn = self.throttle.turn(session).await?;
        let body = envelope(version, &self.settings.identity(mailbox), |w| write(w, version));
        let request = self.request(caller, body)?;
        let answer = self
            .pool
            .send(&request, operation.repeatable, self.patience())
            .await
            .map_err(unanswered)
            .inspect_err(|error| {
                if matches!(error, CallError::TooMuch(EgressError::TimedOut { .. })) {
                    self.throttle.note(session, Signal::Strained);
                }
            })?;
        caller.jar().keep(answer.headers());
        let log = Log {
            mailbox,
            operation: operation.name,
        };
        log.answered(&answer);
        let text = self.judged(session, &answer)?;
        let read = answer::read(&text, payload).map_err(|error| log.damaged(&answer, error))?;
        self.throttle.note(session, signal(&read));
        Ok(read)
    }

    /// The answer's text; what plain HTTP says of patience is noted.
    fn judged<'a>(
        &self,
        session: &Session,
        answer: &'a Response<Bytes>,
    ) -> Result<std::borrow::Cow<'a, str>, CallError> {
        let error = match judge(answer) {
            Ok(text) => return Ok(text),
            Err(error) => error,
        };
        match Signal::of_status(answer.status(), answer.headers(), self.clock.now()) {
            Some(signal @ Signal::TurnedAway(wait)) => {
                self.throttle.note(session, signal);
                Err(MailboxError::Busy { wait }.into())
            }
            _ => Err(error),
        }
    }

    /// The least that can be asked, as the service account itself and in nobody's mailbox. An account that has no
    /// mailbox of its own is told so, which is an answer like any other.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn greet(&self) -> Result<Option<Build>, CallError> {
        let mut version = Version::NEWEST;
        loop {
            let body = envelope(version, &Identity::Itself, get_folder::probe);
            let request = self.head().body(body.into()).map_err(|_| unsendable())?;
            let sent = self.pool.send(&request, true, self.patience()).await;
            let answer = sent.map_err(unanswered)?;
            let text = judge(&answer)?;
            let read: Answer<()> = answer::read(&text, |_, _, doc| doc.skip())?;
            let fault = match read.outcome {
                Ok(messages) => messages.into_iter().find_map(Result::err),
                Err(fault) => Some(fault),
            };
            match fault {
                Some(fault) if fault::asks_for_an_older_version(&fault.code) => {
                    version = version.older().ok_or(CallError::Fault(fault))?;
                }
                Some(fault) if !fault::has_no_mailbox(&fault.code) => return Err(CallError::Fault(fault)),
                _ => return Ok(read.build),
            }
        }
    }

    fn head(&self) -> http::request::Builder {
        let path = &self.settings.url[url::Position::BeforePath..url::Position::AfterQuery];
        Request::post(path)
            .header(CONTENT_TYPE, "text/xml; charset=utf-8")
            .header(ACCEPT, "text/xml")
            .header(USER_AGENT, OUR_NAME)
            .header("client-request-id", Uuid::new_v4().to_string())
            .header("return-client-request-id", "true")
    }

    fn request(&self, caller: Caller<'_>, body: String) -> Result<Request<Bytes>, MailboxError> {
        let mut request = self.head();
        // An address that no header can carry is no address; the impersonation will say so.
        let anchor = caller
            .route
            .map_or(&caller.mailbox.address, |route| &route.anchor);
        if let Ok(anchor) = HeaderValue::try_from(anchor) {
            request = request.header("X-AnchorMailbox", anchor);
        }
        if caller.route.is_some() {
            request = request.header("X-PreferServerAffinity", "true");
        }
        if let Some(cookies) = caller.jar().header() {
            request = request.header(COOKIE, cookies);
        }
        request.body(body.into()).map_err(|_| unsendable())
    }
}

fn unsendable() -> MailboxError {
    MailboxError::BadRequest {
        code: "RequestNotSendable".to_owned(),
    }
}

/// What an answer says of the load.
fn signal<T>(answer: &Answer<T>) -> Signal {
    let of_messages = answer.outcome.iter().flatten();
    let faults = of_messages.filter_map(|message| message.as_ref().err());
    Signal::of(faults.chain(answer.outcome.as_ref().err()))
}

/// What a failure of the connection means.
pub fn unanswered(error: AuthError) -> CallError {
    match error {
        AuthError::Refused(code) => CallError::Other(MailboxError::SignInRefused {
            code: Some(code.to_owned()),
        }),
        AuthError::Egress(error @ (EgressError::TimedOut { .. } | EgressError::TooLarge { .. })) => {
            CallError::TooMuch(error)
        }
        AuthError::Egress(error) => CallError::Other(MailboxError::Unreachable(Box::new(error))),
    }
}

/// Tells an answer of EWS from whatever else may stand in its place. A fault comes with status 500, and what
/// comes with 200 may be a login page.
fn judge(answer: &Response<Bytes>) -> Result<std::borrow::Cow<'_, str>, CallError> {
    let status = answer.status();
    let header = |name| {
        answer
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let is_xml = header(CONTENT_TYPE).contains("xml");
    if status == StatusCode::OK || status == StatusCode::INTERNAL_SERVER_ERROR {
        let text = clean(answer.body());
        if is_xml || text.trim_start().starts_with("<?xml") || text.contains("Envelope") {
            return Ok(text);
        }
    }
    let unintelligible = |what| MailboxError::Unintelligible { what };
    let passing = || MailboxError::Passing {
        code: format!("Http{}", status.as_u16()),
    };
    Err(match status.as_u16() {
        200 => unintelligible("a web page came instead of an answer of EWS"),
        301..=308 if header(LOCATION).to_ascii_lowercase().contains("genericerrorpage") => passing(),
        301..=308 => unintelligible("the address leads to another address"),
        403 => MailboxError::SignInRefused {
            code: Some("Http403".to_owned()),
        },
        404 => unintelligible("there is no EWS at this address"),
        413 => MailboxError::BadRequest {
            code: "Http413".to_owned(),
        },
        408 | 500.. => passing(),
        _ => unintelligible("the HTTP status is not one of EWS"),
    }
    .into())
}

/// Whose call it was, for logs.
struct Log<'a> {
    mailbox: &'a MailboxRef,
    operation: &'static str,
}

impl Log<'_> {
    fn answered(&self, answer: &Response<Bytes>) {
        tracing::debug!(
            mailbox = %self.mailbox.id,
            operation = self.operation,
            status = answer.status().as_u16(),
            bytes = answer.body().len(),
            request_id = header(answer, "request-id"),
            front_end = header(answer, "X-FEServer"),
            "the mail server answered"
        );
    }

    fn damaged(&self, answer: &Response<Bytes>, error: XmlError) -> XmlError {
        tracing::warn!(
            mailbox = %self.mailbox.id,
            operation = self.operation,
            request_id = header(answer, "request-id"),
            %error,
            "the mail server's answer is damaged"
        );
        error
    }
}

fn header<'a>(answer: &'a Response<Bytes>, name: &str) -> &'a str {
    answer
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}
