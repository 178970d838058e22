//! What an administrator has set in the org decides what the Salesforce connector promises, asks for and sends.

use crate::crm_contract::samples::{attendee, contact, days, event, key, task};
use crate::salesforce_org::{Org, create, tasks};
use holdfast::crm::error::CrmError;
use holdfast::crm::model::{CrmChange, CrmId, CrmUser, CrmWrite, WhoKind};
use holdfast::crm::port::Crm;
use holdfast::foundation::content::Content;
use holdfast::foundation::explain::Explain;
use holdfast::foundation::failure::Class;
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::event::{Event, Sensitivity};
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast_lab::cast::OutsiderKind;
use serde_json::json;

fn body_of(record: Option<&Record>) -> String {
    match record {
        Some(Record::Event(event)) => event.body.expose().clone(),
        _ => panic!("an event"),
    }
}

#[tokio::test]
async fn a_field_that_the_user_may_not_edit_is_neither_promised_nor_sent() {
    let org = Org::up().await;
    let rights = json!({ "fields": { "Description": { "read": true, "edit": false } } });
    org.rights(json!({ "objects": { "Event": rights } }));
    let capabilities = org.crm.capabilities(&org.user).await.expect("described");
    assert!(!capabilities.writable(RecordKind::Calendar).has(Field::Body));
    assert!(capabilities.readable(RecordKind::Calendar).has(Field::Body));
    let id = org
        .create("event", Record::Event(event()))
        .await
        .expect("written without it")
        .id;
    let found = org
        .crm
        .read(&org.user, RecordKind::Calendar, &[id])
        .await
        .expect("read");
    assert_eq!(body_of(found[0].as_ref().map(|found| &found.record)), "");
}

#[tokio::test]
async fn a_field_that_the_user_may_not_see_is_not_asked_for() {
    let org = Org::up().await;
    let rights = json!({ "fields": { "Description": { "read": false, "edit": false } } });
    org.rights(json!({ "objects": { "Event": rights } }));
    let capabilities = org.crm.capabilities(&org.user).await.expect("described");
    assert!(!capabilities.readable(RecordKind::Calendar).has(Field::Body));
    org.crm
        .changes(&org.user, RecordKind::Calendar, None)
        .await
        .expect("a page without it");
}

#[tokio::test]
async fn an_object_that_the_user_may_not_see_stops_only_what_needs_it() {
    let org = Org::up().await;
    let unseen = json!({ "read": false, "create": false, "edit": false, "delete": false });
    org.rights(json!({ "objects": { "Lead": unseen, "Task": unseen } }));
    let capabilities = org.crm.capabilities(&org.user).await.expect("described");
    assert!(!capabilities.may_create(RecordKind::Tasks));
    assert!(capabilities.readable(RecordKind::Tasks).is_empty());
    let error = org
        .crm
        .changes(&org.user, RecordKind::Tasks, None)
        .await
        .err()
        .expect("no tasks");
    assert!(matches!(error, CrmError::NotPermitted { .. }), "{error}");
    org.crm
        .changes(&org.user, RecordKind::Calendar, None)
        .await
        .expect("events all the same");

    let (contact, lead) = (
        org.known(OutsiderKind::Contact, 0),
        org.known(OutsiderKind::Lead, 0),
    );
    let addresses = [
        Content::from(contact.address.as_str()),
        Content::from(lead.address.as_str()),
    ];
    let found = org.crm.who_is(&org.user, &addresses).await.expect("answered");
    assert_eq!(found[0].who.first().map(|who| who.kind), Some(WhoKind::Contact));
    assert!(found[1].who.is_empty());
}

#[tokio::test]
async fn a_key_field_that_is_missing_is_asked_for_by_name() {
    let org = Org::up().await;
    let rights = json!({ "fields": { "Holdfast_Key__c": { "read": false, "edit": false } } });
    org.rights(json!({ "objects": { "Task": rights } }));
    for error in [
        org.crm.capabilities(&org.user).await.err(),
        org.crm.probe(&org.user).await.err(),
    ] {
        let error = error.expect("something is missing");
        assert!(matches!(&error, CrmError::SetupMissing { field } if field == "Activity.Holdfast_Key__c"));
        assert!(error.sentence().contains("administrator"));
    }
}

