//! The whole of Holdfast between the lab's Exchange and a real Odoo: `kill -9` at random moments, and no content
//! at rest afterwards.

use crate::canary::plant::{self, Words};
use crate::canary::{look_around, nothing_of, scan, take_everything, there_already, world_but};
use crate::harness::acts::{event, made_by_owner};
use crate::harness::{Site, began, eventually, until};
use crate::odoo_server::{Odoo, Rep};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{TimeDelta, Utc};
use holdfast::foundation::egress::MemoryLedger;
use holdfast::foundation::ids::MailboxId;
use holdfast::mailbox::model::{MailboxRef, Notify};
use holdfast::mailbox::port::MailboxServer;
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::event::When;
use holdfast::record::field::Field;
use holdfast::record::task::Task;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

const SEED: u64 = 20_261_125;

/// A lab and an Odoo with Holdfast between them, set up for the lab's people; nothing is synchronised yet. The log
/// has this further line of settings.
pub fn between(odoo: &Odoo, reps: &[Rep], log: &str) -> Site {
    let site = Site::bare(reps.len(), 40);
    let folder = site.folder().display();
    let exchange = site.told["exchange"]["url"].as_str().unwrap().to_owned();
    let url: url::Url = exchange.parse().unwrap();
    let settings = format!(
        r#"data_dir = "{folder}/data"
[log]
directory = "{folder}/log"
{log}
[web]
listen = "127.0.0.1:0"
[egress]
allow = ["localhost:{exchange_port}", "127.0.0.1:{odoo_port}"]
extra_ca_files = ["{folder}/ca.pem"]
[keyring]
key_file = "{folder}/kek"
[mail_server.lab]
kind = "exchange"
url = "{exchange}"
login = 'LAB\svc-holdfast'
sign_in = "ntlm"
[crm.odoo]
kind = "odoo"
url = "{odoo_url}"
database = "{database}"
[sync]
poll_interval_s = 1
retry_first_s = 1
retry_last_s = 2
lease_s = 5
"#,
        exchange_port = url.port().unwrap(),
        odoo_port = odoo.url.port().unwrap(),
        odoo_url = odoo.url,
        database = odoo.database,
    );
    fs::write(site.file("holdfast.toml"), settings).unwrap();
    site.succeed(&["migrate"]);
    site.store_password(site.told["exchange"]["service_password"].as_str().unwrap());
    for (person, rep) in site.people().iter().zip(reps) {
        site.store_secret(&format!("crm.odoo.key.{}", rep.login), &rep.key);
        let address = person["smtp"].as_str().unwrap();
        site.succeed(&["mailbox", "add", address, "--crm-user", &rep.login]);
    }
    site
}

/// The first person at Outlook.
pub struct Hands {
    server: Arc<holdfast::mailbox::exchange::ExchangeServer>,
    mailbox: MailboxRef,
}

pub fn hands(site: &Site) -> Hands {
    let (server, _) = site.outside().connect(Arc::new(MemoryLedger::default()));
    let address = site.people()[0]["smtp"].as_str().unwrap().to_owned();
    Hands {
        server,
        mailbox: MailboxRef::new(MailboxId(1), address),
    }
}

impl Hands {
    pub async fn make(&self, record: Record) {
        let kind = record.kind();
        let write = [made_by_owner(record)];
        let done = self
            .server
            .write(&self.mailbox, kind, &write, Notify::Nobody)
            .await;
        done.unwrap().pop().unwrap().unwrap();
    }
}

/// Makes a thing of each kind on each side, and says the models in Odoo and the titles.
async fn work(site: &Site, odoo: &Odoo, rep: &Rep, number: usize) -> Vec<(&'static str, String)> {
    let hands = hands(site);
    let title = |sort: &str, side: &str| format!("kill-{sort}-{side}-{number}-{}", rep.login);
    let start = began() + TimeDelta::hours(48 + number as i64);
    let end = start + TimeDelta::minutes(30);
    let mine = [
        Record::Task(Task {
            subject: title("task", "mailbox").into(),
            ..Task::default()
        }),
        Record::Event(event(&title("event", "mailbox"), When::Timed { start, end })),
        Record::Contact(Contact {
            family_name: title("card", "mailbox").into(),
            ..Contact::default()
        }),
    ];
    for record in mine {
        hands.make(record).await;
    }
    let wire = |at: chrono::DateTime<Utc>| at.format("%Y-%m-%d %H:%M:%S").to_string();
    let theirs = [
        (
            "project.task",
            json!({ "name": title("task", "odoo"), "user_ids": [[6, 0, [rep.id]]] }),
        ),
        (
            "calendar.event",
            json!({ "name": title("event", "odoo"), "start": wire(start), "stop": wire(end) }),
        ),
        (
            "res.partner",
            json!({ "name": title("card", "odoo"), "user_id": rep.id }),
        ),
    ];
    for (model, values) in theirs {
        let create = json!({ "vals_list": [values] });
        odoo.call(&rep.key, model, "create", create).await;
    }
    let sorts = [
        ("project.task", "task"),
        ("calendar.event", "event"),
        ("res.partner", "card"),
    ];
    let titled = |(model, sort)| ["mailbox", "odoo"].map(|side| (model, title(sort, side)));
    sorts.into_iter().flat_map(titled).collect()
}

