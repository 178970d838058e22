//! Who sees and changes what: owners, private events, field and object permissions.

use holdfast_lab::cast::OutsiderKind;
use hyper::Method;
use serde_json::{Value, json};

use crate::org::Org;

#[tokio::test]
async fn others_read_a_contact_and_only_its_owner_changes_it() {
    let org = Org::new().await;
    let path = format!("sobjects/Contact/{}", org.owned(OutsiderKind::Contact, 0, 0));
    assert_eq!(org.call(1, Method::GET, &path, Value::Null).await.status, 200);
    let refused = org.call(1, Method::PATCH, &path, json!({"Title": "x"})).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (403, "INSUFFICIENT_ACCESS_OR_READONLY".to_owned())
    );
    assert_eq!(
        org.call(0, Method::PATCH, &path, json!({"Title": "x"}))
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn a_private_org_hides_other_peoples_records() {
    let org = Org::new().await;
    org.control(
        Method::PATCH,
        "/salesforce/settings",
        json!({"sharing": "private"}),
    )
    .await;
    // The first person leads the second and sees what he owns; not the other way round.
    let path = format!("sobjects/Contact/{}", org.owned(OutsiderKind::Contact, 0, 0));
    assert_eq!(org.call(1, Method::GET, &path, Value::Null).await.status, 404);
    let change = org.call(1, Method::PATCH, &path, json!({"Title": "x"})).await;
    assert_eq!(
        (change.status.as_u16(), change.code()),
        (404, "NOT_FOUND".to_owned())
    );
    let below = format!("sobjects/Contact/{}", org.owned(OutsiderKind::Contact, 1, 0));
    assert_eq!(org.call(0, Method::GET, &below, Value::Null).await.status, 200);
}

#[tokio::test]
async fn a_private_event_is_its_owners_alone() {
    let org = Org::new().await;
    let who = org.owned(OutsiderKind::Contact, 1, 0);
    let body = json!({"StartDateTime": "2031-01-01T10:00:00Z", "DurationInMinutes": 30, "WhoId": who, "IsPrivate": true});
    let made = org.call(1, Method::POST, "sobjects/Event", body).await.id();
    let soql = format!("SELECT Id FROM Event WHERE Id = '{made}'");
    assert_eq!(org.query(1, &soql).await.json()["totalSize"], 1);
    assert_eq!(
        org.query(0, &soql).await.json()["totalSize"],
        0,
        "not even for those above"
    );
}

#[tokio::test]
async fn nobody_writes_into_a_calendar_that_is_not_below_him() {
    let org = Org::new().await;
    let body = json!({
        "StartDateTime": "2031-01-01T10:00:00Z", "DurationInMinutes": 30, "OwnerId": org.person(0).sf_user_id,
    });
    let refused = org.call(1, Method::POST, "sobjects/Event", body).await;
    assert_eq!(refused.code(), "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY");
}

#[tokio::test]
async fn a_field_without_permission_is_missing_or_read_only() {
    let org = Org::new().await;
    let fields = json!({"Phone": {"edit": false}, "Title": {"read": false}});
    let users = json!({&org.person(0).sf_username: {"objects": {"Contact": {"fields": fields}}}});
    org.control(Method::PATCH, "/salesforce/settings", json!({"users": users}))
        .await;
    let described = org
        .call(0, Method::GET, "sobjects/Contact/describe", Value::Null)
        .await
        .json();
    let field = |name: &str| {
        described["fields"]
            .as_array()
            .expect("fields")
            .iter()
            .find(|field| field["name"] == name)
            .cloned()
    };
    assert_eq!(field("Phone").expect("phone")["updateable"], false);
    assert!(field("Title").is_none());
    let phone = org
        .create("Contact", json!({"LastName": "A", "Phone": "1"}))
        .await;
    assert_eq!(phone.code(), "INVALID_FIELD_FOR_INSERT_UPDATE");
    let title = org
        .create("Contact", json!({"LastName": "A", "Title": "1"}))
        .await;
    assert_eq!(title.code(), "INVALID_FIELD");
    assert_eq!(
        org.query(0, "SELECT Title FROM Contact").await.code(),
        "INVALID_FIELD"
    );
    assert_eq!(
        org.query(1, "SELECT Title FROM Contact LIMIT 1").await.status,
        200,
        "for others it is there"
    );
}

#[tokio::test]
async fn an_object_without_permission_cannot_be_made() {
    let org = Org::new().await;
    let users = json!({&org.person(0).sf_username: {"objects": {"Contact": {"create": false}}}});
    org.control(Method::PATCH, "/salesforce/settings", json!({"users": users}))
        .await;
    let refused = org.create("Contact", json!({"LastName": "A"})).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (403, "INSUFFICIENT_ACCESS_OR_READONLY".to_owned())
    );
    let described = org
        .call(0, Method::GET, "sobjects/Contact/describe", Value::Null)
        .await
        .json();
    assert_eq!(described["createable"], false);
}

#[tokio::test]
async fn who_may_view_setup_sees_who_may_view_all_data_and_others_see_no_such_object() {
    let org = Org::new().await;
    let (first, second) = (org.person(0), org.person(1));
    let users = json!({
        &first.sf_username: {"view_setup": true},
        &second.sf_username: {"view_all": true},
    });
    org.control(Method::PATCH, "/salesforce/settings", json!({"users": users}))
        .await;
    let assigned = async |person: usize, assignee: &str| {
        let soql = format!(
            "SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = '{assignee}' AND PermissionSet.PermissionsViewAllData = true"
        );
        org.query(person, &soql).await
    };
    for (assignee, holds) in [(&first.sf_user_id, 0), (&second.sf_user_id, 1)] {
        assert_eq!(
            assigned(0, assignee).await.json()["totalSize"],
            holds,
            "{assignee}"
        );
    }
    assert_eq!(assigned(1, &second.sf_user_id).await.code(), "INVALID_TYPE");
}
