//! One record at a time: keys, checks, conditions, changes since.

use holdfast_lab::cast::OutsiderKind;
use hyper::Method;
use serde_json::{Value, json};

use crate::org::{Org, ROOT, send};

#[tokio::test]
async fn an_external_id_makes_a_record_once() {
    let org = Org::new().await;
    let path = "sobjects/Contact/Holdfast_Key__c/a%2Fb%20%C3%9F";
    let made = org.call(0, Method::PATCH, path, json!({"LastName": "One"})).await;
    assert_eq!(
        (made.status.as_u16(), made.json()["created"].clone()),
        (201, json!(true)),
        "{}",
        made.json()
    );
    let again = org.call(0, Method::PATCH, path, json!({"LastName": "Two"})).await;
    assert_eq!(
        (again.status.as_u16(), again.json()["created"].clone()),
        (200, json!(false))
    );
    assert_eq!(again.id(), made.id());
    let read = org.call(0, Method::GET, path, Value::Null).await.json();
    assert_eq!(
        (read["LastName"].clone(), read["Holdfast_Key__c"].clone()),
        (json!("Two"), json!("a/b ß"))
    );
}

#[tokio::test]
async fn an_external_id_is_unique_without_regard_to_case() {
    let org = Org::new().await;
    let first = org
        .create("Contact", json!({"LastName": "One", "Holdfast_Key__c": "Key-A"}))
        .await
        .id();
    let second = org
        .create("Contact", json!({"LastName": "Two", "Holdfast_Key__c": "kEY-a"}))
        .await;
    let error = second.json()[0].clone();
    assert_eq!(
        (second.status.as_u16(), error["errorCode"].clone()),
        (400, json!("DUPLICATE_VALUE"))
    );
    let message = format!(
        "duplicate value found: Holdfast_Key__c duplicates value on record with id: {}",
        &first[..15]
    );
    assert_eq!(error["message"], json!(message));
    assert_eq!(
        org.call(
            0,
            Method::DELETE,
            &format!("sobjects/Contact/{first}"),
            Value::Null
        )
        .await
        .status,
        204
    );
    let third = org
        .create("Contact", json!({"LastName": "Two", "Holdfast_Key__c": "key-a"}))
        .await;
    assert_eq!(third.status, 201, "the recycle bin does not count");
}

#[tokio::test]
async fn update_only_makes_nothing() {
    let org = Org::new().await;
    let path = "sobjects/Contact/Holdfast_Key__c/nobody?updateOnly=true";
    let answer = org.call(0, Method::PATCH, path, json!({"LastName": "One"})).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (404, "NOT_FOUND".to_owned())
    );
}

/// Each body is refused with this code, naming these fields.
async fn refused(org: &Org, object: &str, table: Vec<(Value, &str, Value)>) {
    for (body, code, fields) in table {
        let answer = org.create(object, body.clone()).await;
        assert_eq!(answer.status, 400, "{body}");
        let found = (answer.code(), answer.json()[0]["fields"].clone());
        assert_eq!(found, (code.to_owned(), fields), "{body}");
    }
}

#[tokio::test]
async fn a_bad_text_is_refused_with_its_field() {
    let org = Org::new().await;
    let long = "x".repeat(81);
    let contact = vec![
        (
            json!({"FirstName": "A"}),
            "REQUIRED_FIELD_MISSING",
            json!(["LastName"]),
        ),
        (json!({"LastName": long}), "STRING_TOO_LONG", json!(["LastName"])),
        (
            json!({"LastName": "A", "Email": "no address"}),
            "INVALID_EMAIL_ADDRESS",
            json!(["Email"]),
        ),
        (
            json!({"LastName": "A", "Name": "B"}),
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            json!(["Name"]),
        ),
        (
            json!({"LastName": "A", "Nonsense": "B"}),
            "INVALID_FIELD",
            Value::Null,
        ),
    ];
    refused(&org, "Contact", contact).await;
    let user = vec![(
        json!({"LastName": "A"}),
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        json!([]),
    )];
    refused(&org, "User", user).await;
}

