//! Attachments: what goes hangs on the record byte for byte and once, what does not has a reason, and no size
//! matters to the daemon's memory.

use crate::harness::{Office, Site, eventually};
use crate::salesforce_org::rows;
use bytes::Bytes;
use chrono::TimeDelta;
use holdfast::crm::model::{CrmWrite, ExternalKey};
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::kind::RecordKind;
use holdfast::sync::explain;
use holdfast::sync::policy::Policy;
use holdfast::sync::retry::Patience;
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast_lab::exchange::item::AttachmentContent;
use holdfast_lab::exchange::value::Binary;
use serde_json::Value;
use std::fs;
use std::time::Duration;

const CUSTOMER: &str = "rita@customer.example";

fn taking(kinds: &[RecordKind]) -> Policy {
    let mut policy = Policy::default();
    policy.attachments.of = kinds.to_vec();
    policy
}

/// An office with one person, whose customer is known, and who takes attachments of these kinds.
async fn office(people: usize, kinds: &[RecordKind]) -> (Office, Vec<MailboxRow>) {
    let mut office = Office::open(people, 0).await;
    office.engine.settings.patience = Patience {
        first: TimeDelta::milliseconds(1),
        last: TimeDelta::milliseconds(1),
    };
    office.policy("taking", taking(kinds)).await;
    let mut rows = Vec::new();
    for person in 0..people {
        rows.push(office.add_with(person, "taking").await);
    }
    let card = Contact {
        family_name: "Rossi".into(),
        email: CUSTOMER.into(),
        ..Contact::default()
    };
    let write = CrmWrite::Create {
        key: ExternalKey("rita".to_owned()),
        record: Record::Contact(card),
        matches: Vec::new(),
    };
    office.in_crm(&rows[0], RecordKind::Contacts, write).await;
    (office, rows)
}

/// A mail of the customer with these parts behind its text.
fn mail(number: usize, parts: &str) -> Bytes {
    mail_of(CUSTOMER, number, parts)
}

fn mail_of(sender: &str, number: usize, parts: &str) -> Bytes {
    let text = format!(
        "From: {sender}\r\nTo: someone@lab.example\r\nSubject: Offer {number}\r\n\
         Message-ID: <offer-{number}@customer.example>\r\nDate: {}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n\
         <p>Regards <img src=\"cid:logo@customer\"></p>\r\n{parts}--b--\r\n",
        chrono::Utc::now().to_rfc2822()
    );
    text.into()
}

fn part(name: &str, text: &str) -> String {
    format!(
        "--b\r\nContent-Type: application/octet-stream; name=\"{name}\"\r\n\
         Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n{text}\r\n"
    )
}

fn receive(office: &Office, row: &MailboxRow, mail: Bytes) -> String {
    let exchange = &office.lab.parts.exchange;
    exchange.import_eml(&row.mailbox.address, "inbox", mail).unwrap()
}

/// Links between files and records, without those to their owners.
fn hanging(office: &Office) -> Vec<(String, String)> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows(&office.lab, "ContentDocumentLink")
        .iter()
        .map(|row| (text(row, "ContentDocumentId"), text(row, "LinkedEntityId")))
        .filter(|(_, record)| !record.starts_with("005"))
        .collect()
}

#[tokio::test]
async fn nothing_attached_goes_unless_the_policy_names_the_record_type() {
    let (office, people) = office(1, &[RecordKind::Calendar]).await;
    receive(&office, &people[0], mail(1, &part("a.txt", "text")));
    office.settle(&people[0]).await;
    assert_eq!(rows(&office.lab, "EmailMessage").len(), 1);
    assert!(rows(&office.lab, "ContentVersion").is_empty());
    assert_eq!(Policy::default().attachments.of, []);
}

