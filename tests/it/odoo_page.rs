//! Odoo's own web page, in Chromium: what a person changes there crosses to the mailbox, and comes to be seen there
//! when the mailbox changes.

use crate::harness::outlook::{Entry, Outlook, item};
use crate::odoo_office::office_beside;
use crate::odoo_server::{Odoo, Rep};
use chrono::{DateTime, TimeDelta, Utc};
use holdfast::record::kind::RecordKind;
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
        let task = json!({
            "url": self.odoo.url.as_str().trim_end_matches('/'),
            "database": self.odoo.database,
            "login": self.rep.login,
            "password": self.password,
            "event": event,
            "set": set,
        });
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
    let day = (Utc::now() + TimeDelta::days(2)).date_naive();
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
