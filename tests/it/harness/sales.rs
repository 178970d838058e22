//! A person at work in the CRM's own pages: records of which our connector never makes any. Knows nothing of the
//! house.

use bytes::Bytes;
use holdfast_lab::Lab;
use holdfast_lab::salesforce::control;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// Makes a record as this person; gives its id.
pub async fn make(lab: &Lab, person: usize, object: &str, fields: Value) -> String {
    let username = &lab.cast.people[person].sf_username;
    let wanted = json!({"username": username}).to_string();
    let world = &lab.parts.salesforce;
    let granted = control::answer(world, "POST", "/salesforce/token", wanted.as_bytes());
    let granted = granted.unwrap().unwrap();
    let url = url::Url::parse(lab.salesforce_http_url.as_deref().unwrap()).unwrap();
    let host = url.host_str().unwrap().to_owned();
    let stream = TcpStream::connect((host.as_str(), url.port().unwrap()))
        .await
        .unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::post(format!("/services/data/v62.0/sobjects/{object}"))
        .header("host", host)
        .header("content-type", "application/json")
        .header(
            "authorization",
            format!("Bearer {}", granted["access_token"].as_str().unwrap()),
        )
        .body(Full::new(Bytes::from(fields.to_string())))
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let made: Value = serde_json::from_slice(&body).unwrap();
    let id = made["id"].as_str();
    id.unwrap_or_else(|| panic!("{object}: {made}")).to_owned()
}

/// Sets fields of a record as an administrator would.
pub fn set(lab: &Lab, id: &str, fields: Value) {
    let path = format!("/salesforce/records/{id}");
    let fields = fields.to_string();
    let answer = control::answer(&lab.parts.salesforce, "PATCH", &path, fields.as_bytes());
    answer.unwrap().unwrap();
}
