//! The whole of Holdfast between the lab's Exchange and a real Odoo: `kill -9` at random moments, and no content
//! at rest afterwards.

use crate::canary::{appliance, markers_of, scan};
use crate::harness::{Site, eventually};
use crate::odoo_server::{Odoo, Rep};
use holdfast::foundation::egress::MemoryLedger;
use holdfast::foundation::ids::MailboxId;
use holdfast::mailbox::model::{MailboxRef, MailboxWrite, Notify, Stamp};
use holdfast::mailbox::port::MailboxServer;
use holdfast::record::Record;
use holdfast::record::kind::RecordKind;
use holdfast::record::task::Task;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;
use std::time::Duration;

const SEED: u64 = 20_261_125;

/// A lab and an Odoo with Holdfast between them, set up for the lab's people; nothing is synchronised yet.
pub fn between(odoo: &Odoo, reps: &[Rep]) -> Site {
    let site = Site::bare(reps.len(), 40);
    let folder = site.folder().display();
    let exchange = site.told["exchange"]["url"].as_str().unwrap().to_owned();
    let url: url::Url = exchange.parse().unwrap();
    let settings = format!(
        r#"data_dir = "{folder}/data"
[log]
directory = "{folder}/log"
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

/// Makes a task on each side, and says their titles.
async fn work(site: &Site, odoo: &Odoo, rep: &Rep, number: usize) -> [String; 2] {
    let (server, _) = site.outside().connect(Arc::new(MemoryLedger::default()));
    let titles = ["mailbox", "odoo"].map(|side| format!("kill test {side} {number} of {}", rep.login));
    let address = site.people()[0]["smtp"].as_str().unwrap().to_owned();
    let mailbox = MailboxRef::new(MailboxId(1), address);
    let write = MailboxWrite::Create {
        stamp: Stamp(String::new()),
        record: Record::Task(Task {
            subject: titles[0].as_str().into(),
            ..Task::default()
        }),
    };
    let done = server
        .write(&mailbox, RecordKind::Tasks, &[write], Notify::Nobody)
        .await;
    done.unwrap().pop().unwrap().unwrap();
    let task = json!({ "vals_list": [{ "name": titles[1], "user_ids": [[6, 0, [rep.id]]] }] });
    odoo.call(&rep.key, "project.task", "create", task).await;
    titles
}

/// How often a title stands in the lab's Exchange.
fn copies(site: &Site, title: &str) -> usize {
    let world = site.control("GET", "/world", b"");
    let items = world["exchange"].as_array().unwrap().iter();
    let items = items.flat_map(|mailbox| mailbox["items"].as_array().unwrap());
    let holds = |item: &&Value| item["fields"]["item:Subject"].to_string().contains(title);
    items.filter(holds).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifteen_kills_beside_a_real_odoo_lose_nothing_and_double_nothing() {
    let odoo = Odoo::up();
    let reps = [odoo.rep(), odoo.rep()];
    let mut site = between(&odoo, &reps);
    let mails = odoo.count("mail.mail", json!([])).await;
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
    for title in &titles {
        eventually(
            "the title stands in the mailbox",
            Duration::from_secs(120),
            || (copies(&site, title) >= 1).then_some(()),
        );
    }
    site.in_step();
    for title in &titles {
        assert_eq!(copies(&site, title), 1, "seed {SEED}: {title} in the mailbox");
        // With the person's own eyes: what has no project is shown to nobody else, not even the administrator.
        let named = json!({ "domain": [["name", "=", title]] });
        let found = odoo
            .call(&reps[0].key, "project.task", "search_count", named)
            .await;
        assert_eq!(found, 1, "seed {SEED}: {title} in Odoo");
    }
    assert_eq!(
        odoo.count("mail.mail", json!([])).await,
        mails,
        "nobody is mailed"
    );
    let noticed = site.control("GET", "/ledger", b"");
    assert!(
        noticed["entries"].as_array().is_none_or(Vec::is_empty),
        "somebody was told"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_content_is_at_rest_after_a_life_beside_a_real_odoo() {
    let odoo = Odoo::up();
    let reps = [odoo.rep(), odoo.rep()];
    let mut site = between(&odoo, &reps);
    let titles = work(&site, &odoo, &reps[0], 0).await;
    site.start_daemon();
    site.in_step();
    // A tracebacks' worth of trouble: a key that Odoo refuses, then the right one again.
    let name = format!("crm.odoo.key.{}", reps[0].login);
    site.kill_daemon();
    site.store_secret(&name, "not a key of anybody");
    site.run(&["sync", "--all"]);
    site.store_secret(&name, &reps[0].key);
    site.kill_postgresql();
    site.start_daemon();
    site.in_step();
    let mut markers = markers_of(&site);
    markers.extend(titles);
    markers.extend(reps.iter().map(|rep| rep.key.clone()));
    for folder in appliance(&site) {
        let (hits, looked) = scan(&folder, &markers);
        assert!(looked > 0, "there is something to search in {}", folder.display());
        let found: Vec<_> = hits.iter().map(|hit| (&hit.file, hit.spelling)).collect();
        assert!(found.is_empty(), "content at rest: {found:?}");
    }
}
