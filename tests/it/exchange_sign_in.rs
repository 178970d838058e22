//! NTLM on the wire: a TLS server of a few lines that judges each message as Exchange does and plays IIS's
//! tricks. The verdicts are the lab's, written from [MS-NLMP] and RFC 5929 alone.

use crate::harness::exchange::server_at;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::Utc;
use holdfast::foundation::ids::MailboxId;
use holdfast::foundation::secret::Secret;
use holdfast::mailbox::error::MailboxError;
use holdfast::mailbox::exchange::{ExchangeServer, ExchangeSettings};
use holdfast::mailbox::model::MailboxRef;
use holdfast::mailbox::port::MailboxServer;
use holdfast_lab::exchange::ntlm::{Challenge, Channel, ExtendedProtection, ServerNames, channel_binding};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use url::Url;

/// What the server has seen, in words: `connection`, `negotiate`, `proof`, `request`.
type Seen = Arc<Mutex<Vec<&'static str>>>;

/// The server's habits.
#[derive(Clone, Copy, Default)]
struct Habits {
    /// Says that the sign-in does not outlive the request, and keeps its word.
    forgets: bool,
    /// Forgets once, without a word, after this many answers.
    forgets_after: Option<usize>,
    /// Offers Negotiate alone.
    negotiate: bool,
}

struct Iis {
    habits: Habits,
    leaf: CertificateDer<'static>,
    seen: Seen,
}

const PROBE: &str = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
    <GetFolderResponse xmlns=\"http://schemas.microsoft.com/exchange/services/2006/messages\"><ResponseMessages>\
    </ResponseMessages></GetFolderResponse></s:Body></s:Envelope>";

async fn start(habits: Habits, password: &str) -> (ExchangeServer, Seen) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let leaf = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.clone()], key)
            .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}/EWS/Exchange.asmx",
        listener.local_addr().unwrap().port()
    );
    let seen = Seen::default();
    let iis = Arc::new(Iis {
        habits,
        leaf: leaf.clone(),
        seen: Arc::clone(&seen),
    });
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, iis) = (acceptor.clone(), Arc::clone(&iis));
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    iis.serve(stream).await;
                }
            });
        }
    });
    let password = Secret::new(password.to_owned());
    let settings = ExchangeSettings::new(Url::parse(&url).unwrap(), "LAB\\svc", password);
    (server_at(settings, &[leaf]), seen)
}

impl Iis {
    fn see(&self, what: &'static str) {
        self.seen.lock().unwrap().push(what);
    }

