//! E-mails and files: what follows from one, and what cannot be changed any more.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use holdfast_lab::cast::OutsiderKind;
use hyper::Method;
use serde_json::{Value, json};

use crate::org::{Org, ROOT, send};

async fn email(org: &Org, fields: Value) -> String {
    let mut body =
        json!({"Subject": "Offer", "TextBody": "Hello", "Status": "3", "FromAddress": "a@lab.example"});
    for (name, value) in fields.as_object().expect("fields") {
        body[name] = value.clone();
    }
    let answer = org.create("EmailMessage", body).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.id()
}

#[tokio::test]
async fn an_email_gets_a_task_and_relations() {
    let org = Org::new().await;
    let contact = org.owned(OutsiderKind::Contact, 0, 0);
    let account = org.lab.cast.accounts[0].sf_account_id.clone();
    let id = email(
        &org,
        json!({"ToIds": [contact], "RelatedToId": account, "MessageIdentifier": "<1@lab.example>"}),
    )
    .await;
    let read = org.read("EmailMessage", &id).await;
    let task = org
        .read("Task", read["ActivityId"].as_str().expect("a task"))
        .await;
    assert_eq!(
        (&task["TaskSubtype"], &task["IsClosed"]),
        (&json!("Email"), &json!(true))
    );
    assert_eq!(
        (&task["WhoId"], &task["WhatId"]),
        (&json!(contact), &json!(account))
    );
    let sender =
        json!({"EmailMessageId": id, "RelationType": "FromAddress", "RelationAddress": "a@lab.example"});
    assert_eq!(org.create("EmailMessageRelation", sender).await.status, 201);
    let soql = format!(
        "SELECT RelationType, RelationId FROM EmailMessageRelation WHERE EmailMessageId = '{id}' ORDER BY Id"
    );
    let types: Vec<Value> = org
        .rows(&soql)
        .await
        .iter()
        .map(|row| row["RelationType"].clone())
        .collect();
    assert_eq!(types, ["ToAddress", "FromAddress"]);
}

#[tokio::test]
async fn only_a_draft_can_be_rewritten() {
    let org = Org::new().await;
    let (sent, draft) = (
        email(&org, json!({})).await,
        email(&org, json!({"Status": "5"})).await,
    );
    let change = |id: &str, body: Value| {
        let path = format!("sobjects/EmailMessage/{id}");
        let org = &org;
        async move { org.call(0, Method::PATCH, &path, body).await }
    };
    assert_eq!(change(&draft, json!({"Subject": "New"})).await.status, 204);
    assert_eq!(
        change(&sent, json!({"Subject": "New"})).await.code(),
        "INSUFFICIENT_ACCESS_OR_READONLY"
    );
    assert_eq!(
        change(
            &sent,
            json!({"Holdfast_Key__c": "k", "IsExternallyVisible": true})
        )
        .await
        .status,
        204
    );
}

#[tokio::test]
async fn a_file_hangs_on_a_client_managed_email() {
    let org = Org::new().await;
    let id = email(&org, json!({"IsClientManaged": true})).await;
    let plain = email(&org, json!({})).await;
    let data = STANDARD.encode(b"\x00PDF");
    let file = json!({"PathOnClient": "plan.pdf", "VersionData": data, "FirstPublishLocationId": id});
    let version = org.create("ContentVersion", file.clone()).await.id();
    assert_eq!(org.read("EmailMessage", &id).await["HasAttachment"], true);
    let read = org.read("ContentVersion", &version).await;
    assert_eq!(
        (&read["ContentSize"], &read["FileExtension"], &read["Title"]),
        (&json!(4), &json!("pdf"), &json!("plan"))
    );
    let path = read["VersionData"]
        .as_str()
        .expect("a path")
        .trim_start_matches("/services/data/v60.0/")
        .to_owned();
    assert_eq!(
        org.call(0, Method::GET, &path, Value::Null).await.bytes.as_ref(),
        b"\x00PDF"
    );
    let mut refused = file;
    refused["FirstPublishLocationId"] = json!(plain);
    assert_eq!(
        org.create("ContentVersion", refused).await.code(),
        "INSUFFICIENT_ACCESS_OR_READONLY"
    );
}

#[tokio::test]
async fn a_file_can_come_as_multipart() {
    let org = Org::new().await;
    let username = json!({"username": org.person(0).sf_username});
    let token = org.control(Method::POST, "/salesforce/token", username).await;
    let bearer = format!("Bearer {}", token["access_token"].as_str().expect("a token"));
    let mut body = b"--b\r\nContent-Disposition: form-data; name=\"entity_content\";\r\nContent-Type: application/json\r\n\r\n{\"PathOnClient\": \"a.bin\"}\r\n--b\r\nContent-Disposition: form-data; name=\"VersionData\"; filename=\"a.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n".to_vec();
    body.extend_from_slice(b"\r\n\xff--\x00");
    body.extend_from_slice(b"\r\n--b--\r\n");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "multipart/form-data; boundary=\"b\""),
    ];
    let path = format!("{ROOT}/sobjects/ContentVersion");
    let made = send(&org.url(), Method::POST, &path, &headers, Bytes::from(body))
        .await
        .expect("an answer");
    assert_eq!(made.status, 201, "{}", made.json());
    let read = org
        .call(
            0,
            Method::GET,
            &format!("sobjects/ContentVersion/{}/VersionData", made.id()),
            Value::Null,
        )
        .await;
    assert_eq!(read.bytes.as_ref(), b"\r\n\xff--\x00");
}
