//! Words that stand nowhere else, planted in every content field of both sides, the short ones too.

use crate::harness::{Site, began};
use chrono::TimeDelta;
use holdfast::crm::model::{CrmUser, CrmWrite, ExternalKey};
use holdfast::crm::port::Crm as _;
use holdfast::foundation::content::Content;
use holdfast::foundation::egress::MemoryLedger;
use holdfast::foundation::ids::MailboxId;
use holdfast::mailbox::model::{MailboxRef, MailboxWrite, Notify, Stamp};
use holdfast::mailbox::port::MailboxServer as _;
use holdfast::record::Record;
use holdfast::record::contact::{Contact, PostalAddress};
use holdfast::record::event::{Attendance, Attendee, Event, Place, Response, Sensitivity, ShowAs, When};
use holdfast::record::field::Field;
use holdfast::record::kind::RecordKind;
use holdfast::record::person::Person;
use holdfast::record::task::{Priority, Status, Task};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Makes words, and remembers them.
#[derive(Default)]
pub struct Words {
    /// Everything that was planted.
    pub planted: Vec<String>,
    /// Of these: what must be on both sides in the end, or the search has proved nothing about its way.
    pub carried: Vec<String>,
    /// Fields that the CRM does not have.
    pub not_in_crm: Vec<Field>,
}

impl Words {
    fn text(&mut self, form: impl FnOnce(usize) -> String) -> Content<String> {
        let text = form(100 + self.planted.len());
        self.planted.push(text.clone());
        Content::new(text)
    }

    /// A name, a title, a line of text. With a letter that no ASCII has, since encodings differ in those.
    pub fn word(&mut self) -> Content<String> {
        self.text(|n| format!("Qz{n}jörvik"))
    }

    /// One that goes to the other side.
    pub fn carried(&mut self) -> Content<String> {
        let word = self.word();
        self.carried.push(word.expose().clone());
        word
    }

    /// One of a field that goes to the other side where the CRM has it.
    fn held(&mut self, field: Field) -> Content<String> {
        match self.not_in_crm.contains(&field) {
            true => self.word(),
            false => self.carried(),
        }
    }

    pub fn address(&mut self) -> Content<String> {
        self.text(|n| format!("qz{n}.jorvik@canary{n}.example"))
    }

    pub fn phone(&mut self) -> Content<String> {
        self.text(|n| format!("+49 30 7{n}3141592"))
    }

    fn contact(&mut self) -> Contact {
        Contact {
            given_name: self.carried(),
            family_name: self.carried(),
            company: self.word(),
            job_title: self.carried(),
            department: self.held(Field::Department),
            email: self.address(),
            business_phone: self.phone(),
            home_phone: self.phone(),
            mobile_phone: self.phone(),
            business_fax: self.phone(),
            address: PostalAddress {
                street: self.carried(),
                city: self.carried(),
                state: self.word(),
                postal_code: self.text(|n| format!("QZ-{n}-77")),
                country: self.word(),
            },
            notes: self.carried(),
            is_private: false,
        }
    }

    fn task(&mut self) -> Task {
        Task {
            subject: self.carried(),
            body: self.carried(),
            due: Some((began() + TimeDelta::days(3)).date_naive()),
            status: Status::InProgress,
            priority: Priority::Normal,
            reminder: None,
            is_private: false,
            is_recurring: false,
        }
    }

    fn event(&mut self, attendees: Vec<Attendee>) -> Event {
        let start = began() + TimeDelta::days(2);
        Event {
            meeting_id: None,
            place: Place::Single,
            subject: self.carried(),
            body: self.carried(),
            location: self.carried(),
            when: When::Timed {
                start,
                end: start + TimeDelta::hours(1),
            },
            zone: Some(chrono_tz::Europe::Berlin),
            show_as: ShowAs::Busy,
            sensitivity: Sensitivity::Normal,
            reminder_minutes: None,
            is_organizer: true,
            organizer: None,
            attendees,
            groups: Vec::new(),
            cancelled: false,
        }
    }

    fn attendee(&mut self) -> Attendee {
        Attendee {
            person: Person {
                address: self.address(),
                name: Some(self.word()),
            },
            attendance: Attendance::Required,
            response: Response::None,
        }
    }
}

/// A record of each type on each side, made by the first person.
pub async fn records(site: &Site, words: &mut Words) {
    in_mailbox(site, words).await;
    let (_, crm) = site.outside().connect(Arc::new(MemoryLedger::default()));
    let user = CrmUser {
        username: site.people()[0]["sf_username"].as_str().unwrap().to_owned(),
        id: None,
        list: None,
    };
    let theirs = [
        Record::Contact(words.contact()),
        Record::Event(words.event(Vec::new())),
        Record::Task(words.task()),
    ];
    for record in theirs {
        let kind = record.kind();
        let write = CrmWrite::Create {
            key: ExternalKey(format!("canary-{kind:?}")),
            record,
            matches: Vec::new(),
        };
        let done = crm.write(&user, kind, &[write]).await;
        done.unwrap().pop().unwrap().unwrap();
    }
}

