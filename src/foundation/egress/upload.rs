//! A request whose body is made while it is sent: piece by piece, of a length that is known before.

use super::body::{self, BodyLimits};
use super::error::EgressError;
use super::gate::Gate;
use super::target::{Purpose, Target};
use async_trait::async_trait;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HOST};
use http::{HeaderValue, Request, Response};
use hyper::body::{Body, Frame, SizeHint};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::Url;

/// Whoever makes the body gave up; the reason is his to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abandoned;

/// Makes a body.
#[async_trait]
pub trait BodySource: Send {
    /// The next piece; `None` at the end. After [`Abandoned`] the connection is cut inside the request, so that
    /// the other side cannot take what it has for the whole.
    async fn next(&mut self) -> Result<Option<Bytes>, Abandoned>;
}

/// Why a request was not answered.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The connection failed.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// The body was not made to its end.
    #[error("the body was not made to its end")]
    Abandoned,
}

/// How patient an upload is, and how long its body.
#[derive(Clone, Copy, Debug)]
pub struct Upload {
    /// The body's exact length.
    pub length: u64,
    /// How long the other side may take for one piece, and for its answer once it has them all.
    pub within: Duration,
    /// How much of the answer is taken.
    pub body: BodyLimits,
}

impl Upload {
    /// Sends the request on a connection of its own, and takes the whole answer. An answer that comes before
    /// the body is through is the answer, and the rest of the body is not sent.
    ///
    /// # Errors
    /// [`UploadError`].
    pub async fn send(
        self,
        gate: &Gate,
        purpose: Purpose,
        url: &Url,
        head: Request<()>,
        source: &mut dyn BodySource,
    ) -> Result<Response<Bytes>, UploadError> {
        let target = Target::of(url)?;
        let (to, from) = mpsc::channel(1);
        let request = self.prepared(&target, url, head, from)?;
        let (mut sender, _driver) = connect(gate, &target, purpose).await?;
        let mut answer = pin!(sender.send_request(request));
        let answer = tokio::select! {
            // One that ended while a piece was awaited is told of at the next piece.
            answer = &mut answer => answer,
            fed = feed(source, to, self.within) => {
                fed?;
                timeout(self.within, answer).await.map_err(|_| late("waiting for an answer"))?
            }
        };
        let (mut parts, body) = answer.map_err(EgressError::exchange)?.into_parts();
        let body = timeout(self.within, body::collect(&mut parts.headers, body, &self.body)).await;
        let body = body.map_err(|_| late("waiting for an answer"))??;
        Ok(Response::from_parts(parts, body))
    }

    fn prepared(
        self,
        target: &Target,
        url: &Url,
        head: Request<()>,
        from: mpsc::Receiver<Bytes>,
    ) -> Result<Request<Fed>, EgressError> {
        let mut request = head.map(|()| Fed {
            from,
            left: self.length,
        });
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        *request.uri_mut() = path.parse().map_err(|_| EgressError::BadUrl)?;
        let host = HeaderValue::try_from(target.host_header()).map_err(|_| EgressError::BadUrl)?;
        let headers = request.headers_mut();
        headers.insert(HOST, host);
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.length));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        Ok(request)
    }
}

fn late(what: &'static str) -> EgressError {
    EgressError::TimedOut { what }
}

/// Ends the connection with the request, whatever becomes of it.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[expect(clippy::disallowed_methods, reason = "HTTP to the outside begins here")]
async fn connect(
    gate: &Gate,
    target: &Target,
    purpose: Purpose,
) -> Result<(http1::SendRequest<Fed>, Driver), EgressError> {
    let door = gate.connect(target, purpose).await?;
    let (sender, connection) = http1::handshake(TokioIo::new(door))
        .await
        .map_err(EgressError::exchange)?;
    let driver = tokio::spawn(async move {
        // Its failure reaches the request that is under way.
        let _ = connection.await;
    });
    Ok((sender, Driver(driver)))
}

async fn feed(
    source: &mut dyn BodySource,
    to: mpsc::Sender<Bytes>,
    within: Duration,
) -> Result<(), UploadError> {
    while let Some(piece) = source.next().await.map_err(|Abandoned| UploadError::Abandoned)? {
        match timeout(within, to.send(piece)).await {
            Ok(Ok(())) => {}
            // The connection ended; why is said by the answer.
            Ok(Err(_)) => return Ok(()),
            Err(_) => return Err(late("sending a request").into()),
        }
    }
    Ok(())
}

/// The body as hyper asks for it.
struct Fed {
    from: mpsc::Receiver<Bytes>,
    left: u64,
}

impl Body for Fed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.from.poll_recv(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) if self.left == 0 => Poll::Ready(None),
            Poll::Ready(None) => Poll::Ready(Some(Err(io::Error::other("the body ended early")))),
            Poll::Ready(Some(piece)) => {
                self.left = self.left.saturating_sub(piece.len() as u64);
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
