//! Mail of a world: it arrives, in one mailbox or in several, with files or without, and goes one way.

use super::world::World;
use crate::harness::acts::made_by_user;
use holdfast::mailbox::model::{ItemId, MailboxWrite};
use holdfast::record::Record;
use holdfast::record::contact::Contact;
use holdfast::record::kind::RecordKind;
use holdfast::sync::policy::{MailBody, Policy};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::Value;
use std::collections::BTreeSet;

/// Whom the CRM knows, and whom it does not.
pub const CUSTOMER: &str = "rita@customer.example";
const STRANGER: &str = "nobody@elsewhere.example";

/// Files that hang on mails.
const FILES: usize = 5;

/// One mail.
#[derive(Clone, Debug)]
pub struct Mail {
    subject: String,
    from: String,
    number: u64,
    known: bool,
    /// Which files of the world's few hang on it.
    files: BTreeSet<usize>,
    /// Whose mailboxes it came to, and whose have it still.
    came: BTreeSet<usize>,
    stays: BTreeSet<usize>,
    /// It was there when a turn went well.
    met: bool,
}

impl Mail {
    /// A turn of this mailbox's mail went well.
    pub fn in_step(&mut self, row: usize) {
        self.met |= self.stays.contains(&row);
    }

    /// It is in the CRM so many times.
    fn stands(&self, times: usize) -> Result<(), String> {
        let due = match (self.known, self.met || !self.stays.is_empty()) {
            (false, _) => 0..=0,
            (true, true) => 1..=1,
            (true, false) => 0..=1,
        };
        match due.contains(&times) {
            true => Ok(()),
            false => Err(format!("{self:?}: {times} records")),
        }
    }

    fn text(&self) -> String {
        let parts: String = self.files.iter().map(|file| part(*file)).collect();
        format!(
            "From: {}\r\nTo: somebody@lab.example\r\nSubject: {}\r\n\
             Message-ID: <offer-{}@customer.example>\r\nDate: {}\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
             value of all\r\n{parts}--b--\r\n",
            self.from,
            self.subject,
            self.number,
            chrono::Utc::now().to_rfc2822()
        )
    }
}

fn part(file: usize) -> String {
    format!(
        "--b\r\nContent-Type: application/octet-stream; name=\"{file}.txt\"\r\n\
         Content-Disposition: attachment; filename=\"{file}.txt\"\r\n\r\nfigures of {file}\r\n"
    )
}

impl World {
    /// The customer is in the CRM before anything else is.
    pub async fn know_the_customer(&mut self) {
        if self.apart {
            return;
        }
        let card = Contact {
            family_name: "Rossi".into(),
            email: CUSTOMER.into(),
            ..Contact::default()
        };
        let write = made_by_user("rita", Record::Contact(card));
        self.office
            .in_crm(&self.rows[0], RecordKind::Contacts, write)
            .await;
    }

    /// A mail arrives: a new one, or one that a colleague has already.
    pub fn receive(&mut self, rng: &mut StdRng) {
        let row = rng.random_range(0..self.rows.len());
        let late = self.mails.iter().position(|mail| !mail.came.contains(&row));
        let which = late.filter(|_| rng.random_bool(0.4)).unwrap_or_else(|| {
            let known = rng.random_bool(0.8);
            let files = (0..FILES).filter(|_| rng.random_bool(0.25)).collect();
            self.is_sent(known, files)
        });
        self.arrives(which, row);
    }

    /// A mail of the customer with these files arrives.
    pub fn receive_with(&mut self, files: &[usize]) {
        let which = self.is_sent(true, files.iter().copied().collect());
        self.arrives(which, 0);
    }

    fn is_sent(&mut self, known: bool, files: BTreeSet<usize>) -> usize {
        let number = self.fresh();
        let from = match (known, self.apart) {
            (false, _) => STRANGER.to_owned(),
            (true, false) => CUSTOMER.to_owned(),
            (true, true) => self.office.pages.customer(),
        };
        self.mails.push(Mail {
            from,
            subject: format!("offer {number}"),
            number,
            known,
            files,
            came: BTreeSet::new(),
            stays: BTreeSet::new(),
            met: false,
        });
        self.mails.len() - 1
    }