/// A record of each type in the first person's mailbox.
pub async fn in_mailbox(site: &Site, words: &mut Words) {
    let (server, _) = site.outside().connect(Arc::new(MemoryLedger::default()));
    let address = site.people()[0]["smtp"].as_str().unwrap().to_owned();
    let mailbox = MailboxRef::new(MailboxId(1), address);
    let attendees = vec![words.attendee(), words.attendee()];
    let mine = [
        Record::Contact(words.contact()),
        Record::Event(words.event(attendees)),
        Record::Task(words.task()),
    ];
    for record in mine {
        let kind = record.kind();
        let stamp = Stamp(String::new());
        let write = MailboxWrite::Create { stamp, record };
        let done = server.write(&mailbox, kind, &[write], Notify::Nobody).await;
        done.unwrap().pop().unwrap().unwrap();
    }
}

/// An event in the first person's mailbox that goes over days, which the org does not allow from now on. Gives its title.
pub async fn unfit(site: &Site, words: &mut Words) -> String {
    site.control("PATCH", "/salesforce/settings", br#"{"multiday_events": false}"#);
    let mut event = words.event(Vec::new());
    event.subject = words.word();
    if let When::Timed { start, .. } = event.when {
        event.when = When::Timed {
            start,
            end: start + TimeDelta::days(3),
        };
    }
    let title = event.subject.expose().clone();
    let (server, _) = site.outside().connect(Arc::new(MemoryLedger::default()));
    let address = site.people()[0]["smtp"].as_str().unwrap().to_owned();
    let mailbox = MailboxRef::new(MailboxId(1), address);
    let write = MailboxWrite::Create {
        stamp: Stamp(String::new()),
        record: Record::Event(event),
    };
    let done = server
        .write(&mailbox, RecordKind::Calendar, &[write], Notify::Nobody)
        .await;
    done.unwrap().pop().unwrap().unwrap();
    title
}

/// A mail of somebody whom the CRM knows, as Python's library writes it, with a file that says so many times the same.
pub fn mail(site: &Site, words: &mut Words, times: usize) {
    let world = site.control("GET", "/world", b"");
    let contacts = world["salesforce"]["Contact"].as_array().unwrap();
    let sender = contacts.iter().find_map(|row| row["Email"].as_str()).unwrap();
    let file = mail_of(site, words, times, sender);
    words.carried.push(file);
}

/// The same of this sender. Gives the file's name.
pub fn mail_of(site: &Site, words: &mut Words, times: usize, sender: &str) -> String {
    // Where there is HTML, it is the body, on both sides.
    let html = words.carried();
    let file = words.text(|n| format!("Qz{n}jörvik.txt"));
    let parts = json!({
        "from_name": words.word().expose(), "from": sender, "to": words.address().expose(),
        "subject": words.carried().expose(), "text": words.word().expose(),
        "html": format!("<p>{}</p>", html.expose()),
        "file_name": file.expose(), "file": words.word().expose().repeat(times),
    });
    deliver(site, &encoders("mail", &parts));
    file.expose().clone()
}

/// A meeting of the first person's, with a file that says so many times the same. Gives the file's name.
pub async fn meeting_with_file(site: &Site, words: &mut Words, times: usize) -> String {
    let (server, _) = site.outside().connect(Arc::new(MemoryLedger::default()));
    let address = site.people()[0]["smtp"].as_str().unwrap().to_owned();
    let write = MailboxWrite::Create {
        stamp: Stamp(String::new()),
        record: Record::Event(words.event(Vec::new())),
    };
    let mailbox = MailboxRef::new(MailboxId(1), address);
    let done = server
        .write(&mailbox, RecordKind::Calendar, &[write], Notify::Nobody)
        .await;
    let item = done.unwrap().pop().unwrap().unwrap().item.id.0;
    let file = words.text(|n| format!("Qz{n}jörvik.txt")).expose().clone();
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let path = format!("/exchange/attach?item={}&name={}", encoded(&item), encoded(&file));
    let said = words.word().expose().repeat(times);
    site.control("POST", &path, said.as_bytes());
    file
}

/// Puts a raw mail into the first person's inbox.
pub fn deliver(site: &Site, raw: &[u8]) {
    let address = site.people()[0]["smtp"].as_str().unwrap().to_owned();
    let inbox = format!("/exchange/import-eml?mailbox={address}&folder=inbox");
    site.control("POST", &inbox, raw);
}

/// What `encoders.py` makes of this.
pub fn encoders(what: &str, given: &Value) -> Vec<u8> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/canary/encoders.py");
    let mut child = Command::new("python3")
        .arg(script)
        .arg(what)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is there: `make setup` installs it");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(given.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}
