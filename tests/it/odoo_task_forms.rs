//! Tasks as Odoo's activities with the engine between the sides: what is done, taken back and deleted on one side is so
//! on the other, kills double nothing, and a policy that names the other form doubles nothing and deletes nothing.

use crate::crm_contract::samples::day;
use crate::harness::acts::{made_by_owner, task};
use crate::harness::office::subject;
use crate::harness::{Office, eventually};
use crate::odoo_activities::on_record;
use crate::odoo_office::office_under;
use crate::odoo_server::{Odoo, Rep};
use crate::odoo_sync::{between, copies, hands};
use holdfast::mailbox::model::{ItemId, ItemRef, ItemVersion, MailboxItem, MailboxWrite};
use holdfast::record::Record;
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast::record::task::{Priority, Status, Task};
use holdfast::sync::policy::{Policy, TaskForm};
use holdfast::sync::preview::preview;
use holdfast::sync::report::Quiet;
use holdfast::sync::store::mailboxes::MailboxRow;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

const SEED: u64 = 20_261_130;

const TASKS: RecordKind = RecordKind::Tasks;

/// What this user sees of activities, those that are done too: summary, whether it is to be done, the day.
async fn seen(odoo: &Odoo, rep: &Rep) -> BTreeMap<String, (bool, String)> {
    let search = json!({
        "domain": [["user_id", "=", rep.id], ["active", "in", [true, false]]],
        "fields": ["summary", "active", "date_deadline"],
    });
    let rows = odoo.call(&rep.key, "mail.activity", "search_read", search).await;
    let rows = rows.as_array().expect("rows").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    rows.map(|row| {
        let is = (row["active"] == true, text(&row["date_deadline"]));
        (text(&row["summary"]), is)
    })
    .collect()
}

/// Between a lab's Exchange and Odoo under this policy.
async fn between_sides(form: TaskForm) -> (Office, MailboxRow, Odoo, Rep) {
    let odoo = Odoo::up();
    let rep = odoo.rep();
    // The one with which Odoo welcomes each of its users.
    let welcome = json!({ "domain": [["user_ids", "in", [rep.id]]] });
    let welcome = odoo.call(&rep.key, "project.task", "search", welcome).await;
    odoo.call(&rep.key, "project.task", "unlink", json!({ "ids": welcome }))
        .await;
    let (office, row) = office_under(&odoo, &rep, naming(form)).await;
    (office, row, odoo, rep)
}

fn naming(form: TaskForm) -> Policy {
    let mut policy = Policy::default();
    policy.tasks.form = form;
    policy
}

async fn item(office: &Office, row: &MailboxRow, title: &str) -> Option<MailboxItem> {
    let items = office.items(row, TASKS).await;
    items.into_iter().find(|item| subject(&item.record) == title)
}

async fn in_outlook(office: &Office, row: &MailboxRow, id: &ItemId, fields: &[Field], task: Task) {
    let write = MailboxWrite::Update {
        item: ItemRef {
            id: id.clone(),
            version: ItemVersion(String::new()),
        },
        fields: FieldSet::of(fields),
        record: Record::Task(task),
    };
    office.in_mailbox(row, TASKS, write).await;
}

fn as_task(item: &MailboxItem) -> Task {
    match &item.record {
        Record::Task(task) => task.clone(),
        _ => panic!("a task is no task"),
    }
}

