//! Tasks as Odoo's activities, by the connector: the contract of every CRM, and that whatever is done about one tells
//! nobody. `odoo_task_forms` has the engine between the sides.

use crate::crm_contract::samples::day;
use crate::crm_contract::{Known, Stage};
use crate::harness::acts::task;
use crate::odoo_connector::{Office, ids, noticed, office, office_of_two};
use crate::odoo_files::{hanging, store};
use crate::odoo_server::{Odoo, Rep};
use holdfast::crm::model::{CrmChange, CrmId, CrmWrite, Fate};
use holdfast::crm::task_form::{TaskForm, TaskForms};
use holdfast::record::Record;
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::record::task::{Status, Task};
use serde_json::json;
use std::sync::Arc;

const TASKS: RecordKind = RecordKind::Tasks;

const ONLY_ACTIVITIES: TaskForms = TaskForms {
    new: TaskForm::Activity,
    both: false,
};

/// The same stage whose tasks are activities.
fn acting(stage: Stage) -> Stage {
    Stage {
        crm: stage.crm.with_tasks(ONLY_ACTIVITIES).expect("Odoo has both"),
        ..stage
    }
}

mod contract {
    use crate::crm_contract::{Stage, crm_contract};

    async fn stage() -> Stage {
        super::acting(super::office(None).await.stage)
    }

    crm_contract!(
        stage,
        [
            a_record_of_each_kind_is_read_back_as_it_was_written,
            every_writable_field_changes_alone,
            the_feed_shows_what_is_new_what_changed_and_what_was_deleted,
            the_feed_holds_the_users_own_records_and_all_of_them,
            a_cursor_from_elsewhere_is_lost_and_said_to_be,
            a_key_that_is_taken_creates_nothing_and_names_the_first_record,
            a_deletion_that_is_repeated_does_no_harm,
        ]
    );
}

fn number(id: &CrmId) -> i64 {
    TaskForm::own(id).parse().expect("a number")
}

/// An activity that this user has on a record, made by himself at Odoo's page.
pub async fn on_record(odoo: &Odoo, rep: &Rep, partner: i64, summary: &str) -> i64 {
    let named = json!({ "domain": [["model", "=", "res.partner"]] });
    let model = odoo.admin("ir.model", "search", named).await;
    let values = json!({
        "res_model_id": model[0], "res_id": partner, "summary": summary, "user_id": rep.id,
        "date_deadline": "2027-03-09",
    });
    let create = json!({ "vals_list": [values] });
    let made = odoo.call(&rep.key, "mail.activity", "create", create).await;
    made[0].as_i64().expect("a number")
}

fn with_status(status: Status) -> Record {
    Record::Task(Task {
        subject: "Call".into(),
        due: Some(day(9)),
        status,
        ..Task::default()
    })
}

#[tokio::test]
async fn an_activity_is_made_changed_done_taken_back_and_deleted_and_nobody_is_told() {
    let office = office_of_two().await;
    let (odoo, rep) = (&office.odoo, &office.rep);
    let partner = number(&office.stage.contact.id);
    // Everybody whom Odoo could tell follows the record.
    let follow = json!({ "ids": [partner], "partner_ids": [office.colleague.partner, partner] });
    odoo.admin("res.partner", "message_subscribe", follow).await;
    let theirs = on_record(odoo, rep, partner, "Call").await;
    let before = noticed(&office).await;
    let in_chatter = json!([["model", "=", "res.partner"], ["res_id", "=", partner]]);
    let messages = odoo.count("mail.message", in_chatter.clone()).await;
    let free = acting(office_stage(&office));
    let ours = free.create("told", with_status(Status::NotStarted)).await;
    let ours = ours.expect("written").id;
    for id in [&ours, &TaskForm::Activity.id(theirs)] {
        let set = |fields: &[Field], record: Record| CrmWrite::Update {
            id: id.clone(),
            fields: FieldSet::of(fields),
            record,
            matches: Vec::new(),
        };
        let changed = Record::Task(Task {
            subject: "Write".into(),
            body: "instead".into(),
            due: Some(day(10)),
            ..Task::default()
        });
        for write in [
            set(&[Field::Subject, Field::Body, Field::Due], changed),
            set(&[Field::Status], with_status(Status::Completed)),
            set(&[Field::Status], with_status(Status::NotStarted)),
        ] {
            free.one(TASKS, write).await.expect("written");
            assert!(free.read(TASKS, id).await.is_some(), "it is there, done or not");
        }
        let delete = CrmWrite::Delete { id: id.clone() };
        free.one(TASKS, delete).await.expect("deleted");
    }
    assert_eq!(noticed(&office).await, before);
    assert_eq!(odoo.count("mail.message", in_chatter.clone()).await, messages);
    // Or else the count would prove nothing: Odoo's own way leaves a word.
    let loud = on_record(odoo, rep, partner, "Loud").await;
    odoo.call(
        &rep.key,
        "mail.activity",
        "action_feedback",
        json!({ "ids": [loud] }),
    )
    .await;
    assert_eq!(odoo.count("mail.message", in_chatter).await, messages + 1);
}

