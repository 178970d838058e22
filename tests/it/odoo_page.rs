//! Odoo's own web page, in Chromium: what a person changes there crosses to the mailbox, and comes to be seen there
//! when the mailbox changes; an activity that he marks as done there is a task that is done here.

use crate::harness::acts::{made_by_owner, task};
use crate::harness::began;
use crate::harness::outlook::{Entry, Outlook, item};
use crate::odoo_activities::on_record;
use crate::odoo_office::{office_beside, office_under};
use crate::odoo_server::{Odoo, Rep};
use chrono::{DateTime, TimeDelta, Utc};
use holdfast::record::Record;
use holdfast::record::kind::RecordKind;
use holdfast::record::task::Status;
use holdfast::sync::policy::{Policy, TaskForm};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/truth")
        .join(name)
}

/// Installs Chromium and what drives it where they are missing. Without them this test says nothing, and fails.
fn bring_the_browser() {
    let output = Command::new(script("setup.sh"))
        .arg("--browser")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "there is no browser to look at Odoo's page with: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A user at Odoo's page.
struct Page<'a> {
    odoo: &'a Odoo,
    rep: &'a Rep,
    password: &'a str,
}

impl Page<'_> {
    /// Signs in, opens an event, changes it where it is told to, and says what the page shows of it then.
    fn of(&self, event: &str, set: &Value) -> Value {
        self.does(json!({ "event": event, "set": set }))
    }

    /// Signs in, marks the activity with this summary as done, and says which are left.
    fn done(&self, summary: &str) -> Value {
        self.does(json!({ "done": summary }))
    }

    fn does(&self, mut task: Value) -> Value {
        task["url"] = json!(self.odoo.url.as_str().trim_end_matches('/'));
        task["database"] = json!(self.odoo.database);
        task["login"] = json!(self.rep.login);
        task["password"] = json!(self.password);
        let mut process = Command::new(script("run.sh"))
            .arg("odoo_page.js")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = process.stdin.take().unwrap();
        stdin.write_all(task.to_string().as_bytes()).unwrap();
        drop(stdin);
        let output = process.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// A begin as the page writes it.
fn as_shown(start: DateTime<Utc>) -> String {
    start.format("%m/%d/%Y %I:%M:%S %p").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_that_a_person_changes_in_odoos_own_page_changes_in_exchange_and_the_other_way_round() {
    let odoo = Odoo::up();
    bring_the_browser();
    let (rep, password) = odoo.rep_at_the_page();
    let page = Page {
        odoo: &odoo,
        rep: &rep,
        password: &password,
    };
    let (office, row) = office_beside(&odoo, &rep).await;
    let outlook = Outlook::of(&office.lab, 0);
    let day = (began() + TimeDelta::days(2)).date_naive();
    let start = day.and_hms_opt(9, 0, 0).unwrap().and_utc();
    let shown = || outlook.view(day, day + TimeDelta::days(2));
    let master = outlook.create("Quarterly review", start, 60, "").await;
    office.sync(&row).await;
    let records = office.records(&row, RecordKind::Calendar).await;
    assert_eq!(records.len(), 1, "the meeting came to Odoo");
    let event = records[0].id.0.clone();
    let mails = odoo.count("mail.mail", json!([])).await;

    let seen = page.of(&event, &json!({ "title": "Yearly review", "duration": "02:30" }));
    let expected = json!({ "title": "Yearly review", "start": as_shown(start), "duration": "02:30" });
    assert_eq!(seen, expected);
    let counts = office.sync(&row).await[&RecordKind::Calendar].clone();
    assert_eq!(
        (counts.updated_in_mailbox, counts.written()),
        (1, 1),
        "{counts:?}"
    );
    let entry: Entry = ("Yearly review".to_owned(), start, start + TimeDelta::minutes(150));
    assert_eq!(shown().await.into_iter().collect::<Vec<_>>(), [entry]);

    let later = start + TimeDelta::hours(25);
    let title = "<t:Subject>Yearly review, final</t:Subject>".to_owned();
    outlook.set(&item(&master), &[("item:Subject", title)]).await;
    outlook.set_times(&item(&master), later, 45).await;
    let counts = office.sync(&row).await[&RecordKind::Calendar].clone();
    assert_eq!((counts.updated_in_crm, counts.written()), (1, 1), "{counts:?}");
    let seen = page.of(&event, &Value::Null);
    let expected = json!({ "title": "Yearly review, final", "start": as_shown(later), "duration": "00:45" });
    assert_eq!(seen, expected);

    assert_eq!(office.sync(&row).await[&RecordKind::Calendar].written(), 0);
    assert_eq!(office.records(&row, RecordKind::Calendar).await.len(), 1);
    assert_eq!(
        odoo.count("mail.mail", json!([])).await,
        mails,
        "nobody is mailed"
    );
    assert!(office.lab.parts.ledger.entries().is_empty(), "nobody is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activity_that_a_person_marks_as_done_in_odoos_own_page_is_a_task_that_is_done() {
    let odoo = Odoo::up();
    bring_the_browser();
    let (rep, password) = odoo.rep_at_the_page();
    let page = Page {
        odoo: &odoo,
        rep: &rep,
        password: &password,
    };
    let mut policy = Policy::default();
    policy.tasks.form = TaskForm::Activity;
    let (office, row) = office_under(&odoo, &rep, policy).await;
    let (kind, ours) = (RecordKind::Tasks, made_by_owner(task("Write to Ada")));
    office.in_mailbox(&row, kind, ours).await;
    let call = on_record(&odoo, &rep, rep.partner, "Call Ben").await;
    // The page lists what is due.
    let today = json!({ "ids": [call], "vals": { "date_deadline": Utc::now().date_naive().to_string() } });
    odoo.call(&rep.key, "mail.activity", "write", today).await;
    office.settle(&row).await;
    assert_eq!(page.done("Write to Ada"), json!({ "left": ["Call Ben"] }));
    assert_eq!(page.done("Call Ben"), json!({ "left": [] }));
    office.settle(&row).await;
    let items = office.items(&row, kind).await;
    let done = |record: &Record| matches!(record, Record::Task(task) if task.status == Status::Completed);
    assert_eq!(items.len(), 2);
    assert!(items.iter().all(|item| done(&item.record)));
    assert_eq!(odoo.told(&[&rep]).await, 0, "nobody is mailed");
}