#[tokio::test]
async fn what_is_done_on_one_side_is_done_on_the_other_and_what_is_deleted_is_deleted() {
    let (office, row, odoo, rep) = between_sides(TaskForm::Activity).await;
    let due = |title: &str| {
        Record::Task(Task {
            subject: title.into(),
            due: Some(day(9)),
            ..Task::default()
        })
    };
    for title in ["done there", "done here", "gone there", "gone here"] {
        office.in_mailbox(&row, TASKS, made_by_owner(due(title))).await;
    }
    office.settle(&row).await;
    let there = seen(&odoo, &rep).await;
    assert_eq!(there.len(), 4);
    assert!(
        there.values().all(|is| *is == (true, "2027-03-09".to_owned())),
        "{there:?}"
    );
    let id_of = async |title: &str| {
        let search = json!({ "domain": [["user_id", "=", rep.id], ["summary", "=", title]] });
        odoo.call(&rep.key, "mail.activity", "search", search).await
    };
    // "Mark done" and "Cancel" at Odoo's page.
    let done = json!({ "ids": id_of("done there").await });
    odoo.call(&rep.key, "mail.activity", "action_done", done).await;
    let gone = json!({ "ids": id_of("gone there").await });
    odoo.call(&rep.key, "mail.activity", "action_cancel", gone).await;
    let here = item(&office, &row, "done here").await.expect("there").item.id;
    let completed = Task {
        status: Status::Completed,
        ..Task::default()
    };
    in_outlook(&office, &row, &here, &[Field::Status], completed).await;
    let thrown = item(&office, &row, "gone here").await.expect("there").item.id;
    office
        .in_mailbox(&row, TASKS, MailboxWrite::Delete { item: thrown })
        .await;
    office.settle(&row).await;
    let there: Vec<(String, bool)> = seen(&odoo, &rep)
        .await
        .into_iter()
        .map(|(title, (open, _))| (title, open))
        .collect();
    let both = ["done here", "done there"];
    assert_eq!(there, both.map(|title| (title.to_owned(), false)));
    let mut here = Vec::new();
    for item in office.items(&row, TASKS).await {
        here.push((subject(&item.record).to_owned(), as_task(&item).status));
    }
    here.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(here, both.map(|title| (title.to_owned(), Status::Completed)));
    // And taken back, from either side.
    let again = json!({ "ids": id_of_done(&odoo, &rep, "done there").await, "vals": { "active": true } });
    odoo.call(&rep.key, "mail.activity", "write", again).await;
    let id = item(&office, &row, "done here").await.expect("there").item.id;
    in_outlook(&office, &row, &id, &[Field::Status], Task::default()).await;
    office.settle(&row).await;
    assert!(seen(&odoo, &rep).await.values().all(|(open, _)| *open));
    for title in both {
        let found = item(&office, &row, title).await.expect("there");
        assert_eq!(as_task(&found).status, Status::NotStarted, "{title}");
    }
    assert_eq!(odoo.told(&[&rep]).await, 0, "nobody is mailed");
    assert!(office.lab.parts.ledger.entries().is_empty(), "nobody is told");
}

async fn id_of_done(odoo: &Odoo, rep: &Rep, title: &str) -> Value {
    let search = json!({ "domain": [
        ["user_id", "=", rep.id], ["summary", "=", title], ["active", "=", false]
    ] });
    odoo.call(&rep.key, "mail.activity", "search", search).await
}

#[tokio::test]
async fn a_task_without_a_day_keeps_none_though_its_activity_has_one() {
    let (office, row, odoo, rep) = between_sides(TaskForm::Activity).await;
    let id = office
        .in_mailbox(&row, TASKS, made_by_owner(task("Some day")))
        .await;
    office.settle(&row).await;
    let there = seen(&odoo, &rep).await;
    assert_eq!(there.keys().collect::<Vec<_>>(), ["Some day"]);
    let rename = Task {
        subject: "Any day".into(),
        ..Task::default()
    };
    in_outlook(&office, &row, &id, &[Field::Subject], rename).await;
    office.settle(&row).await;
    let found = item(&office, &row, "Any day").await.expect("renamed");
    assert_eq!(as_task(&found).due, None);
    // Once it has a day, that is the activity's too.
    let dated = Task {
        due: Some(day(11)),
        ..Task::default()
    };
    in_outlook(&office, &row, &id, &[Field::Due], dated).await;
    office.settle(&row).await;
    assert_eq!(seen(&odoo, &rep).await["Any day"].1, "2027-03-11");
}

/// The titles of this user's living project tasks.
async fn to_dos(odoo: &Odoo, rep: &Rep) -> Vec<String> {
    let search = json!({ "domain": [["user_ids", "in", [rep.id]]], "fields": ["name"], "order": "name" });
    let rows = odoo.call(&rep.key, "project.task", "search_read", search).await;
    let rows = rows.as_array().expect("rows").iter();
    rows.map(|row| row["name"].as_str().expect("a text").to_owned())
        .collect()
}

async fn to_do(odoo: &Odoo, rep: &Rep, title: &str) -> Value {
    let create = json!({ "vals_list": [{ "name": title, "user_ids": [[6, 0, [rep.id]]] }] });
    odoo.call(&rep.key, "project.task", "create", create).await
}

async fn titles(office: &Office, row: &MailboxRow) -> Vec<String> {
    let items = office.items(row, TASKS).await;
    let mut titles: Vec<String> = items
        .iter()
        .map(|item| subject(&item.record).to_owned())
        .collect();
    titles.sort();
    titles
}

async fn foreseen(office: &Office, row: &MailboxRow) -> BTreeMap<&'static str, u64> {
    let mut said = preview(&office.engine, row, &Quiet).await.unwrap().totals;
    said.remove("skip");
    said
}

async fn rename(office: &Office, row: &MailboxRow, from: &str, to: &str) {
    let id = item(office, row, from).await.expect("there").item.id;
    let named = Task {
        subject: to.into(),
        priority: Priority::High,
        ..Task::default()
    };
    in_outlook(office, row, &id, &[Field::Subject, Field::Priority], named).await;
}

