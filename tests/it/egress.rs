//! The egress gate, against servers on this machine: what it lets through, what it refuses, what it writes down.

use crate::harness::{TestDb, eventually};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use holdfast::foundation::clock::Clock;
use holdfast::foundation::db::{DbError, schema::egress_ledger};
use holdfast::foundation::egress::store::DbLedger;
use holdfast::foundation::egress::*;
use holdfast::foundation::explain::Explain;
use http::{Request, StatusCode};
use ring::digest;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use url::Url;

const SOON: Duration = Duration::from_secs(10);

/// What a server does with each request that it gets, in turn; then it hangs up.
#[derive(Clone)]
struct Script(Arc<Vec<Vec<u8>>>);

impl Script {
    fn of(answers: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self(Arc::new(answers.into_iter().collect()))
    }

    async fn play(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        for answer in self.0.iter() {
            if !read_request(&mut stream).await {
                return;
            }
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
        let _ = stream.shutdown().await;
    }
}

/// Reads a request with a Content-Length, or without a body.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> bool {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return false,
        }
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    stream.read_exact(&mut body).await.is_ok()
}

fn answer(body: &[u8], headers: &str) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A server in plain: its port, and how many connections it has accepted.
async fn serve(script: Script) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(script.clone().play(stream));
        }
    });
    (port, accepted)
}

/// A server with TLS under this name: its port and its certificate, which is its own issuer.
async fn serve_tls(name: &str, script: Script) -> (u16, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let leaf = made.cert.der().clone();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, script) = (acceptor.clone(), script.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    script.play(stream).await;
                }
            });
        }
    });
    (port, leaf.to_vec())
}

/// A gate that opens these doors and trusts these roots, and its ledger.
fn gate(doors: &[String], roots: Vec<Vec<u8>>) -> (Gate, Arc<MemoryLedger>) {
    let ledger = Arc::new(MemoryLedger::default());
    let policy = Policy::parse(doors).unwrap();
    let roots = TrustRoots::only(roots).unwrap();
    (
        Gate::new(policy, roots, ledger.clone(), GateLimits::default()),
        ledger,
    )
}

fn client(port: u16, body: BodyLimits) -> (HttpClient, Url) {
    let (gate, _) = gate(&[format!("localhost:{port}")], Vec::new());
    let limits = ClientLimits {
        body,
        ..ClientLimits::default()
    };
    (
        HttpClient::new(gate, Purpose::Crm, limits),
        Url::parse(&format!("http://localhost:{port}/a?b=c")).unwrap(),
    )
}

fn get() -> Request<Bytes> {
    Request::get("/").body(Bytes::new()).unwrap()
}

