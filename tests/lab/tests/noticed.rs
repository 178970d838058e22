//! The ledger: what the synchronising account did that a person would have noticed, and only that.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use holdfast_lab::ledger::Noticed;
use holdfast_lab::salesforce::app;
use holdfast_lab::{Lab, Options, PEOPLES_LOGIN, SERVICE_LOGIN, SERVICE_PASSWORD};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// Who does it.
#[derive(Clone, Copy)]
enum By {
    Sync,
    People,
}

struct Office {
    lab: Lab,
}

impl Office {
    async fn open() -> Self {
        Self::of(Options {
            people: 1,
            items_per_person: 0,
            ..Options::default()
        })
        .await
    }

    async fn of(options: Options) -> Self {
        Self {
            lab: holdfast_lab::start(options).await.expect("the lab starts"),
        }
    }

    async fn send(&self, method: &str, url: String, headers: &[(&str, String)], body: String) -> String {
        let (_, place) = url.split_once("//").unwrap();
        let host = place.split('/').next().unwrap();
        let socket = tokio::net::TcpStream::connect(host).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket))
            .await
            .unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(place.strip_prefix(host).unwrap());
        request = request.header("host", host);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let answer = sender
            .send_request(request.body(Full::<Bytes>::from(body)).unwrap())
            .await
            .unwrap();
        let good = answer.status().is_success();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(good, "{text}");
        text
    }

    /// One operation of EWS in the first person's mailbox.
    async fn exchange(&self, by: By, operation: &str) -> String {
        let login = match by {
            By::Sync => SERVICE_LOGIN,
            By::People => PEOPLES_LOGIN,
        };
        let basic = STANDARD.encode(format!("{login}:{SERVICE_PASSWORD}"));
        let envelope = format!(
            r#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Header><t:RequestServerVersion Version="Exchange2016"/><t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>{}</t:PrimarySmtpAddress></t:ConnectingSID></t:ExchangeImpersonation></s:Header><s:Body>{operation}</s:Body></s:Envelope>"#,
            self.lab.cast.people[0].smtp
        );
        let headers = [
            ("content-type", "text/xml; charset=utf-8".to_owned()),
            ("authorization", format!("Basic {basic}")),
        ];
        let url = self.lab.exchange_http_url.clone().unwrap();
        let answer = self.send("POST", url, &headers, envelope).await;
        assert!(answer.contains("ResponseClass=\"Success\""), "{answer}");
        answer
    }

    async fn make_task(&self, by: By, subject: &str) -> String {
        let operation = format!(
            "<m:CreateItem><m:Items><t:Task><t:Subject>{subject}</t:Subject></t:Task></m:Items></m:CreateItem>"
        );
        let answer = self.exchange(by, &operation).await;
        let id = answer.split_once("<t:ItemId Id=\"").unwrap().1;
        id.split_once('"').unwrap().0.to_owned()
    }

    async fn delete_task(&self, by: By, id: &str) {
        let operation = format!(
            r#"<m:DeleteItem DeleteType="MoveToDeletedItems" AffectedTaskOccurrences="AllOccurrences"><m:ItemIds><t:ItemId Id="{id}"/></m:ItemIds></m:DeleteItem>"#
        );
        self.exchange(by, &operation).await;
    }

    /// One call of the REST API as the first person's user.
    async fn salesforce(&self, by: By, method: &str, path: &str, body: Value) -> Value {
        let base = self.lab.salesforce_http_url.clone().unwrap();
        let claims = json!({
            "iss": match by { By::Sync => app::CLIENT_ID, By::People => app::PEOPLES_CLIENT_ID },
            "sub": self.lab.cast.people[0].sf_username,
            "aud": "https://login.salesforce.com",
            "exp": chrono::Utc::now().timestamp() + 100,
        });
        let key = EncodingKey::from_rsa_pem(app::JWT_PRIVATE_KEY_PEM.as_bytes()).unwrap();
        let assertion = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).unwrap();
        let form = format!("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion={assertion}");
        let kind = [("content-type", "application/x-www-form-urlencoded".to_owned())];
        let token = self
            .send("POST", format!("{base}/services/oauth2/token"), &kind, form)
            .await;
        let token: Value = serde_json::from_str(&token).unwrap();
        let headers = [
            ("content-type", "application/json".to_owned()),
            (
                "authorization",
                format!("Bearer {}", token["access_token"].as_str().unwrap()),
            ),
        ];
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let url = format!("{base}/services/data/v60.0/{path}");
        let answer = self.send(method, url, &headers, body).await;
        serde_json::from_str(&answer).unwrap_or(Value::Null)
    }

    async fn make_row(&self, by: By, object: &str, row: Value) -> String {
        let answer = self
            .salesforce(by, "POST", &format!("sobjects/{object}"), row)
            .await;
        answer["id"].as_str().unwrap().to_owned()
    }

    fn noticed(&self) -> Vec<Noticed> {
        self.lab.parts.ledger.entries()
    }
}

fn call(subject: &str) -> Value {
    json!({"Subject": subject, "Status": "Not Started", "Priority": "Normal"})
}

#[tokio::test]
async fn a_second_copy_that_the_sync_makes_of_one_thing_is_a_duplicate_on_either_side() {
    let office = Office::open().await;
    office.make_row(By::People, "Task", call("Roof")).await;
    office.make_task(By::Sync, "Roof").await;
    assert_eq!(office.noticed(), []);
    office.make_task(By::Sync, "Roof").await;
    let [Noticed::Duplicate { ids, .. }] = &office.noticed()[..] else {
        panic!("{:?}", office.noticed());
    };
    assert_eq!(ids.len(), 2);
    office.lab.parts.ledger.clear();
    office.make_task(By::People, "Wall").await;
    office.make_row(By::Sync, "Task", call("Wall")).await;
    assert_eq!(office.noticed(), []);
    office.make_row(By::Sync, "Task", call("Wall")).await;
    assert!(matches!(office.noticed()[..], [Noticed::Duplicate { .. }]));
}

