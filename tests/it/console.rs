//! The console over real HTTPS: the way in, what is told, and what is not.

// long: one promise of the page after the other, on one stage

use crate::harness::TestDb;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection as _;
use holdfast::access::permission::OpenConsole;
use holdfast::access::{Principal, Resource, authorize};
use holdfast::foundation::clock::Clock;
use holdfast::foundation::config::Settings;
use holdfast::foundation::telemetry::Metrics;
use holdfast::identity::Lifetime;
use holdfast::identity::control::issue_code;
use holdfast::web::middleware::{HEADERS, REQUEST_NUMBER};
use holdfast::web::parts::Parts;
use holdfast::web::routes::{TABLE, Who};
use holdfast::web::server;
use holdfast::web::viewer::UNATTENDED;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

struct Console {
    address: SocketAddr,
    tls: TlsConnector,
    parts: Parts,
    test: TestDb,
    handle: actix_web::dev::ServerHandle,
    _data: TempDir,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Console {
    async fn open() -> Self {
        Self::open_at(Clock::system()).await
    }

    async fn open_at(clock: Clock) -> Self {
        let (test, data) = (TestDb::new(), TempDir::new().unwrap());
        let mut settings = Settings {
            data_dir: data.path().to_owned(),
            ..Settings::default()
        };
        settings.web.listen = "127.0.0.1:0".parse().unwrap();
        let parts = Parts {
            db: test.db().await,
            clock,
            metrics: Metrics::new(),
            lifetime: Lifetime {
                idle: TimeDelta::minutes(15),
                whole: TimeDelta::hours(8),
            },
        };
        let listener = server::listen(&settings).unwrap();
        let address = listener.address();
        let (handle, page) = server::serve(listener, parts.clone()).unwrap();
        tokio::spawn(page);
        Self {
            address,
            tls: trusting(&data),
            parts,
            test,
            handle,
            _data: data,
        }
    }

    async fn send(&self, request: http::request::Builder, body: &str) -> Answer {
        let tcp = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let tls = self.tls.connect(name, tcp).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tls))
            .await
            .unwrap();
        tokio::spawn(connection);
        let request = request
            .header("host", "localhost")
            .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
            .unwrap();
        let (head, body) = sender.send_request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path), "").await
    }

    async fn get_as(&self, session: &str, path: &str) -> Answer {
        self.send(Request::get(path).header("cookie", session), "").await
    }

    async fn code(&self) -> String {
        let operator = Principal::LocalOperator { user: "test".into() };
        let granted = authorize(&operator, OpenConsole, Resource::Appliance).unwrap();
        let code = issue_code(&self.parts.db, &self.parts.clock, &granted)
            .await
            .unwrap();
        code.shown().expose().clone()
    }

    async fn enter(&self, code: &str) -> Answer {
        let form = Request::post("/sign-in").header("content-type", "application/x-www-form-urlencoded");
        self.send(form, &format!("code={code}")).await
    }

    /// A session's cookie, as a browser sends it back.
    async fn session(&self) -> String {
        let entered = self.enter(&self.code().await).await;
        let cookie = entered.header("set-cookie");
        cookie.split(';').next().unwrap().to_owned()
    }

    fn sql(&self, statements: &str) {
        self.test.superuser().batch_execute(statements).unwrap();
    }
}

