//! Sends a tape once more to a fresh lab: the same requests on as many connections, in the same order on each,
//! with the answers read to their end and thrown away. No parsing, no planning, no database: the floor under
//! any client's first synchronisation. Sign-ins happen before the clock starts.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use url::Url;

use crate::faults::Side;
use crate::salesforce::app;
use crate::tape::Taped;

/// Why a replay ended early.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A request as it will be sent.
type Ready = Request<Full<Bytes>>;

/// Where the fresh lab is and how to sign in to it.
#[derive(Clone)]
struct Target {
    exchange: Url,
    salesforce: Url,
    basic: HeaderValue,
    tls: TlsConnector,
}

/// Replays a tape against the lab whose line is in a file. Gives requests sent and refused among
/// them (a floor that was refused is none), the answers' bytes, the seconds.
///
/// # Errors
/// A file cannot be read, or a connection breaks.
pub async fn replay(tape: &Path, lab: &Path) -> Result<Value, Failure> {
    let target = Target::new(&serde_json::from_reader(File::open(lab)?)?)?;
    let mut connections: BTreeMap<u64, Vec<Taped>> = BTreeMap::new();
    let mut users = HashMap::new();
    for line in BufReader::new(File::open(tape)?).lines() {
        let taped: Taped = serde_json::from_str(&line?)?;
        if let (Some(token), Some(user)) = (&taped.issued, subject(&taped.body())) {
            users.insert(token.clone(), user);
            continue;
        }
        connections.entry(taped.connection).or_default().push(taped);
    }
    let tokens = target.sign_in(&users).await?;
    let mut prepared = Vec::new();
    for requests in connections.into_values() {
        prepared.push(target.prepare(requests, &tokens)?);
    }
    let started = Instant::now();
    let mut running = JoinSet::new();
    for (side, requests) in prepared {
        running.spawn(target.clone().connection(side, requests));
    }
    let (mut requests, mut bytes, mut refused) = (0_u64, 0_u64, 0_u64);
    while let Some(done) = running.join_next().await {
        let (sent, received, of_them_refused) = done??;
        requests += sent;
        bytes += received;
        refused += of_them_refused;
    }
    Ok(
        json!({"requests": requests, "refused": refused, "bytes": bytes, "wall_s": started.elapsed().as_secs_f64()}),
    )
}

impl Target {
    fn new(lab: &Value) -> Result<Target, Failure> {
        let text = |side: &str, key: &str| lab[side][key].as_str().unwrap_or_default().to_owned();
        let mut roots = rustls::RootCertStore::empty();
        let pem = text("exchange", "ca_pem");
        for certificate in rustls::pki_types::pem::PemObject::pem_slice_iter(pem.as_bytes()) {
            let certificate: rustls::pki_types::CertificateDer<'static> = certificate?;
            roots.add(certificate)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let account = format!(
            "{}:{}",
            text("exchange", "service_login"),
            text("exchange", "service_password")
        );
        Ok(Target {
            exchange: Url::parse(&text("exchange", "url"))?,
            salesforce: Url::parse(&text("salesforce", "login_url"))?,
            basic: HeaderValue::try_from(format!("Basic {}", STANDARD.encode(account)))?,
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    fn url(&self, side: Side) -> &Url {
        match side {
            Side::Exchange => &self.exchange,
            Side::Salesforce => &self.salesforce,
        }
    }

    fn host(&self, side: Side) -> String {
        let port = self.url(side).port_or_known_default().unwrap_or(443);
        format!("localhost:{port}")
    }

    async fn open(&self, side: Side) -> Result<SendRequest<Full<Bytes>>, Failure> {
        let port = self.url(side).port_or_known_default().unwrap_or(443);
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let name = rustls::pki_types::ServerName::try_from("localhost")?;
        let stream = self.tls.connect(name, stream).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    /// A new token for each old one.
    async fn sign_in(
        &self,
        users: &HashMap<String, String>,
    ) -> Result<HashMap<String, HeaderValue>, Failure> {
        let key = EncodingKey::from_rsa_pem(app::JWT_PRIVATE_KEY_PEM.as_bytes())?;
        let audience = self.salesforce.as_str().trim_end_matches('/').to_owned();
        let mut sender = self.open(Side::Salesforce).await?;
        let mut tokens = HashMap::new();
        for (old, user) in users {
            let expires = chrono::Utc::now().timestamp() + 180;
            let claims = json!({"iss": app::CLIENT_ID, "sub": user, "aud": audience, "exp": expires});
            let assertion = encode(&Header::new(Algorithm::RS256), &claims, &key)?;
            let form = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
                .append_pair("assertion", &assertion)
                .finish();
            let request = Request::post("/services/oauth2/token")
                .header(HOST, self.host(Side::Salesforce))
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Full::new(Bytes::from(form)))?;
            let answer = sender
                .send_request(request)
                .await?
                .into_body()
                .collect()
                .await?
                .to_bytes();
            let answer: Value = serde_json::from_slice(&answer)?;
            let token = answer["access_token"]
                .as_str()
                .ok_or_else(|| format!("no token for {user}: {answer}"))?;
            tokens.insert(old.clone(), HeaderValue::try_from(format!("Bearer {token}"))?);
        }
        Ok(tokens)
    }

    fn prepare(
        &self,
        taped: Vec<Taped>,
        tokens: &HashMap<String, HeaderValue>,
    ) -> Result<(Side, Vec<Ready>), Failure> {
        let side = taped.first().map_or(Side::Exchange, |first| first.side);
        let mut requests = Vec::with_capacity(taped.len());
        for one in taped {
            let body = one.body();
            let mut request = Request::builder()
                .method(one.method.as_str())
                .uri(&one.target)
                .header(HOST, self.host(side))
                .header(CONTENT_LENGTH, body.len());
            for (name, value) in &one.headers {
                request = request.header(name, value);
            }
            let sign = match side {
                Side::Exchange => Some(&self.basic),
                Side::Salesforce => one.token.as_ref().and_then(|token| tokens.get(token)),
            };
            if let Some(sign) = sign {
                request = request.header(AUTHORIZATION, sign);
            }
            requests.push(request.body(Full::new(body))?);
        }
        Ok((side, requests))
    }

    async fn connection(self, side: Side, requests: Vec<Ready>) -> Result<(u64, u64, u64), Failure> {
        let mut sender = self.open(side).await?;
        let (mut sent, mut received, mut refused) = (0, 0, 0);
        for request in requests {
            if sender.ready().await.is_err() {
                sender = self.open(side).await?;
            }
            let answer = sender.send_request(request).await?;
            refused += u64::from(answer.status().as_u16() >= 400);
            let mut body = answer.into_body();
            while let Some(frame) = body.frame().await {
                received += frame?.data_ref().map_or(0, |data| data.len() as u64);
            }
            sent += 1;
        }
        Ok((sent, received, refused))
    }
}

/// The `sub` of the assertion in a token request's form.
fn subject(form: &[u8]) -> Option<String> {
    let (_, assertion) = url::form_urlencoded::parse(form).find(|(key, _)| key == "assertion")?;
    let payload = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    Some(claims.get("sub")?.as_str()?.to_owned())
}
