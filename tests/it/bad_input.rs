//! Bad input and bad days: each gets a clear sentence with the next step, nothing is lost, the rest goes on.

use crate::harness::acts::event;
use crate::harness::{Site, began, eventually};
use chrono::TimeDelta;
use holdfast::foundation::egress::MemoryLedger;
use holdfast::foundation::ids::MailboxId;
use holdfast::mailbox::model::{MailboxRef, MailboxWrite, Notify, Stamp};
use holdfast::mailbox::port::MailboxServer as _;
use holdfast::record::Record;
use holdfast::record::event::{Event, When};
use holdfast::record::task::Task;
use serde_json::{Value, json};
use std::fs;
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

/// The title of the task that must not be lost, whatever happens.
const PRECIOUS: &str = "not to be lost";

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

/// The command ends with this exit code and says all of these words.
#[track_caller]
fn ends(output: &Output, code: i32, words: &[&str]) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

/// Makes a record in the first person's mailbox, as Outlook would.
async fn make(site: &Site, record: Record) {
    let (server, _) = site.outside().connect(Arc::new(MemoryLedger::default()));
    let mailbox = MailboxRef::new(MailboxId(1), text(&site.people()[0], "smtp").to_owned());
    let kind = record.kind();
    let write = MailboxWrite::Create {
        stamp: Stamp(String::new()),
        record,
    };
    let done = server.write(&mailbox, kind, &[write], Notify::Nobody).await;
    done.unwrap().pop().unwrap().unwrap();
}

async fn make_precious(site: &Site) {
    make(
        site,
        Record::Task(Task {
            subject: PRECIOUS.into(),
            ..Task::default()
        }),
    )
    .await;
}

/// How many records of an object have this title in the CRM.
fn in_crm(site: &Site, object: &str, title: &str) -> usize {
    let world = site.control("GET", "/world", b"");
    let rows = world["salesforce"][object].as_array().unwrap();
    rows.iter().filter(|row| row["Subject"] == title).count()
}

/// A run ends well, and the task stands in the CRM once.
#[track_caller]
fn comes_into_step(site: &Site) {
    ends(&site.run(&["sync", "--all"]), 0, &[]);
    ends(&site.run(&["failures"]), 0, &["Nothing failed"]);
    assert_eq!(in_crm(site, "Task", PRECIOUS), 1);
}

fn fault(site: &Site, rule: &Value) {
    site.control("POST", "/faults", rule.to_string().as_bytes());
}

