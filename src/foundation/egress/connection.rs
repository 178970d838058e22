//! One HTTP/1.1 connection, kept by whoever must pin it: NTLM signs in the connection, not the request.

use super::body::{self, BodyLimits};
use super::error::EgressError;
use super::gate::Gate;
use super::target::{Purpose, Target};
use crate::foundation::clock::Clock;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HOST};
use http::{HeaderValue, Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// A connection that has stood for so long is not kept: its row in the ledger is written when it closes, and its
/// name may lead elsewhere by now.
const RETIRED_AFTER: Duration = Duration::from_secs(600);

/// An open connection that carries one request at a time.
pub struct HttpConnection {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
    host: HeaderValue,
    clock: Clock,
    opened: Instant,
    channel_binding: Option<Vec<u8>>,
}

/// A failed exchange, and what became of the request.
pub(super) struct Failed {
    pub(super) error: EgressError,
    /// The request, where not a byte of it was written.
    pub(super) unsent: Option<Box<Request<Full<Bytes>>>>,
    /// True where the connection ended before a byte of the answer came.
    pub(super) unanswered: bool,
}

impl From<EgressError> for Failed {
    fn from(error: EgressError) -> Self {
        Self {
            error,
            unsent: None,
            unanswered: false,
        }
    }
}

impl HttpConnection {
    /// Connects through the gate.
    ///
    /// # Errors
    /// Those of [`Gate::connect`].
    #[expect(clippy::disallowed_methods, reason = "HTTP to the outside begins here")]
    pub async fn open(gate: &Gate, target: &Target, purpose: Purpose) -> Result<Self, EgressError> {
        let door = gate.connect(target, purpose).await?;
        let channel_binding = door.channel_binding();
        let host = HeaderValue::try_from(target.host_header()).map_err(|_| EgressError::BadUrl)?;
        let (sender, connection) = http1::handshake(TokioIo::new(door))
            .await
            .map_err(EgressError::exchange)?;
        let driver = tokio::spawn(async move {
            // Its failure reaches the request that was under way; without one nobody waits for it.
            let _ = connection.await;
        });
        Ok(Self {
            sender,
            driver,
            host,
            clock: gate.clock().clone(),
            opened: gate.clock().instant(),
            channel_binding,
        })
    }

    /// Sends a request and takes the whole answer. Sets Host, Content-Length and, unless the request has one,
    /// Accept-Encoding; a gzip body comes back unpacked.
    ///
    /// # Errors
    /// [`EgressError::TimedOut`] after `within`; the connection is then of no use any more. `Cut`, `TooLarge`,
    /// `Protocol` as they say.
    pub async fn send(
        &mut self,
        request: Request<Bytes>,
        limits: &BodyLimits,
        within: Duration,
    ) -> Result<Response<Bytes>, EgressError> {
        let request = self.prepared(request);
        let answer = tokio::time::timeout(within, self.exchange(request, limits)).await;
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(failed)) => Err(failed.error),
            Err(_) => {
                self.driver.abort();
                Err(EgressError::TimedOut {
                    what: "waiting for an answer",
                })
            }
        }
    }

    /// Sends a request and gives the answer once its head is here; the body is still to come.
    pub(super) async fn begin(&mut self, request: Request<Bytes>) -> Result<Response<Incoming>, EgressError> {
        let request = self.prepared(request);
        self.sender.ready().await.map_err(EgressError::Closed)?;
        self.sender
            .send_request(request)
            .await
            .map_err(EgressError::exchange)
    }

    /// Fills in what the connection knows and the caller does not.
    pub(super) fn prepared(&self, request: Request<Bytes>) -> Request<Full<Bytes>> {
        let (mut parts, body) = request.into_parts();
        let path = parts
            .uri
            .path_and_query()
            .map(http::uri::PathAndQuery::as_str)
            .unwrap_or("/")
            .to_owned();
        parts.uri = Uri::try_from(path).unwrap_or_else(|_| Uri::from_static("/"));
        parts.headers.insert(HOST, self.host.clone());
        // hyper leaves the header out of an empty body, and IIS answers 411 to a POST without one.
        if !body.is_empty() || ![Method::GET, Method::HEAD, Method::DELETE].contains(&parts.method) {
            parts
                .headers
                .insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        parts
            .headers
            .entry(ACCEPT_ENCODING)
            .or_insert(HeaderValue::from_static("gzip"));
        Request::from_parts(parts, Full::new(body))
    }

    pub(super) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
        limits: &BodyLimits,
    ) -> Result<Response<Bytes>, Failed> {
        if let Err(error) = self.sender.ready().await {
            let error = EgressError::Closed(error);
            return Err(Failed {
                error,
                unsent: Some(Box::new(request)),
                unanswered: true,
            });
        }
        let answer = self
            .sender
            .try_send_request(request)
            .await
            .map_err(|mut failed| {
                let unsent = failed.take_message().map(Box::new);
                let error = failed.into_error();
                let unanswered = error.is_incomplete_message() || error.is_canceled() || error.is_closed();
                Failed {
                    error: EgressError::exchange(error),
                    unsent,
                    unanswered,
                }
            })?;
        let (mut parts, body) = answer.into_parts();
        let body = body::collect(&mut parts.headers, body, limits).await?;
        Ok(Response::from_parts(parts, body))
    }

    /// False once the connection has ended or an answer was not taken to its end.
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed() && !self.driver.is_finished()
    }

    /// True where the connection is worth keeping for another request.
    pub fn is_reusable(&self) -> bool {
        let age = self.clock.instant().saturating_duration_since(self.opened);
        self.is_open() && age < RETIRED_AFTER
    }

    /// The channel binding token of RFC 5929, whole, with its `tls-server-end-point:` prefix.
    pub fn channel_binding(&self) -> Option<Vec<u8>> {
        self.channel_binding.clone()
    }
}

impl Drop for HttpConnection {
    fn drop(&mut self) {
        // Without this an answer that never ends would hold the socket, and its row in the ledger, open.
        self.driver.abort();
    }
}