/// In how many items of the lab's Exchange a title stands.
pub fn copies(site: &Site, title: &str) -> usize {
    let world = site.control("GET", "/world", b"");
    let items = world["exchange"].as_array().unwrap().iter();
    let items = items.flat_map(|mailbox| mailbox["items"].as_array().unwrap());
    let holds = |item: &&Value| item["fields"].to_string().contains(title);
    items.filter(holds).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifteen_kills_beside_a_real_odoo_lose_nothing_and_double_nothing() {
    let odoo = Odoo::up();
    let reps = [odoo.rep(), odoo.rep()];
    let mut site = between(&odoo, &reps, "");
    let mut random = StdRng::seed_from_u64(SEED);
    let mut titles = Vec::new();
    for number in 0..15 {
        titles.extend(work(&site, &odoo, &reps[0], number).await);
        site.start_daemon();
        let until = site.requests() + random.random_range(0..14);
        eventually("the daemon works", Duration::from_secs(60), || {
            (site.requests() >= until).then_some(())
        });
        site.kill_daemon();
    }
    site.start_daemon();
    for (_, title) in &titles {
        eventually(
            "the title stands in the mailbox",
            Duration::from_secs(120),
            || (copies(&site, title) >= 1).then_some(()),
        );
    }
    site.in_step();
    for (model, title) in &titles {
        assert_eq!(copies(&site, title), 1, "seed {SEED}: {title} in the mailbox");
        // With the person's own eyes: what has no project is shown to nobody else, not even the administrator.
        let named = json!({ "domain": [["name", "=", title]] });
        let found = odoo.call(&reps[0].key, model, "search_count", named).await;
        assert_eq!(found, 1, "seed {SEED}: {title} in Odoo");
    }
    assert_eq!(odoo.told(&[&reps[0], &reps[1]]).await, 0, "nobody is mailed");
    let noticed = site.control("GET", "/ledger", b"");
    assert!(
        noticed["entries"].as_array().is_none_or(Vec::is_empty),
        "somebody was told"
    );
}

/// Words in every form of Odoo's.
async fn plant_in_odoo(odoo: &Odoo, rep: &Rep, words: &mut Words) {
    let mut said = |carried: bool| match carried {
        true => words.carried().expose().clone(),
        false => words.word().expose().clone(),
    };
    let guest = json!({ "name": said(false), "email": "" });
    let card = json!({
        "name": said(true), "function": said(true), "street": said(true), "city": said(true),
        "comment": format!("<p>{}</p>", said(true)), "user_id": rep.id,
    });
    let meeting = json!({
        "name": said(true), "location": said(true), "description": format!("<p>{}</p>", said(true)),
    });
    let task = json!({
        "name": said(true), "description": format!("<p>{}</p>", said(true)), "user_ids": [[6, 0, [rep.id]]],
    });
    let (mut guest, mut card, mut meeting) = (guest, card, meeting);
    for cells in [&mut guest, &mut card] {
        cells["email"] = json!(words.address().expose());
        cells["phone"] = json!(words.phone().expose());
    }
    let guest = json!({ "vals_list": [guest] });
    let guest = odoo.admin("res.partner", "create", guest).await;
    let at = |hours: i64| (began() + TimeDelta::hours(hours)).format("%Y-%m-%d %H:%M:%S");
    meeting["start"] = json!(at(50).to_string());
    meeting["stop"] = json!(at(51).to_string());
    meeting["partner_ids"] = json!([[6, 0, [rep.partner, guest[0]]]]);
    for (model, values) in [
        ("res.partner", card),
        ("calendar.event", meeting),
        ("project.task", task),
    ] {
        let create = json!({ "vals_list": [values], "context": { "no_mail_to_attendees": true } });
        odoo.call(&rep.key, model, "create", create).await;
    }
}

/// Everything that Odoo has of this person's, in one text.
async fn of_odoo(odoo: &Odoo, rep: &Rep) -> String {
    let mine = |field: &str| json!([[field, "=", rep.id]]);
    let card = json!([
        "name", "function", "email", "phone", "street", "city", "zip", "comment"
    ]);
    let meeting = json!(["name", "location", "description"]);
    let on_record = json!([
        ["create_uid", "=", rep.id],
        ["res_model", "in", ["res.partner", "calendar.event"]]
    ]);
    let mut all = String::new();
    for (model, domain, fields) in [
        ("res.partner", mine("user_id"), card),
        ("calendar.event", mine("user_id"), meeting),
        ("project.task", mine("user_ids"), json!(["name", "description"])),
        ("mail.message", mine("create_uid"), json!(["subject", "body"])),
        ("ir.attachment", on_record, json!(["name", "res_model"])),
    ] {
        let search = json!({ "domain": domain, "fields": fields });
        let rows = odoo.call(&rep.key, model, "search_read", search).await;
        all += &rows.to_string();
    }
    all
}

/// Waits until what was planted on one side is on the other: it has been through the appliance.
async fn until_carried(site: &Site, odoo: &Odoo, rep: &Rep, words: &Words) {
    until(
        "the words are on both sides",
        Duration::from_secs(120),
        async || {
            let mailbox = site.control("GET", "/world", b"")["exchange"].to_string();
            let crm = of_odoo(odoo, rep).await;
            let missing = words
                .carried
                .iter()
                .filter(|word| !mailbox.contains(*word) || !crm.contains(*word));
            (missing.count() == 0).then_some(())
        },
    )
    .await;
    site.in_step();
}

/// Or else the search would prove nothing: each of these lies in the appliance's data folder for once, in each of
/// four encodings, and is found.
fn whatever_lay_there_would_be_found(site: &Site, planted: &[String]) {
    type Spelling = fn(&str) -> Vec<u8>;
    let spelled: [(&str, Spelling); 4] = [
        ("as it is", |text| text.as_bytes().to_vec()),
        ("UTF-16", |text| {
            text.encode_utf16().flat_map(u16::to_le_bytes).collect()
        }),
        ("base64", |text| STANDARD.encode(text).into_bytes()),
        ("hexadecimal", |text| {
            let digits: Vec<_> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            digits.concat().into_bytes()
        }),
    ];
    let folder = site.file("data/planted");
    for (name, spell) in spelled {
        fs::create_dir_all(&folder).unwrap();
        let all: Vec<_> = planted.iter().map(|text| spell(text)).collect();
        fs::write(folder.join("file"), all.join(b" ".as_slice())).unwrap();
        let (hits, _) = scan(&folder, planted);
        let found: BTreeSet<_> = hits.into_iter().map(|hit| hit.marker).collect();
        let missed = planted.iter().filter(|text| !found.contains(*text));
        assert_eq!(missed.count(), 0, "{name}");
        fs::remove_dir_all(&folder).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_content_is_at_rest_after_a_life_beside_a_real_odoo() {
    let odoo = Odoo::up();
    let reps = [odoo.rep(), odoo.rep()];
    let mut site = between(&odoo, &reps, "level = \"trace\"");
    take_everything(&site);
    let carry = |file: String, words: &mut Words| words.carried.push(file);
    let before = there_already(&site);
    let mut words = Words {
        not_in_crm: vec![Field::Department],
        ..Words::default()
    };
    plant::in_mailbox(&site, &mut words).await;
    plant_in_odoo(&odoo, &reps[0], &mut words).await;
    let customer = format!("canary.{}@out.example", reps[0].login);
    odoo.person("res.partner", &customer).await;
    carry(plant::mail_of(&site, &mut words, 1, &customer), &mut words);
    carry(plant::meeting_with_file(&site, &mut words, 1).await, &mut words);
    site.start_daemon();
    until_carried(&site, &odoo, &reps[0], &words).await;
    nothing_of(&site, &words.planted);
    // A tracebacks' worth of trouble: a key that Odoo refuses, then the right one again.
    let name = format!("crm.odoo.key.{}", reps[0].login);
    site.kill_daemon();
    site.store_secret(&name, "not a key of anybody");
    site.run(&["sync", "--all"]);
    site.store_secret(&name, &reps[0].key);
    site.kill_postgresql();
    // Files of some megabytes go another way than small ones.
    carry(plant::mail_of(&site, &mut words, 200_000, &customer), &mut words);
    carry(
        plant::meeting_with_file(&site, &mut words, 200_000).await,
        &mut words,
    );
    site.start_daemon();
    until_carried(&site, &odoo, &reps[0], &words).await;
    look_around(&site);
    let mut markers = world_but(&site, &before);
    markers.extend(words.planted.clone());
    markers.insert(customer);
    markers.extend(reps.iter().map(|rep| rep.key.clone()));
    assert!(markers.len() > 200, "only {} markers", markers.len());
    site.kill_daemon();
    site.kill_postgresql();
    nothing_of(&site, &markers.into_iter().collect::<Vec<_>>());
    whatever_lay_there_would_be_found(&site, &words.planted);
}