#[tokio::test]
async fn without_shared_activities_every_guest_is_kept_all_the_same() {
    let org = Org::up().await;
    org.set(json!({ "shared_activities": false }));
    let known = [
        org.known(OutsiderKind::Contact, 0),
        org.known(OutsiderKind::Contact, 1),
        org.known(OutsiderKind::Lead, 0),
    ];
    let addresses: Vec<Content<String>> = known.iter().map(|known| known.address.as_str().into()).collect();
    let matches = org.crm.who_is(&org.user, &addresses).await.expect("answered");
    let record = Record::Event(Event {
        attendees: known.iter().map(|known| attendee(&known.address)).collect(),
        ..event()
    });
    let write = CrmWrite::Create {
        key: key("meeting"),
        record: record.clone(),
        matches: matches.clone(),
    };
    let fates = org
        .crm
        .write(&org.user, RecordKind::Calendar, &[write])
        .await
        .expect("answered");
    let id = fates[0].as_ref().expect("written").id.clone();
    assert_eq!(guests(&org, &id).await, 3);
    let update = CrmWrite::Update {
        id: id.clone(),
        fields: FieldSet::of(&[Field::Attendees]),
        record: Record::Event(Event {
            attendees: vec![attendee(&known[1].address)],
            ..event()
        }),
        matches,
    };
    let fates = org
        .crm
        .write(&org.user, RecordKind::Calendar, &[update])
        .await
        .expect("answered");
    assert!(fates[0].is_ok());
    assert_eq!(guests(&org, &id).await, 1);
}

async fn guests(org: &Org, id: &CrmId) -> usize {
    let found = org
        .crm
        .read(&org.user, RecordKind::Calendar, std::slice::from_ref(id))
        .await
        .expect("read");
    match found.into_iter().next().flatten().map(|found| found.record) {
        Some(Record::Event(event)) => event.attendees.len(),
        _ => panic!("an event"),
    }
}

#[tokio::test]
async fn an_event_that_is_too_long_for_the_org_is_refused_alone() {
    let long = |count| {
        Record::Event(Event {
            when: days(count),
            ..event()
        })
    };
    let writes = [
        create("short", long(1)),
        create("three", long(3)),
        create("twenty", long(20)),
    ];
    for (multiday, expected) in [(true, [true, true, false]), (false, [true, false, false])] {
        let org = Org::up().await;
        org.set(json!({ "multiday_events": multiday }));
        let fates = org
            .crm
            .write(&org.user, RecordKind::Calendar, &writes)
            .await
            .expect("answered");
        assert_eq!(fates.iter().map(Result::is_ok).collect::<Vec<_>>(), expected);
        let class = fates[2].as_ref().err().map(CrmError::class);
        assert_eq!(class, Some(Class::Refused));
    }
}

#[tokio::test]
async fn a_colleague_sees_a_meeting_with_a_shared_contact_and_never_a_private_one() {
    let org = Org::up().await;
    let colleague = &org.lab.cast.people[1];
    let colleague = CrmUser {
        username: colleague.sf_username.clone(),
        id: Some(CrmId(colleague.sf_user_id.clone())),
        list: None,
    };
    let contact = org.known(OutsiderKind::Contact, 0).address;
    let matches = org
        .crm
        .who_is(&org.user, &[contact.as_str().into()])
        .await
        .expect("answered");
    for (sensitivity, seen) in [(Sensitivity::Normal, true), (Sensitivity::Private, false)] {
        let write = CrmWrite::Create {
            key: key(&format!("{sensitivity:?}")),
            record: Record::Event(Event {
                sensitivity,
                attendees: vec![attendee(&contact)],
                ..event()
            }),
            matches: matches.clone(),
        };
        let fates = org
            .crm
            .write(&org.user, RecordKind::Calendar, &[write])
            .await
            .expect("answered");
        let id = fates[0].as_ref().expect("written").id.clone();
        let found = org
            .crm
            .read(&colleague, RecordKind::Calendar, &[id])
            .await
            .expect("read");
        assert_eq!(found[0].is_some(), seen, "{sensitivity:?}");
    }
}