#[tokio::test]
async fn when_the_policy_names_the_other_form_nothing_is_doubled_or_deleted_and_what_is_linked_stays_in_step()
{
    let (office, row, odoo, rep) = between_sides(TaskForm::Task).await;
    for title in ["one", "two"] {
        office.in_mailbox(&row, TASKS, made_by_owner(task(title))).await;
    }
    let theirs = to_do(&odoo, &rep, "theirs").await;
    on_record(&odoo, &rep, rep.partner, "call").await;
    office.settle(&row).await;
    assert_eq!(titles(&office, &row).await, ["one", "theirs", "two"]);

    office.policy("default", naming(TaskForm::Activity)).await;
    assert_eq!(
        foreseen(&office, &row).await,
        BTreeMap::from([("create in mailbox", 1)])
    );
    office.settle(&row).await;
    assert_eq!(titles(&office, &row).await, ["call", "one", "theirs", "two"]);
    assert_eq!(to_dos(&odoo, &rep).await, ["one", "theirs", "two"]);
    assert_eq!(seen(&odoo, &rep).await.keys().collect::<Vec<_>>(), ["call"]);

    // What is linked crosses both ways, in whichever form it is; what is new is an activity.
    office.in_mailbox(&row, TASKS, made_by_owner(task("three"))).await;
    rename(&office, &row, "two", "second").await;
    let named = json!({ "ids": theirs, "vals": { "name": "ours", "state": "1_done" } });
    odoo.call(&rep.key, "project.task", "write", named).await;
    let stranger = to_do(&odoo, &rep, "stranger").await;
    office.settle(&row).await;
    let here = ["call", "one", "ours", "second", "three"];
    assert_eq!(titles(&office, &row).await, here);
    assert_eq!(to_dos(&odoo, &rep).await, ["one", "ours", "second", "stranger"]);
    let activities = seen(&odoo, &rep).await;
    assert_eq!(activities.keys().collect::<Vec<_>>(), ["call", "three"]);
    let ours = item(&office, &row, "ours").await.expect("there");
    assert_eq!(as_task(&ours).status, Status::Completed);

    // And back.
    office.policy("default", naming(TaskForm::Task)).await;
    office.settle(&row).await;
    let here = ["call", "one", "ours", "second", "stranger", "three"];
    assert_eq!(titles(&office, &row).await, here);
    rename(&office, &row, "three", "third").await;
    let gone = json!({ "ids": stranger });
    odoo.call(&rep.key, "project.task", "unlink", gone).await;
    office.settle(&row).await;
    assert_eq!(
        titles(&office, &row).await,
        ["call", "one", "ours", "second", "third"]
    );
    assert_eq!(to_dos(&odoo, &rep).await, ["one", "ours", "second"]);
    let activities = seen(&odoo, &rep).await;
    assert_eq!(activities.keys().collect::<Vec<_>>(), ["call", "third"]);
    // An activity has no priority, and takes none away.
    let third = item(&office, &row, "third").await.expect("there");
    assert_eq!(as_task(&third).priority, Priority::High);
    assert_eq!(odoo.told(&[&rep]).await, 0, "nobody is mailed");
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_between_a_write_and_its_commit_double_no_activity() {
    let odoo = Odoo::up();
    let reps = [odoo.rep()];
    let mut site = between(&odoo, &reps, "");
    let file = site.file("policy.json");
    fs::write(&file, serde_json::to_string(&naming(TaskForm::Activity)).unwrap()).unwrap();
    site.succeed(&["policy", "set", "default", file.to_str().unwrap()]);
    let mut random = StdRng::seed_from_u64(SEED);
    let title = |side: &str, number: usize| format!("kill-{side}-{number}-{}", reps[0].login);
    let of_mailbox = hands(&site);
    for number in 0..8 {
        of_mailbox.make(task(&title("mailbox", number))).await;
        on_record(&odoo, &reps[0], reps[0].partner, &title("odoo", number)).await;
        site.start_daemon();
        let until = site.requests() + random.random_range(0..14);
        eventually("the daemon works", Duration::from_secs(60), || {
            (site.requests() >= until).then_some(())
        });
        site.kill_daemon();
    }
    site.start_daemon();
    let all = (0..8).flat_map(|number| ["mailbox", "odoo"].map(|side| title(side, number)));
    let all: Vec<String> = all.collect();
    for title in &all {
        eventually("it stands in the mailbox", Duration::from_secs(120), || {
            (copies(&site, title) >= 1).then_some(())
        });
    }
    site.in_step();
    for title in &all {
        assert_eq!(copies(&site, title), 1, "seed {SEED}: {title} in the mailbox");
        let named = json!({ "domain": [["summary", "=", title]] });
        let found = odoo
            .call(&reps[0].key, "mail.activity", "search_count", named)
            .await;
        assert_eq!(found, 1, "seed {SEED}: {title} in Odoo");
    }
    assert_eq!(odoo.told(&[&reps[0]]).await, 0, "nobody is mailed");
}