/// Trusts the certificate that the console made for itself, and no other.
fn trusting(data: &TempDir) -> TlsConnector {
    let pem = std::fs::read(data.path().join("web/certificate.pem")).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

/// Sixty mailboxes that are in step, and some that are not: 61 is refused, 62 stopped, 63 is being read.
const OFFICE: &str = "
    INSERT INTO mailboxes (address, mail_server, crm, crm_username)
        SELECT 'p' || lpad(n::text, 2, '0') || '@example.com', 'main', 'main', 'p' || n || '@example.crm'
        FROM generate_series(1, 63) n;
    INSERT INTO streams (mailbox_id, kind, first_read_done, due_at, lag_ms, read_total, read_done)
        SELECT id, kind, true, now() + interval '1 hour', 400, 10, 10
        FROM mailboxes, generate_series(0, 3) kind;
    UPDATE mailboxes SET state = 'refused', state_code = 'mailbox.outside_scope' WHERE id = 61;
    UPDATE streams SET last_error_code = 'crm.user_refused', attempts = 3 WHERE mailbox_id = 62 AND kind = 0;
    UPDATE streams SET first_read_done = false, read_done = 4 WHERE mailbox_id = 63;
    INSERT INTO failures (mailbox_id, kind, side, item_key, code, class, first_at, last_at)
        SELECT 5, 0, 0, n, 'crm.rule_refused', 'refused', now(), now() FROM generate_series(1, 3) n;
    INSERT INTO skips (mailbox_id, kind, side, item_key, reason)
        SELECT 5, 3, 0, n, 'internal' FROM generate_series(1, 1200) n;";

#[tokio::test]
async fn a_code_lets_one_in_once_and_the_cookie_is_strict() {
    let console = Console::open().await;
    let code = console.code().await;
    let entered = console.enter(&code).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER);
    assert_eq!(entered.header("location"), "/");
    let cookie = entered.header("set-cookie");
    for part in [
        "__Host-holdfast=",
        "HttpOnly",
        "Secure",
        "SameSite=Strict",
        "Path=/",
    ] {
        assert!(cookie.contains(part), "{part} is not in {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let again = console.enter(&code).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert!(again.body.contains("This code is not valid."), "{}", again.body);
    assert_eq!(again.header("set-cookie"), "");
}

#[tokio::test]
async fn too_many_codes_are_turned_away_with_how_long_to_wait() {
    let console = Console::open().await;
    for _ in 0..holdfast::web::tries::PER_ADDRESS {
        assert_eq!(
            console.enter("AAAA-AAAA-AAAA").await.status,
            StatusCode::FORBIDDEN
        );
    }
    let refused = console.enter(&console.code().await).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(
        refused.body.contains("Too many codes were tried. Wait "),
        "{}",
        refused.body
    );
}

#[tokio::test]
async fn every_address_of_the_table_is_closed_to_whom_it_says() {
    let console = Console::open().await;
    console.sql(OFFICE);
    let session = console.session().await;
    for entry in TABLE {
        let path = entry.path.replace("{id}", "5").replace("{name}", "none.css");
        let send = |cookie: &'static str| {
            let request = Request::builder().method(entry.method.as_str()).uri(&path);
            console.send(request.header("cookie", cookie), "")
        };
        if !matches!(entry.who, Who::Session(_)) {
            continue;
        }
        for cookie in ["", "__Host-holdfast=made-up"] {
            let answer = send(cookie).await;
            if path.starts_with("/api/") {
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
                assert_eq!(answer.json()["code"], "web.not_signed_in");
            } else {
                assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
                assert_eq!(answer.header("location"), "/sign-in");
                assert_eq!(answer.body, "", "{path}");
            }
        }
        assert_eq!(
            console.get_as(&session, &path).await.status,
            StatusCode::OK,
            "{path}"
        );
    }
    assert!(TABLE.iter().any(|entry| matches!(entry.who, Who::Session(_))));
}

#[tokio::test]
async fn every_answer_tells_the_browser_what_our_pages_may_do() {
    let console = Console::open().await;
    let session = console.session().await;
    let mut paths: Vec<(&str, String)> = TABLE
        .iter()
        .map(|entry| {
            (
                entry.method.as_str(),
                entry.path.replace("{id}", "5").replace("{name}", "x"),
            )
        })
        .collect();
    paths.push(("GET", "/no/such/page".into()));
    paths.push(("DELETE", "/".into()));
    paths.push(("GET", "/mailboxes/none".into()));
    // The way out comes last: it ends the session.
    paths.sort_by_key(|(_, path)| path == "/sign-out");
    let mut numbers = Vec::new();
    for (method, path) in paths {
        let request = Request::builder().method(method).uri(&path);
        let answer = console.send(request.header("cookie", &session), "").await;
        for (name, value) in HEADERS {
            assert_eq!(answer.header(name), value, "{method} {path}: {name}");
        }
        assert_eq!(answer.header("cache-control"), "no-store", "{method} {path}");
        numbers.push(answer.header(REQUEST_NUMBER).to_owned());
    }
    let all = numbers.len();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), all, "each request has its own number");
}

