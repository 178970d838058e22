//! Promise P1, no content at rest: markers in every content field on both sides, a whole life of the appliance
//! (first read, edits, failures, kill, restart) with its log at its loudest, then every byte of its folders is
//! searched.

pub mod plant;
mod scan;
mod texts;

use crate::harness::Site;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plant::Words;
use scan::scan_but;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

pub use scan::scan;

/// How long everything may take to cross, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// The lab's own, in the site's folder.
const OF_THE_LAB: &[&str] = &["lab.state"];

/// A policy that lets through as much as there can be.
pub fn take_everything(site: &Site) {
    let policy = site.file("policy.json");
    let mut taking = holdfast::sync::policy::Policy::default();
    taking.attachments.of = holdfast::record::kind::RecordKind::ALL.to_vec();
    taking.attachments.inline = true;
    fs::write(&policy, serde_json::to_string(&taking).unwrap()).unwrap();
    site.succeed(&["policy", "set", "default", policy.to_str().unwrap()]);
}

/// What stands there before anything was read, which is no content: settings, words of the database and of the code.
pub fn there_already(site: &Site) -> BTreeSet<String> {
    let everything: Vec<String> = texts::world_texts(site).into_iter().collect();
    let (hits, _) = scan_but(site.folder(), OF_THE_LAB, &everything);
    let before: BTreeSet<String> = hits.into_iter().map(|hit| hit.marker).collect();
    assert!(before.len() < 40, "{before:?} stand there already");
    before
}

/// Everything that people of the lab wrote, but for what was there already.
pub fn world_but(site: &Site, before: &BTreeSet<String>) -> BTreeSet<String> {
    let texts = texts::world_texts(site).into_iter();
    texts.filter(|text| !before.contains(text)).collect()
}

/// What an operator reads on his screen, kept where it is searched.
pub fn look_around(site: &Site) {
    let mut screen = Vec::new();
    for command in [
        &["status"][..],
        &["failures"],
        &["mailbox", "list"],
        &["completeness", "--as-it-is"],
        &["quarantine", "list"],
        &["check"],
    ] {
        for arguments in [command.to_vec(), [&["--json"], command].concat()] {
            let output = site.run(&arguments);
            screen.extend([output.stdout, output.stderr].concat());
        }
    }
    fs::write(site.file("screen"), screen).unwrap();
}

fn faults(site: &Site) {
    for rule in [
        r#"{"side":"exchange","operation":"GetItem","kind":"illegal_xml","times":2}"#,
        r#"{"side":"exchange","operation":"GetItem","kind":"cut","after_bytes":900,"times":2}"#,
        r#"{"side":"salesforce","operation":"collections_create","kind":"half_applied","times":1}"#,
        r#"{"side":"salesforce","operation":"query_all","kind":"html","status":200,"times":2}"#,
    ] {
        site.control("POST", "/faults", rule.as_bytes());
    }
}

/// Nothing of this lies in the site's folder.
pub fn nothing_of(site: &Site, markers: &[String]) {
    let (hits, looked) = scan_but(site.folder(), OF_THE_LAB, markers);
    let told: BTreeSet<String> = hits
        .iter()
        .map(|hit| format!("{} as {} in {}", hit.marker, hit.spelling, hit.file.display()))
        .collect();
    let some: Vec<_> = told.iter().take(20).collect();
    assert!(told.is_empty(), "{} places, such as {some:#?}", told.len());
    assert!(looked > 20_000_000, "only {looked} bytes were searched");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_content_is_at_rest_after_a_whole_life_of_the_appliance() {
    let mut site = Site::open(3, 60);
    site.write_settings_of("level = \"trace\"", "");
    take_everything(&site);
    let before = there_already(&site);
    let mut words = Words::default();
    plant::records(&site, &mut words).await;
    plant::mail(&site, &mut words, 1);
    site.start_daemon();
    until_carried(&site, &words);
    nothing_of(&site, &words.planted);
    // Failures, a cut connection, an answer that does not parse, a kill in the middle, a restart.
    faults(&site);
    plant::deliver(
        &site,
        b"From: stranger <canary.sender@outside.example>\r\nTo: x@lab.example\r\n\
          Subject: canary subject that nobody may find\r\nMessage-ID: <canary-1@outside.example>\r\n\r\n\
          canary body that nobody may find either\r\n",
    );
    // A file of some megabytes goes another way than a small one.
    plant::mail(&site, &mut words, 200_000);
    site.kill_daemon();
    site.kill_postgresql();
    site.start_daemon();
    until_carried(&site, &words);
    let unfit = plant::unfit(&site, &mut words).await;
    until_sealed(&site, &unfit);
    look_around(&site);
    let mut markers = world_but(&site, &before);
    markers.extend(words.planted);
    markers.extend(["canary.sender@", "canary subject", "canary body"].map(str::to_owned));
    assert!(markers.len() > 1_000, "only {} markers", markers.len());
    site.kill_daemon();
    site.kill_postgresql();
    nothing_of(&site, &markers.into_iter().collect::<Vec<_>>());
}

/// Waits until an item has failed and is known by its name to those who may read that.
fn until_sealed(site: &Site, title: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let named = site.run(&["--json", "failures", "--names"]).stdout;
        if String::from_utf8(named).unwrap().contains(title) {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{title} has not failed\n{}",
            site.says()
        );
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

/// Waits until what was planted on one side is on the other: it has been through the appliance.
fn until_carried(site: &Site, words: &Words) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let world = site.control("GET", "/world", b"");
        let (mailbox, crm) = (world["exchange"].to_string(), world["salesforce"].to_string());
        let is_missing = |word: &&String| !mailbox.contains(*word) || !crm.contains(*word);
        let missing: Vec<_> = words.carried.iter().filter(is_missing).collect();
        if missing.is_empty() {
            return site.in_step();
        }
        assert!(
            Instant::now() < deadline,
            "not on both sides: {missing:?}\n{}",
            site.says()
        );
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

#[test]
fn what_the_encoders_of_others_write_is_found_in_every_spelling() {
    for text in [
        "Ein Päckchen für Zoë_17",
        "qz417.jorvik@canary417.example",
        "+49 30 74173141592",
        "Łoś Zoë",
        "\"O'Brien\" <4711> & Søn",
        "Wir melden uns nächste Woche mit Zahlen, und zwar 50% früher = eher.",
    ] {
        let answer = plant::encoders("spellings", &json!({"text": text}));
        let spelled: BTreeMap<String, Value> = serde_json::from_slice(&answer).unwrap();
        assert!(spelled.len() > 20);
        for (name, bytes) in spelled {
            let bytes = STANDARD.decode(bytes.as_str().unwrap()).unwrap();
            let folder = tempfile::tempdir().unwrap();
            fs::write(
                folder.path().join("planted"),
                [b"before ".as_slice(), &bytes, b" after"].concat(),
            )
            .unwrap();
            let (hits, _) = scan(folder.path(), &[text.to_owned()]);
            let said = String::from_utf8_lossy(&bytes);
            assert!(!hits.is_empty(), "{text} was not found as {name}: {said}");
        }
    }
}

#[test]
#[should_panic(expected = "cannot be searched")]
fn what_cannot_be_read_is_not_taken_for_clean() {
    let folder = tempfile::tempdir().unwrap();
    scan(&folder.path().join("absent"), &["some marker".to_owned()]);
}