/// The stage of an office that is needed beside it.
fn office_stage(office: &Office) -> Stage {
    let known = |one: &Known| Known {
        address: one.address.clone(),
        id: one.id.clone(),
    };
    let stage = &office.stage;
    Stage {
        crm: Arc::clone(&stage.crm),
        user: stage.user.clone(),
        colleague: known(&stage.colleague),
        contact: known(&stage.contact),
        another_contact: known(&stage.another_contact),
        lead: known(&stage.lead),
        stranger: stage.stranger.clone(),
        realm: stage.realm.clone(),
        exact: stage.exact,
        _keep: Box::new(Arc::clone(&office.odoo)),
    }
}

#[tokio::test]
async fn what_a_person_does_with_an_activity_at_odoos_page_is_in_the_feed_and_others_activities_are_not() {
    let office = office_of_two().await;
    let (odoo, rep) = (&office.odoo, &office.rep);
    let stage = acting(office_stage(&office));
    let partner = number(&office.stage.contact.id);
    let (_, cursor) = stage.feed(TASKS, None).await;
    let made = on_record(odoo, rep, partner, "Call").await;
    let others = on_record(odoo, &office.colleague, partner, "Not mine").await;
    let status = |changes: &[CrmChange], id: i64| {
        let id = TaskForm::Activity.id(id);
        changes.iter().rev().find_map(|change| match change {
            CrmChange::Upserted(found) if found.id == id => match &found.record {
                Record::Task(task) => Some(task.status),
                _ => None,
            },
            _ => None,
        })
    };
    let (changes, cursor) = stage.feed(TASKS, Some(cursor)).await;
    assert_eq!(status(&changes, made), Some(Status::NotStarted));
    assert_eq!(status(&changes, others), None);
    let done = json!({ "ids": [made], "feedback": "They will think about it" });
    odoo.call(&rep.key, "mail.activity", "action_feedback", done)
        .await;
    let (changes, cursor) = stage.feed(TASKS, Some(cursor)).await;
    assert_eq!(status(&changes, made), Some(Status::Completed));
    // A reading from the start has it as well.
    let (changes, _) = stage.feed(TASKS, None).await;
    assert_eq!(status(&changes, made), Some(Status::Completed));
    let again = json!({ "ids": [made], "vals": { "active": true } });
    odoo.call(&rep.key, "mail.activity", "write", again).await;
    let (changes, _) = stage.feed(TASKS, Some(cursor)).await;
    assert_eq!(status(&changes, made), Some(Status::NotStarted));
    odoo.call(&rep.key, "mail.activity", "unlink", json!({ "ids": [made] }))
        .await;
    let asked = [TaskForm::Activity.id(made), TaskForm::Activity.id(others)];
    let fates = stage.crm.fates(&stage.user, TASKS, &asked).await.expect("asked");
    assert_eq!(fates[0], Fate::Deleted);
    assert_ne!(fates[1], Fate::Deleted);
}

#[tokio::test]
async fn a_key_that_is_taken_in_one_form_is_not_made_again_in_the_other() {
    let office = office(None).await;
    let (plain, acting) = (office_stage(&office), acting(office_stage(&office)));
    for (name, first, second) in [("one", &plain, &acting), ("two", &acting, &plain)] {
        let made = first.create(name, task("Once")).await.expect("written");
        let again = second.create(name, task("Once")).await.expect("recognised");
        assert!(!made.existed && again.existed);
        assert_eq!(made.id, again.id);
        assert!(second.read(TASKS, &made.id).await.is_some());
    }
}

#[tokio::test]
async fn a_file_of_a_task_hangs_on_its_activity_once() {
    let office = office(None).await;
    let stage = acting(office_stage(&office));
    let id = stage.create("with a file", task("With a file")).await;
    let id = id.expect("written").id;
    let key = stage.key("file");
    let file = store(&*stage.crm, &office, &key, b"content").await;
    for _ in 0..2 {
        stage
            .crm
            .link_file(&stage.user, TASKS, &id, &file)
            .await
            .expect("hung");
    }
    let own = CrmId(number(&id).to_string());
    let rows = office
        .odoo
        .call(
            &office.rep.key,
            "mail.activity",
            "read",
            ids(&own, &["attachment_ids"]),
        )
        .await;
    assert_eq!(rows[0]["attachment_ids"].as_array().expect("a list").len(), 1);
    let found = hanging(&office, &key, "mail.activity", &own.0).await;
    assert_eq!(found.len(), 1);
}
