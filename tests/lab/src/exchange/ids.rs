//! Item, folder and attachment identifiers and change keys: opaque base64 to clients, structured
//! and sealed inside.
//!
//! An item's serial is new each time it comes into a folder, so its id changes on a move; a
//! folder's never does. A keyed check makes a changed letter (ids are case-sensitive) an
//! ErrorInvalidIdMalformed instead of some other item.

use super::folder::FolderKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Identifies an item within the organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ItemKey {
    /// Index of the mailbox.
    pub mailbox: usize,
    /// Number within the mailbox, never used twice.
    pub serial: u64,
}

/// What an identifier in a request points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A folder of a mailbox.
    Folder(usize, FolderKey),
    /// A whole item.
    Item(ItemKey),
    /// One occurrence of a series, by the start that the rule gives.
    Occurrence(ItemKey, DateTime<Utc>),
    /// An attachment of an item.
    Attachment(ItemKey, u32),
}

/// Makes and reads the identifiers of one organisation.
#[derive(Clone, Debug)]
pub struct Ids {
    seed: u64,
}

const PREFIX: [u8; 3] = [0x00, 0x03, 0x24];
const ITEM_LENGTH: usize = 120;
const FOLDER_LENGTH: usize = 90;
const SEAL: usize = 16;
const SEALED_FROM: usize = 3 + 1 + 36 + 8 + 8;

impl Ids {
    /// The identifiers of the organisation with this seed.
    pub fn new(seed: u64) -> Ids {
        Ids { seed }
    }

    /// The mailbox's GUID, which every id of the mailbox contains.
    pub fn mailbox_guid(&self, mailbox: usize) -> Uuid {
        let digest = Sha256::new_with_prefix(b"mailbox").chain_update(self.seed.to_be_bytes());
        let digest = digest.chain_update((mailbox as u64).to_be_bytes()).finalize();
        let mut octets = [0; 16];
        octets.copy_from_slice(&digest[..16]);
        uuid::Builder::from_random_bytes(octets).into_uuid()
    }

    /// The id of a target. 160 characters for items, 120 for folders.
    pub fn encode(&self, target: Target) -> String {
        let (kind, mailbox, serial, extra, length) = match target {
            Target::Folder(mailbox, folder) => (0u8, mailbox, folder.0, 0, FOLDER_LENGTH),
            Target::Item(key) => (1, key.mailbox, key.serial, 0, ITEM_LENGTH),
            Target::Occurrence(key, start) => (2, key.mailbox, key.serial, start.timestamp(), ITEM_LENGTH),
            Target::Attachment(key, serial) => (3, key.mailbox, key.serial, i64::from(serial), ITEM_LENGTH),
        };
        let mut octets = Vec::with_capacity(length);
        octets.extend_from_slice(&PREFIX);
        octets.push(kind);
        octets.extend_from_slice(self.mailbox_guid(mailbox).to_string().as_bytes());
        octets.extend_from_slice(&serial.to_be_bytes());
        octets.extend_from_slice(&extra.to_be_bytes());
        octets.extend_from_slice(&self.seal(&octets, mailbox, length));
        STANDARD.encode(octets)
    }

    /// What an id points to; none when it is not one of this organisation's. `mailboxes` is how
    /// many there are.
    pub fn decode(&self, id: &str, mailboxes: usize) -> Option<Target> {
        let octets = STANDARD.decode(id).ok()?;
        let (body, seal) = octets.split_at_checked(SEALED_FROM)?;
        let guid = Uuid::parse_str(std::str::from_utf8(body.get(4..40)?).ok()?).ok()?;
        // The seal's last octets are the mailbox's index, so that nothing has to be searched.
        let index = u32::from_be_bytes(seal.get(SEAL..SEAL + 4)?.try_into().ok()?);
        let mailbox = usize::try_from(index).ok()?;
        if mailbox >= mailboxes || self.mailbox_guid(mailbox) != guid {
            return None;
        }
        if seal != self.seal(body, mailbox, octets.len()) {
            return None;
        }
        let serial = u64::from_be_bytes(body.get(40..48)?.try_into().ok()?);
        let extra = i64::from_be_bytes(body.get(48..56)?.try_into().ok()?);
        let key = ItemKey { mailbox, serial };
        match body.get(3)? {
            0 => Some(Target::Folder(mailbox, FolderKey(serial))),
            1 => Some(Target::Item(key)),
            2 => DateTime::from_timestamp(extra, 0).map(|start| Target::Occurrence(key, start)),
            3 => Some(Target::Attachment(key, u32::try_from(extra).ok()?)),
            _ => None,
        }
    }

    fn seal(&self, body: &[u8], mailbox: usize, length: usize) -> Vec<u8> {
        let digest = Sha256::new_with_prefix(self.seed.to_be_bytes())
            .chain_update(body)
            .finalize();
        let mut seal = digest[..SEAL].to_vec();
        seal.extend_from_slice(&(mailbox as u32).to_be_bytes());
        let filling = Sha256::digest(digest);
        seal.extend(
            filling
                .iter()
                .cycle()
                .take(length.saturating_sub(body.len() + seal.len())),
        );
        seal
    }

    /// The change key of a version. Begins as Exchange's do for calendar items and for others.
    pub fn change_key(&self, mailbox: usize, change: u64, calendar: bool) -> String {
        let mut octets = vec![if calendar { 0x0f } else { 0x09 }, 0, 0, 0, 0x16, 0, 0, 0];
        octets.extend_from_slice(self.mailbox_guid(mailbox).as_bytes());
        octets.extend_from_slice(&change.to_be_bytes());
        STANDARD.encode(octets)
    }

    /// The version of a change key; none when it is malformed.
    pub fn read_change_key(&self, key: &str) -> Option<u64> {
        let octets = STANDARD.decode(key).ok()?;
        if octets.len() != 32 {
            return None;
        }
        Some(u64::from_be_bytes(octets.get(24..)?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_and_are_case_sensitive_and_long() {
        let ids = Ids::new(7);
        let key = ItemKey {
            mailbox: 3,
            serial: 4711,
        };
        let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        for target in [
            Target::Folder(3, FolderKey(5)),
            Target::Item(key),
            Target::Occurrence(key, start),
            Target::Attachment(key, 2),
        ] {
            let id = ids.encode(target);
            assert!(id.len() >= 120 && !id.contains('='));
            assert_eq!(ids.decode(&id, 4), Some(target));
            assert_eq!(ids.decode(&id.to_lowercase(), 4), None);
        }
        assert_eq!(ids.encode(Target::Item(key)).len(), 160);
    }

    #[test]
    fn another_organisations_id_is_refused() {
        let id = Ids::new(7).encode(Target::Item(ItemKey {
            mailbox: 0,
            serial: 1,
        }));
        assert_eq!(Ids::new(8).decode(&id, 4), None);
        assert_eq!(Ids::new(7).decode(&id, 0), None);
    }
}
