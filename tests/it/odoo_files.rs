//! Attachments in a real Odoo: they arrive byte for byte where its people look for them, and once, whoever dies.

use crate::crm_contract::samples::{event, mail};
use crate::harness::{Site, eventually};
use crate::odoo_connector::{Office, office, office_of_two};
use crate::odoo_server::{Odoo, Rep};
use crate::odoo_sync::between;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use holdfast::crm::error::CrmError;
use holdfast::crm::model::{CrmId, ExternalKey, FileId, NewFile, NewFileBody};
use holdfast::crm::odoo::Api;
use holdfast::crm::port::{Crm, FileBody};
use holdfast::foundation::content::Content;
use holdfast::foundation::egress::Abandoned;
use holdfast::record::Record;
use holdfast::record::kind::RecordKind;
use holdfast::record::task::Task;
use holdfast::sync::policy::Policy;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fs;
use std::time::Duration;

const SEED: u64 = 20_261_124;

struct Pieces(VecDeque<Bytes>);

#[async_trait::async_trait]
impl FileBody for Pieces {
    async fn next(&mut self) -> Result<Option<Content<Bytes>>, Abandoned> {
        Ok(self.0.pop_front().map(Content::new))
    }
}

/// Bytes that no compression and no guess brings forth.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    StdRng::seed_from_u64(SEED).fill(bytes.as_mut_slice());
    bytes
}

pub async fn store(crm: &dyn Crm, office: &Office, key: &ExternalKey, bytes: &[u8]) -> FileId {
    let file = NewFile {
        key: key.clone(),
        name: "Übersicht.bin".into(),
        body: NewFileBody::Bytes(bytes.len() as u64),
    };
    let pieces = bytes.chunks(65_521).map(Bytes::copy_from_slice);
    let mut body = Pieces(pieces.collect());
    let stored = crm.store_file(&office.stage.user, file, &mut body).await;
    stored.expect("stored")
}

async fn mail_of_contact(office: &Office) -> CrmId {
    let letter = mail(&office.stage.contact.address, &[&office.rep.address]);
    let written = office.stage.create("mail", Record::Email(Box::new(letter))).await;
    written.expect("written").id
}

/// The attachments with this key that hang on a record.
pub async fn hanging(office: &Office, key: &ExternalKey, model: &str, id: &str) -> Vec<Value> {
    let domain = json!([
        ["description", "=", format!("Holdfast {}", key.0)],
        ["res_model", "=", model],
        ["res_id", "=", id.parse::<i64>().expect("a number")],
    ]);
    let asked = json!({ "domain": domain, "fields": ["name", "datas", "file_size"] });
    let rows = office
        .odoo
        .call(&office.rep.key, "ir.attachment", "search_read", asked);
    rows.await.as_array().expect("rows").clone()
}

