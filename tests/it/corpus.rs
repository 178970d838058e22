//! Mail that real programs wrote, and mail that nobody should have written: all of it is saved in the CRM.
//!
//! The corpus is not part of the project. It is looked for where HOLDFAST_CORPUS says, else beside the checkout.

use crate::harness::Site;
use crate::harness::acts::made_by_user;
use holdfast::crm::model::CrmUser;
use holdfast::crm::port::Crm as _;
use holdfast::foundation::content::Content;
use holdfast::foundation::egress::MemoryLedger;
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::kind::RecordKind;
use holdfast::sync::policy::Policy;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Who is said to have sent a mail that does not say so.
const NAMELESS: &str = "nameless@corpus.example";

/// Mails whose sender has no address at all, so that nobody can know him.
const UNKNOWABLE: usize = 4;

fn corpus() -> Option<PathBuf> {
    let named = std::env::var_os("HOLDFAST_CORPUS").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    assert!(
        named.as_ref().is_none_or(|named| named.is_dir()),
        "HOLDFAST_CORPUS names no folder"
    );
    named.or(Some(beside)).filter(|folder| folder.is_dir())
}

fn mails_of(folder: &Path) -> Vec<PathBuf> {
    let inside = |path: PathBuf| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut mails: Vec<PathBuf> = inside(folder.join("mail"))
        .filter(|path| path.is_dir())
        .flat_map(inside)
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .collect();
    mails.sort();
    mails
}

/// A mail as a submission server passes it on: it adds what is missing (RFC 6409 section 8), and leaves the rest.
struct Delivered {
    raw: Vec<u8>,
    sender: Option<String>,
    message_id: String,
}

impl Delivered {
    fn of(number: usize, raw: &[u8]) -> Self {
        let head = String::from_utf8_lossy(raw).into_owned();
        let head: Vec<&str> = head.lines().take_while(|line| !line.trim().is_empty()).collect();
        let field = |name: &str| {
            let is_it = |line: &&&str| line.to_lowercase().starts_with(name);
            head.iter()
                .find(is_it)
                .map(|line| line[name.len()..].trim().to_owned())
        };
        let mut added = String::new();
        let sender = match field("from:") {
            Some(from) => address_in(&from),
            None => {
                added.push_str(&format!("From: {NAMELESS}\r\n"));
                Some(NAMELESS.to_owned())
            }
        };
        let message_id = field("message-id:").unwrap_or_else(|| {
            let id = format!("<{number}@corpus.example>");
            added.push_str(&format!("Message-ID: {id}\r\n"));
            id
        });
        Self {
            raw: [added.as_bytes(), raw].concat(),
            sender,
            message_id,
        }
    }
}

fn address_in(from: &str) -> Option<String> {
    let inner = from.rsplit_once('<').map_or(from, |(_, inner)| inner);
    let address = inner.split(['>', ' ']).next()?.trim();
    address.contains('@').then(|| address.to_lowercase())
}

/// A contact in the CRM for every sender.
async fn make_known(site: &Site, senders: &BTreeSet<String>) {
    let (_, crm) = site.outside().connect(Arc::new(MemoryLedger::default()));
    let user = CrmUser {
        username: site.people()[0]["sf_username"].as_str().unwrap().to_owned(),
        id: None,
        list: None,
    };
    let contact = |address: &String| {
        let record = Record::Contact(Contact {
            family_name: Content::new(format!("Writer of {address}")),
            email: Content::new(address.clone()),
            ..Contact::default()
        });
        made_by_user(&format!("corpus-{address}"), record)
    };
    let writes: Vec<_> = senders.iter().map(contact).collect();
    let done = crm.write(&user, RecordKind::Contacts, &writes).await.unwrap();
    done.into_iter().for_each(|written| {
        written.unwrap();
    });
}

fn take_mail_of_all_times(site: &Site) {
    let mut policy = Policy::default();
    policy.mail.past_days = 20_000;
    let file = site.file("policy.json");
    fs::write(&file, serde_json::to_string(&policy).unwrap()).unwrap();
    site.succeed(&["policy", "set", "default", file.to_str().unwrap()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mail_of_the_corpus_is_saved_in_the_crm() {
    let Some(corpus) = corpus() else {
        return eprintln!(
            "NOT TESTED: no corpus of mails beside the checkout, and HOLDFAST_CORPUS names none"
        );
    };
    let files = mails_of(&corpus);
    assert!(!files.is_empty(), "the corpus is there, but holds no mail");
    let mails: Vec<Delivered> = files
        .iter()
        .enumerate()
        .map(|(number, file)| Delivered::of(number, &fs::read(file).unwrap()))
        .collect();
    let site = Site::open(1, 0);
    take_mail_of_all_times(&site);
    make_known(
        &site,
        &mails.iter().filter_map(|mail| mail.sender.clone()).collect(),
    )
    .await;
    for mail in &mails {
        crate::bad_input::deliver(&site, &mail.raw);
    }
    let counts = crate::bad_input::mail_stream(&site)["counts"].clone();
    let number = |name: &str| counts[name].as_u64().unwrap() as usize;
    eprintln!("{} mails: {counts}", mails.len());
    assert_eq!(number("read_in_mailbox"), mails.len(), "each mail is read");
    assert_eq!(number("failed"), 0, "none fails: {counts}");
    // One mail, one record, however often it came.
    let different: BTreeSet<&str> = mails.iter().map(|mail| mail.message_id.as_str()).collect();
    let world = site.control("GET", "/world", b"");
    let saved = world["salesforce"]["EmailMessage"].as_array().unwrap().len();
    assert!(
        saved + UNKNOWABLE >= different.len() && saved <= different.len(),
        "{saved} of {} were saved: {counts}",
        different.len()
    );
    let skips: Vec<&Value> = counts["skipped"].as_object().unwrap().values().collect();
    let skipped: u64 = skips.iter().map(|count| count.as_u64().unwrap()).sum();
    assert!(skipped <= UNKNOWABLE as u64, "{counts}");
}