/// While the fault lasts a run says so with exit code 1, and afterwards nothing is missing.
async fn passes(rule: Value, words: &[&str]) {
    let site = Site::open(1, 12);
    make_precious(&site).await;
    fault(&site, &rule);
    ends(&site.run(&["sync", "--all"]), 1, words);
    site.control("DELETE", "/faults", b"");
    comes_into_step(&site);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_says_how_to_set_the_right_one_and_heals_with_it() {
    let site = Site::open(1, 12);
    make_precious(&site).await;
    site.store_password("not the password");
    let words = ["mailbox.sign_in_refused", "holdfast secret set mail_server"];
    ends(&site.run(&["sync", "--all"]), 1, &words);
    ends(&site.run(&["check"]), 1, &["did not accept the service account"]);
    ends(
        &site.run(&["mailbox", "list"]),
        0,
        &[text(&site.people()[0], "smtp"), "active"],
    );
    site.store_password(site.told["exchange"]["service_password"].as_str().unwrap());
    comes_into_step(&site);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_of_the_crm_is_renewed_without_a_word() {
    let site = Site::open(1, 12);
    make_precious(&site).await;
    fault(
        &site,
        &json!({"side": "salesforce", "kind": "expired_token", "operation": "query", "times": 1}),
    );
    comes_into_step(&site);
    assert_eq!(
        site.control("GET", "/faults", b""),
        json!([]),
        "the fault was never met"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_outside_the_scope_is_refused_and_the_others_go_on() {
    let mut site = Site::open(1, 12);
    make_precious(&site).await;
    let outside = text(&site.told["exchange"], "outside_scope").to_owned();
    let user = text(&site.people()[0], "sf_username").to_owned();
    site.succeed(&["mailbox", "add", &outside, "--crm-user", &user]);
    let words = ["outside its impersonation scope", "ApplicationImpersonation"];
    ends(&site.run(&["mailbox", "probe", &outside]), 1, &words);
    site.start_daemon();
    refused_and_the_other_goes_on(&site, &outside, "mailbox.outside_scope");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_user_of_the_crm_is_refused_and_the_others_go_on() {
    let mut site = Site::signed_in(2, 12);
    make_precious(&site).await;
    let people = site.people();
    let (good, bad) = (text(&people[0], "smtp"), text(&people[1], "smtp"));
    site.succeed(&[
        "mailbox",
        "add",
        good,
        "--crm-user",
        text(&people[0], "sf_username"),
    ]);
    site.succeed(&["mailbox", "add", bad, "--crm-user", "nobody@nowhere.example"]);
    let words = [
        "does not let Holdfast act as this user",
        "Check that the user name is right",
    ];
    ends(&site.run(&["mailbox", "probe", bad]), 1, &words);
    site.start_daemon();
    refused_and_the_other_goes_on(&site, bad, "crm.user_refused");
}

fn refused_and_the_other_goes_on(site: &Site, refused: &str, code: &str) {
    eventually(
        "one is refused, the other in step",
        Duration::from_secs(60),
        || {
            let list: Value =
                serde_json::from_slice(&site.run(&["--json", "mailbox", "list"]).stdout).ok()?;
            let states = list
                .as_array()?
                .iter()
                .all(|row| match row["address"] == refused {
                    true => row["state"] == "refused" && row["state_code"] == code,
                    false => row["state"] == "active",
                });
            (states && in_crm(site, "Task", PRECIOUS) == 1).then_some(())
        },
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn exchange_down_is_said_and_heals() {
    let words = ["mailbox.unreachable", "Check that it is up", "egress.allow"];
    passes(json!({"side": "exchange", "kind": "down"}), &words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exchange_answering_html_is_said_and_heals() {
    let words = ["mailbox.unintelligible", "login or proxy page"];
    passes(json!({"side": "exchange", "kind": "html", "status": 200}), &words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_exchange_is_given_the_time_it_asks_for() {
    let words = ["mailbox.busy", "asks for patience", "waits 1 seconds"];
    passes(
        json!({"side": "exchange", "kind": "busy", "back_off_ms": 1000}),
        &words,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn salesforce_down_is_said_and_heals() {
    let words = ["crm.unreachable", "Check that it is up", "egress.allow"];
    passes(json!({"side": "salesforce", "kind": "down"}), &words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn salesforce_answering_html_is_said_and_heals() {
    let words = ["crm.unintelligible", "proxy or login page"];
    passes(
        json!({"side": "salesforce", "kind": "html", "status": 200}),
        &words,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_up_call_limit_of_salesforce_is_said_and_heals() {
    let words = ["crm.limit_reached", "calls for the day are used up"];
    passes(
        json!({"side": "salesforce", "kind": "limit_exceeded", "operation": "query"}),
        &words,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn characters_that_xml_forbids_stop_nothing() {
    let site = Site::open(1, 12);
    make_precious(&site).await;
    fault(
        &site,
        &json!({"side": "exchange", "kind": "illegal_xml", "operation": "GetItem"}),
    );
    comes_into_step(&site);
}

/// Puts a raw mail into the first person's inbox.
pub fn deliver(site: &Site, raw: &[u8]) {
    let mailbox = text(&site.people()[0], "smtp").to_owned();
    site.control(
        "POST",
        &format!("/exchange/import-eml?mailbox={mailbox}&folder=inbox"),
        raw,
    );
}

/// What a run says of the stream of mails.
pub fn mail_stream(site: &Site) -> Value {
    let output = site.run(&["--json", "sync", "--all"]);
    assert!(!said(&output).contains("panicked"), "{}", said(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let streams = document["streams"].as_array().unwrap();
    let mail = streams.iter().find(|row| row["kind"] == "mail").unwrap();
    assert!(mail["error"].is_null(), "the stream is blocked: {mail}");
    mail.clone()
}

/// How many mails were read, and how many came out: linked, left alone, or failed.
fn mail_counts(site: &Site) -> (u64, u64) {
    let mail = mail_stream(site);
    let counts = &mail["counts"];
    let number = |name: &str| counts[name].as_u64().unwrap();
    let skipped: u64 = counts["skipped"]
        .as_object()
        .unwrap()
        .values()
        .map(|n| n.as_u64().unwrap())
        .sum();
    let came = number("created_in_crm") + number("matched") + number("failed") + skipped;
    (number("read_in_mailbox"), came)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_no_parser_likes_does_not_stop_the_rest() {
    let site = Site::open(1, 12);
    make_precious(&site).await;
    let worst = b"From: <<@@\r\nTo\0: =?utf-8?B?////?=\r\nDate: never\r\nContent-Type: multipart/mixed; boundary=\r\n\r\n\xff\xfe--\r\n";
    deliver(&site, worst);
    let (read, came) = mail_counts(&site);
    assert!(read > 0);
    assert_eq!(read, came);
    assert_eq!(in_crm(&site, "Task", PRECIOUS), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_a_rule_of_the_crm_refuses_is_a_failure_and_the_rest_goes_on() {
    let site = Site::open(1, 12);
    site.control("PATCH", "/salesforce/settings", br#"{"multiday_events": false}"#);
    make_precious(&site).await;
    make(&site, Record::Event(long_event())).await;
    ends(&site.run(&["sync", "--all"]), 1, &[]);
    assert_eq!(in_crm(&site, "Task", PRECIOUS), 1);
    ends(&site.run(&["failures"]), 1, &["crm.rule_refused", "calendar"]);
    site.control("PATCH", "/salesforce/settings", br#"{"multiday_events": true}"#);
    site.succeed(&["failures", "--retry", text(&site.people()[0], "smtp")]);
    comes_into_step(&site);
    assert_eq!(in_crm(&site, "Event", "A long one"), 1);
}

fn long_event() -> Event {
    let start = began() + TimeDelta::days(2);
    event(
        "A long one",
        When::Timed {
            start,
            end: start + TimeDelta::days(3),
        },
    )
}

#[test]
fn a_wrong_setting_is_refused_with_its_place_and_the_nearest_name() {
    let site = Site::bare(1, 0);
    site.write_settings("wrokers = 3");
    ends(
        &site.run(&["status"]),
        5,
        &[
            "sync.wrokers",
            "did you mean sync.workers?",
            "holdfast.toml, line",
        ],
    );
    site.write_settings("workers = \"many\"");
    ends(
        &site.run(&["status"]),
        5,
        &["sync.workers", "holdfast.toml, line"],
    );
    site.write_settings("workers = = 3");
    ends(
        &site.run(&["status"]),
        5,
        &["this is not TOML", "holdfast.toml, line"],
    );
    fs::remove_file(site.file("holdfast.toml")).unwrap();
    ends(&site.run(&["status"]), 5, &["holdfast.toml"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_names_and_malformed_lists_change_nothing() {
    let site = Site::open(1, 12);
    make_precious(&site).await;
    ends(
        &site.run(&["sync", "nobody@lab.example"]),
        5,
        &["knows no mailbox", "holdfast mailbox list"],
    );
    ends(
        &site.run(&["policy", "show", "nonesuch"]),
        5,
        &["no policy of this name", "holdfast policy show"],
    );
    let add = ["mailbox", "add", "new@lab.example", "--policy", "nonesuch"];
    ends(&site.run(&add), 5, &["no policy of this name"]);
    let list = site.file("people.csv");
    fs::write(&list, "address,colour\nnew@lab.example,red\n").unwrap();
    let list = list.display().to_string();
    ends(
        &site.run(&["mailbox", "add", "--file", &list]),
        5,
        &["is not a list of mailboxes", "header line"],
    );
    fs::write(&list, "address,policy\nnew@lab.example\n").unwrap();
    ends(
        &site.run(&["mailbox", "add", "--file", &list]),
        5,
        &["is not a list of mailboxes", "line: 2"],
    );
    assert!(!site.succeed(&["mailbox", "list"]).contains("new@lab.example"));
    comes_into_step(&site);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_key_file_is_named_and_never_replaced() {
    let site = Site::open(1, 12);
    make_precious(&site).await;
    let (key, aside) = (site.file("kek"), site.file("kek.aside"));
    fs::rename(&key, &aside).unwrap();
    ends(&site.run(&["sync", "--all"]), 5, &["kek"]);
    assert!(!key.exists(), "a new key would make every secret unreadable");
    fs::rename(&aside, &key).unwrap();
    comes_into_step(&site);
}