/// What is attached to a mail, by Odoo's own list.
async fn of_mail(office: &Office, mail: &CrmId) -> Vec<Value> {
    let fields = crate::odoo_connector::ids(mail, &["attachment_ids"]);
    let rows = office
        .odoo
        .call(&office.rep.key, "mail.message", "read", fields)
        .await;
    rows[0]["attachment_ids"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn a_file_arrives_with_equal_bytes_on_the_mail_and_on_whom_it_concerns_by_either_interface() {
    for api in [Api::Json2, Api::JsonRpc] {
        let office = office(Some(api)).await;
        let (crm, user) = (&*office.stage.crm, &office.stage.user);
        let mail = mail_of_contact(&office).await;
        let (key, bytes) = (office.stage.key("file"), noise(3_000_001));
        assert!(crm.find_file(user, &key).await.expect("asked").is_none());
        let file = store(crm, &office, &key, &bytes).await;
        assert_eq!(
            crm.find_file(user, &key).await.expect("asked"),
            Some(file.clone())
        );
        crm.link_file(user, RecordKind::Mail, &mail, &file)
            .await
            .expect("hung");
        let found = hanging(&office, &key, "res.partner", &office.stage.contact.id.0).await;
        assert_eq!(found.len(), 1);
        let datas = found[0]["datas"].as_str().expect("base64");
        assert!(
            STANDARD.decode(datas).expect("base64") == bytes,
            "the bytes are equal"
        );
        assert_eq!(found[0]["name"], "Übersicht.bin");
        assert_eq!(of_mail(&office, &mail).await, [found[0]["id"].clone()]);
    }
}

#[tokio::test]
async fn a_file_is_sent_once_for_many_records_and_hangs_on_each_once_however_often_it_is_hung() {
    let office = office(None).await;
    let (crm, user) = (&*office.stage.crm, &office.stage.user);
    let mail = mail_of_contact(&office).await;
    let task = Record::Task(Task {
        subject: "with a file".into(),
        ..Task::default()
    });
    let task = office.stage.create("task", task).await.expect("written").id;
    let meeting = office.stage.create("event", Record::Event(event())).await;
    let meeting = meeting.expect("written").id;
    let key = office.stage.key("shared");
    let file = store(crm, &office, &key, b"one content").await;
    let places = [
        (RecordKind::Mail, &mail, "res.partner", &office.stage.contact.id.0),
        (RecordKind::Tasks, &task, "project.task", &task.0),
        (RecordKind::Calendar, &meeting, "calendar.event", &meeting.0),
    ];
    for (kind, record, model, id) in places {
        // Two mailboxes at one moment, and one of them once more after its crash.
        let hang = || crm.link_file(user, kind, record, &file);
        let (one, other) = tokio::join!(hang(), hang());
        assert!(one.is_ok() || other.is_ok(), "{model}");
        hang().await.expect("hung");
        let found = hanging(&office, &key, model, id).await;
        assert_eq!(found.len(), 1, "{model}");
        assert_eq!(found[0]["file_size"], 11, "{model}");
    }
    assert_eq!(of_mail(&office, &mail).await.len(), 1);
}

#[tokio::test]
async fn what_we_hung_on_a_meeting_comes_off_it_and_nothing_else_does() {
    let office = office(None).await;
    let (crm, user) = (&*office.stage.crm, &office.stage.user);
    let mail = mail_of_contact(&office).await;
    let meeting = office.stage.create("event", Record::Event(event())).await;
    let meeting = meeting.expect("written").id;
    let key = office.stage.key("off");
    let file = store(crm, &office, &key, b"one content").await;
    for (kind, record) in [(RecordKind::Mail, &mail), (RecordKind::Calendar, &meeting)] {
        crm.link_file(user, kind, record, &file).await.expect("hung");
    }
    let own = json!({ "vals_list": [{
        "name": "own.txt", "datas": "b3du", "res_model": "calendar.event",
        "res_id": meeting.0.parse::<i64>().expect("a number"),
    }] });
    office
        .odoo
        .call(&office.rep.key, "ir.attachment", "create", own)
        .await;
    let of_meeting = json!({ "domain": [["res_model", "=", "calendar.event"],
        ["res_id", "=", meeting.0.parse::<i64>().expect("a number")]] });
    let count = || {
        office.odoo.call(
            &office.rep.key,
            "ir.attachment",
            "search_count",
            of_meeting.clone(),
        )
    };
    assert_eq!(count().await, 2);
    for _ in 0..2 {
        let taken = crm.take_files_off(user, &meeting).await;
        taken.expect("taken off, and safe to repeat");
        assert_eq!(count().await, 1);
    }
    assert_eq!(of_mail(&office, &mail).await.len(), 1);
    let found = crm.find_file(user, &key).await.expect("asked");
    assert_eq!(found, Some(file), "and can be hung again");
}

#[tokio::test]
async fn a_mail_whose_copy_was_made_before_a_crash_gets_that_copy() {
    let office = office(None).await;
    let (crm, user) = (&*office.stage.crm, &office.stage.user);
    let mail = mail_of_contact(&office).await;
    let key = office.stage.key("crash");
    let file = store(crm, &office, &key, b"content").await;
    crm.link_file(user, RecordKind::Mail, &mail, &file)
        .await
        .expect("hung");
    let before = of_mail(&office, &mail).await;
    // As a crash between the copy and the mail leaves it.
    let id: i64 = mail.0.parse().expect("a number");
    let bare = json!({ "ids": [id], "vals": { "attachment_ids": [[5, 0, 0]] } });
    office.odoo.admin("mail.message", "write", bare).await;
    assert!(of_mail(&office, &mail).await.is_empty());
    crm.link_file(user, RecordKind::Mail, &mail, &file)
        .await
        .expect("hung");
    assert_eq!(of_mail(&office, &mail).await, before);
}

#[tokio::test]
async fn what_a_colleague_stored_is_refused_and_what_is_gone_is_said_to_be() {
    let office = office_of_two().await;
    let (crm, user) = (&*office.stage.crm, &office.stage.user);
    let mail = mail_of_contact(&office).await;
    let key = office.stage.key("colleague");
    let file = store(crm, &office, &key, b"content").await;
    let him = office.colleague.user();
    assert!(crm.find_file(&him, &key).await.expect("asked").is_none());
    let refused = crm.link_file(&him, RecordKind::Mail, &mail, &file).await;
    assert!(
        matches!(refused, Err(CrmError::NotPermitted { .. })),
        "{refused:?}"
    );
    let nowhere = CrmId(i32::MAX.to_string());
    for kind in [RecordKind::Mail, RecordKind::Calendar, RecordKind::Tasks] {
        let gone = crm.link_file(user, kind, &nowhere, &file).await;
        assert!(matches!(gone, Err(CrmError::Gone)), "{kind:?}: {gone:?}");
    }
    let id: i64 = file.0.parse().expect("a number");
    office
        .odoo
        .admin("ir.attachment", "unlink", json!({ "ids": [id] }))
        .await;
    let gone = crm.link_file(user, RecordKind::Mail, &mail, &file).await;
    assert!(matches!(gone, Err(CrmError::Gone)), "{gone:?}");
}

#[tokio::test]
async fn a_link_is_kept_as_a_link() {
    let office = office(None).await;
    let (crm, user) = (&*office.stage.crm, &office.stage.user);
    let mail = mail_of_contact(&office).await;
    let url = "https://files.example/plan?of=us";
    let file = NewFile {
        key: office.stage.key("link"),
        name: "plan.docx".into(),
        body: NewFileBody::Link(url.into()),
    };
    let mut nothing = Pieces(VecDeque::new());
    let file = crm.store_file(user, file, &mut nothing).await.expect("stored");
    crm.link_file(user, RecordKind::Mail, &mail, &file)
        .await
        .expect("hung");
    let id = of_mail(&office, &mail).await[0].to_string();
    let fields = crate::odoo_connector::ids(&CrmId(id), &["type", "url"]);
    let rows = office
        .odoo
        .call(&office.rep.key, "ir.attachment", "read", fields)
        .await;
    assert_eq!((&rows[0]["type"], &rows[0]["url"]), (&json!("url"), &json!(url)));
}

/// A lab and an Odoo with Holdfast between them that takes the attachments of mail, and a contact who writes.
async fn site_with_writer(odoo: &Odoo, reps: &[Rep]) -> (Site, String) {
    let site = between(odoo, reps, "");
    let writer = format!("writer.{}@customer.example", reps[0].login);
    odoo.person("res.partner", &writer).await;
    let mut policy = Policy::default();
    policy.attachments.of = vec![RecordKind::Mail];
    policy.attachments.max_bytes = 200 << 20;
    let file = site.file("policy.json");
    fs::write(&file, serde_json::to_string(&policy).unwrap()).unwrap();
    site.succeed(&["policy", "set", "default", file.to_str().unwrap()]);
    (site, writer)
}

/// Puts a mail into the first person's inbox, with a file of so many bytes made up or with these; says its id.
fn deliver(site: &Site, writer: &str, number: usize, file: (&str, u64), bytes: &[u8]) -> String {
    let address = site.people()[0]["smtp"].as_str().unwrap().to_owned();
    let text = format!(
        "From: {writer}\r\nTo: {address}\r\nSubject: Offer {number}\r\n\
         Message-ID: <{number}.{writer}>\r\nDate: {}\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain\r\n\r\nRegards\r\n",
        chrono::Utc::now().to_rfc2822()
    );
    let path = format!("/exchange/import-eml?mailbox={address}&folder=inbox");
    let told = site.control("POST", &path, text.as_bytes());
    let id = told["id"].as_str().unwrap().to_owned();
    let item: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    let size = if bytes.is_empty() {
        format!("&size={}", file.1)
    } else {
        String::new()
    };
    let path = format!("/exchange/attach?item={item}&name={}{size}", file.0);
    site.control("POST", &path, bytes);
    id
}

/// Waits for Odoo's answer where a condition is looked at.
fn now<T>(asked: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(asked))
}

/// The attachments of that name which hang on a mail.
async fn arrived(odoo: &Odoo, rep: &Rep, name: &str) -> Vec<Value> {
    let asked = json!({
        "domain": [["name", "=", name], ["res_model", "=", "res.partner"]], "fields": ["file_size", "datas"],
    });
    let rows = odoo.call(&rep.key, "ir.attachment", "search_read", asked).await;
    rows.as_array().expect("rows").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_between_store_and_link_lose_no_file_and_double_none() {
    let odoo = Odoo::up();
    let reps = [odoo.rep()];
    let (mut site, writer) = site_with_writer(&odoo, &reps).await;
    let bytes = noise(1_400_000);
    let name = |number: usize| format!("{number}.{}.bin", reps[0].login);
    let mut random = StdRng::seed_from_u64(SEED);
    for number in 0..6 {
        let mut content = bytes.clone();
        content[0] = u8::try_from(number).unwrap();
        deliver(&site, &writer, number, (&name(number), 0), &content);
        site.start_daemon();
        let until = site.requests() + random.random_range(4..24);
        eventually("the daemon works", Duration::from_secs(60), || {
            (site.requests() >= until).then_some(())
        });
        site.kill_daemon();
    }
    site.start_daemon();
    for number in 0..6 {
        eventually("the file arrives", Duration::from_secs(120), || {
            let found = now(arrived(&odoo, &reps[0], &name(number)));
            (!found.is_empty()).then_some(())
        });
    }
    site.in_step();
    for number in 0..6 {
        let found = arrived(&odoo, &reps[0], &name(number)).await;
        assert_eq!(found.len(), 1, "seed {SEED}: file {number}");
        let arrived = STANDARD.decode(found[0]["datas"].as_str().unwrap()).unwrap();
        assert!(
            usize::from(arrived[0]) == number && arrived[1..] == bytes[1..],
            "file {number}"
        );
    }
    let stored = json!([
        ["name", "in", (0..6).map(name).collect::<Vec<_>>()],
        ["res_model", "=", false]
    ]);
    assert_eq!(
        odoo.count("ir.attachment", stored).await,
        6,
        "each was stored once"
    );
}

/// How many mails of this number are in Odoo.
async fn letters(odoo: &Odoo, rep: &Rep, writer: &str, number: usize) -> Value {
    let asked = json!({ "domain": [["message_id", "=", format!("<{number}.{writer}>")]] });
    odoo.call(&rep.key, "mail.message", "search_count", asked).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_beyond_odoos_own_setting_stays_behind_with_its_code_and_next_step_and_its_mail_goes() {
    let odoo = Odoo::apart();
    let takes = async |bytes: u64| {
        let set = json!({ "key": "web.max_file_upload_size", "value": bytes.to_string() });
        odoo.admin("ir.config_parameter", "set_param", set).await;
    };
    takes(1 << 20).await;
    let reps = [odoo.rep()];
    let (site, writer) = site_with_writer(&odoo, &reps).await;
    let named = |number: usize| format!("{number}.{}.bin", reps[0].login);
    deliver(&site, &writer, 1, (&named(1), 100_000), b"");
    let item = deliver(&site, &writer, 2, (&named(2), 3 << 20), b"");
    site.run(&["sync", "--all"]);
    for number in [1, 2] {
        assert_eq!(
            letters(&odoo, &reps[0], &writer, number).await,
            1,
            "mail {number}"
        );
    }
    assert_eq!(arrived(&odoo, &reps[0], &named(1)).await.len(), 1);
    assert!(arrived(&odoo, &reps[0], &named(2)).await.is_empty());
    let told = String::from_utf8(site.run(&["failures"]).stdout).unwrap();
    assert!(
        told.contains("crm.rule_refused") && told.contains("Of a file it may be the size"),
        "{told}"
    );
    let address = site.people()[0]["smtp"].as_str().unwrap().to_owned();
    let told = site.succeed(&["explain", &address, &item]);
    assert!(told.contains("Failed 1 times so far."), "{told}");
    // Once Odoo takes as much, it goes.
    takes(128 << 20).await;
    site.succeed(&["failures", "--retry", &address]);
    site.run(&["sync", "--all"]);
    assert_eq!(arrived(&odoo, &reps[0], &named(2)).await.len(), 1);
    odoo.drop_database();
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_megabytes_pass_in_under_sixteen_more_of_memory_and_what_odoo_does_not_take_is_said() {
    const SIZE: u64 = 60 << 20;
    let odoo = Odoo::up();
    let reps = [odoo.rep()];
    let (mut site, writer) = site_with_writer(&odoo, &reps).await;
    let named = |number: usize| format!("{number}.{}.bin", reps[0].login);
    let (first, large) = (named(1), named(2));
    // Everything that is made once is made before the measurement.
    deliver(&site, &writer, 1, (&first, 3 << 20), b"");
    site.start_daemon();
    eventually("the first file arrives", Duration::from_secs(60), || {
        (now(arrived(&odoo, &reps[0], &first)).len() == 1).then_some(())
    });
    let process = format!("/proc/{}", site.daemon_id());
    let status = |field: &str| -> u64 {
        let text = fs::read_to_string(format!("{process}/status")).unwrap();
        let line = text.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    // Resets the peak ("clear_refs", proc(5)).
    fs::write(format!("{process}/clear_refs"), "5").unwrap();
    let before = status("VmRSS:");
    let sent = deliver(&site, &writer, 2, (&large, SIZE), b"");
    let too_large = deliver(&site, &writer, 3, (&named(3), 101 << 20), b"");
    let address = site.people()[0]["smtp"].as_str().unwrap().to_owned();
    eventually("both are dealt with", Duration::from_secs(180), || {
        let told = |item: &str| site.succeed(&["explain", &address, item]);
        (told(&sent).contains("Attachments: 1. It hangs") && told(&too_large).contains("It is larger than"))
            .then_some(())
    });
    let more = status("VmHWM:").saturating_sub(before);
    let asked = json!({ "domain": [["name", "=", large]], "fields": ["file_size"] });
    let rows = odoo
        .call(&reps[0].key, "ir.attachment", "search_read", asked)
        .await;
    let sizes: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["file_size"])
        .collect();
    assert_eq!(sizes, [SIZE, SIZE], "what is stored, and its copy on the contact");
    assert!(more < 16 << 10, "{more} KiB more");
    assert!(arrived(&odoo, &reps[0], &named(3)).await.is_empty());
}