    async fn serve(&self, mut stream: TlsStream<TcpStream>) {
        self.see("connection");
        let scheme = if self.habits.negotiate {
            "Negotiate"
        } else {
            "NTLM"
        };
        let (mut challenge, mut signed_in, mut answers) = (None, false, 0);
        while let Some((token, body)) = read_request(&mut stream, scheme).await {
            if token.is_none() && self.habits.forgets_after == Some(answers) {
                signed_in = false;
                answers += 1;
            }
            let answer = match (token, challenge.take()) {
                (None, _) if signed_in => {
                    self.see("request");
                    answers += 1;
                    answer(200, "", PROBE)
                }
                (Some(token), Some(due)) => {
                    self.see("proof");
                    signed_in = self.accepts(&due, &token);
                    answers += 1;
                    match signed_in {
                        true if self.habits.forgets => {
                            signed_in = false;
                            answer(200, "Persistent-Auth: false\r\n", PROBE)
                        }
                        true => answer(200, "", PROBE),
                        false => answer(401, &format!("WWW-Authenticate: {scheme}\r\n"), ""),
                    }
                }
                (Some(token), None) => {
                    self.see("negotiate");
                    assert!(body.is_empty(), "the first leg carries no body");
                    let given = Challenge::answer(&token, &names(), *b"12345678", Utc::now()).unwrap();
                    let header = format!(
                        "WWW-Authenticate: {scheme} {}\r\n",
                        BASE64_STANDARD.encode(given.message())
                    );
                    challenge = Some(given);
                    answer(401, &header, "")
                }
                (None, _) => answer(401, &format!("WWW-Authenticate: {scheme}\r\n"), ""),
            };
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn accepts(&self, due: &Challenge, token: &[u8]) -> bool {
        let channel = Channel {
            protection: ExtendedProtection::Require,
            binding: channel_binding(&self.leaf),
        };
        let password_of = |account: &holdfast_lab::exchange::ntlm::Account| {
            (account.domain == "LAB" && account.user == "svc").then(|| "right".to_owned())
        };
        due.accept(token, channel, password_of).is_ok()
    }
}

fn names() -> ServerNames {
    ServerNames {
        netbios_domain: "LAB".to_owned(),
        netbios_computer: "EX1".to_owned(),
        dns_domain: "lab.example".to_owned(),
        dns_computer: "ex1.lab.example".to_owned(),
    }
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
}

/// The token that a request carries, and its body.
async fn read_request(stream: &mut TlsStream<TcpStream>, scheme: &str) -> Option<(Option<Vec<u8>>, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let field = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    };
    let mut body = vec![0; field("content-length").unwrap().parse().unwrap()];
    stream.read_exact(&mut body).await.ok()?;
    let prefix = format!("{scheme} ");
    let token =
        field("authorization").and_then(|value| BASE64_STANDARD.decode(value.strip_prefix(&prefix)?).ok());
    Some((token, body))
}

fn mailbox() -> MailboxRef {
    MailboxRef::new(MailboxId(1), "a@lab.example")
}

#[tokio::test]
async fn one_handshake_bound_to_its_channel_serves_every_request_on_its_connection() {
    let (server, seen) = start(Habits::default(), "right").await;
    server.probe(&mailbox()).await.unwrap();
    server.probe(&mailbox()).await.unwrap();
    // The first probe also asks for the server's version.
    assert_eq!(
        *seen.lock().unwrap(),
        ["connection", "negotiate", "proof", "request", "request"]
    );
}

#[tokio::test]
async fn a_server_that_does_not_keep_the_sign_in_gets_a_handshake_for_each_request() {
    let (server, seen) = start(
        Habits {
            forgets: true,
            ..Habits::default()
        },
        "right",
    )
    .await;
    server.probe(&mailbox()).await.unwrap();
    assert_eq!(
        *seen.lock().unwrap(),
        ["connection", "negotiate", "proof", "negotiate", "proof"]
    );
}

#[tokio::test]
async fn a_connection_that_was_forgotten_is_signed_in_anew() {
    let (server, seen) = start(
        Habits {
            forgets_after: Some(1),
            ..Habits::default()
        },
        "right",
    )
    .await;
    server.probe(&mailbox()).await.unwrap();
    assert_eq!(
        *seen.lock().unwrap(),
        ["connection", "negotiate", "proof", "negotiate", "proof"]
    );
}

#[tokio::test]
async fn a_server_that_offers_negotiate_alone_takes_ntlm_under_that_name() {
    let (server, seen) = start(
        Habits {
            negotiate: true,
            ..Habits::default()
        },
        "right",
    )
    .await;
    server.probe(&mailbox()).await.unwrap();
    assert_eq!(seen.lock().unwrap()[..3], ["connection", "negotiate", "proof"]);
}

#[tokio::test]
async fn a_wrong_password_is_tried_twice_and_then_left_alone_by_every_mailbox() {
    let (server, seen) = start(Habits::default(), "wrong").await;
    let refused = server.probe(&mailbox()).await;
    assert!(matches!(refused, Err(MailboxError::SignInRefused { .. })));
    let another = MailboxRef::new(MailboxId(2), "b@lab.example");
    let refused = server.probe(&another).await;
    assert!(matches!(refused, Err(MailboxError::SignInRefused { .. })));
    let once = ["connection", "negotiate", "proof"];
    assert_eq!(*seen.lock().unwrap(), [once, once].concat());
}