    fn arrives(&mut self, which: usize, row: usize) {
        let mail = &mut self.mails[which];
        mail.came.insert(row);
        mail.stays.insert(row);
        let line = format!(
            "{} comes to {row}, with {:?}, known: {}",
            mail.subject, mail.files, mail.known
        );
        let (exchange, address) = (&self.office.lab.parts.exchange, &self.rows[row].mailbox.address);
        exchange.import_eml(address, "inbox", mail.text().into()).unwrap();
        self.note(line);
        self.acted(row, RecordKind::Mail);
    }

    /// Somebody throws a mail away.
    pub async fn throw_away(&mut self, rng: &mut StdRng) {
        let Some(which) = (!self.mails.is_empty()).then(|| rng.random_range(0..self.mails.len())) else {
            return;
        };
        let Some(row) = self.mails[which].stays.pop_first() else {
            return;
        };
        let subject = self.mails[which].subject.clone();
        let who = &self.rows[row];
        for item in self.office.items(who, RecordKind::Mail).await {
            if crate::harness::office::subject(&item.record) == subject {
                let ItemId(id) = item.item.id;
                let write = MailboxWrite::Delete { item: ItemId(id) };
                // Our connector writes no mail; it takes a deletion as that of a task.
                self.office.in_mailbox(who, RecordKind::Tasks, write).await;
            }
        }
        self.note(format!("{subject} is thrown away by {row}"));
        self.acted(row, RecordKind::Mail);
    }

    /// Every mail of the customer is one record, with its files; no other is there.
    ///
    /// # Errors
    /// What does not hold.
    pub async fn judge_mails(&self) -> Result<(), String> {
        if self.apart {
            return self.judge_mails_by_subject().await;
        }
        let content = self.office.lab.parts.salesforce.content();
        let alive = |object: &str| -> Vec<&Value> {
            let rows = content[object].as_array().unwrap().iter();
            rows.filter(|row| row["IsDeleted"] != true).collect()
        };
        let (records, links) = (alive("EmailMessage"), alive("ContentDocumentLink"));
        for mail in &self.mails {
            let of_it: Vec<_> = records
                .iter()
                .filter(|row| row["Subject"] == mail.subject.as_str())
                .collect();
            mail.stands(of_it.len())?;
            let Some(record) = of_it.first() else { continue };
            let hanging = links
                .iter()
                .filter(|link| link["LinkedEntityId"] == record["Id"])
                .count();
            // Where the body stays away, so do the files.
            let takes = |row: &usize| {
                let policy = &self.policies[*row];
                policy.attachments.takes(RecordKind::Mail) && !header_only(policy)
            };
            let due = match (mail.stays.iter().any(takes), mail.came.iter().any(takes)) {
                (true, _) => mail.files.len()..=mail.files.len(),
                (false, true) => 0..=mail.files.len(),
                (false, false) => 0..=0,
            };
            if !due.contains(&hanging) {
                return Err(format!("{mail:?}: {hanging} files"));
            }
            let header_only = |row: &usize| header_only(&self.policies[*row]);
            let body = [&record["TextBody"], &record["HtmlBody"]];
            if mail.came.iter().all(header_only) && body.iter().any(|body| !body.is_null() && **body != "") {
                return Err(format!("{mail:?}: its body is in the CRM"));
            }
        }
        // One content is one file, whoever has it and on however many records it hangs.
        let mut titles = BTreeSet::new();
        for document in alive("ContentDocument") {
            if !titles.insert(document["Title"].to_string()) {
                return Err(format!("a file is there twice: {document}"));
            }
        }
        let strange = records.iter().find(|row| {
            let known = |mail: &Mail| row["Subject"] == mail.subject.as_str();
            !self.mails.iter().any(known)
        });
        strange.map_or(Ok(()), |row| Err(format!("nobody sent {row}")))
    }

    /// The same by what the CRM's own people see.
    async fn judge_mails_by_subject(&self) -> Result<(), String> {
        let subjects = self.office.pages.mails().await;
        for mail in &self.mails {
            let times = subjects.iter().filter(|subject| **subject == mail.subject);
            mail.stands(times.count())?;
        }
        let sent = |subject: &&String| self.mails.iter().any(|mail| mail.subject == **subject);
        match subjects.iter().find(|subject| !sent(subject)) {
            Some(subject) => Err(format!("nobody sent {subject}")),
            None => Ok(()),
        }
    }
}

fn header_only(policy: &Policy) -> bool {
    policy.mail.body == MailBody::HeaderOnly
}
