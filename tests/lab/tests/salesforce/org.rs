//! A lab with two people, and an HTTP client that knows nothing of it but its address.

use bytes::Bytes;
use holdfast_lab::cast::{OutsiderKind, Person};
use holdfast_lab::{Lab, Options};
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// The version the tests speak.
pub const ROOT: &str = "/services/data/v60.0";

/// An answer.
pub struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub bytes: Bytes,
}

impl Answer {
    /// The body as JSON; null if there is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    /// The code of the first error.
    pub fn code(&self) -> String {
        self.json()[0]["errorCode"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The id of what was made.
    pub fn id(&self) -> String {
        let json = self.json();
        json["id"]
            .as_str()
            .unwrap_or_else(|| panic!("nothing was made: {json}"))
            .to_owned()
    }
}

/// A lab and the sessions of its two people.
pub struct Org {
    pub lab: Lab,
    tokens: Vec<String>,
}

impl Org {
    /// A lab with little in it.
    pub async fn new() -> Org {
        Org::with(Options {
            people: 2,
            items_per_person: 20,
            ..Options::default()
        })
        .await
    }

    /// A lab set up so.
    pub async fn with(options: Options) -> Org {
        let lab = holdfast_lab::start(options).await.expect("the lab starts");
        let mut org = Org {
            lab,
            tokens: Vec::new(),
        };
        for index in 0..org.lab.cast.people.len() {
            let username = org.lab.cast.people[index].sf_username.clone();
            let answer = org
                .control(Method::POST, "/salesforce/token", json!({"username": username}))
                .await;
            org.tokens
                .push(answer["access_token"].as_str().expect("a token").to_owned());
        }
        org
    }

    /// One of the people.
    pub fn person(&self, index: usize) -> &Person {
        &self.lab.cast.people[index]
    }

    /// The id of the nth contact or lead that a person owns.
    pub fn owned(&self, kind: OutsiderKind, owner: usize, nth: usize) -> String {
        let mut owned = self
            .lab
            .cast
            .outsiders
            .iter()
            .filter(|one| one.kind == kind && one.owner == owner);
        owned.nth(nth).expect("the cast is large enough").sf_id.clone()
    }

    /// Steers the lab.
    pub async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let answer = send(
            &self.lab.control_url,
            method,
            path,
            &[],
            Bytes::from(body.to_string()),
        )
        .await;
        let answer = answer.expect("the control surface answers");
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
        answer.json()
    }

    /// A request in a person's name; `None` if the connection was cut.
    pub async fn try_call(&self, person: usize, method: Method, path: &str, body: Value) -> Option<Answer> {
        let bearer = format!("Bearer {}", self.tokens[person]);
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
        ];
        let body = if body.is_null() {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        send(&self.url(), method, &format!("{ROOT}/{path}"), &headers, body).await
    }

    /// A request in a person's name.
    pub async fn call(&self, person: usize, method: Method, path: &str, body: Value) -> Answer {
        self.try_call(person, method, path, body)
            .await
            .expect("an answer")
    }

    /// Makes a record as the first person.
    pub async fn create(&self, object: &str, fields: Value) -> Answer {
        self.call(0, Method::POST, &format!("sobjects/{object}"), fields)
            .await
    }

    /// Reads a record as the first person.
    pub async fn read(&self, object: &str, id: &str) -> Value {
        self.call(0, Method::GET, &format!("sobjects/{object}/{id}"), Value::Null)
            .await
            .json()
    }

    /// Queries in a person's name.
    pub async fn query(&self, person: usize, soql: &str) -> Answer {
        let soql: String = url::form_urlencoded::byte_serialize(soql.as_bytes()).collect();
        self.call(person, Method::GET, &format!("query?q={soql}"), Value::Null)
            .await
    }

    /// The records that the first person's query finds.
    pub async fn rows(&self, soql: &str) -> Vec<Value> {
        let answer = self.query(0, soql).await;
        answer.json()["records"]
            .as_array()
            .unwrap_or_else(|| panic!("{soql}: {}", answer.json()))
            .clone()
    }

    /// A request without a session.
    pub async fn anonymous(&self, method: Method, path: &str, form: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        send(&self.url(), method, path, &headers, Bytes::from(body))
            .await
            .expect("an answer")
    }

    /// The plain address.
    pub fn url(&self) -> String {
        self.lab.salesforce_http_url.clone().expect("plain HTTP is on")
    }
}

/// One request on a connection of its own; `None` if the connection was cut before the answer was whole.
pub async fn send(
    base: &str,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Option<Answer> {
    let host = base.strip_prefix("http://").expect("plain HTTP");
    let stream = TcpStream::connect(host).await.ok()?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .ok()?;
    let driver = tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header("host", host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body)).expect("a request");
    let response = sender.send_request(request).await.ok()?;
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.ok()?.to_bytes();
    driver.abort();
    Some(Answer {
        status: parts.status,
        headers: parts.headers,
        bytes,
    })
}
