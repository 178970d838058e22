//! A refreshed sandbox is another org: other ids, no sessions, no recycle bin ("Servers and IDs", Salesforce Help).

use hyper::Method;
use serde_json::{Value, json};

use crate::org::Org;

#[tokio::test]
async fn a_refreshed_sandbox_is_another_org_whose_records_have_other_ids_and_refer_to_each_other_as_before() {
    let org = Org::new().await;
    let contact = json!({"LastName": "Kept", "Holdfast_Key__c": "kept"});
    let contact = org.create("Contact", contact).await.id();
    let task = json!({"Subject": "Call", "WhoId": contact});
    let task = org.create("Task", task).await.id();
    let gone = org.create("Task", json!({"Subject": "Gone"})).await.id();
    let deleted = format!("sobjects/Task/{gone}");
    org.call(0, Method::DELETE, &deleted, Value::Null).await;

    let refreshed = json!({"keys": "kept"});
    let told = org.control(Method::POST, "/salesforce/refresh", refreshed).await;
    assert_eq!(told["organization_id"].as_str().map(str::len), Some(18));
    assert_ne!(
        told["organization_id"],
        holdfast_lab::salesforce::app::organization_id(0)
    );
    let over = org.query(0, "SELECT Id FROM Contact").await;
    assert_eq!(
        (over.status.as_u16(), over.code().as_str()),
        (401, "INVALID_SESSION_ID")
    );

    let world = org.lab.parts.salesforce.content();
    let find = |object: &str, field: &str, value: &str| {
        let rows = world[object].as_array().expect("rows");
        rows.iter().find(|row| row[field] == value).cloned()
    };
    let loaded = find("Contact", "Holdfast_Key__c", "kept").expect("the contact");
    assert_ne!(loaded["Id"], json!(contact));
    let call = find("Task", "Subject", "Call").expect("the task");
    assert_ne!(call["Id"], json!(task));
    assert_eq!(call["WhoId"], loaded["Id"]);
    assert!(
        find("Task", "Subject", "Gone").is_none(),
        "the recycle bin is not copied"
    );
}