fn post() -> Request<Bytes> {
    Request::post("/").body(Bytes::from_static(b"body")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_door_that_nobody_opened_stays_shut_and_the_refusal_is_in_the_ledger() {
    let (port, accepted) = serve(Script::of([])).await;
    let (gate, ledger) = gate(&["localhost:1".to_owned()], Vec::new());
    let target = Target {
        host: "localhost".to_owned(),
        port,
        tls: false,
    };
    let error = gate.connect(&target, Purpose::MailServer).await.err().unwrap();
    assert!(
        error
            .sentence()
            .contains(&format!("add \"localhost:{port}\" to egress.allow"))
    );
    let rows = ledger.rows();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].outcome, rows[0].address, rows[0].bytes_out),
        (Outcome::NotAllowed, None, 0)
    );
    assert_eq!(accepted.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_does_not_slip_through_because_its_name_is_listed() {
    let (port, accepted) = serve(Script::of([])).await;
    let (gate, _) = gate(&[format!("localhost:{port}")], Vec::new());
    let target = Target {
        host: "127.0.0.1".to_owned(),
        port,
        tls: false,
    };
    assert!(matches!(
        gate.connect(&target, Purpose::Crm).await,
        Err(EgressError::NotAllowed { .. })
    ));
    assert_eq!(accepted.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_knows_its_channel_binding_and_leaves_a_row_with_its_bytes_when_it_closes() {
    let (port, leaf) = serve_tls("localhost", Script::of([answer(b"hello", "")])).await;
    let (gate, ledger) = gate(&[format!("localhost:{port}")], vec![leaf.clone()]);
    let target = Target {
        host: "localhost".to_owned(),
        port,
        tls: true,
    };
    let mut connection = HttpConnection::open(&gate, &target, Purpose::MailServer)
        .await
        .unwrap();
    let expected = [
        b"tls-server-end-point:",
        digest::digest(&digest::SHA256, &leaf).as_ref(),
    ]
    .concat();
    assert_eq!(connection.channel_binding(), Some(expected));
    let answer = connection
        .send(post(), &BodyLimits::default(), SOON)
        .await
        .unwrap();
    assert_eq!(answer.body().as_ref(), b"hello");
    drop(connection);
    let row = eventually("the row of a closed connection", SOON, || ledger.rows().pop());
    assert_eq!(
        (row.outcome, row.purpose, row.host.as_str()),
        (Outcome::Connected, Purpose::MailServer, "localhost")
    );
    assert!(row.address.is_some_and(|address| address.is_loopback()));
    // A handshake alone is longer than what was said.
    assert!(row.bytes_out > 200 && row.bytes_in > 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_issuer_and_a_wrong_name_are_refused_and_told_apart() {
    let (port, leaf) = serve_tls("another.example", Script::of([])).await;
    let target = Target {
        host: "localhost".to_owned(),
        port,
        tls: true,
    };
    let doors = [format!("localhost:{port}")];
    let (strict, ledger) = gate(&doors, Vec::new());
    let unknown = strict.connect(&target, Purpose::Crm).await.err().unwrap();
    assert!(
        unknown.sentence().contains("egress.extra_ca_files"),
        "{}",
        unknown.sentence()
    );
    assert_eq!(ledger.rows()[0].outcome, Outcome::TlsFailed);
    let (trusting, _) = gate(&doors, vec![leaf]);
    let misnamed = trusting.connect(&target, Purpose::Crm).await.err().unwrap();
    assert!(
        misnamed.sentence().contains("bears another name"),
        "{}",
        misnamed.sentence()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packed_answer_comes_back_unpacked_and_one_beyond_the_limit_does_not_come_back() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&[b'x'; 10_000]).unwrap();
    let packed = answer(&encoder.finish().unwrap(), "Content-Encoding: gzip\r\n");
    let (port, _) = serve(Script::of([packed.clone(), packed])).await;
    let (roomy, url) = client(
        port,
        BodyLimits {
            wire: 1_000,
            decoded: 10_000,
        },
    );
    let taken = roomy.send(&url, get()).await.unwrap();
    assert_eq!((taken.status(), taken.body().len()), (StatusCode::OK, 10_000));
    assert!(!taken.headers().contains_key(http::header::CONTENT_ENCODING));
    let (narrow, url) = client(
        port,
        BodyLimits {
            wire: 1_000,
            decoded: 9_999,
        },
    );
    assert!(matches!(
        narrow.send(&url, get()).await,
        Err(EgressError::TooLarge { limit: 9_999 })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_ends_in_the_middle_is_no_answer() {
    let (port, _) = serve(Script::of([
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec(),
    ]))
    .await;
    let (client, url) = client(port, BodyLimits::default());
    assert!(matches!(client.send(&url, get()).await, Err(EgressError::Cut(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_come_is_not_waited_for_longer_than_the_caller_wants() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (gate, ledger) = gate(&[format!("localhost:{port}")], Vec::new());
    let target = Target {
        host: "localhost".to_owned(),
        port,
        tls: false,
    };
    let mut connection = HttpConnection::open(&gate, &target, Purpose::Crm).await.unwrap();
    let late = connection
        .send(post(), &BodyLimits::default(), Duration::from_millis(50))
        .await;
    assert!(matches!(late, Err(EgressError::TimedOut { .. })));
    // The socket is closed with it, not kept for an answer that nobody takes any more.
    eventually("the row of the abandoned connection", SOON, || {
        ledger.rows().pop()
    });
    assert!(!connection.is_open());
}

/// A server that answers one request on each connection, keeps it open, and hangs up at the next request
/// without a word: what an idle connection looks like that the other side has just given up.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_died_idle_is_replaced_for_what_may_be_repeated_and_for_nothing_else() {
    let hang_up = || Script::of([answer(b"first", ""), Vec::new()]);
    let (port, accepted) = serve(hang_up()).await;
    let (client, url) = client(port, BodyLimits::default());
    client.send(&url, get()).await.unwrap();
    assert_eq!(client.send(&url, get()).await.unwrap().body().as_ref(), b"first");
    assert_eq!(accepted.load(Ordering::SeqCst), 2);
    // The second connection has one answer behind it and dies at the next request: a POST is not repeated.
    assert!(matches!(
        client.send(&url, post()).await,
        Err(EgressError::Cut(_))
    ));
    assert_eq!(accepted.load(Ordering::SeqCst), 2);
    client.send(&url, get()).await.unwrap();
    let mut repeatable = post();
    repeatable.extensions_mut().insert(Repeatable);
    assert_eq!(
        client.send(&url, repeatable).await.unwrap().body().as_ref(),
        b"first"
    );
    assert_eq!(accepted.load(Ordering::SeqCst), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_reaches_the_database_before_its_task_ends() {
    use diesel::prelude::*;
    let database = TestDb::new();
    let db = database.db().await;
    let (ledger, task) = DbLedger::start(db.clone(), Clock::system());
    let (port, _) = serve(Script::of([answer(b"hello", "")])).await;
    let policy = Policy::parse([format!("localhost:{port}")]).unwrap();
    let gate = Gate::new(
        policy,
        TrustRoots::only([]).unwrap(),
        ledger,
        GateLimits::default(),
    );
    for port in [port, 9] {
        let target = Target {
            host: "localhost".to_owned(),
            port,
            tls: false,
        };
        let _ = gate.connect(&target, Purpose::Crm).await;
    }
    drop(gate);
    task.await.unwrap();
    let rows: Vec<(String, String, i32)> = db
        .run::<_, DbError, _>(|conn| {
            let columns = (
                egress_ledger::purpose,
                egress_ledger::outcome,
                egress_ledger::port,
            );
            Ok(egress_ledger::table
                .select(columns)
                .order(egress_ledger::id)
                .load(conn)?)
        })
        .await
        .unwrap();
    let row = |outcome: &str, port: u16| ("crm".to_owned(), outcome.to_owned(), i32::from(port));
    assert_eq!(rows, [row("connected", port), row("not_allowed", 9)]);
}
