//! What waits for a choice, and how its counterparts were found.

use crate::crm::model::CrmId;
use crate::mailbox::model::ItemId;
use crate::record::kind::RecordKind;
use crate::sync::keys::record_key;
use crate::sync::model::{ItemKey, Link, Reason, Side};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// By what the possible counterparts of an item were found, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its address, which several have.
    Address,
    /// Name and telephone number.
    Phone,
    /// Name and company.
    Company,
    /// Title and day, or without a day title and text.
    Title,
    /// Nothing: the other side has nothing like it.
    Alone,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 5] = [
        Self::Address,
        Self::Phone,
        Self::Company,
        Self::Title,
        Self::Alone,
    ];

    /// The stored word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Phone => "phone",
            Self::Company => "company",
            Self::Title => "title",
            Self::Alone => "alone",
        }
    }

    /// The inverse of [`word`](Self::word).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.word() == word)
    }

    /// The stage as a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Address => "several have this address",
            Self::Phone => "the same name and telephone number",
            Self::Company => "the same name and company",
            Self::Title => "the same title and day",
            Self::Alone => "nothing like it on the other side",
        }
    }
}

/// How far a choice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits.
    Held,
    /// It is to be linked with the record that was chosen.
    Accepted,
    /// It is to be made anew on the other side.
    New,
    /// It is to be left alone.
    Never,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Held, Self::Accepted, Self::New, Self::Never];

    /// The stored word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Accepted => "accepted",
            Self::New => "new",
            Self::Never => "never",
        }
    }

    /// The inverse of [`word`](Self::word).
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// Possible counterparts of an item of the mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidates {
    /// By what the surest of them was found.
    pub stage: Stage,
    /// Which, the surest first.
    pub records: Vec<CrmId>,
}

/// An item of the mailbox with its possible counterparts, or a record of the CRM that has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The row's number; 0 for one that is not stored yet.
    pub id: i64,
    /// What.
    pub kind: RecordKind,
    /// Where it is.
    pub side: Side,
    /// Which, shortened.
    pub key: ItemKey,
    /// Which, where it is in the mailbox.
    pub item: Option<ItemId>,
    /// Which, where it is in the CRM.
    pub crm: Option<CrmId>,
    /// Its possible counterparts.
    pub candidates: Candidates,
    /// How far.
    pub state: State,
    /// The counterpart that was chosen.
    pub chosen: Option<CrmId>,
    /// Since when.
    pub held_at: DateTime<Utc>,
}

impl Choice {
    /// One of its candidates, as a row of its own.
    pub fn by_itself(&self, record: &CrmId, state: State) -> Self {
        Self {
            id: 0,
            kind: self.kind,
            side: Side::Crm,
            key: record_key(record),
            item: None,
            crm: Some(record.clone()),
            candidates: Candidates {
                stage: Stage::Alone,
                records: Vec::new(),
            },
            state,
            chosen: None,
            held_at: self.held_at,
        }
    }
}

/// The choices of a stream, as one turn knows them.
#[derive(Default)]
pub struct Choices {
    /// The stream is read from its start, and asks.
    pub asks: bool,
    /// The policy asks no more: what still waits is let go.
    pub released: bool,
    rows: HashMap<(Side, ItemKey), Choice>,
    /// Records that wait as somebody's counterpart.
    claimed: HashSet<CrmId>,
}

impl Choices {
    /// Those of a stream of which these rows are stored.
    pub fn of(rows: Vec<Choice>, asks: bool, released: bool) -> Self {
        let mut choices = Self {
            asks,
            released,
            ..Self::default()
        };
        for row in rows {
            choices.put(row);
        }
        choices
    }

    /// Adds a row.
    pub fn put(&mut self, row: Choice) {
        match row.state {
            State::Held if !self.released => self.claimed.extend(row.candidates.records.iter().cloned()),
            State::Accepted => self.claimed.extend(row.chosen.clone()),
            _ => {}
        }
        self.rows.insert((row.side, row.key), row);
    }

    /// True where there is nothing to ask and nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && !self.asks
    }

    /// What is known of this item or record.
    pub fn get(&self, side: Side, key: ItemKey) -> Option<&Choice> {
        self.rows.get(&(side, key))
    }

    /// How far it is with an item of the mailbox. What the policy has let go is as if it had never been held.
    pub fn state(&self, key: ItemKey) -> Option<State> {
        let state = self.get(Side::Mailbox, key)?.state;
        (state != State::Held || !self.released).then_some(state)
    }

    /// True where this record waits as somebody's counterpart.
    pub fn is_claimed(&self, record: &CrmId) -> bool {
        self.claimed.contains(record)
    }

    /// What there is nothing to decide about any more, when a page ended with these links, and with this settled: it is
    /// linked, or is there no more, or takes no part.
    pub fn over(
        &self,
        links: &[Link],
        settled: &[(Side, ItemKey)],
        skipped: &[(Side, ItemKey, Reason)],
    ) -> Vec<(Side, ItemKey)> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let waits = |of: &(Side, ItemKey)| {
            skipped.iter().any(|(side, key, reason)| {
                (*side, *key) == *of && matches!(reason, Reason::AwaitsChoice | Reason::LeftAlone)
            })
        };
        let linked = links
            .iter()
            .flat_map(|link| [(Side::Mailbox, link.key), (Side::Crm, record_key(&link.crm))]);
        let gone = settled.iter().copied().filter(|of| !waits(of));
        let over: HashSet<_> = linked.chain(gone).collect();
        over.into_iter().filter(|of| self.rows.contains_key(of)).collect()
    }

    /// Records that waited for nobody but an item that is over: nobody has said what becomes of them, so each waits by
    /// itself from now on.
    pub fn orphans(&mut self, over: &[(Side, ItemKey)], links: &[Link]) -> Vec<Choice> {
        let (gone, stay): (Vec<&Choice>, Vec<&Choice>) = self
            .rows
            .values()
            .filter(|row| row.state == State::Held && !self.released)
            .partition(|row| over.contains(&(row.side, row.key)));
        let wanted: HashSet<&CrmId> = stay.iter().flat_map(|row| &row.candidates.records).collect();
        let linked: HashSet<&CrmId> = links.iter().map(|link| &link.crm).collect();
        let mut orphans = Vec::new();
        for row in gone {
            let left = row.candidates.records.iter();
            let left = left.filter(|id| !wanted.contains(id) && !linked.contains(id));
            orphans.extend(left.map(|id| row.by_itself(id, State::Held)));
        }
        for orphan in &orphans {
            self.rows.insert((orphan.side, orphan.key), orphan.clone());
        }
        orphans
    }

    /// Every row.
    pub fn rows(&self) -> impl Iterator<Item = &Choice> {
        self.rows.values()
    }
}
