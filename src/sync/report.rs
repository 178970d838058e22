//! What a turn, a preview and an explanation tell people. Ids, counts and reasons; no content.

use super::model::{Reason, Side, StreamId};
use super::told::Told;
use crate::foundation::telemetry::Metrics;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a turn did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Items of the mailbox that were looked at.
    pub read_in_mailbox: u64,
    /// Records of the CRM that were looked at.
    pub read_in_crm: u64,
    /// Records made in the CRM.
    pub created_in_crm: u64,
    /// Records changed in the CRM.
    pub updated_in_crm: u64,
    /// Records deleted in the CRM.
    pub deleted_in_crm: u64,
    /// Items made in the mailbox.
    pub created_in_mailbox: u64,
    /// Items changed in the mailbox.
    pub updated_in_mailbox: u64,
    /// Items deleted in the mailbox.
    pub deleted_in_mailbox: u64,
    /// Counterparts that were there already and were linked.
    pub matched: u64,
    /// Items that both sides had changed.
    pub conflicts: u64,
    /// Deletions that were put into quarantine.
    pub held: u64,
    /// Items that failed.
    pub failed: u64,
    /// Attachments that hang on records now.
    pub attachments_stored: u64,
    /// Attachments that do not go to the CRM.
    pub attachments_left_out: u64,
    /// True where attachments wait for the next turn, which is due at once.
    pub attachments_wait: bool,
    /// Items left alone, by reason.
    pub skipped: BTreeMap<Reason, u64>,
    /// How long the slowest fresh change took to the other side, in milliseconds.
    pub lag_ms: Option<i64>,
}

impl Counts {
    /// Everything that was written on either side.
    pub fn written(&self) -> u64 {
        self.created_in_crm
            + self.updated_in_crm
            + self.deleted_in_crm
            + self.created_in_mailbox
            + self.updated_in_mailbox
            + self.deleted_in_mailbox
    }

    /// Counts in the figures what a turn of this record type did. Which way a skip or a failure was going is
    /// not told apart.
    pub fn tell(&self, metrics: &Metrics, kind: &'static str) {
        let skipped: u64 = self.skipped.values().sum();
        for (direction, outcome, count) in [
            ("to_crm", "created", self.created_in_crm),
            ("to_crm", "updated", self.updated_in_crm),
            ("to_crm", "deleted", self.deleted_in_crm),
            ("to_mailbox", "created", self.created_in_mailbox),
            ("to_mailbox", "updated", self.updated_in_mailbox),
            ("to_mailbox", "deleted", self.deleted_in_mailbox),
            ("both", "matched", self.matched),
            ("both", "conflict", self.conflicts),
            ("both", "held", self.held),
            ("both", "skipped", skipped),
            ("both", "failed", self.failed),
        ] {
            if count > 0 {
                metrics.items(kind, direction, outcome, count);
            }
        }
    }

    /// Adds another turn's counts.
    pub fn add(&mut self, other: &Self) {
        self.read_in_mailbox += other.read_in_mailbox;
        self.read_in_crm += other.read_in_crm;
        self.created_in_crm += other.created_in_crm;
        self.updated_in_crm += other.updated_in_crm;
        self.deleted_in_crm += other.deleted_in_crm;
        self.created_in_mailbox += other.created_in_mailbox;
        self.updated_in_mailbox += other.updated_in_mailbox;
        self.deleted_in_mailbox += other.deleted_in_mailbox;
        self.matched += other.matched;
        self.conflicts += other.conflicts;
        self.held += other.held;
        self.failed += other.failed;
        self.lag_ms = self.lag_ms.max(other.lag_ms);
        self.attachments_stored += other.attachments_stored;
        self.attachments_left_out += other.attachments_left_out;
        self.attachments_wait |= other.attachments_wait;
        for (reason, count) in &other.skipped {
            *self.skipped.entry(*reason).or_default() += count;
        }
    }
}

/// A turn as it goes on; for progress bars.
pub trait Progress: Send + Sync {
    /// `done` of about `total` items of the stream were looked at (`None` where the server does not say).
    fn advanced(&self, stream: StreamId, done: u64, total: Option<u64>);
}

/// Nobody watches.
pub struct Quiet;

impl Progress for Quiet {
    fn advanced(&self, _: StreamId, _: u64, _: Option<u64>) {}
}

/// One row of a preview: what would be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreviewRow {
    /// The record type's word.
    pub kind: &'static str,
    /// Where the item is.
    pub side: Side,
    /// The item's or record's id.
    pub id: String,
    /// `create in CRM`, `update in mailbox`, `skip`, …
    pub action: &'static str,
    /// Fields that would be written, or the reason for leaving it alone.
    pub detail: String,
    /// Whom the organiser's mail server would mail of it; absent where nobody.
    #[serde(skip_serializing_if = "Told::is_nobodys")]
    pub told: Told,
}

/// A dry run: the same plan, and nothing written.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Preview {
    /// One row an item.
    pub rows: Vec<PreviewRow>,
    /// How many of each action.
    pub totals: BTreeMap<&'static str, u64>,
    /// Mails that the organiser's mail server would send to people.
    pub told: Told,
}

/// Why an item is, or is not, on the other side.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The record type's word.
    pub kind: &'static str,
    /// The item in the mailbox, where there is one.
    pub item: Option<String>,
    /// The record in the CRM, where there is one.
    pub crm: Option<String>,
    /// Every rule and what it said, in order: `calendar.window: passes`.
    pub rules: Vec<(String, String)>,
    /// The rule that decided: the first that keeps it out, or the one that lets a mail in.
    pub decided: Option<String>,
    /// What would be done now, in words.
    pub verdict: String,
    /// How it stands, in sentences: linked since, failed with, left alone because.
    pub notes: Vec<String>,
}
