//! `kill -9` at random moments: of the daemon, while it starts too, of PostgreSQL, of both worlds. In the end both
//! sides hold the same of every kind, nothing twice, nothing missing.

mod inventory;

use crate::harness::acts::{event, made_by_owner, made_by_user};
use crate::harness::{Site, began, eventually};
use chrono::{TimeDelta, Utc};
use holdfast::crm::model::CrmUser;
use holdfast::crm::port::Crm;
use holdfast::crm::salesforce::SalesforceCrm;
use holdfast::foundation::content::Content;
use holdfast::foundation::egress::MemoryLedger;
use holdfast::foundation::ids::MailboxId;
use holdfast::mailbox::exchange::ExchangeServer;
use holdfast::mailbox::model::{MailboxRef, Notify};
use holdfast::mailbox::port::MailboxServer;
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::event::When;
use holdfast::record::task::Task;
use inventory::{Copies, Inventory, titled};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SEED: u64 = 20_261_124;

/// Somebody who works on both sides while everything dies around him.
pub struct Hand {
    server: Arc<ExchangeServer>,
    crm: Arc<SalesforceCrm>,
    mailbox: MailboxRef,
    user: CrmUser,
    made: usize,
    before: Inventory,
}

impl Hand {
    /// Who works in the first mailbox of the site. What is there now is what people made.
    pub fn new(site: &Site) -> Self {
        let (server, crm) = site.outside().connect(Arc::new(MemoryLedger::default()));
        let person = site.people()[0].clone();
        let text = |name: &str| person[name].as_str().unwrap().to_owned();
        Self {
            server,
            crm,
            mailbox: MailboxRef::new(MailboxId(1), text("smtp")),
            user: CrmUser {
                username: text("sf_username"),
                id: None,
                list: None,
            },
            made: 0,
            before: Inventory::of(site),
        }
    }

    /// Makes one thing of each kind on each side, and gets a mail.
    pub async fn work(&mut self, site: &Site) {
        let number = self.made;
        self.made += 1;
        for record in records("mailbox", number) {
            let kind = record.kind();
            let write = [made_by_owner(record)];
            let done = self
                .server
                .write(&self.mailbox, kind, &write, Notify::Nobody)
                .await;
            done.unwrap().pop().unwrap().unwrap();
        }
        for record in records("crm", number) {
            let kind = record.kind();
            let write = [made_by_user(
                &format!("kill-test-{}-{number}", kind.word()),
                record,
            )];
            let done = self.crm.write(&self.user, kind, &write).await;
            done.unwrap().pop().unwrap().unwrap();
        }
        let mail = format!(
            "From: {KNOWN}\r\nTo: {}\r\nSubject: kill test mail {number}\r\n\
             Message-ID: <kill-{number}@outside.example>\r\nDate: {}\r\n\r\nx\r\n",
            self.mailbox.address,
            Utc::now().to_rfc2822()
        );
        let inbox = format!(
            "/exchange/import-eml?mailbox={}&folder=inbox",
            self.mailbox.address
        );
        site.control("POST", &inbox, mail.as_bytes());
    }

    /// Sort and title of everything that was made, and on how many sides it must be found: a mail is no item of
    /// a default folder.
    fn due(&self) -> impl Iterator<Item = ((&'static str, String), Copies)> {
        let each = |number: usize| {
            let both = Copies { mailbox: 1, crm: 1 };
            let in_crm = Copies { mailbox: 0, crm: 1 };
            let sides = ["mailbox", "crm"].into_iter();
            let made = sides.flat_map(move |side| {
                let title = format!("kill test {side} {number}");
                ["event", "task", "contact"].map(|sort| ((sort, title.clone()), both))
            });
            made.chain([(("mail", format!("kill test mail {number}")), in_crm)])
        };
        (0..self.made).flat_map(each)
    }
}

/// The address of the first contact that is made: from then on the CRM knows who writes.
const KNOWN: &str = "kill-crm-0@outside.example";

fn records(side: &str, number: usize) -> [Record; 3] {
    let title = format!("kill test {side} {number}");
    let hour = TimeDelta::hours(number as i64 + if side == "crm" { 100 } else { 0 });
    let start = began() + TimeDelta::days(2) + hour;
    [
        Record::Task(Task {
            subject: title.as_str().into(),
            ..Task::default()
        }),
        Record::Contact(Contact {
            family_name: title.as_str().into(),
            email: Content::new(format!("kill-{side}-{number}@outside.example")),
            ..Contact::default()
        }),
        Record::Event(event(
            &title,
            When::Timed {
                start,
                end: start + TimeDelta::minutes(30),
            },
        )),
    ]
}

/// The random moment: after so many more answers of the two worlds.
fn after_some_requests(site: &Site, random: &mut StdRng) {
    let until = site.requests() + random.random_range(0..14);
    eventually("the daemon works", Duration::from_secs(60), || {
        (site.requests() >= until).then_some(())
    });
}

/// How often the daemon has read or written so far. It grows from the first moment of the start to the last of the
/// work, whatever the machine does beside.
fn calls(site: &Site) -> u64 {
    let told = fs::read_to_string(format!("/proc/{}/io", site.daemon_id())).unwrap_or_default();
    let of = |name: &str| {
        let line = told.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0, |count| count.trim().parse::<u64>().unwrap())
    };
    of("syscr:") + of("syscw:")
}

