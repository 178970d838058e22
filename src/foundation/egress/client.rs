//! Idle connections per target, for protocols whose sign-in is in a header.

use super::body::BodyLimits;
use super::connection::HttpConnection;
use super::error::EgressError;
use super::gate::Gate;
use super::target::{Purpose, Target};
use crate::foundation::clock::Clock;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use url::Url;

/// How many connections, how long, how large.
#[derive(Clone, Copy, Debug)]
pub struct ClientLimits {
    /// Idle connections kept for each target.
    pub idle_per_target: usize,
    /// An idle connection older than this is not used again.
    pub idle_for: Duration,
    /// Requests under way at once, over all targets; further ones wait.
    pub max_open: usize,
    /// From taking a connection to the last byte of the answer.
    pub request_timeout: Duration,
    /// How much of an answer is taken.
    pub body: BodyLimits,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            idle_per_target: 8,
            idle_for: Duration::from_secs(60),
            max_open: 16,
            request_timeout: Duration::from_secs(120),
            body: BodyLimits::default(),
        }
    }
}

/// A request extension: sending this request twice does no harm, whatever its method says.
#[derive(Clone, Copy, Debug)]
pub struct Repeatable;

/// Sends requests through the gate. Cheap to clone.
#[derive(Clone)]
pub struct HttpClient {
    inner: Arc<Inner>,
}

struct Inner {
    gate: Gate,
    purpose: Purpose,
    limits: ClientLimits,
    clock: Clock,
    open: Semaphore,
    idle: Mutex<HashMap<Target, Vec<Idle>>>,
}

struct Idle {
    connection: HttpConnection,
    since: Instant,
}

impl HttpClient {
    /// A client that connects for this purpose.
    pub fn new(gate: Gate, purpose: Purpose, limits: ClientLimits) -> Self {
        let open = Semaphore::new(limits.max_open.clamp(1, Semaphore::MAX_PERMITS));
        Self {
            inner: Arc::new(Inner {
                gate,
                purpose,
                limits,
                clock: Clock::system(),
                open,
                idle: Mutex::default(),
            }),
        }
    }

    /// Sends a request to the URL (the request's own URI is replaced by the URL's path and query) and takes
    /// the whole answer.
    ///
    /// An idle connection that turns out to have been closed before a byte of the answer came is replaced by
    /// a fresh one, once, if the request was not written, or if repeating it does no harm: an idempotent
    /// method (RFC 9110 section 9.2.2) or the extension [`Repeatable`].
    ///
    /// # Errors
    /// Those of [`Gate::connect`] and [`HttpConnection::send`].
    #[expect(clippy::expect_used, reason = "the semaphore is never closed")]
    pub async fn send(&self, url: &Url, mut request: Request<Bytes>) -> Result<Response<Bytes>, EgressError> {
        let target = Target::of(url)?;
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        *request.uri_mut() = path.parse().map_err(|_| EgressError::BadUrl)?;
        let _turn = self
            .inner
            .open
            .acquire()
            .await
            .expect("the semaphore is never closed");
        tokio::time::timeout(self.inner.limits.request_timeout, self.exchange(&target, request))
            .await
            .map_err(|_| EgressError::TimedOut {
                what: "waiting for an answer",
            })?
    }

    async fn exchange(
        &self,
        target: &Target,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, EgressError> {
        let Some(mut connection) = self.take_idle(target) else {
            return self.on_fresh(target, request).await;
        };
        let again = repeatable(&request).then(|| request.clone());
        let prepared = connection.prepared(request);
        match connection.exchange(prepared, &self.inner.limits.body).await {
            Ok(answer) => {
                self.put_idle(target, connection, &answer);
                Ok(answer)
            }
            Err(failed) => {
                let again = match (failed.unsent, failed.unanswered) {
                    (Some(unsent), _) => Some(whole(*unsent).await),
                    (None, true) => again,
                    (None, false) => None,
                };
                match again {
                    Some(request) => self.on_fresh(target, request).await,
                    None => Err(failed.error),
                }
            }
        }
    }

    async fn on_fresh(
        &self,
        target: &Target,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, EgressError> {
        let mut connection = HttpConnection::open(&self.inner.gate, target, self.inner.purpose).await?;
        let prepared = connection.prepared(request);
        let answer = connection
            .exchange(prepared, &self.inner.limits.body)
            .await
            .map_err(|failed| failed.error)?;
        self.put_idle(target, connection, &answer);
        Ok(answer)
    }

    fn take_idle(&self, target: &Target) -> Option<HttpConnection> {
        let now = self.inner.clock.instant();
        let mut idle = self.idle();
        let kept = idle.get_mut(target)?;
        kept.retain(|idle| {
            idle.connection.is_open()
                && now.saturating_duration_since(idle.since) < self.inner.limits.idle_for
        });
        kept.pop().map(|idle| idle.connection)
    }

    fn put_idle(&self, target: &Target, connection: HttpConnection, answer: &Response<Bytes>) {
        let closing = answer
            .headers()
            .get(http::header::CONNECTION)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
        if closing || !connection.is_reusable() {
            return;
        }
        let since = self.inner.clock.instant();
        let mut idle = self.idle();
        let kept = idle.entry(target.clone()).or_default();
        if kept.len() < self.inner.limits.idle_per_target {
            kept.push(Idle { connection, since });
        }
    }

    /// No code panics while it holds the lock, so a poisoned one holds good connections all the same.
    fn idle(&self) -> MutexGuard<'_, HashMap<Target, Vec<Idle>>> {
        self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn repeatable(request: &Request<Bytes>) -> bool {
    request.method().is_idempotent() || request.extensions().get::<Repeatable>().is_some()
}

/// The request with its body in one piece again. The body lies in memory, so this neither waits nor fails.
async fn whole(request: Request<Full<Bytes>>) -> Request<Bytes> {
    let (parts, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(never) => match never {},
    };
    Request::from_parts(parts, body)
}
