//! SOQL and SOSL: what is found, what is refused, how results come in pages.

use hyper::Method;
use serde_json::{Value, json};

use crate::org::Org;

/// Makes five tasks with known values; gives their ids in order.
async fn tasks(org: &Org) -> Vec<String> {
    let rows = [
        json!({"Subject": "Alpha one", "Status": "Completed", "Priority": "High", "ActivityDate": "2031-01-01"}),
        json!({"Subject": "alpha two", "Priority": "Low", "ActivityDate": "2031-01-02"}),
        json!({"Subject": "Beta 100%", "Priority": "Normal", "ActivityDate": "2031-01-03"}),
        json!({"Subject": "O'Hara_x", "Priority": "Normal"}),
        json!({"Subject": "Gamma", "Status": "Deferred", "ActivityDate": "2031-02-01"}),
    ];
    let mut ids = Vec::new();
    for mut row in rows {
        row["CallDisposition"] = json!("table");
        ids.push(org.create("Task", row).await.id());
    }
    ids
}

#[tokio::test]
async fn conditions_find_the_rows_that_the_reference_says() {
    let org = Org::new().await;
    let ids = tasks(&org).await;
    let table: &[(&str, &[usize])] = &[
        ("Subject = 'ALPHA ONE'", &[0]),
        ("Subject != 'Gamma'", &[0, 1, 2, 3]),
        ("Subject LIKE 'alpha%'", &[0, 1]),
        ("Subject LIKE '%100\\%'", &[2]),
        ("Subject LIKE '_amma'", &[4]),
        ("Subject = 'O\\'Hara_x'", &[3]),
        ("IsClosed = true", &[0]),
        ("IsClosed = false AND Priority = 'Normal'", &[2, 3, 4]),
        ("Priority IN ('High', 'Low')", &[0, 1]),
        ("Priority NOT IN ('High', 'Low')", &[2, 3, 4]),
        ("ActivityDate = null", &[3]),
        (
            "ActivityDate != null AND (Priority = 'Low' OR Status = 'Deferred')",
            &[1, 4],
        ),
        (
            "ActivityDate >= 2031-01-02 AND ActivityDate < 2031-02-01",
            &[1, 2],
        ),
        ("NOT (Priority = 'Normal' OR Priority = 'Low')", &[0]),
        ("NOT Subject LIKE 'alpha%'", &[2, 3, 4]),
        ("ActivityDate > NEXT_N_DAYS:30", &[0, 1, 2, 4]),
        ("CreatedDate = TODAY", &[0, 1, 2, 3, 4]),
        ("Owner.Type = 'User' AND Priority = 'High'", &[0]),
        (
            "WhoId = null AND SystemModstamp > 2020-01-01T00:00:00Z",
            &[0, 1, 2, 3, 4],
        ),
        ("SystemModstamp < 2020-01-01T00:00:00+01:00", &[]),
        (
            "OwnerId IN (SELECT Id FROM User WHERE Email = 'nobody@nowhere.example')",
            &[],
        ),
        (
            "Id NOT IN (SELECT TaskId FROM TaskRelation) AND Priority = 'Low'",
            &[1],
        ),
    ];
    for (condition, due) in table {
        let soql =
            format!("SELECT Id FROM Task WHERE CallDisposition = 'table' AND ({condition}) ORDER BY Id");
        let found: Vec<Value> = org
            .rows(&soql)
            .await
            .iter()
            .map(|row| row["Id"].clone())
            .collect();
        let due: Vec<Value> = due.iter().map(|index| json!(ids[*index])).collect();
        assert_eq!(found, due, "{condition}");
    }
}

#[tokio::test]
async fn a_wrong_query_is_refused_in_the_vendors_codes() {
    let org = Org::new().await;
    let table = [
        ("SELECT Id FRM Task", "MALFORMED_QUERY"),
        ("SELECT Id FROM Task WHERE Subject = 'open", "MALFORMED_QUERY"),
        (
            "SELECT Id FROM Task WHERE IsClosed = true AND Status = 'a' OR Status = 'b'",
            "MALFORMED_QUERY",
        ),
        (
            "SELECT Id FROM Task WHERE SystemModstamp > 2026-01-01T00:00:00",
            "MALFORMED_QUERY",
        ),
        ("SELECT Nonsense FROM Task", "INVALID_FIELD"),
        ("SELECT Account.Nonsense FROM Contact", "INVALID_FIELD"),
        (
            "SELECT Id FROM Task WHERE Description = 'long text'",
            "INVALID_FIELD",
        ),
        (
            "SELECT Id FROM Task WHERE SystemModstamp > '2026-01-01T00:00:00Z'",
            "INVALID_FIELD",
        ),
        ("SELECT Id FROM Task WHERE Subject = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Task WHERE IsClosed = 'true'", "INVALID_FIELD"),
        ("SELECT Id FROM Nonsense", "INVALID_TYPE"),
        ("SELECT Id, (SELECT Id FROM Nonsense) FROM Event", "INVALID_TYPE"),
        (
            "SELECT Id FROM Task WHERE OwnerId = 'nonsense'",
            "INVALID_QUERY_FILTER_OPERATOR",
        ),
        (
            "SELECT Id FROM Task WHERE OwnerId LIKE '005%'",
            "INVALID_QUERY_FILTER_OPERATOR",
        ),
        (
            "SELECT Id FROM Task LIMIT 5 OFFSET 2001",
            "NUMBER_OUTSIDE_VALID_RANGE",
        ),
    ];
    for (soql, code) in table {
        let answer = org.query(0, soql).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (400, code.to_owned()),
            "{soql}"
        );
    }
}

