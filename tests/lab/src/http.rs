//! HTTP/1.1 over TCP or TLS for the worlds: whole bodies in, whole or streamed bodies out, and the
//! means to cut a connection where it hurts.
//!
//! Knows no protocol of either world. Bodies sent with `Content-Encoding: gzip` arrive unpacked;
//! whole answers are packed when the client asks for it.

use std::convert::Infallible;
use std::future::Future;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, DATE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::faults::Side;
use crate::stats::Stats;

/// Answers shorter than this are not worth packing.
const GZIP_FROM: usize = 512;

/// What a handler answers.
pub enum Reply {
    /// A whole body.
    Full(Response<Bytes>),
    /// A body sent piece by piece; each piece is one HTTP chunk, flushed at once. An empty piece cuts the
    /// connection in the middle of the body.
    Stream(Response<mpsc::Receiver<Bytes>>),
    /// The connection is closed without any answer.
    Close,
    /// The head and the first `after` bytes of the body are sent, then the connection is cut.
    Cut { response: Response<Bytes>, after: usize },
}

impl Reply {
    /// The same, saying when it was made (RFC 9110 section 6.6.1) by the clock that stamps everything else in it.
    pub fn dated(mut self, now: DateTime<Utc>) -> Reply {
        let headers = match &mut self {
            Reply::Full(response) | Reply::Cut { response, .. } => response.headers_mut(),
            Reply::Stream(response) => response.headers_mut(),
            Reply::Close => return self,
        };
        if let Ok(date) = HeaderValue::from_str(&now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
            headers.insert(DATE, date);
        }
        self
    }
}

impl From<Response<Bytes>> for Reply {
    fn from(response: Response<Bytes>) -> Reply {
        Reply::Full(response)
    }
}

/// TLS for one listener.
#[derive(Clone)]
pub struct Tls {
    /// The server's configuration.
    pub config: Arc<rustls::ServerConfig>,
    /// The server certificate's DER form, for channel binding.
    pub leaf_der: Arc<Vec<u8>>,
}

/// What belongs to one TCP connection; clones share it.
#[derive(Clone)]
pub struct ConnectionState {
    /// Distinct for every connection of the process.
    pub id: u64,
    /// The client's address.
    pub peer: SocketAddr,
    /// Whether the connection is TLS.
    pub tls: bool,
    /// The server certificate's DER form if the connection is TLS.
    pub leaf_der: Option<Arc<Vec<u8>>>,
    side: Side,
    stats: Stats,
    extensions: Arc<Mutex<http::Extensions>>,
}

impl ConnectionState {
    /// The value of this type that an earlier request on the connection left.
    pub fn get<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.extensions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get::<T>()
            .cloned()
    }

    /// Leaves a value for later requests on the connection.
    pub fn set<T: Clone + Send + Sync + 'static>(&self, value: T) {
        self.extensions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(value);
    }

    /// Takes the value of this type away.
    pub fn remove<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.extensions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove::<T>()
    }

    /// Counts the request under this operation's name in /stats.
    pub fn count_operation(&self, name: &str) {
        self.stats.operation(self.side, name);
    }
}

type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// Why hyper is told to drop a connection: the handler asked for it.
#[derive(Debug)]
struct ClosedOnPurpose;

impl std::fmt::Display for ClosedOnPurpose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed on purpose")
    }
}

impl std::error::Error for ClosedOnPurpose {}

/// Serves connections until the returned future is dropped; dropping it cuts every connection.
pub async fn serve<H, F>(listener: TcpListener, tls: Option<Tls>, side: Side, stats: Stats, handler: H)
where
    H: Fn(Request<Bytes>, ConnectionState) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let Ok((stream, peer)) = accepted else { continue };
        stats.connection(side);
        let state = ConnectionState {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            peer,
            tls: tls.is_some(),
            leaf_der: tls.as_ref().map(|tls| tls.leaf_der.clone()),
            side,
            stats: stats.clone(),
            extensions: Arc::default(),
        };
        connections.spawn(connection(stream, tls.clone(), state, handler.clone()));
    }
}

