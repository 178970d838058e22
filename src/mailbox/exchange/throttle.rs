//! Throttling: how many requests at once, and when not to ask at all.
//!
//! Exchange charges an impersonated call to the mailbox's own budget, so patience is kept per mailbox (see
//! `session`); the number of requests at once is bounded per mailbox and for the server as a whole, well
//! below EWSMaxConcurrency. Source: "EWS throttling in Exchange".

use super::fault::DEFAULT_WAIT;
use super::session::Session;
use super::wire::answer::Fault;
use crate::mailbox::error::MailboxError;
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// No server is believed that asks for more.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The server's share.
pub struct Throttle {
    server: Semaphore,
}

/// Permission for one request; ends when dropped.
pub struct Turn<'a> {
    _mailbox: SemaphorePermit<'a>,
    _server: SemaphorePermit<'a>,
}

impl Throttle {
    /// So many requests at once.
    pub fn new(max_concurrency: usize) -> Self {
        Self {
            server: Semaphore::new(max_concurrency.clamp(1, Semaphore::MAX_PERMITS)),
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`MailboxError::Busy`] at once, while Exchange wants the mailbox to be left alone.
    #[expect(clippy::expect_used, reason = "the semaphores are never closed")]
    pub async fn turn<'a>(&'a self, session: &'a Session) -> Result<Turn<'a>, MailboxError> {
        let mailbox = session
            .turns
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let server = self
            .server
            .acquire()
            .await
            .expect("the semaphore is never closed");
        match session.must_wait() {
            Some(wait) => Err(MailboxError::Busy { wait }),
            None => Ok(Turn {
                _mailbox: mailbox,
                _server: server,
            }),
        }
    }
}

/// Notes that an answer asked for patience, if it did.
pub fn note(session: &Session, fault: &Fault) {
    let busy = |code: &str| matches!(code, "ErrorServerBusy" | "ErrorExceededConnectionCount");
    if busy(&fault.code) || fault.inner.as_deref().is_some_and(busy) {
        session.leave_alone(fault.back_off.unwrap_or(DEFAULT_WAIT).min(LONGEST_WAIT));
    }
}

/// How long to wait after an answer of plain HTTP that asks for patience (RFC 9110 section 10.2.3).
pub fn wait_of(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    if status != StatusCode::SERVICE_UNAVAILABLE && status != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    let seconds = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().parse().ok());
    Some(
        seconds
            .map_or(DEFAULT_WAIT, Duration::from_secs)
            .min(LONGEST_WAIT),
    )
}
