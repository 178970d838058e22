//! The account's connections. A connection that NTLM signed in belongs to one account, so each connector has a
//! pool of its own; a handshake has a connection to itself until it is over.

use super::auth::{Account, AuthError, Line, Patience};
use super::lockout::Lockout;
use crate::foundation::clock::Clock;
use crate::foundation::egress::{EgressError, Gate, HttpConnection, Purpose, Streamed, Target};
use bytes::Bytes;
use http::header::CONNECTION;
use http::{Request, Response};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use url::Url;

/// IIS closes an idle connection after two minutes; ours are not trusted that long.
const IDLE_FOR: Duration = Duration::from_secs(90);

/// Open connections that nobody uses at the moment.
pub struct Pool {
    gate: Gate,
    url: Url,
    account: Account,
    keep: usize,
    lockout: Lockout,
    clock: Clock,
    idle: Mutex<Vec<(Line, Instant)>>,
}

impl Pool {
    /// A pool that keeps at most `keep` idle connections.
    pub fn new(gate: Gate, url: Url, account: Account, keep: usize, clock: Clock) -> Self {
        Self {
            gate,
            url,
            account,
            keep,
            lockout: Lockout::new(clock.clone()),
            clock,
            idle: Mutex::default(),
        }
    }

    /// Sends a request on some connection, signed in.
    ///
    /// An idle connection that turns out dead is replaced by a fresh one, if the request was not written or
    /// `repeatable` says that writing it twice does no harm. A refused sign-in is tried once more on a fresh
    /// connection: Exchange 2019 refuses right credentials now and then.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn send(
        &self,
        request: &Request<Bytes>,
        repeatable: bool,
        patience: Patience,
    ) -> Result<Response<Bytes>, AuthError> {
        self.account.may_go_out()?;
        let permit = self.lockout.permit().await?;
        let mut refused = !permit.first;
        loop {
            let (mut line, fresh) = match self.take() {
                Some(line) if line.signed_in || !refused => (line, false),
                _ => (self.open().await?, true),
            };
            match self.account.send(&mut line, request.clone(), patience).await {
                Ok(answer) => {
                    self.lockout.accepted();
                    self.give_back(line, &answer);
                    return Ok(answer);
                }
                Err(AuthError::Egress(EgressError::Closed(_))) if !fresh => {}
                Err(AuthError::Egress(EgressError::Cut(_))) if !fresh && repeatable => {}
                Err(AuthError::Refused("Http401"))
                    if !refused && matches!(self.account, Account::Ntlm { .. }) =>
                {
                    refused = true;
                }
                Err(error) => {
                    if matches!(error, AuthError::Refused("Http401")) {
                        self.lockout.refused();
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Sends a request on a connection of its own, signed in, and leaves the answer open.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn stream(&self, request: &Request<Bytes>, patience: Patience) -> Result<Streamed, AuthError> {
        self.account.may_go_out()?;
        let _permit = self.lockout.permit().await?;
        let line = self.open().await?;
        match self.account.open(line, request.clone(), patience).await {
            Ok(answer) => {
                self.lockout.accepted();
                Ok(answer)
            }
            Err(error) => {
                if matches!(error, AuthError::Refused("Http401")) {
                    self.lockout.refused();
                }
                Err(error)
            }
        }
    }

    async fn open(&self) -> Result<Line, EgressError> {
        let target = Target::of(&self.url)?;
        let connection = HttpConnection::open(&self.gate, &target, Purpose::MailServer).await?;
        Ok(Line {
            connection,
            signed_in: false,
        })
    }

    fn take(&self) -> Option<Line> {
        let now = self.clock.instant();
        let mut idle = self.idle();
        idle.retain(|(line, since)| {
            line.connection.is_open() && now.saturating_duration_since(*since) < IDLE_FOR
        });
        idle.pop().map(|(line, _)| line)
    }

    fn give_back(&self, line: Line, answer: &Response<Bytes>) {
        let closes = answer
            .headers()
            .get(CONNECTION)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
        if closes || !line.connection.is_reusable() {
            return;
        }
        let now = self.clock.instant();
        let mut idle = self.idle();
        if idle.len() < self.keep {
            idle.push((line, now));
        }
    }

    /// No code panics while it holds the lock, so a poisoned one holds good connections all the same.
    fn idle(&self) -> MutexGuard<'_, Vec<(Line, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
