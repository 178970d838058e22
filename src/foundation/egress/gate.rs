//! The gate itself, and the door that it hands out.

use super::binding;
use super::error::EgressError;
use super::ledger::{Ledger, LedgerRow, Outcome};
use super::policy::Policy;
use super::resolve;
use super::target::{Purpose, Target};
use super::tls::{self, TrustRoots};
use crate::foundation::clock::Clock;
use chrono::{DateTime, Utc};
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// How patient the gate is.
#[derive(Clone, Copy, Debug)]
pub struct GateLimits {
    /// For resolving the name, for each address tried, and for the TLS handshake: each may take so long.
    pub connect_timeout: Duration,
}

impl Default for GateLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
        }
    }
}

/// The one door out. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    inner: Arc<Inner>,
}

struct Inner {
    policy: Policy,
    roots: TrustRoots,
    ledger: Ledger,
    limits: GateLimits,
    clock: Clock,
}

impl Gate {
    /// A gate with this allow-list, these roots and this ledger.
    pub fn new(policy: Policy, roots: TrustRoots, ledger: Ledger, limits: GateLimits) -> Self {
        Self {
            inner: Arc::new(Inner {
                policy,
                roots,
                ledger,
                limits,
                clock: Clock::system(),
            }),
        }
    }

    /// A connection to the target.
    ///
    /// # Errors
    /// Every variant of [`EgressError`] that speaks of connecting. Whatever the end, the ledger has a row.
    pub async fn connect(&self, target: &Target, purpose: Purpose) -> Result<Door, EgressError> {
        let inner = &self.inner;
        let mut entry = Entry {
            ledger: Arc::clone(&inner.ledger),
            clock: inner.clock.clone(),
            at: inner.clock.now(),
            since: inner.clock.instant(),
            purpose,
            host: target.host.clone(),
            port: target.port,
            address: None,
            outcome: Outcome::NotAllowed,
            bytes: Arc::default(),
        };
        if !inner.policy.permits(target) {
            return Err(EgressError::NotAllowed {
                host: target.host.clone(),
                port: target.port,
            });
        }
        let stream = self.dial(target, &mut entry).await?;
        let stream = Counted {
            stream,
            bytes: Arc::clone(&entry.bytes),
        };
        if !target.tls {
            entry.outcome = Outcome::Connected;
            return Ok(Door {
                stream: Stream::Plain(stream),
                leaf: None,
                _entry: entry,
            });
        }
        let name = tls::server_name(&target.host)?;
        entry.outcome = Outcome::TimedOut;
        let handshake = inner.roots.connector().connect(name, stream);
        let stream = within(inner.limits.connect_timeout, "the TLS handshake", handshake).await?;
        entry.outcome = Outcome::TlsFailed;
        let stream = stream.map_err(|error| EgressError::handshake(&target.host, error))?;
        entry.outcome = Outcome::Connected;
        let leaf = stream
            .get_ref()
            .1
            .peer_certificates()
            .and_then(<[_]>::first)
            .map(|leaf| leaf.to_vec());
        Ok(Door {
            stream: Stream::Tls(Box::new(stream)),
            leaf,
            _entry: entry,
        })
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Resolves the name and tries its addresses in turn.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    async fn dial(&self, target: &Target, entry: &mut Entry) -> Result<TcpStream, EgressError> {
        let patience = self.inner.limits.connect_timeout;
        entry.outcome = Outcome::TimedOut;
        let addresses = within(patience, "looking up the name", resolve::addresses(target)).await?;
        let addresses = addresses.inspect_err(|error| {
            entry.outcome = match error {
                EgressError::AddressRefused { .. } => Outcome::AddressRefused,
                _ => Outcome::NameUnknown,
            }
        })?;
        let mut last = EgressError::TimedOut { what: "connecting" };
        for address in addresses {
            entry.address = Some(address.ip());
            match within(patience, "connecting", TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Requests are written whole; waiting to fill a segment only adds latency. A socket that
                    // cannot take the option works all the same.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(source)) => {
                    entry.outcome = Outcome::ConnectFailed;
                    last = EgressError::ConnectFailed {
                        host: target.host.clone(),
                        port: target.port,
                        source,
                    };
                }
                Err(late) => {
                    entry.outcome = Outcome::TimedOut;
                    last = late;
                }
            }
        }
        Err(last)
    }
}

async fn within<F: Future>(
    patience: Duration,
    what: &'static str,
    future: F,
) -> Result<F::Output, EgressError> {
    tokio::time::timeout(patience, future)
        .await
        .map_err(|_| EgressError::TimedOut { what })
}

/// The row in the making; written when dropped, whatever the reason.
struct Entry {
    ledger: Ledger,
    clock: Clock,
    at: DateTime<Utc>,
    since: Instant,
    purpose: Purpose,
    host: String,
    port: u16,
    address: Option<IpAddr>,
    outcome: Outcome,
    bytes: Arc<Bytes>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.ledger.connection(LedgerRow {
            at: self.at,
            purpose: self.purpose,
            host: std::mem::take(&mut self.host),
            port: self.port,
            address: self.address,
            outcome: self.outcome,
            bytes_out: self.bytes.sent.load(Ordering::Relaxed),
            bytes_in: self.bytes.received.load(Ordering::Relaxed),
            duration: self.clock.instant().saturating_duration_since(self.since),
        });
    }
}

#[derive(Default)]
struct Bytes {
    sent: AtomicU64,
    received: AtomicU64,
}

/// An open connection. Closing it completes its row in the ledger.
pub struct Door {
    stream: Stream,
    leaf: Option<Vec<u8>>,
    _entry: Entry,
}

impl Door {
    /// The server's own certificate in DER; `None` without TLS.
    pub fn peer_certificate(&self) -> Option<&[u8]> {
        self.leaf.as_deref()
    }

    /// The channel binding token of RFC 5929; `None` without TLS or where the certificate defines none.
    pub fn channel_binding(&self) -> Option<Vec<u8>> {
        self.leaf.as_deref().and_then(binding::tls_server_end_point)
    }
}

enum Stream {
    Plain(Counted),
    Tls(Box<TlsStream<Counted>>),
}

impl AsyncRead for Door {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Door {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// A socket that counts what crosses the wire, beneath TLS.
struct Counted {
    stream: TcpStream,
    bytes: Arc<Bytes>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        let read = buf.filled().len() - before;
        self.bytes.received.fetch_add(read as u64, Ordering::Relaxed);
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = polled {
            self.bytes.sent.fetch_add(written as u64, Ordering::Relaxed);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