#[tokio::test]
async fn parents_and_children_come_along_as_objects() {
    let org = Org::new().await;
    let rows = org
        .rows("SELECT Id, Account.Name, Owner.Email FROM Contact WHERE AccountId != null LIMIT 1")
        .await;
    assert_eq!(rows[0]["Account"]["attributes"]["type"], "Account");
    assert!(rows[0]["Account"]["Name"].is_string());
    assert!(
        rows[0]["Owner"]["Email"]
            .as_str()
            .is_some_and(|email| email.ends_with("@lab.example"))
    );
    let event = json!({"Subject": "kids", "StartDateTime": "2031-05-05T10:00:00Z", "DurationInMinutes": 30});
    let event = org.create("Event", event).await.id();
    let soql = format!(
        "SELECT Id, (SELECT RelationId, Relation.Name FROM EventRelations) FROM Event WHERE Id = '{event}'"
    );
    assert!(
        org.rows(&soql).await[0]["EventRelations"].is_null(),
        "no children are null, not an empty list"
    );
    let user = &org.person(1).sf_user_id;
    let made = org
        .create(
            "EventRelation",
            json!({"EventId": event, "RelationId": user, "Status": "New"}),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.json());
    let rows = org.rows(&soql).await;
    assert_eq!(rows[0]["EventRelations"]["totalSize"], 1);
    assert_eq!(
        rows[0]["EventRelations"]["records"][0]["Relation"]["Name"],
        org.person(1).display.as_str()
    );
}

#[tokio::test]
async fn a_count_has_no_records() {
    let org = Org::new().await;
    let all = org.rows("SELECT Id FROM Contact").await.len();
    let count = org.query(0, "SELECT COUNT() FROM Contact").await.json();
    assert_eq!(
        (count["totalSize"].clone(), count["records"].clone()),
        (json!(all), json!([]))
    );
}

#[tokio::test]
async fn a_result_comes_in_pages_until_its_locator_expires() {
    let org = Org::new().await;
    let rows: Vec<Value> = (0..200)
        .map(|at| json!({"attributes": {"type": "Task"}, "Subject": format!("page {at}")}))
        .collect();
    for _ in 0..11 {
        let made = org
            .call(0, Method::POST, "composite/sobjects", json!({"records": rows}))
            .await;
        assert_eq!(made.status, 200);
    }
    let first = org
        .query(0, "SELECT Id FROM Task WHERE Subject LIKE 'page %' ORDER BY Id")
        .await
        .json();
    assert_eq!(first["totalSize"], 2200);
    assert_eq!(
        (first["records"].as_array().map(Vec::len), first["done"].clone()),
        (Some(2000), json!(false))
    );
    let next = first["nextRecordsUrl"].as_str().expect("a next page").to_owned();
    let path = next
        .strip_prefix("/services/data/v60.0/")
        .expect("a path of this version");
    let second = org.call(0, Method::GET, path, Value::Null).await.json();
    assert_eq!(
        (second["records"].as_array().map(Vec::len), second["done"].clone()),
        (Some(200), json!(true))
    );
    assert_eq!(
        org.call(1, Method::GET, path, Value::Null).await.code(),
        "INVALID_QUERY_LOCATOR",
        "somebody else's"
    );
    org.control(Method::POST, "/clock", json!({"advance_s": 2 * 86_400 + 60}))
        .await;
    assert_eq!(
        org.call(0, Method::GET, path, Value::Null).await.code(),
        "INVALID_QUERY_LOCATOR"
    );
}

#[tokio::test]
async fn an_overlong_address_is_refused() {
    let org = Org::new().await;
    let long = format!("SELECT Id FROM Task WHERE Subject = '{}'", "x".repeat(16_400));
    assert_eq!(org.query(0, &long).await.status, 414);
}

#[tokio::test]
async fn a_search_finds_people_by_their_address() {
    let org = Org::new().await;
    let known = &org.lab.cast.outsiders[0];
    let sosl = format!(
        "FIND {{{} OR nobody@nowhere.example}} IN EMAIL FIELDS RETURNING Contact(Id, Email), Lead(Id) LIMIT 10",
        known.email.replace('-', "\\-")
    );
    let sosl: String = url::form_urlencoded::byte_serialize(sosl.as_bytes()).collect();
    let found = org
        .call(0, Method::GET, &format!("search?q={sosl}"), Value::Null)
        .await
        .json();
    let ids: Vec<&str> = found["searchRecords"]
        .as_array()
        .expect("records")
        .iter()
        .filter_map(|row| row["Id"].as_str())
        .collect();
    assert_eq!(ids, [known.sf_id.as_str()], "{found}");
}
