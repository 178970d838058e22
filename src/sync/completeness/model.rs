//! What adds up: one side of one stream, counted.

use crate::record::kind::RecordKind;
use crate::sync::model::{Reason, Side};
use crate::sync::notes::Note;
use serde::Serialize;
use std::collections::BTreeMap;

/// The most holes that are named; all are counted.
pub(super) const NAMED: usize = 1_000;

/// One side of one stream.
#[derive(Debug, Clone, Serialize)]
pub struct Tally {
    /// The record type.
    pub kind: RecordKind,
    /// Which side.
    pub side: Side,
    /// How many there are, as the server counts them; `None` where it does not say.
    pub counted: Option<u64>,
    /// How many its feed lists.
    pub listed: u64,
    /// Of these: on both sides.
    pub written: u64,
    /// Of these: left alone, by reason.
    pub skipped: BTreeMap<Reason, u64>,
    /// Of these: failed.
    pub failed: u64,
    /// Of these: none of it. Holes.
    pub missing: u64,
    /// The holes' ids.
    pub holes: Vec<String>,
    /// Deletions that wait for a person: still linked, and not on this side any more.
    pub held: u64,
    /// What is written, and not there as a whole.
    pub noted: Vec<Said>,
}

/// What is to be said of written items.
#[derive(Debug, Clone, Serialize)]
pub struct Said {
    /// What.
    pub note: Note,
    /// Of how many items.
    pub items: u64,
    /// How many people, or lists of people, in all.
    pub count: u64,
    /// The items' ids.
    pub ids: Vec<String>,
}

impl Tally {
    pub(super) fn new(kind: RecordKind, side: Side) -> Self {
        Self {
            kind,
            side,
            counted: None,
            listed: 0,
            written: 0,
            skipped: BTreeMap::new(),
            failed: 0,
            missing: 0,
            holes: Vec::new(),
            held: 0,
            noted: Vec::new(),
        }
    }

    /// True where everything listed is accounted for, and the list is as long as the server says.
    pub fn adds_up(&self) -> bool {
        let skipped: u64 = self.skipped.values().sum();
        let accounted = self.written + skipped + self.failed;
        let counted = match (self.counted, self.kind) {
            (None, _) => true,
            // The server's count of mail leaves subfolders out.
            (Some(counted), RecordKind::Mail) => counted <= self.listed,
            (Some(counted), _) => counted == self.listed,
        };
        self.missing == 0 && accounted == self.listed && counted
    }
}
