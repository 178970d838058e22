//! Collections: 200 records a call, each with its own result.

use hyper::Method;
use serde_json::{Value, json};

use crate::org::Org;

fn contact(name: &str) -> Value {
    json!({"attributes": {"type": "Contact"}, "LastName": name})
}

#[tokio::test]
async fn good_and_bad_records_have_their_own_results_in_order() {
    let org = Org::new().await;
    let records = [
        contact("A"),
        contact(""),
        json!({"attributes": {"type": "Task"}, "Subject": "B"}),
    ];
    let answer = org
        .call(0, Method::POST, "composite/sobjects", json!({"records": records}))
        .await;
    let rows = answer.json();
    assert_eq!(answer.status, 200);
    let success: Vec<&Value> = rows
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| &row["success"])
        .collect();
    assert_eq!(success, [true, false, true]);
    assert_eq!(rows[1]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING");
    assert_eq!(rows[1]["errors"][0]["fields"], json!(["LastName"]));
}

#[tokio::test]
async fn all_or_none_undoes_the_good_ones() {
    let org = Org::new().await;
    let before = org.query(0, "SELECT COUNT() FROM Contact").await.json()["totalSize"].clone();
    let body = json!({"allOrNone": true, "records": [contact("A"), contact("")]});
    let rows = org.call(0, Method::POST, "composite/sobjects", body).await.json();
    assert_eq!(
        rows[0]["errors"][0]["statusCode"],
        "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    );
    assert_eq!(rows[1]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING");
    let after = org.query(0, "SELECT COUNT() FROM Contact").await.json()["totalSize"].clone();
    assert_eq!(before, after);
}

#[tokio::test]
async fn an_upserted_collection_says_which_records_are_new() {
    let org = Org::new().await;
    let row = |key: &str| json!({"attributes": {"type": "Contact"}, "LastName": "A", "Holdfast_Key__c": key});
    let path = "composite/sobjects/Contact/Holdfast_Key__c";
    let first = org
        .call(0, Method::PATCH, path, json!({"records": [row("1")]}))
        .await
        .json();
    let body = json!({"records": [row("1"), row("2"), row("3"), row("3"), contact("no key")]});
    let rows = org.call(0, Method::PATCH, path, body).await.json();
    assert_eq!(
        (&rows[0]["created"], &rows[0]["id"]),
        (&json!(false), &first[0]["id"])
    );
    assert_eq!(rows[1]["created"], true);
    assert_eq!(
        rows[2]["errors"][0]["statusCode"], "DUPLICATE_VALUE",
        "a key named twice fails both times"
    );
    assert_eq!(rows[3]["errors"][0]["statusCode"], "DUPLICATE_VALUE");
    assert_eq!(rows[4]["errors"][0]["statusCode"], "MISSING_ARGUMENT");
}

#[tokio::test]
async fn more_records_or_chunks_than_allowed_are_refused_whole() {
    let org = Org::new().await;
    let many: Vec<Value> = (0..201).map(|_| contact("A")).collect();
    let answer = org
        .call(0, Method::POST, "composite/sobjects", json!({"records": many}))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (400, "EXCEEDED_ID_LIMIT".to_owned())
    );
    let task = json!({"attributes": {"type": "Task"}, "Subject": "B"});
    let mixed: Vec<Value> = (0..6).flat_map(|_| [contact("A"), task.clone()]).collect();
    let answer = org
        .call(0, Method::POST, "composite/sobjects", json!({"records": mixed}))
        .await;
    assert_eq!(answer.status, 400);
    let sorted: Vec<Value> = [vec![contact("A"); 6], vec![task; 6]].concat();
    let answer = org
        .call(0, Method::POST, "composite/sobjects", json!({"records": sorted}))
        .await;
    assert_eq!(answer.status, 200, "two chunks are few");
}

#[tokio::test]
async fn collections_are_read_changed_and_deleted_by_id() {
    let org = Org::new().await;
    let made = org
        .call(
            0,
            Method::POST,
            "composite/sobjects",
            json!({"records": [contact("A"), contact("B")]}),
        )
        .await;
    let ids: Vec<String> = made
        .json()
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["id"].as_str().unwrap_or_default().to_owned())
        .collect();
    let missing = "003000000000001AAA";
    let records = json!([
        {"attributes": {"type": "Contact"}, "id": ids[0], "Title": "T"},
        {"attributes": {"type": "Contact"}, "id": missing, "Title": "T"},
    ]);
    let changed = org
        .call(
            0,
            Method::PATCH,
            "composite/sobjects",
            json!({"records": records}),
        )
        .await
        .json();
    assert_eq!(changed[0]["success"], true);
    assert_eq!(
        changed[1]["errors"][0]["statusCode"],
        "INVALID_CROSS_REFERENCE_KEY"
    );
    let body = json!({"ids": [ids[1], missing, ids[0]], "fields": ["LastName", "Title"]});
    let read = org
        .call(0, Method::POST, "composite/sobjects/Contact", body)
        .await
        .json();
    assert_eq!(
        (&read[0]["LastName"], &read[1], &read[2]["Title"]),
        (&json!("B"), &Value::Null, &json!("T"))
    );
    let path = format!("composite/sobjects?ids={},{}&allOrNone=false", ids[0], ids[1]);
    let gone = org.call(0, Method::DELETE, &path, Value::Null).await.json();
    assert!(
        gone.as_array()
            .expect("rows")
            .iter()
            .all(|row| row["success"] == true)
    );
    let again = org.call(0, Method::DELETE, &path, Value::Null).await.json();
    assert_eq!(again[0]["errors"][0]["statusCode"], "ENTITY_IS_DELETED");
}