#[tokio::test]
async fn a_user_who_is_not_approved_or_may_not_use_the_api_is_refused_and_the_others_are_not() {
    for rights in [json!({ "approved": false }), json!({ "api_enabled": false })] {
        let org = Org::up().await;
        org.rights(rights);
        let error = org.crm.probe(&org.user).await.expect_err("refused");
        assert!(matches!(error, CrmError::UserRefused { .. }), "{error}");
        let other = CrmUser {
            username: org.lab.cast.people[1].sf_username.clone(),
            id: None,
            list: None,
        };
        org.crm.probe(&other).await.expect("the others go on");
    }
}

#[tokio::test]
async fn the_orgs_own_limit_is_told_from_trouble() {
    let org = Org::up().await;
    org.crm.capabilities(&org.user).await.expect("described");
    org.set(json!({ "daily_limit": 1 }));
    let error = org
        .crm
        .write(&org.user, RecordKind::Tasks, &tasks(1))
        .await
        .expect_err("used up");
    assert!(matches!(error, CrmError::LimitReached { .. }), "{error}");
}

#[tokio::test]
async fn a_duplicate_rule_that_only_warns_is_passed() {
    let org = Org::up().await;
    org.set(json!({ "duplicate_rule": true }));
    let record = Record::Contact(Contact {
        email: org.known(OutsiderKind::Contact, 0).address.into(),
        ..contact()
    });
    org.create("double", record).await.expect("saved all the same");
}

#[tokio::test]
async fn a_guest_whom_somebody_takes_away_in_the_crm_is_seen_to_go() {
    let org = Org::up().await;
    let colleague = org.lab.cast.people[1].smtp.clone();
    let matches = org
        .crm
        .who_is(&org.user, &[colleague.as_str().into()])
        .await
        .expect("answered");
    let write = CrmWrite::Create {
        key: key("meeting"),
        record: Record::Event(Event {
            attendees: vec![attendee(&colleague)],
            ..event()
        }),
        matches,
    };
    let fates = org
        .crm
        .write(&org.user, RecordKind::Calendar, &[write])
        .await
        .expect("answered");
    let id = fates[0].as_ref().expect("written").id.clone();
    let page = org
        .crm
        .changes(&org.user, RecordKind::Calendar, None)
        .await
        .expect("a page");
    assert!(!page.more);
    // Long after, so that the event itself is no news any more.
    org.lab.parts.clock.advance(std::time::Duration::from_secs(3600));
    let relation = org
        .ask(&format!(
            "SELECT Id FROM EventRelation WHERE EventId = '{}'",
            id.0
        ))
        .await;
    org.delete("EventRelation", relation[0]["Id"].as_str().expect("an id"))
        .await;
    let page = org
        .crm
        .changes(&org.user, RecordKind::Calendar, Some(&page.cursor))
        .await
        .expect("a page");
    let alone = page.changes.iter().any(|change| match change {
        CrmChange::Upserted(record) if record.id == id => {
            matches!(&record.record, Record::Event(event) if event.attendees.is_empty())
        }
        _ => false,
    });
    assert!(alone, "the event is shown without its guest");
}

#[tokio::test]
async fn a_task_that_a_person_names_in_the_orgs_own_words_is_read_by_what_they_mean() {
    let org = Org::up().await;
    let id = org
        .create("task", Record::Task(task()))
        .await
        .expect("written")
        .id;
    org.change("Task", &id.0, json!({ "Status": "Completed" })).await;
    let found = org
        .crm
        .read(&org.user, RecordKind::Tasks, &[id])
        .await
        .expect("read");
    let Some(Record::Task(found)) = found.into_iter().next().flatten().map(|found| found.record) else {
        panic!("a task")
    };
    assert_eq!(found.status, holdfast::record::task::Status::Completed);
}