#[tokio::test]
async fn a_value_of_the_wrong_kind_is_refused_with_its_field() {
    let org = Org::new().await;
    let picklist = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST";
    let task = vec![
        (json!({"TaskSubtype": "Dance"}), picklist, json!(["TaskSubtype"])),
        (
            json!({"IsReminderSet": "perhaps"}),
            "JSON_PARSER_ERROR",
            Value::Null,
        ),
        (json!({"ActivityDate": "soon"}), "JSON_PARSER_ERROR", Value::Null),
        (json!({"Subject": {"a": 1}}), "JSON_PARSER_ERROR", Value::Null),
    ];
    refused(&org, "Task", task).await;
}

#[tokio::test]
async fn a_reference_to_nothing_or_to_a_wrong_object_is_refused() {
    let org = Org::new().await;
    let lead = org.owned(OutsiderKind::Lead, 0, 0);
    let to = |id: &str| json!({"LastName": "A", "AccountId": id});
    let account = || json!(["AccountId"]);
    let table = vec![
        (to("001000000000001"), "INVALID_CROSS_REFERENCE_KEY", account()),
        (to("x"), "MALFORMED_ID", account()),
        (to(&lead), "FIELD_INTEGRITY_EXCEPTION", account()),
    ];
    refused(&org, "Contact", table).await;
}

#[tokio::test]
async fn texts_are_trimmed_and_ids_take_both_lengths() {
    let org = Org::new().await;
    let account = &org.lab.cast.accounts[0].sf_account_id;
    let made = org
        .create(
            "Contact",
            json!({"LastName": "  Weiß \n", "AccountId": &account[..15], "Title": " "}),
        )
        .await;
    let read = org.read("Contact", &made.id()[..15]).await;
    assert_eq!(read["LastName"], "Weiß");
    assert_eq!(read["AccountId"], account.as_str());
    assert!(read["Title"].is_null());
    assert_eq!(read["Id"].as_str().map(str::len), Some(18));
}

#[tokio::test]
async fn a_converted_lead_cannot_be_changed_or_referred_to() {
    let org = Org::new().await;
    let lead = org.owned(OutsiderKind::Lead, 0, 0);
    let contact = org.owned(OutsiderKind::Contact, 0, 0);
    org.control(
        Method::POST,
        "/salesforce/convert",
        json!({"id": lead, "contact": contact}),
    )
    .await;
    let change = org
        .call(
            0,
            Method::PATCH,
            &format!("sobjects/Lead/{lead}"),
            json!({"Title": "x"}),
        )
        .await;
    assert_eq!(change.code(), "CANNOT_UPDATE_CONVERTED_LEAD");
    let task = org
        .create("Task", json!({"Subject": "call", "WhoId": lead}))
        .await;
    assert_eq!(task.code(), "CANNOT_UPDATE_CONVERTED_LEAD");
}

#[tokio::test]
async fn a_deleted_record_says_so_and_stays_visible_to_query_all() {
    let org = Org::new().await;
    let id = org.create("Contact", json!({"LastName": "Gone"})).await.id();
    let path = format!("sobjects/Contact/{id}");
    assert_eq!(org.call(0, Method::DELETE, &path, Value::Null).await.status, 204);
    let again = org.call(0, Method::DELETE, &path, Value::Null).await;
    assert_eq!(
        (again.status.as_u16(), again.code()),
        (404, "ENTITY_IS_DELETED".to_owned())
    );
    let read = org.call(0, Method::GET, &path, Value::Null).await;
    assert_eq!((read.status.as_u16(), read.code()), (404, "NOT_FOUND".to_owned()));
    let soql = format!("SELECT+Id,IsDeleted+FROM+Contact+WHERE+Id='{id}'");
    let alive = org
        .call(0, Method::GET, &format!("query?q={soql}"), Value::Null)
        .await
        .json();
    let all = org
        .call(0, Method::GET, &format!("queryAll?q={soql}"), Value::Null)
        .await
        .json();
    assert_eq!(
        (alive["totalSize"].clone(), all["records"][0]["IsDeleted"].clone()),
        (json!(0), json!(true))
    );
    org.control(Method::POST, "/salesforce/undelete", json!({"id": id}))
        .await;
    assert_eq!(org.call(0, Method::GET, &path, Value::Null).await.status, 200);
}