#[tokio::test]
async fn a_session_ends_with_the_sign_out_and_by_itself_when_nobody_is_there() {
    let clock = Clock::manual(DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000));
    let console = Console::open_at(clock.clone()).await;
    let (left, open, used) = (
        console.session().await,
        console.session().await,
        console.session().await,
    );
    console
        .send(Request::post("/sign-out").header("cookie", &left), "")
        .await;
    assert_eq!(console.get_as(&left, "/").await.status, StatusCode::SEE_OTHER);
    for _ in 0..2 {
        clock.advance(Duration::from_secs(600));
        let unattended = Request::get("/").header("cookie", &open).header(UNATTENDED, "1");
        console.send(unattended, "").await;
        assert_eq!(console.get_as(&used, "/").await.status, StatusCode::OK);
    }
    assert_eq!(console.get_as(&open, "/").await.status, StatusCode::SEE_OTHER);
    assert_eq!(console.get_as(&used, "/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_form_of_another_site_is_not_acted_on() {
    let console = Console::open().await;
    let session = console.session().await;
    let forged = Request::post("/sign-out")
        .header("cookie", &session)
        .header("sec-fetch-site", "cross-site");
    let answer = console.send(forged, "").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(
        answer.body.contains("Another site sent this request"),
        "{}",
        answer.body
    );
    assert_eq!(console.get_as(&session, "/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_first_page_answers_and_says_what_to_do() {
    let console = Console::open().await;
    let session = console.session().await;
    let empty = console.get_as(&session, "/").await;
    assert!(
        empty.body.contains("No mailbox is kept in step yet."),
        "{}",
        empty.body
    );
    assert!(empty.body.contains("holdfast mailbox add ADDRESS"));
    console.sql(OFFICE);
    let page = console.get_as(&session, "/").await.body;
    for said in [
        "60 of 63 mailboxes are in step; 2 have stopped, 1 is being read for the first time.",
        "3 items failed and need you.",
        "outside its impersonation scope",
        "Widen the management scope",
        "A rule of the CRM refuses this record.",
        "1\u{2013}50 of 63",
    ] {
        assert!(page.contains(said), "{said} is not in:\n{page}");
    }
    // What needs somebody comes first, what is in step by address.
    assert!(page.find("p61@example.com") < page.find("p62@example.com"));
    assert!(page.find("p62@example.com") < page.find("p01@example.com"));
}

#[tokio::test]
async fn the_list_is_filtered_and_paged_by_its_address() {
    let console = Console::open().await;
    console.sql(OFFICE);
    let session = console.session().await;
    for (query, total, first) in [
        ("", 63, Some("p61@example.com")),
        ("?page=2", 63, Some("p48@example.com")),
        ("?page=9", 63, None),
        ("?state=reading", 1, Some("p63@example.com")),
        ("?text=P07", 1, Some("p07@example.com")),
        ("?code=crm.user_refused", 1, Some("p62@example.com")),
        ("?code=crm.rule_refused", 1, Some("p05@example.com")),
        ("?order=address", 63, Some("p01@example.com")),
        ("?text=%27%20OR%201=1", 0, None),
    ] {
        let answer = console
            .get_as(&session, &format!("/api/mailboxes{query}"))
            .await
            .json();
        assert_eq!(answer["mailboxes"][0]["address"].as_str(), first, "{query}");
        if query != "?page=9" {
            assert_eq!(answer["total"], total, "{query}");
        }
    }
    let page = console.get_as(&session, "/?state=in_step&page=2").await.body;
    assert!(page.contains("51\u{2013}60 of 60"), "{page}");
    assert!(page.contains("href=\"/?state=in_step\""), "{page}");
}

#[tokio::test]
async fn a_mailbox_shows_what_was_left_alone_and_why_and_what_failed() {
    let console = Console::open().await;
    console.sql(OFFICE);
    let session = console.session().await;
    let page = console.get_as(&session, "/mailboxes/5").await.body;
    for said in [
        "p05@example.com",
        "Only people of the organisation are in the mail.",
        "1\u{2009}200",
        "3 items of calendar",
        "Correct the item, or change the rule",
    ] {
        assert!(page.contains(said), "{said} is not in:\n{page}");
    }
    let other = console.get_as(&session, "/mailboxes/6").await.body;
    assert!(other.contains("Nothing was left alone."), "{other}");
    let missing = console.get_as(&session, "/mailboxes/9999").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(
        missing.body.contains("There is no such mailbox"),
        "{}",
        missing.body
    );
}

#[tokio::test]
async fn failures_are_told_by_code_with_the_documents_words() {
    let console = Console::open().await;
    console.sql(OFFICE);
    let session = console.session().await;
    let told = console.get_as(&session, "/api/failures").await.json();
    assert_eq!(told[0]["code"], "crm.rule_refused");
    assert_eq!(told[0]["items"], 3);
    assert_eq!(told[0]["mailboxes"], 1);
    assert_eq!(told[0]["happened"], "A rule of the CRM refuses this record.");
    let page = console.get_as(&session, "/failures").await.body;
    assert!(page.contains("3 items in 1 mailbox"), "{page}");
    assert!(page.contains("href=\"/?code=crm.rule_refused\""), "{page}");
    let status = console.get_as(&session, "/api/status").await.json();
    assert_eq!(status["in_step"], false);
    assert_eq!(status["mailboxes"]["refused"], 1);
    assert_eq!(status["items"]["skipped"], 1200);
}

#[tokio::test]
async fn an_address_that_looks_like_markup_stays_text() {
    let console = Console::open().await;
    console.sql(OFFICE);
    console.sql("UPDATE mailboxes SET address = '<script>x</script>@example.com' WHERE id = 61");
    let session = console.session().await;
    for path in ["/", "/mailboxes/61", "/?text=%3Cscript%3E"] {
        let page = console.get_as(&session, path).await.body;
        assert!(!page.contains("<script>"), "{path}");
    }
}

#[tokio::test]
async fn style_and_script_are_kept_by_the_browser_under_the_name_of_their_content() {
    let console = Console::open().await;
    let page = console.get("/sign-in").await.body;
    let name = page.split("href=\"/assets/console.").nth(1).unwrap();
    let path = format!("/assets/console.{}", name.split('"').next().unwrap());
    let style = console.get(&path).await;
    assert_eq!(style.status, StatusCode::OK);
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(
        style.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert!(
        !page.contains("style=") && !page.contains("<style"),
        "no inline style"
    );
}

#[tokio::test]
async fn ready_says_when_the_database_does_not_answer_and_alive_goes_on() {
    let console = Console::open().await;
    assert_eq!(console.get("/health/ready").await.body, "ready\n");
    let session = console.session().await;
    let name = console.test.daemon_url();
    let name = name
        .split("dbname=")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    console.sql(&format!(
        "ALTER DATABASE {name} CONNECTION LIMIT 0;
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = '{name}' AND pid <> pg_backend_pid();"
    ));
    let ready = console.get("/health/ready").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.body, "not ready: the database does not answer\n");
    assert_eq!(console.get("/health/live").await.body, "alive\n");
    let page = console.get_as(&session, "/").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        page.body.contains("Holdfast cannot answer just now."),
        "{}",
        page.body
    );
    console.handle.stop(false).await;
}

#[tokio::test]
async fn the_figures_are_openmetrics_and_hold_what_was_counted() {
    let console = Console::open().await;
    console.parts.metrics.turn("mail", "done");
    console.parts.metrics.items("mail", "to_crm", "created", 3);
    let figures = console.get("/metrics").await;
    assert_eq!(figures.status, StatusCode::OK);
    assert!(
        figures
            .header("content-type")
            .starts_with("application/openmetrics-text")
    );
    assert!(figures.body.ends_with("# EOF\n"));
    for line in figures.body.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("holdfast_"), "{line}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
    assert!(
        figures
            .body
            .contains(r#"holdfast_items_total{kind="mail",direction="to_crm",outcome="created"} 3"#)
    );
}
