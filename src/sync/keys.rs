//! Keyed hashes that stand for things: which item, which version, which record to create.

use super::model::ItemKey;
use crate::crm::model::{CrmId, ExternalKey};
use crate::foundation::content::Content;
use crate::foundation::keyring::MailboxKey;
use crate::mailbox::model::{ItemId, ItemVersion, Stamp};
use crate::mailbox::series::DateId;
use crate::record::Record;
use crate::record::event::{Event, Place};
use crate::record::kind::RecordKind;
use ring::{digest, hmac};

/// The keys of one mailbox, and the organisation's, ready for use.
pub struct Keys {
    mailbox: MailboxKey,
    organisation: MailboxKey,
    prints: hmac::Key,
}

impl Keys {
    /// From the two keys of the keyring.
    pub fn new(mailbox: MailboxKey, organisation: MailboxKey) -> Self {
        let prints = hmac::Key::new(hmac::HMAC_SHA256, &mailbox.print(b"fingerprints", b""));
        Self {
            mailbox,
            organisation,
            prints,
        }
    }

    /// The key under which fields are fingerprinted.
    pub fn prints(&self) -> &hmac::Key {
        &self.prints
    }

    /// The mailbox's own key.
    pub fn mailbox(&self) -> &MailboxKey {
        &self.mailbox
    }

    /// The key that the CRM's record of an item carries.
    ///
    /// A meeting has the same key in every mailbox, and so has a mail: one meeting, one record; one mail, one
    /// record. A contact and a task belong to their mailbox. The dates of a series share their series'
    /// key and have the day on which the rule sets them behind it, so that a series is one prefix in the CRM.
    pub fn external(&self, record: &Record, item: &ItemId) -> ExternalKey {
        let shared = match record {
            Record::Event(event) => event.meeting_id.clone().map(|id| (b"meeting".as_slice(), id)),
            Record::Email(email) => email
                .message_id
                .as_ref()
                .map(|id: &Content<String>| (b"mail".as_slice(), id.expose().trim().as_bytes().to_vec())),
            Record::Contact(_) | Record::Task(_) => None,
        };
        if let Record::Event(Event {
            place: Place::Dated(day),
            ..
        }) = record
        {
            let series = DateId::of(item).map_or_else(|| item.clone(), |date| date.series);
            let series = match shared {
                Some((_, id)) => hex(&self.organisation.print(b"series", &id)),
                None => hex(&self.mailbox.print(b"series", series.0.as_bytes())),
            };
            return ExternalKey(format!("{series}-{}", day.format("%Y%m%d")));
        }
        ExternalKey(match shared {
            Some((domain, id)) => hex(&self.organisation.print(domain, &id)),
            None => return self.of_item(record.kind(), item),
        })
    }

    /// The key of a record whose item is known by its mailbox alone: a card, a task, an appointment of one person.
    pub fn of_item(&self, kind: RecordKind, item: &ItemId) -> ExternalKey {
        ExternalKey(hex(&self
            .mailbox
            .print(kind.word().as_bytes(), item.0.as_bytes())))
    }

    /// The key that the CRM's record of the mail with this Message-ID carries.
    pub fn mail(&self, message_id: &Content<String>) -> ExternalKey {
        let id = message_id.expose().trim().as_bytes();
        ExternalKey(hex(&self.organisation.print(b"mail", id)))
    }

    /// The stamp that the mailbox's item of a record carries.
    pub fn stamp(&self, kind: RecordKind, record: &CrmId) -> Stamp {
        let domain = [b"stamp ".as_slice(), kind.word().as_bytes()].concat();
        Stamp(hex(&self.mailbox.print(&domain, record.0.as_bytes())))
    }
}

/// Half of a hash is plenty for a name: 128 bits, 32 characters.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// See [`ItemKey`].
pub fn item_key(item: &ItemId) -> ItemKey {
    ItemKey(short(item.0.as_bytes()))
}

/// A record's id shortened in the same way, for what is remembered of the CRM's side.
pub fn record_key(record: &CrmId) -> ItemKey {
    ItemKey(short(record.0.as_bytes()))
}

/// A version shortened; 0 for an unknown one.
pub fn version(version: &ItemVersion) -> i64 {
    if version.0.is_empty() {
        0
    } else {
        short(version.0.as_bytes())
    }
}

fn short(bytes: &[u8]) -> i64 {
    let digest = digest::digest(&digest::SHA256, bytes);
    digest
        .as_ref()
        .iter()
        .take(8)
        .fold(0_i64, |sum, byte| (sum << 8) | i64::from(*byte))
}