async fn connection<H, F>(stream: TcpStream, tls: Option<Tls>, state: ConnectionState, handler: H)
where
    H: Fn(Request<Bytes>, ConnectionState) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    // An answer in small writes would otherwise wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    match tls {
        None => requests(stream, state, handler).await,
        Some(tls) => match TlsAcceptor::from(tls.config).accept(stream).await {
            Ok(stream) => requests(stream, state, handler).await,
            Err(error) => tracing::debug!(%error, "TLS handshake failed"),
        },
    }
}

async fn requests<S, H, F>(stream: S, state: ConnectionState, handler: H)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Bytes>, ConnectionState) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (state, handler) = (state.clone(), handler.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map_err(|_| ClosedOnPurpose)?.to_bytes();
            let gzip = accepts_gzip(&parts.headers);
            let body = unpacked(&parts.headers, body);
            let bytes_in = body.len();
            let reply = handler(Request::from_parts(parts, body), state.clone()).await;
            count(&state, &reply, bytes_in);
            answer(reply, gzip)
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .half_close(true)
        .max_buf_size(1024 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::trace!(%error, "connection ended");
    }
}

fn count(state: &ConnectionState, reply: &Reply, bytes_in: usize) {
    let (status, bytes_out) = match reply {
        Reply::Full(response) => (Some(response.status().as_u16()), response.body().len()),
        Reply::Stream(response) => (Some(response.status().as_u16()), 0),
        Reply::Close => (None, 0),
        Reply::Cut { after, .. } => (None, *after),
    };
    state.stats.answer(state.side, status, bytes_in, bytes_out);
}

fn answer(reply: Reply, gzip: bool) -> Result<Response<Body>, ClosedOnPurpose> {
    match reply {
        Reply::Close => Err(ClosedOnPurpose),
        Reply::Full(response) => Ok(packed(response, gzip).map(whole)),
        Reply::Stream(response) => Ok(response.map(|receiver| {
            let pieces = futures_util::stream::unfold(receiver, |mut receiver| async move {
                let piece = receiver.recv().await?;
                let piece = match piece.is_empty() {
                    true => Err(std::io::Error::other("cut on purpose")),
                    false => Ok(Frame::data(piece)),
                };
                Some((piece, receiver))
            });
            StreamBody::new(pieces).boxed_unsync()
        })),
        Reply::Cut { response, after } => Ok(cut(response, after)),
    }
}

fn whole(body: Bytes) -> Body {
    Full::new(body)
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}

/// The length announced is the whole body's, so the client sees that something is missing.
fn cut(response: Response<Bytes>, after: usize) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    parts
        .headers
        .insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let first = body.slice(..after.min(body.len().saturating_sub(1)));
    let pieces = futures_util::stream::iter([
        Ok(Frame::data(first)),
        Err(std::io::Error::other("cut on purpose")),
    ])
    // Between the two the bytes must reach the socket, or the client would see nothing at all.
    .then(|piece| async move {
        if piece.is_err() {
            tokio::task::yield_now().await;
        }
        piece
    });
    Response::from_parts(parts, StreamBody::new(pieces).boxed_unsync())
}

fn accepts_gzip(headers: &http::HeaderMap) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| coding.trim().starts_with("gzip") && !coding.contains("q=0"))
}

fn unpacked(headers: &http::HeaderMap, body: Bytes) -> Bytes {
    let gzipped = headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| coding.as_bytes() == b"gzip");
    if !gzipped {
        return body;
    }
    let mut plain = Vec::new();
    match flate2::read::GzDecoder::new(body.as_ref()).read_to_end(&mut plain) {
        Ok(_) => Bytes::from(plain),
        Err(_) => body,
    }
}

fn packed(response: Response<Bytes>, gzip: bool) -> Response<Bytes> {
    if !gzip || response.body().len() < GZIP_FROM || response.headers().contains_key(CONTENT_ENCODING) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let mut encoder =
        flate2::write::GzEncoder::new(Vec::with_capacity(body.len() / 3), flate2::Compression::fast());
    match encoder.write_all(&body).and_then(|()| encoder.finish()) {
        Ok(small) => {
            parts
                .headers
                .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            Response::from_parts(parts, Bytes::from(small))
        }
        Err(_) => Response::from_parts(parts, body),
    }
}