/// Everything that was made stands once on each side, nothing of what was there before is doubled, all of it adds
/// up, and nobody was told.
pub fn nothing_twice_nothing_missing(site: &Site, hand: &Hand) {
    site.in_step();
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let now = Inventory::of(site);
        let doubled = now.doubled(&hand.before);
        assert!(doubled.is_empty(), "seed {SEED}: too often: {doubled:?}");
        let titled = titled(&now, "kill test ");
        let missing: Vec<_> = hand
            .due()
            .filter(|(thing, due)| titled.get(thing) != Some(due))
            .collect();
        if missing.is_empty() {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "seed {SEED}: not once on each side: {missing:?}\n{}",
            site.says()
        );
        std::thread::park_timeout(Duration::from_millis(100));
    }
    // What stands on both sides may have been written by a node that died, or sleeps, before it could remember it.
    loop {
        let sums = site.run(&["completeness", "--as-it-is"]);
        if sums.status.success() {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "seed {SEED}: it does not add up: {}\n{}",
            String::from_utf8_lossy(&sums.stdout),
            site.says()
        );
        std::thread::park_timeout(Duration::from_millis(100));
    }
    let noticed = site.control("GET", "/ledger", b"");
    assert!(
        noticed["entries"].as_array().is_none_or(Vec::is_empty),
        "somebody was told: {noticed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_kills_of_the_daemon_lose_nothing_and_double_nothing() {
    let mut site = Site::open(2, 60);
    let mut hand = Hand::new(&site);
    let mut random = StdRng::seed_from_u64(SEED);
    // How long a start is, in calls.
    site.start_daemon();
    let start = calls(&site);
    assert!(start > 100, "a start of {start} calls");
    site.kill_daemon();
    for _ in 0..50 {
        hand.work(&site).await;
        site.begin_daemon();
        // Some in the middle of the start, as many in the middle of the work that follows at once.
        let until = random.random_range(start / 4..start * 7 / 4);
        eventually("the daemon works", Duration::from_secs(60), || {
            (calls(&site) >= until).then_some(())
        });
        site.kill_daemon();
    }
    site.start_daemon();
    nothing_twice_nothing_missing(&site, &hand);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_kills_of_postgresql_lose_nothing_and_double_nothing() {
    let mut site = Site::open(2, 60);
    let mut hand = Hand::new(&site);
    let mut random = StdRng::seed_from_u64(SEED + 1);
    site.start_daemon();
    for _ in 0..10 {
        hand.work(&site).await;
        after_some_requests(&site, &mut random);
        site.kill_postgresql();
    }
    nothing_twice_nothing_missing(&site, &hand);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_kills_of_both_worlds_lose_nothing_and_double_nothing() {
    let mut site = Site::open(2, 60);
    let mut hand = Hand::new(&site);
    let mut random = StdRng::seed_from_u64(SEED + 2);
    site.start_daemon();
    for _ in 0..10 {
        hand.work(&site).await;
        after_some_requests(&site, &mut random);
        site.kill_lab();
        site.start_lab();
        site.lab_answers();
        hand = Hand {
            made: hand.made,
            before: hand.before,
            ..Hand::new(&site)
        };
    }
    nothing_twice_nothing_missing(&site, &hand);
}
