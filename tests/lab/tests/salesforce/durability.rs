//! With a state file every acknowledged write is there after the lab is gone.

use holdfast_lab::Options;
use hyper::Method;
use serde_json::{Value, json};

use crate::org::Org;

#[tokio::test]
async fn a_restarted_lab_knows_every_acknowledged_write() {
    let file = std::env::temp_dir().join(format!("holdfast-lab-{}.state", uuid::Uuid::new_v4().simple()));
    let options = Options {
        people: 2,
        items_per_person: 20,
        state: Some(file.clone()),
        ..Options::default()
    };
    let org = Org::with(options.clone()).await;
    org.control(Method::POST, "/clock", json!({"advance_s": 1000}))
        .await;
    org.control(
        Method::PATCH,
        "/salesforce/settings",
        json!({"duplicate_rule": true}),
    )
    .await;
    let contact = org
        .create("Contact", json!({"LastName": "Kept", "Holdfast_Key__c": "kept"}))
        .await
        .id();
    let gone = org.create("Contact", json!({"LastName": "Gone"})).await.id();
    org.call(
        0,
        Method::DELETE,
        &format!("sobjects/Contact/{gone}"),
        Value::Null,
    )
    .await;
    let rows = json!({"records": [{"attributes": {"type": "Task"}, "Subject": "A", "WhoId": contact}]});
    org.call(0, Method::POST, "composite/sobjects", rows).await;
    let world = org.lab.parts.salesforce.content();
    let ca = org.lab.ca_pem.clone();
    org.lab.shutdown();

    let again = Org::with(options).await;
    assert_eq!(again.lab.ca_pem, ca);
    assert!(
        again.lab.parts.salesforce.content() == world,
        "the same rows, ids and stamps"
    );
    let settings = again
        .control(Method::GET, "/salesforce/settings", Value::Null)
        .await;
    assert_eq!(settings["duplicate_rule"], true);
    let key = again
        .call(
            0,
            Method::PATCH,
            "sobjects/Contact/Holdfast_Key__c/KEPT",
            json!({"Title": "x"}),
        )
        .await;
    assert_eq!(key.id(), contact);
    let next = again.create("Contact", json!({"LastName": "Next"})).await.id();
    assert!(next > gone, "ids are never given twice");
    drop(again);
    std::fs::remove_file(file).expect("the state file is there");
}