#[tokio::test]
async fn updated_and_deleted_ids_lie_in_the_window() {
    let org = Org::new().await;
    org.control(Method::POST, "/clock", json!({"advance_s": 3600}))
        .await;
    let kept = org.create("Contact", json!({"LastName": "Kept"})).await.id();
    let gone = org.create("Contact", json!({"LastName": "Gone"})).await.id();
    org.call(
        0,
        Method::DELETE,
        &format!("sobjects/Contact/{gone}"),
        Value::Null,
    )
    .await;
    let now = org.lab.parts.clock.now();
    let at = |minutes: i64| {
        (now + chrono::TimeDelta::minutes(minutes))
            .format("%Y-%m-%dT%H:%M:%SZ")
            .to_string()
    };
    let window = format!("start={}&end={}", at(-5), at(5));
    let updated = org
        .call(
            0,
            Method::GET,
            &format!("sobjects/Contact/updated/?{window}"),
            Value::Null,
        )
        .await
        .json();
    assert_eq!(updated["ids"], json!([kept]), "{updated}");
    let deleted = org
        .call(
            0,
            Method::GET,
            &format!("sobjects/Contact/deleted?{window}"),
            Value::Null,
        )
        .await
        .json();
    assert_eq!(deleted["deletedRecords"][0]["id"], json!(gone), "{deleted}");
    let covered = deleted["latestDateCovered"].as_str().expect("a date");
    assert!(covered <= at(0).as_str(), "{covered} is not in the future");
    let old = format!("start={}&end={}", at(-60 * 24 * 31), at(0));
    let refused = org
        .call(
            0,
            Method::GET,
            &format!("sobjects/Contact/updated?{old}"),
            Value::Null,
        )
        .await;
    assert_eq!(refused.code(), "INVALID_REPLICATION_DATE");
}

#[tokio::test]
async fn a_duplicate_rule_stops_a_second_contact_unless_the_header_allows_it() {
    let org = Org::new().await;
    org.control(
        Method::PATCH,
        "/salesforce/settings",
        json!({"duplicate_rule": true}),
    )
    .await;
    let twin = json!({"LastName": "Twin", "Email": org.lab.cast.outsiders[0].email});
    assert_eq!(
        org.create("Contact", twin.clone()).await.code(),
        "DUPLICATES_DETECTED"
    );
    let username = json!({"username": org.person(0).sf_username});
    let token = org.control(Method::POST, "/salesforce/token", username).await;
    let bearer = format!("Bearer {}", token["access_token"].as_str().expect("a token"));
    let headers = [
        ("authorization", bearer.as_str()),
        ("sforce-duplicate-rule-header", "allowSave=true"),
    ];
    let body = bytes::Bytes::from(twin.to_string());
    let allowed = send(
        &org.url(),
        Method::POST,
        &format!("{ROOT}/sobjects/Contact/"),
        &headers,
        body,
    )
    .await;
    assert_eq!(allowed.expect("an answer").status, 201);
}

#[tokio::test]
async fn every_answer_tells_the_budget_and_a_used_up_one_refuses() {
    let org = Org::new().await;
    org.control(Method::PATCH, "/salesforce/settings", json!({"daily_limit": 100}))
        .await;
    org.control(Method::POST, "/salesforce/usage", json!({"used": 98}))
        .await;
    let answer = org.query(0, "SELECT Id FROM User LIMIT 1").await;
    assert_eq!(answer.headers["sforce-limit-info"], "api-usage=99/100");
    assert_eq!(org.query(0, "SELECT Id FROM User LIMIT 1").await.status, 200);
    let refused = org.query(0, "SELECT Id FROM User LIMIT 1").await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (403, "REQUEST_LIMIT_EXCEEDED".to_owned())
    );
    org.control(Method::POST, "/clock", json!({"advance_s": 86_500}))
        .await;
    assert_eq!(
        org.query(0, "SELECT Id FROM User LIMIT 1").await.status,
        200,
        "a day later the budget is new"
    );
}
