//! Composite: steps that use earlier results, and stand or fall together if told to.

use hyper::Method;
use serde_json::{Value, json};

use crate::org::{Org, ROOT};

fn step(method: &str, path: &str, reference: &str, body: Value) -> Value {
    let mut step = json!({"method": method, "url": format!("{ROOT}/{path}"), "referenceId": reference});
    if !body.is_null() {
        step["body"] = body;
    }
    step
}

async fn composite(org: &Org, all_or_none: bool, steps: Vec<Value>) -> Value {
    let body = json!({"allOrNone": all_or_none, "compositeRequest": steps});
    let answer = org.call(0, Method::POST, "composite", body).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()["compositeResponse"].clone()
}

#[tokio::test]
async fn later_steps_use_earlier_results_in_body_and_address() {
    let org = Org::new().await;
    let soql = "query?q=SELECT+Id,Name+FROM+Account+LIMIT+1";
    let rows = json!({"records": [{"attributes": {"type": "Task"}, "Subject": "from a list"}]});
    let results = composite(
        &org,
        false,
        vec![
            step("GET", soql, "accounts", Value::Null),
            step(
                "POST",
                "sobjects/Contact",
                "contact",
                json!({"LastName": "A", "AccountId": "@{accounts.records[0].Id}"}),
            ),
            step("GET", "sobjects/Contact/@{contact.id}", "read", Value::Null),
            step("POST", "composite/sobjects", "list", rows),
            step(
                "PATCH",
                "sobjects/Task/@{list[0].id}",
                "change",
                json!({"WhoId": "@{contact.id}", "Description": "for @{read.LastName}!"}),
            ),
        ],
    )
    .await;
    let statuses: Vec<&Value> = results
        .as_array()
        .expect("results")
        .iter()
        .map(|r| &r["httpStatusCode"])
        .collect();
    assert_eq!(statuses, [200, 201, 200, 200, 204], "{results}");
    assert_eq!(
        results[2]["body"]["AccountId"],
        results[0]["body"]["records"][0]["Id"]
    );
    let task = org
        .read("Task", results[3]["body"][0]["id"].as_str().expect("an id"))
        .await;
    assert_eq!(
        (&task["WhoId"], &task["Description"]),
        (&results[1]["body"]["id"], &json!("for A!"))
    );
}

#[tokio::test]
async fn a_step_that_needs_a_failed_one_is_halted_and_others_go_on() {
    let org = Org::new().await;
    let results = composite(
        &org,
        false,
        vec![
            step("POST", "sobjects/Contact", "bad", json!({"FirstName": "A"})),
            step(
                "POST",
                "sobjects/Task",
                "needs",
                json!({"Subject": "B", "WhoId": "@{bad.id}"}),
            ),
            step("POST", "sobjects/Task", "free", json!({"Subject": "C"})),
        ],
    )
    .await;
    assert_eq!(results[0]["body"][0]["errorCode"], "REQUIRED_FIELD_MISSING");
    assert_eq!(results[1]["body"][0]["errorCode"], "PROCESSING_HALTED");
    assert_eq!(results[2]["httpStatusCode"], 201);
}

#[tokio::test]
async fn all_or_none_rolls_back_every_step() {
    let org = Org::new().await;
    let results = composite(
        &org,
        true,
        vec![
            step(
                "POST",
                "sobjects/Contact",
                "good",
                json!({"LastName": "Rolled", "Holdfast_Key__c": "rolled"}),
            ),
            step("POST", "sobjects/Contact", "bad", json!({"FirstName": "A"})),
            step("POST", "sobjects/Contact", "later", json!({"LastName": "Never"})),
        ],
    )
    .await;
    assert_eq!(results[0]["body"][0]["errorCode"], "PROCESSING_HALTED");
    assert_eq!(results[1]["body"][0]["errorCode"], "REQUIRED_FIELD_MISSING");
    assert_eq!(
        (&results[2]["httpStatusCode"], &results[2]["referenceId"]),
        (&json!(400), &json!("later"))
    );
    assert!(
        org.rows("SELECT Id FROM Contact WHERE Holdfast_Key__c = 'rolled'")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn too_many_steps_or_queries_are_refused_whole() {
    let org = Org::new().await;
    let query = |number: usize| {
        step(
            "GET",
            "query?q=SELECT+Id+FROM+User",
            &format!("q{number}"),
            Value::Null,
        )
    };
    let task = |number: usize| {
        step(
            "POST",
            "sobjects/Task",
            &format!("t{number}"),
            json!({"Subject": "A"}),
        )
    };
    for steps in [
        (0..6).map(query).collect::<Vec<_>>(),
        (0..26).map(task).collect(),
        vec![task(1), task(1)],
    ] {
        let answer = org
            .call(0, Method::POST, "composite", json!({"compositeRequest": steps}))
            .await;
        assert_eq!(answer.status, 400);
    }
    assert!(
        org.rows("SELECT Id FROM Task WHERE Subject = 'A'")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_batch_counts_every_step_and_rolls_nothing_back() {
    let org = Org::new().await;
    org.control(Method::POST, "/stats/reset", Value::Null).await;
    let batch = json!({"batchRequests": [
        {"method": "POST", "url": "v60.0/sobjects/Task", "richInput": {"Subject": "batched"}},
        {"method": "POST", "url": "v60.0/sobjects/Contact", "richInput": {}},
    ]});
    let answer = org.call(0, Method::POST, "composite/batch", batch).await.json();
    assert_eq!(answer["hasErrors"], true);
    let statuses: Vec<&Value> = answer["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|r| &r["statusCode"])
        .collect();
    assert_eq!(statuses, [201, 400]);
    assert_eq!(
        org.rows("SELECT Id FROM Task WHERE Subject = 'batched'")
            .await
            .len(),
        1
    );
    let stats = org.control(Method::GET, "/stats", Value::Null).await;
    assert_eq!(
        stats["salesforce"]["calls"][&org.person(0).sf_username],
        4,
        "batch, its two steps, the query"
    );
}
