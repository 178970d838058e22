//! Clients that others wrote, against the lab: what they understand, a real Exchange or Salesforce would say
//! too. Each runs as a process against a lab process of its own; the scripts are in `tests/truth`.

use crate::harness::office::Outside;
use holdfast::foundation::egress::MemoryLedger;
use holdfast::foundation::ids::MailboxId;
use holdfast::mailbox::error::MailboxError;
use holdfast::mailbox::model::{ItemChange, ItemId, ItemRef, MailboxRef, MailboxWrite, Notify, Stamp};
use holdfast::mailbox::port::MailboxServer;
use holdfast::record::field::FieldSet;
use holdfast::record::kind::RecordKind;
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

/// A lab process with its description in a file; ended when dropped.
struct Running {
    folder: TempDir,
    process: Child,
}

impl Running {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_holdfast")).with_file_name("holdfast-lab");
        let mut process = Command::new(program)
            .args(["up", "--people", "3", "--seed", "1", "--http", "--ca-file"])
            .arg(folder.path().join("ca.pem"))
            .arg("--record")
            .arg(folder.path().join("record"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("build the lab first: cargo build --workspace --bins");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        fs::write(folder.path().join("lab.json"), line).unwrap();
        Self { folder, process }
    }

    fn script(&self, name: &str) -> Output {
        Command::new(scripts().join("run.sh"))
            .arg(name)
            .arg(self.folder.path().join("lab.json"))
            .env("TMPDIR", self.folder.path())
            .output()
            .unwrap()
    }

    /// Runs a script that must end well and count at least one check.
    fn agrees(&self, name: &str) {
        let output = self.script(name);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let last = said.lines().last().unwrap_or_default();
        assert!(
            output.status.success() && last.starts_with("ok: ") && last != "ok: 0 checks",
            "{name}: {last}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        eprintln!("{name}: {last}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/truth")
}

/// Whether the clients could be prepared; says what is missing if not. A later call only compares a stamp.
fn clients_are_here() -> bool {
    let output = Command::new(scripts().join("setup.sh")).output().unwrap();
    if !output.status.success() {
        eprintln!(
            "skipped, the independent clients cannot be had here: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    output.status.success()
}

fn agrees(script: &str) {
    if clients_are_here() {
        Running::start().agrees(script);
    }
}

#[test]
fn exchangelib_and_the_lab_agree() {
    agrees("exchangelib_truth.py");
}

#[test]
fn ews_javascript_api_and_the_lab_agree() {
    agrees("ews_javascript_truth.js");
}

#[test]
fn simple_salesforce_and_the_lab_agree() {
    agrees("simple_salesforce_truth.py");
}

#[test]
fn jsforce_and_the_lab_agree() {
    agrees("jsforce_truth.js");
}

#[test]
fn davmail_and_the_lab_agree() {
    agrees("davmail_truth.py");
}

/// What goes over the wire is valid under Microsoft's own schema: every answer of the lab, and every request of
/// our connector, under the newest server's schema and under the oldest one's. The schema is not part of the
/// project; where it is not to be had, the script says so and nothing is judged.
#[tokio::test(flavor = "multi_thread")]
async fn every_request_and_answer_is_valid_under_the_vendors_schema() {
    if !clients_are_here() {
        return;
    }
    let running = Running::start();
    running.agrees("exchangelib_truth.py");
    our_connector_works(&running).await;
    let output = running.script("schema_truth.py");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    eprintln!("{}{said}", String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Reads, makes, changes and deletes an item of each kind as the product does.
async fn our_connector_works(running: &Running) {
    let told: Value =
        serde_json::from_slice(&fs::read(running.folder.path().join("lab.json")).unwrap()).unwrap();
    let text = |side: &str, name: &str| told[side][name].as_str().unwrap().to_owned();
    let outside = Outside {
        exchange_url: text("exchange", "url"),
        salesforce_url: text("salesforce", "login_url"),
        ca_pem: text("exchange", "ca_pem"),
        service: (
            text("exchange", "service_login"),
            text("exchange", "service_password"),
        ),
    };
    let (server, _) = outside.connect(Arc::new(MemoryLedger::default()));
    let address = told["people"][0]["smtp"].as_str().unwrap().to_owned();
    let mailbox = MailboxRef::new(MailboxId(1), address);
    server.probe(&mailbox).await.unwrap();
    for kind in RecordKind::ALL {
        let page = server.changes(&mailbox, kind, None, 512).await.unwrap();
        let ids: Vec<ItemId> = page
            .changes
            .iter()
            .filter_map(|change| match change {
                ItemChange::Upserted(item) => Some(item.id.clone()),
                ItemChange::Deleted(_) => None,
            })
            .collect();
        let read = server.read(&mailbox, kind, &ids).await.unwrap();
        if kind == RecordKind::Mail {
            continue;
        }
        // A copy of an item that is there has every property that items have here.
        let records: Vec<_> = read
            .into_iter()
            .flatten()
            .map(|item| item.record)
            .take(12)
            .collect();
        for (number, record) in records.into_iter().enumerate() {
            let stamp = Stamp(format!("{number:032x}"));
            let create = MailboxWrite::Create {
                stamp: stamp.clone(),
                record: record.clone(),
            };
            let Ok(made) = write_one(&*server, &mailbox, kind, create).await else {
                continue;
            };
            server.find_stamped(&mailbox, kind, &[stamp]).await.unwrap();
            let fields = FieldSet::of_kind(kind);
            let update = MailboxWrite::Update {
                item: made.clone(),
                fields,
                record,
            };
            let item = write_one(&*server, &mailbox, kind, update)
                .await
                .map_or(made.id, |item| item.id);
            write_one(&*server, &mailbox, kind, MailboxWrite::Delete { item })
                .await
                .unwrap();
        }
    }
}

async fn write_one(
    server: &dyn MailboxServer,
    mailbox: &MailboxRef,
    kind: RecordKind,
    write: MailboxWrite,
) -> Result<ItemRef, MailboxError> {
    let mut done = server.write(mailbox, kind, &[write], Notify::Nobody).await?;
    done.pop().unwrap().map(|written| written.item)
}
