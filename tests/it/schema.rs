//! What goes over the wire is valid under Microsoft's own schema: every answer of the lab, and every request of our
//! connector, under the newest server's schema and under the oldest one's.

use crate::harness::outside::Outside;
use crate::harness::records::{full, other};
use crate::harness::{began, eventually};
use crate::truth::{Running, clients_are_here};
use chrono::TimeDelta;
use holdfast::foundation::egress::MemoryLedger;
use holdfast::foundation::ids::MailboxId;
use holdfast::mailbox::exchange::ExchangeServer;
use holdfast::mailbox::listener::Hint;
use holdfast::mailbox::model::{ItemChange, ItemId, ItemRef, MailboxRef, MailboxWrite, Notify, Stamp};
use holdfast::mailbox::port::MailboxServer;
use holdfast::mailbox::series::Span;
use holdfast::record::Record;
use holdfast::record::field::FieldSet;
use holdfast::record::kind::RecordKind;
use holdfast::record::person::Person;
use holdfast_lab::exchange::groups::EVERYBODY;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// The schema is not part of the project: where it is not to be had, the script says so and nothing is judged.
#[tokio::test(flavor = "multi_thread")]
async fn every_request_and_answer_is_valid_under_the_vendors_schema() {
    if !clients_are_here() {
        return;
    }
    let running = Running::start();
    running.agrees("exchangelib_truth.py");
    Work::on(&running).all().await;
    every_operation_succeeded(&running);
    let output = running.script("schema_truth.py");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    eprintln!("{}{said}", String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Our connector at work in a mailbox: everything that the product does with one.
struct Work {
    server: Arc<ExchangeServer>,
    mailbox: MailboxRef,
}

impl Work {
    fn on(running: &Running) -> Self {
        let file = fs::read(running.folder.path().join("lab.json")).unwrap();
        let told: Value = serde_json::from_slice(&file).unwrap();
        let outside = Outside::told(&told);
        let (server, _) = outside.connect(Arc::new(MemoryLedger::default()));
        let address = told["people"][0]["smtp"].as_str().unwrap().to_owned();
        let mailbox = MailboxRef::new(MailboxId(1), address);
        Self { server, mailbox }
    }

    async fn all(&self) {
        self.server.probe(&self.mailbox).await.unwrap();
        for kind in RecordKind::ALL {
            let ids = self.ids(kind).await;
            let read = self.server.read(&self.mailbox, kind, &ids).await.unwrap();
            let records: Vec<Record> = read.into_iter().map(|item| item.unwrap().record).collect();
            if kind == RecordKind::Mail {
                self.take_an_attachment(&ids).await;
                continue;
            }
            // Every property at its fullest, then copies of items that are there.
            for record in [full(kind), other(kind)].into_iter().chain(records).take(12) {
                self.write(kind, record).await;
            }
        }
        self.read_series().await;
        self.meet_everybody().await;
        self.listen().await;
    }

    async fn ids(&self, kind: RecordKind) -> Vec<ItemId> {
        let page = self.server.changes(&self.mailbox, kind, None, 512).await.unwrap();
        let ids = page.changes.into_iter().filter_map(|change| match change {
            ItemChange::Upserted(item) => Some(item.id),
            ItemChange::Deleted(_) => None,
        });
        ids.collect()
    }

    /// Makes, finds, changes and deletes an item; each must succeed.
    async fn write(&self, kind: RecordKind, record: Record) {
        let stamp = Stamp(uuid::Uuid::new_v4().simple().to_string());
        let create = MailboxWrite::Create {
            stamp: stamp.clone(),
            record: record.clone(),
        };
        let made = self.one(kind, create).await;
        let found = self.server.find_stamped(&self.mailbox, kind, &[stamp]).await;
        assert!(found.unwrap()[0].is_some(), "{kind:?}: the stamp was not found");
        let update = MailboxWrite::Update {
            item: made,
            fields: FieldSet::of_kind(kind),
            record,
        };
        let item = self.one(kind, update).await.id;
        let mut done = self
            .server
            .write(
                &self.mailbox,
                kind,
                &[MailboxWrite::Delete { item }],
                Notify::Nobody,
            )
            .await
            .unwrap();
        done.pop().unwrap().unwrap();
    }

    async fn one(&self, kind: RecordKind, write: MailboxWrite) -> ItemRef {
        let done = self
            .server
            .write(&self.mailbox, kind, &[write], Notify::Nobody)
            .await;
        let written = done.unwrap().pop().unwrap();
        written.unwrap_or_else(|error| panic!("{kind:?}: {error:?}")).item
    }

    async fn take_an_attachment(&self, mails: &[ItemId]) {
        for mail in mails {
            let listed = self
                .server
                .attachments(&self.mailbox, RecordKind::Mail, mail)
                .await;
            if let Some(attachment) = listed.unwrap().first() {
                let mut opened = self.server.open(&self.mailbox, attachment).await.unwrap();
                while opened.bytes.next().await.unwrap().is_some() {}
                return;
            }
        }
        panic!("no mail of the mailbox has an attachment");
    }

    /// A meeting of a distribution list, whose members are asked for.
    async fn meet_everybody(&self) {
        let Record::Event(mut event) = full(RecordKind::Calendar) else {
            panic!("an event")
        };
        event.attendees.truncate(1);
        event.attendees[0].person = Person::at(EVERYBODY);
        let create = MailboxWrite::Create {
            stamp: Stamp(uuid::Uuid::new_v4().simple().to_string()),
            record: Record::Event(event),
        };
        let kind = RecordKind::Calendar;
        let id = self.one(kind, create).await.id;
        let read = self.server.read(&self.mailbox, kind, &[id]).await.unwrap();
        let Ok(Some(Record::Event(event))) = read
            .into_iter()
            .next()
            .map(|item| item.map(|item| item.record))
            .transpose()
        else {
            panic!("an event")
        };
        assert!(event.groups[0].members.len() > 1, "the list was not taken apart");
    }

    async fn read_series(&self) {
        let ids = self.ids(RecordKind::Calendar).await;
        let today = began().date_naive();
        let span = Span {
            from: today - TimeDelta::days(30),
            to: today + TimeDelta::days(60),
            endless_to: today + TimeDelta::days(60),
            most: 100,
        };
        let dates = self.server.dates(&self.mailbox, &ids, &span).await.unwrap();
        assert!(dates.iter().any(Result::is_ok), "the mailbox has no series");
    }

    async fn listen(&self) {
        let mut listener = self.server.listener().unwrap();
        let (tell, mut told) = mpsc::channel(16);
        let mailboxes = [self.mailbox.clone()];
        let heard = async {
            loop {
                if matches!(told.recv().await.unwrap(), Hint::Heard(_)) {
                    return;
                }
            }
        };
        tokio::select! {
            ended = listener.listen(&mailboxes, &tell) => panic!("{ended:?}"),
            () = heard => {}
        }
    }
}

/// What the schema is about to judge has every operation that our connector can send, and each was carried out:
/// a refused request says little about what the server thinks of its form.
fn every_operation_succeeded(running: &Running) {
    let record = running.folder.path().join("record");
    let wanted = operations();
    assert!(wanted.len() > 8, "{wanted:?}");
    // The answer to the listener goes on when its first piece is here.
    eventually(
        "the listener's answer was recorded",
        Duration::from_secs(20),
        || outcomes(&record).contains_key("GetStreamingEvents").then_some(()),
    );
    let outcomes = outcomes(&record);
    let unused: Vec<_> = wanted
        .iter()
        .filter(|operation| !outcomes.contains_key(*operation))
        .collect();
    assert!(unused.is_empty(), "{unused:?} were not used, only {outcomes:?}");
    for (operation, (well, refused)) in outcomes {
        assert!(well > 0, "{operation} never succeeded");
        let writes = ["CreateItem", "UpdateItem", "DeleteItem"].contains(&operation.as_str());
        assert!(!writes || refused == 0, "{operation} was refused {refused} times");
    }
}

/// The operations that the connector's wire room writes: one element each, at the top of what a function sends. Parts
/// that several of them share stand at the top of functions too.
fn operations() -> BTreeSet<String> {
    let wire = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mailbox/exchange/wire");
    let files = fs::read_dir(wire).unwrap().map(|file| file.unwrap().path());
    let texts = files.map(|file| fs::read_to_string(file).unwrap());
    let operation = |line: &str| {
        let (name, _) = line.strip_prefix("    w.element(\"m:")?.split_once('"')?;
        let is_part = ["Shape", "Ids"].iter().any(|end| name.ends_with(end));
        (!is_part).then(|| name.to_owned())
    };
    texts
        .flat_map(|text| text.lines().filter_map(operation).collect::<Vec<_>>())
        .collect()
}

/// For each operation that our connector sent: how many requests succeeded in every part, and how many not.
fn outcomes(record: &Path) -> BTreeMap<String, (u64, u64)> {
    let index = fs::read_to_string(record.join("index.jsonl")).unwrap();
    let mut found: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for line in index.lines() {
        let Ok(entry) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let agent = entry["user_agent"].as_str().unwrap_or_default();
        if !agent.to_lowercase().starts_with("holdfast") {
            continue;
        }
        let number = entry["number"].as_u64().unwrap();
        let request = fs::read_to_string(record.join(format!("{number:06}-request.xml"))).unwrap();
        let body = request.split_once(":Body>").unwrap().1;
        let operation = body.split_once("<m:").unwrap().1;
        let name: String = operation.chars().take_while(char::is_ascii_alphabetic).collect();
        let Some(answer) = answer(record, number) else {
            continue;
        };
        let well =
            answer.contains("ResponseClass=\"Success\"") && !answer.contains("ResponseClass=\"Error\"");
        let counts = found.entry(name).or_default();
        *(if well { &mut counts.0 } else { &mut counts.1 }) += 1;
    }
    found
}

/// The answer, or its first piece; none where it has none (yet), as in the middle of a sign-in.
fn answer(record: &Path, number: u64) -> Option<String> {
    let names: [PathBuf; 2] =
        ["response", "response-001"].map(|end| record.join(format!("{number:06}-{end}.xml")));
    names.iter().find_map(|name| fs::read_to_string(name).ok())
}
