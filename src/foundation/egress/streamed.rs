//! An answer that stays open: its body is taken piece by piece, for as long as the server speaks.

use super::body::{self, BodyLimits};
use super::connection::HttpConnection;
use super::error::EgressError;
use bytes::Bytes;
use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::time::Duration;

/// The head of an answer, and its body as it comes. Dropping it closes the connection.
pub struct Streamed {
    head: response::Parts,
    body: Incoming,
    // Its driver carries the body; it ends with this.
    _connection: HttpConnection,
}

impl Streamed {
    /// Sends a request and waits for the head of its answer. The connection is used for nothing else after.
    ///
    /// # Errors
    /// Those of [`HttpConnection::send`].
    pub async fn open(
        mut connection: HttpConnection,
        mut request: Request<Bytes>,
        within: Duration,
    ) -> Result<Self, EgressError> {
        // A packed body would come in the packer's pieces, not in the server's.
        let plain = HeaderValue::from_static("identity");
        request.headers_mut().insert(ACCEPT_ENCODING, plain);
        let answer = tokio::time::timeout(within, connection.begin(request)).await;
        let answer = answer.map_err(|_| EgressError::TimedOut {
            what: "waiting for an answer",
        })??;
        let (head, body) = answer.into_parts();
        Ok(Self {
            head,
            body,
            _connection: connection,
        })
    }

    /// The answer's status.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The answer's headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    /// [`EgressError::TimedOut`] where nothing came for so long; `Cut` where the connection ended in the middle.
    pub async fn piece(&mut self, within: Duration) -> Result<Option<Bytes>, EgressError> {
        let silent = |_| EgressError::TimedOut {
            what: "waiting for a sign of life",
        };
        loop {
            let frame = tokio::time::timeout(within, self.body.frame()).await;
            match frame.map_err(silent)? {
                None => return Ok(None),
                Some(frame) => match frame.map_err(EgressError::exchange)?.into_data() {
                    Ok(data) => return Ok(Some(data)),
                    // Trailers say nothing to us.
                    Err(_) => continue,
                },
            }
        }
    }

    /// The rest of the body in one piece, for an answer that turns out to be none to listen to.
    ///
    /// # Errors
    /// As [`HttpConnection::send`].
    pub async fn whole(self, limits: &BodyLimits, within: Duration) -> Result<Response<Bytes>, EgressError> {
        let mut head = self.head;
        let body = tokio::time::timeout(within, body::collect(&mut head.headers, self.body, limits)).await;
        let body = body.map_err(|_| EgressError::TimedOut {
            what: "waiting for an answer",
        })??;
        Ok(Response::from_parts(head, body))
    }
}
