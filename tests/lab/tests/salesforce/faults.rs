//! Faults before, in the middle of, and after the work.

use hyper::Method;
use serde_json::{Value, json};

use crate::org::Org;

async fn fault(org: &Org, operation: &str, mut rule: Value) {
    rule["side"] = json!("salesforce");
    rule["operation"] = json!(operation);
    rule["times"] = json!(1);
    org.control(Method::POST, "/faults", rule).await;
}

fn four() -> Value {
    let rows: Vec<Value> = (0..4)
        .map(|at| json!({"attributes": {"type": "Task"}, "Subject": "row", "Holdfast_Key__c": format!("f{at}")}))
        .collect();
    json!({"records": rows})
}

async fn made(org: &Org) -> usize {
    org.rows("SELECT Id FROM Task WHERE Subject = 'row'").await.len()
}

#[tokio::test]
async fn a_connection_is_cut_before_half_way_or_after() {
    for (kind, due) in [("down", 0), ("half_applied", 2), ("apply_then_cut", 4)] {
        let org = Org::new().await;
        fault(&org, "collections_create", json!({"kind": kind})).await;
        let answer = org.try_call(0, Method::POST, "composite/sobjects", four()).await;
        assert!(answer.is_none(), "{kind}");
        assert_eq!(made(&org).await, due, "{kind}");
    }
}

#[tokio::test]
async fn an_answer_is_cut_in_its_middle_after_the_work_was_done() {
    let org = Org::new().await;
    fault(
        &org,
        "collections_create",
        json!({"kind": "cut", "after_bytes": 10}),
    )
    .await;
    assert!(
        org.try_call(0, Method::POST, "composite/sobjects", four())
            .await
            .is_none()
    );
    assert_eq!(made(&org).await, 4);
}

#[tokio::test]
async fn a_locked_record_fails_alone() {
    let org = Org::new().await;
    fault(&org, "collections_create", json!({"kind": "locked_row"})).await;
    let rows = org
        .call(0, Method::POST, "composite/sobjects", four())
        .await
        .json();
    let success: Vec<bool> = rows
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["success"] == true)
        .collect();
    assert_eq!(success, [false, true, false, true]);
    assert_eq!(rows[0]["errors"][0]["statusCode"], "UNABLE_TO_LOCK_ROW");
}

#[tokio::test]
async fn refusals_come_in_the_vendors_form_and_change_nothing() {
    let table = [
        (
            json!({"kind": "busy", "back_off_ms": 1500}),
            503,
            "SERVER_UNAVAILABLE",
        ),
        (json!({"kind": "limit_exceeded"}), 403, "REQUEST_LIMIT_EXCEEDED"),
        (json!({"kind": "html", "status": 200}), 200, ""),
        (
            json!({"kind": "http_status", "status": 502, "retry_after": 3}),
            502,
            "",
        ),
        (json!({"kind": "expired_token"}), 401, "INVALID_SESSION_ID"),
    ];
    for (rule, status, code) in table {
        let org = Org::new().await;
        fault(&org, "collections_create", rule.clone()).await;
        let answer = org.call(0, Method::POST, "composite/sobjects", four()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (status, code),
            "{rule}"
        );
        let again = org.call(0, Method::POST, "composite/sobjects", four()).await;
        let dead = code == "INVALID_SESSION_ID";
        assert_eq!(
            again.status,
            if dead { 401 } else { 200 },
            "an ended session stays ended: {rule}"
        );
    }
}

#[tokio::test]
async fn a_lost_cursor_needs_a_new_query() {
    let org = Org::new().await;
    let rows: Vec<Value> = (0..200)
        .map(|_| json!({"attributes": {"type": "Task"}, "Subject": "many"}))
        .collect();
    for _ in 0..11 {
        org.call(0, Method::POST, "composite/sobjects", json!({"records": rows}))
            .await;
    }
    let first = org
        .query(0, "SELECT Id FROM Task WHERE Subject = 'many'")
        .await
        .json();
    let next = first["nextRecordsUrl"]
        .as_str()
        .expect("a next page")
        .replace("/services/data/v60.0/", "");
    fault(&org, "query_more", json!({"kind": "lost_cursor"})).await;
    assert_eq!(
        org.call(0, Method::GET, &next, Value::Null).await.code(),
        "INVALID_QUERY_LOCATOR"
    );
}
