//! Events and tasks: times that must agree, whom they relate to, invited users' copies.

use holdfast_lab::cast::OutsiderKind;
use hyper::Method;
use serde_json::{Value, json};

use crate::org::Org;

#[tokio::test]
async fn an_events_times_must_agree() {
    let org = Org::new().await;
    let start = "2031-03-30T00:30:00Z";
    let good = [
        json!({"StartDateTime": start, "DurationInMinutes": 90}),
        json!({"StartDateTime": start, "EndDateTime": "2031-03-30T02:00:00.000+0000"}),
        json!({"ActivityDateTime": start, "DurationInMinutes": 90, "EndDateTime": "2031-03-30T04:00:00+02:00"}),
    ];
    for body in good {
        let id = org.create("Event", body.clone()).await.id();
        let event = org.read("Event", &id).await;
        assert_eq!(event["StartDateTime"], "2031-03-30T00:30:00.000+0000", "{body}");
        assert_eq!(event["EndDateTime"], "2031-03-30T02:00:00.000+0000", "{body}");
        assert_eq!(event["DurationInMinutes"], 90, "{body}");
    }
    let bad = [
        (json!({"StartDateTime": start}), "REQUIRED_FIELD_MISSING"),
        (json!({"DurationInMinutes": 90}), "REQUIRED_FIELD_MISSING"),
        (
            json!({"StartDateTime": start, "DurationInMinutes": 60, "EndDateTime": "2031-03-30T02:00:00Z"}),
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        (
            json!({"StartDateTime": start, "EndDateTime": "2031-03-29T02:00:00Z"}),
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        (
            json!({"StartDateTime": start, "DurationInMinutes": 14 * 1440 + 1}),
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        (
            json!({"StartDateTime": start, "DurationInMinutes": 30, "ShowAs": "Tentative"}),
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        ),
    ];
    for (body, code) in bad {
        assert_eq!(org.create("Event", body.clone()).await.code(), code, "{body}");
    }
}

#[tokio::test]
async fn an_all_day_event_is_a_date_and_ends_on_its_last_day() {
    let org = Org::new().await;
    let body = json!({"IsAllDayEvent": true, "ActivityDate": "2031-03-30", "DurationInMinutes": 2880});
    let event = org.read("Event", &org.create("Event", body).await.id()).await;
    assert_eq!(event["StartDateTime"], "2031-03-30T00:00:00.000+0000");
    assert_eq!(event["EndDateTime"], "2031-03-31T00:00:00.000+0000");
    assert_eq!(
        (&event["ActivityDate"], &event["EndDate"]),
        (&json!("2031-03-30"), &json!("2031-03-31"))
    );
    let one = json!({"IsAllDayEvent": true, "StartDateTime": "2031-03-30T00:00:00Z", "EndDateTime": "2031-03-30T00:00:00Z"});
    let event = org.read("Event", &org.create("Event", one).await.id()).await;
    assert_eq!(event["DurationInMinutes"], 1440);
}

#[tokio::test]
async fn moving_an_event_keeps_its_length() {
    let org = Org::new().await;
    let id = org
        .create(
            "Event",
            json!({"StartDateTime": "2031-01-01T10:00:00Z", "DurationInMinutes": 45}),
        )
        .await
        .id();
    let path = format!("sobjects/Event/{id}");
    org.call(
        0,
        Method::PATCH,
        &path,
        json!({"StartDateTime": "2031-01-02T10:00:00Z"}),
    )
    .await;
    let event = org.read("Event", &id).await;
    assert_eq!(
        (&event["EndDateTime"], &event["DurationInMinutes"]),
        (&json!("2031-01-02T10:45:00.000+0000"), &json!(45))
    );
}

#[tokio::test]
async fn without_multiday_events_a_day_is_the_longest() {
    let org = Org::new().await;
    org.control(
        Method::PATCH,
        "/salesforce/settings",
        json!({"multiday_events": false}),
    )
    .await;
    let long = json!({"StartDateTime": "2031-01-01T10:00:00Z", "DurationInMinutes": 1441});
    assert_eq!(
        org.create("Event", long).await.code(),
        "FIELD_INTEGRITY_EXCEPTION"
    );
}

#[tokio::test]
async fn an_event_relates_to_many_contacts_or_one_lead() {
    let org = Org::new().await;
    let (a, b) = (
        org.owned(OutsiderKind::Contact, 0, 0),
        org.owned(OutsiderKind::Contact, 0, 1),
    );
    let lead = org.owned(OutsiderKind::Lead, 0, 0);
    let event = |whos: Value| json!({"StartDateTime": "2031-01-01T10:00:00Z", "DurationInMinutes": 30, "EventWhoIds": whos});
    let id = org.create("Event", event(json!([a, b]))).await.id();
    let read = org.read("Event", &id).await;
    assert_eq!((&read["WhoId"], &read["WhoCount"]), (&json!(a), &json!(2)));
    let soql = format!(
        "SELECT RelationId FROM EventRelation WHERE EventId = '{id}' AND IsParent = true AND IsWhat = false"
    );
    assert_eq!(org.rows(&soql).await.len(), 2);
    org.call(
        0,
        Method::PATCH,
        &format!("sobjects/Event/{id}"),
        json!({"EventWhoIds": [b]}),
    )
    .await;
    let rows = org.rows(&soql).await;
    assert_eq!(
        rows.iter().map(|row| &row["RelationId"]).collect::<Vec<_>>(),
        [&json!(b)]
    );
    assert_eq!(
        org.create("Event", event(json!([lead, a]))).await.code(),
        "INVALID_EVENTWHOIDS"
    );
    org.control(
        Method::PATCH,
        "/salesforce/settings",
        json!({"shared_activities": false}),
    )
    .await;
    assert_eq!(
        org.create("Event", event(json!([a]))).await.code(),
        "INVALID_EVENTWHOIDS"
    );
}

#[tokio::test]
async fn an_invited_user_gets_a_copy_that_follows_and_goes_with_the_event() {
    let org = Org::new().await;
    let body = json!({"Subject": "Plan", "StartDateTime": "2031-01-01T10:00:00Z", "DurationInMinutes": 30, "Holdfast_Key__c": "k"});
    let event = org.create("Event", body).await.id();
    let guest = org.person(1).sf_user_id.clone();
    let relation = org
        .create("EventRelation", json!({"EventId": event, "RelationId": guest}))
        .await
        .id();
    let copies = format!(
        "SELECT Id, IsChild, StartDateTime, Holdfast_Key__c FROM Event WHERE OwnerId = '{guest}' AND Subject = 'Plan'"
    );
    let copy = org.query(1, &copies).await.json()["records"][0].clone();
    assert_eq!(
        (&copy["IsChild"], &copy["Holdfast_Key__c"]),
        (&json!(true), &Value::Null)
    );
    org.call(
        0,
        Method::PATCH,
        &format!("sobjects/Event/{event}"),
        json!({"StartDateTime": "2031-01-05T10:00:00Z"}),
    )
    .await;
    let moved = org.query(1, &copies).await.json()["records"][0].clone();
    assert_eq!(moved["StartDateTime"], "2031-01-05T10:00:00.000+0000");
    let answer = json!({"Status": "Accepted", "Response": "fine"});
    let answered = org
        .call(
            1,
            Method::PATCH,
            &format!("sobjects/EventRelation/{relation}"),
            answer,
        )
        .await;
    assert_eq!(answered.status, 204, "{}", answered.json());
    assert!(org.read("EventRelation", &relation).await["RespondedDate"].is_string());
    org.call(0, Method::DELETE, &format!("sobjects/Event/{event}"), Value::Null)
        .await;
    assert_eq!(org.query(1, &copies).await.json()["totalSize"], 0);
}

#[tokio::test]
async fn a_tasks_status_closes_it() {
    let org = Org::new().await;
    let id = org
        .create("Task", json!({"Subject": "A", "Priority": "High"}))
        .await
        .id();
    let open = org.read("Task", &id).await;
    assert_eq!(
        (&open["Status"], &open["IsClosed"], &open["IsHighPriority"]),
        (&json!("Not Started"), &json!(false), &json!(true))
    );
    org.call(
        0,
        Method::PATCH,
        &format!("sobjects/Task/{id}"),
        json!({"Status": "Completed"}),
    )
    .await;
    let closed = org.read("Task", &id).await;
    assert!(closed["IsClosed"] == true && closed["CompletedDateTime"].is_string());
    let refused = org
        .call(
            0,
            Method::PATCH,
            &format!("sobjects/Task/{id}"),
            json!({"TaskSubtype": "Call"}),
        )
        .await;
    assert_eq!(refused.code(), "INVALID_FIELD_FOR_INSERT_UPDATE");
}