#[tokio::test]
async fn what_people_double_and_the_sync_carries_over_is_no_duplicate() {
    let office = Office::open().await;
    for _ in 0..2 {
        office.make_task(By::People, "Roof").await;
    }
    for _ in 0..2 {
        office.make_row(By::Sync, "Task", call("Roof")).await;
    }
    assert_eq!(office.noticed(), []);
}

#[tokio::test]
async fn one_mail_saved_twice_by_the_sync_is_a_duplicate() {
    let office = Office::open().await;
    let mail = || {
        json!({"MessageIdentifier": "<a@b.example>", "Subject": "x", "Status": "3", "FromAddress": "a@b.example",
               "ToAddress": "c@d.example", "Incoming": true})
    };
    office.make_row(By::Sync, "EmailMessage", mail()).await;
    assert_eq!(office.noticed(), []);
    office.make_row(By::Sync, "EmailMessage", mail()).await;
    assert!(matches!(office.noticed()[..], [Noticed::Duplicate { .. }]));
}

#[tokio::test]
async fn what_the_sync_deletes_and_nobody_deleted_is_told_and_what_somebody_deleted_is_not() {
    let office = Office::open().await;
    // In the mailbox.
    let item = office.make_task(By::People, "Roof").await;
    let row = office.make_row(By::Sync, "Task", call("Roof")).await;
    office.delete_task(By::Sync, &item).await;
    assert!(matches!(office.noticed()[..], [Noticed::Deleted { .. }]));
    office.lab.parts.ledger.clear();
    // In the CRM.
    office.make_task(By::People, "Wall").await;
    let wall = office.make_row(By::People, "Task", call("Wall")).await;
    let path = |id: &str| format!("sobjects/Task/{id}");
    office
        .salesforce(By::Sync, "DELETE", &path(&wall), Value::Null)
        .await;
    assert!(matches!(office.noticed()[..], [Noticed::Deleted { .. }]));
    office.lab.parts.ledger.clear();
    // What a person deleted, the sync deletes too; and what it made itself, it may take back.
    office
        .salesforce(By::Sync, "DELETE", &path(&row), Value::Null)
        .await;
    let item = office.make_task(By::People, "Door").await;
    let row = office.make_row(By::Sync, "Task", call("Door")).await;
    office
        .salesforce(By::People, "DELETE", &path(&row), Value::Null)
        .await;
    office.delete_task(By::Sync, &item).await;
    assert_eq!(office.noticed(), []);
}

#[tokio::test]
async fn a_persons_edit_that_the_sync_overwrites_unseen_is_a_lost_update() {
    let office = Office::open().await;
    let row = office.make_row(By::People, "Task", call("Roof")).await;
    let path = format!("sobjects/Task/{row}");
    let write = async |by: By, field: &str, value: &str| {
        office.salesforce(by, "PATCH", &path, json!({field: value})).await;
    };
    let read = async || office.salesforce(By::Sync, "GET", &path, Value::Null).await;
    read().await;
    write(By::People, "Subject", "Roof of the hall").await;
    // Another field than the person's, and his own after it was read.
    write(By::Sync, "Priority", "High").await;
    read().await;
    write(By::Sync, "Subject", "Roof, hall").await;
    assert_eq!(office.noticed(), []);
    write(By::People, "Subject", "Roof of hall 7").await;
    write(By::Sync, "Subject", "Roof").await;
    assert!(matches!(&office.noticed()[..], [Noticed::LostUpdate { id, .. }] if *id == row));
}

#[tokio::test]
async fn people_who_double_delete_and_overwrite_are_not_told_of() {
    let office = Office::open().await;
    let first = office.make_task(By::People, "Roof").await;
    office.make_task(By::People, "Roof").await;
    let row = office.make_row(By::People, "Task", call("Roof")).await;
    office.make_row(By::People, "Task", call("Roof")).await;
    office.delete_task(By::People, &first).await;
    let path = format!("sobjects/Task/{row}");
    office
        .salesforce(By::People, "PATCH", &path, json!({"Subject": "Wall"}))
        .await;
    office.salesforce(By::People, "DELETE", &path, Value::Null).await;
    assert_eq!(office.noticed(), []);
}

#[tokio::test]
async fn the_ledger_and_who_made_what_survive_a_kill() {
    let file = std::env::temp_dir().join(format!("holdfast-lab-{}.state", uuid::Uuid::new_v4().simple()));
    let options = Options {
        people: 1,
        items_per_person: 0,
        state: Some(file.clone()),
        ..Options::default()
    };
    let office = Office::of(options.clone()).await;
    office.make_row(By::People, "Task", call("Roof")).await;
    let first = office.make_task(By::Sync, "Roof").await;
    office.make_task(By::Sync, "Roof").await;
    let before = office.noticed();
    assert_eq!(before.len(), 1);
    office.lab.shutdown();
    let office = Office::of(options.clone()).await;
    assert_eq!(office.noticed(), before);
    // Its own, which it may take back.
    office.delete_task(By::Sync, &first).await;
    assert_eq!(office.noticed(), before);
    office.lab.parts.ledger.clear();
    office.lab.shutdown();
    assert_eq!(Office::of(options).await.noticed(), []);
    std::fs::remove_file(file).expect("the state file is there");
}