#[tokio::test]
async fn a_mails_files_hang_on_its_record_byte_for_byte_and_what_does_not_go_has_a_reason() {
    let (office, people) = office(1, &[RecordKind::Mail]).await;
    let picture = "--b\r\nContent-Type: image/png; name=\"logo.png\"\r\nContent-ID: <logo@customer>\r\n\
                   Content-Disposition: inline; filename=\"logo.png\"\r\n\r\nPNG\r\n";
    let nested = "--b\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n\
                  From: a@b.example\r\nTo: c@d.example\r\nSubject: inner\r\n\
                  Message-ID: <inner@b.example>\r\n\r\ninner words\r\n";
    let parts = [
        part(
            "figures.txt",
            "the quarterly figures\nthe quarterly figures\nthe quarterly figures\n",
        ),
        part("setup.exe", "text"),
        part("holiday.pdf", "MZ\u{1}\u{2} this is a program"),
        picture.to_owned(),
        nested.to_owned(),
    ];
    let id = receive(&office, &people[0], mail(1, &parts.concat()));
    let exchange = &office.lab.parts.exchange;
    let link = AttachmentContent::Reference {
        url: "https://files.example/plan".to_owned(),
        provider: "OneDrivePro".to_owned(),
    };
    exchange.attach_file(&id, "plan.docx", link).unwrap();
    let counts = office.sync(&people[0]).await;
    let mail = &counts[&RecordKind::Mail];
    assert_eq!((mail.attachments_stored, mail.attachments_left_out), (3, 3));
    let versions = rows(&office.lab, "ContentVersion");
    let named = |title: &str| {
        let found = versions.iter().find(|row| row["Title"] == title);
        found.unwrap_or_else(|| panic!("no {title}: {versions:?}"))
    };
    let figures = named("figures.txt");
    assert_eq!(figures["Checksum"], "3c692248010230f8ee87ff1ee70452d5");
    assert_eq!(figures["FileExtension"], "txt");
    assert_eq!(named("inner.eml")["FileExtension"], "eml");
    assert_eq!(named("plan.docx")["ContentUrl"], "https://files.example/plan");
    assert_eq!(hanging(&office).len(), 3);
    let told = explain::explain(&office.engine, &people[0], &id)
        .await
        .unwrap()
        .unwrap();
    for reason in [
        "blocks its type",
        "first bytes",
        "The body shows it",
        "Attachments: 3. It hangs",
    ] {
        assert!(
            told.notes.iter().any(|note| note.contains(reason)),
            "{reason}: {:?}",
            told.notes
        );
    }
    assert_eq!(
        office.sync(&people[0]).await[&RecordKind::Mail].attachments_stored,
        0
    );
}

#[tokio::test]
async fn the_same_content_in_ten_mails_of_two_people_is_one_file_with_ten_links() {
    let (office, people) = office(2, &[RecordKind::Mail]).await;
    for number in 0..10 {
        let row = &people[number % 2];
        receive(
            &office,
            row,
            mail(number, &part(&format!("{number}.txt"), "always the same")),
        );
    }
    // The same mail in both mailboxes is one record, and its file hangs there once.
    receive(&office, &people[1], mail(0, &part("0.txt", "always the same")));
    for row in &people {
        office.settle(row).await;
    }
    assert_eq!(rows(&office.lab, "ContentDocument").len(), 1);
    assert_eq!(hanging(&office).len(), 10);
}

#[tokio::test]
async fn a_transfer_that_breaks_on_either_side_is_repeated_and_nothing_is_doubled() {
    for rule in [
        r#"{"side":"exchange","operation":"GetAttachment","kind":"cut","after_bytes":1500000,"times":2}"#,
        r#"{"side":"exchange","operation":"GetAttachment","kind":"cut","after_bytes":300,"times":1}"#,
        r#"{"side":"salesforce","operation":"create","kind":"apply_then_cut","times":1}"#,
        r#"{"side":"salesforce","operation":"create","kind":"down","times":1}"#,
        r#"{"side":"salesforce","operation":"collections_create","kind":"apply_then_cut","skip":1,"times":1}"#,
    ] {
        let (office, people) = office(1, &[RecordKind::Mail]).await;
        let id = receive(&office, &people[0], mail(1, ""));
        // Larger than what is kept between the passes.
        let file = AttachmentContent::File(Binary(vec![7; 2 << 20].into()));
        let exchange = &office.lab.parts.exchange;
        exchange.attach_file(&id, "large.bin", file).unwrap();
        office.lab.parts.faults.add(serde_json::from_str(rule).unwrap());
        for _ in 0..6 {
            for (kind, result) in office.try_sync(&people[0]).await {
                assert!(result.is_ok() || kind == RecordKind::Mail, "{kind:?}");
            }
            if hanging(&office).len() == 1 {
                break;
            }
        }
        office.settle(&people[0]).await;
        let versions = rows(&office.lab, "ContentVersion");
        assert_eq!(versions.len(), 1, "{rule}");
        assert_eq!(versions[0]["ContentSize"], 2 << 20, "{rule}");
        assert_eq!(hanging(&office).len(), 1, "{rule}");
    }
}

