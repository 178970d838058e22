//! Row versions that were seen lately, small enough to be kept with a cursor.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chrono::{DateTime, Utc};
use ring::digest::{SHA256, digest};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// Versions that are kept. Beyond them rows repeat, which costs time and nothing else.
const MOST: usize = 4000;

/// Bytes of one version: eight of a hash, four of its second.
const SIZE: usize = 12;

/// A row's version is a hash of its id and its SystemModstamp: 64 bits, so that two versions are never taken
/// for one within a window of some minutes. Beside it stands the second in which it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    versions: BTreeMap<u64, u32>,
}

impl Seen {
    /// Takes a version in; false where it is there already.
    pub fn insert(&mut self, id: &str, modified: DateTime<Utc>) -> bool {
        let second = u32::try_from(modified.timestamp()).unwrap_or(u32::MAX);
        self.versions.insert(hash(id, modified), second).is_none()
    }

    /// Forgets what was written before this, and the oldest where there are too many.
    pub fn keep_since(&mut self, floor: Option<DateTime<Utc>>) {
        if let Some(floor) = floor {
            let floor = u32::try_from(floor.timestamp()).unwrap_or(0);
            self.versions.retain(|_, second| *second >= floor);
        }
        if self.versions.len() > MOST {
            let mut seconds: Vec<u32> = self.versions.values().copied().collect();
            seconds.sort_unstable_by(|a, b| b.cmp(a));
            let floor = seconds.get(MOST - 1).copied();
            self.versions.retain(|_, second| Some(*second) > floor);
        }
    }

    /// True where nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }
}

fn hash(id: &str, modified: DateTime<Utc>) -> u64 {
    let text = format!("{id} {}", modified.timestamp_millis());
    let digest = digest(&SHA256, text.as_bytes());
    let first = digest.as_ref().first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(first)
}

impl Serialize for Seen {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(self.versions.len() * SIZE);
        for (hash, second) in &self.versions {
            bytes.extend_from_slice(&hash.to_be_bytes());
            bytes.extend_from_slice(&second.to_be_bytes());
        }
        out.serialize_str(&STANDARD_NO_PAD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = STANDARD_NO_PAD
            .decode(text)
            .map_err(|_| D::Error::custom("not base64"))?;
        let (entries, []) = bytes.as_chunks::<SIZE>() else {
            return Err(D::Error::custom("not whole entries"));
        };
        let versions = entries.iter().map(|[a, b, c, d, e, f, g, h, i, j, k, l]| {
            let hash = u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
            (hash, u32::from_be_bytes([*i, *j, *k, *l]))
        });
        Ok(Self {
            versions: versions.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_770_000_000 + second, 0).expect("an instant")
    }

    #[test]
    fn what_was_seen_is_known_after_it_was_written_down() {
        let mut seen = Seen::default();
        assert!(seen.insert("a", at(1)));
        assert!(seen.insert("b", at(1)));
        let text = serde_json::to_string(&seen).expect("written");
        let mut again: Seen = serde_json::from_str(&text).expect("read");
        assert!(!again.insert("a", at(1)));
        assert!(again.insert("a", at(2)));
    }

    #[test]
    fn the_oldest_are_forgotten_first_and_all_that_are_settled() {
        let mut seen = Seen::default();
        for second in 0..i64::try_from(MOST).expect("small") + 10 {
            seen.insert("a", at(second));
        }
        seen.keep_since(None);
        assert!(seen.versions.len() <= MOST);
        assert!(seen.insert("a", at(0)));
        seen.keep_since(Some(at(1_000_000)));
        assert!(seen.is_empty());
    }
}