#[tokio::test]
async fn a_file_that_somebody_deleted_in_the_crm_is_stored_again_for_the_next_mail() {
    let (office, people) = office(1, &[RecordKind::Mail]).await;
    receive(&office, &people[0], mail(1, &part("a.txt", "the same")));
    office.settle(&people[0]).await;
    let document = rows(&office.lab, "ContentDocument")[0]["Id"]
        .as_str()
        .unwrap()
        .to_owned();
    let gone = CrmWrite::Delete {
        id: holdfast::crm::model::CrmId(document),
    };
    office.in_crm(&people[0], RecordKind::Mail, gone).await;
    assert!(rows(&office.lab, "ContentDocument").is_empty());
    // A folder is read again when its mark moved, which tells seconds apart.
    office.lab.parts.clock.advance(Duration::from_secs(2));
    receive(&office, &people[0], mail(2, &part("a.txt", "the same")));
    office.settle(&people[0]).await;
    assert_eq!(rows(&office.lab, "ContentDocument").len(), 1);
    assert_eq!(hanging(&office).len(), 1);
}

#[tokio::test]
async fn what_is_attached_to_a_meeting_hangs_on_its_event() {
    let (office, people) = office(1, &[RecordKind::Calendar]).await;
    let item = crate::harness::records::full(RecordKind::Calendar);
    let write = holdfast::mailbox::model::MailboxWrite::Create {
        stamp: holdfast::mailbox::model::Stamp(String::new()),
        record: item,
    };
    let id = office.in_mailbox(&people[0], RecordKind::Calendar, write).await;
    office.settle(&people[0]).await;
    let events = rows(&office.lab, "Event");
    let file = AttachmentContent::File(Binary(Bytes::from_static(b"agenda")));
    let exchange = &office.lab.parts.exchange;
    exchange.attach_file(&id.0, "agenda.txt", file).unwrap();
    office.settle(&people[0]).await;
    let hanging = hanging(&office);
    assert_eq!(hanging.len(), 1);
    assert_eq!(hanging[0].1, events[0]["Id"].as_str().unwrap());
}

#[test]
fn a_hundred_and_fifty_megabytes_pass_in_under_sixteen_more_of_memory() {
    const SIZE: u64 = 150 << 20;
    let mut site = Site::open(1, 12);
    fs::write(
        site.file("policy.json"),
        serde_json::to_string(&{
            let mut policy = taking(&[RecordKind::Mail]);
            policy.attachments.max_bytes = 200 << 20;
            policy.mail.internal_domains = Vec::new();
            policy
        })
        .unwrap(),
    )
    .unwrap();
    let file = site.file("policy.json");
    site.succeed(&["policy", "set", "default", file.to_str().unwrap()]);
    let address = site.people()[0]["smtp"].as_str().unwrap().to_owned();
    site.start_daemon();
    site.in_step();
    let world = site.control("GET", "/world", b"");
    let contacts = world["salesforce"]["Contact"].as_array().unwrap();
    let customer = contacts.iter().find_map(|row| row["Email"].as_str()).unwrap();
    let site = site;
    let deliver = |number: usize, size: u64| {
        let path = format!("/exchange/import-eml?mailbox={address}&folder=inbox");
        let id = site.control("POST", &path, &mail_of(customer, number, ""))["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
        site.control(
            "POST",
            &format!("/exchange/attach?item={id}&name=large.bin&size={size}"),
            b"",
        );
        eventually("the file hangs in the CRM", Duration::from_secs(180), || {
            let world = site.control("GET", "/world", b"");
            let versions = world["salesforce"]["ContentVersion"].as_array().unwrap().clone();
            versions.into_iter().find(|row| row["ContentSize"] == size)
        });
    };
    // Everything that is made once is made before the measurement.
    deliver(1, 3 << 20);
    let process = format!("/proc/{}", site.daemon_id());
    let status = |field: &str| -> u64 {
        let text = fs::read_to_string(format!("{process}/status")).unwrap();
        let line = text.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    // Resets the peak ("clear_refs", proc(5)).
    fs::write(format!("{process}/clear_refs"), "5").unwrap();
    let before = status("VmRSS:");
    deliver(2, SIZE);
    let more = status("VmHWM:").saturating_sub(before);
    assert!(more < 16 << 10, "{more} KiB more");
    let looked_at: Vec<Value> =
        serde_json::from_str(&site.succeed(&["--json", "failures"])).unwrap_or_default();
    assert!(looked_at.is_empty(), "{looked_at:?}");
}
