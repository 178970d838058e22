//! What people made in a world, and what they may expect of it.
//!
//! Every thing has a title that is its own, which nobody changes, and two slots that people write into. For
//! each the world knows which values may stand there. As long as every turn went well, that is exactly one:
//! the conflict rule says which. A turn that broke off in the middle may have carried one side's words before
//! the other side's were written; then each of them is right, as long as both sides say the same.

use holdfast::record::kind::RecordKind;
use holdfast::sync::model::Side;
use holdfast::sync::policy::{Common, ConflictRule, Flow};
use std::collections::BTreeSet;

/// The record types that go both ways.
pub const KINDS: [RecordKind; 3] = [RecordKind::Calendar, RecordKind::Contacts, RecordKind::Tasks];

/// How every thing's title begins. It is one word, so that it is a family name wherever names are taken apart.
pub const TITLE: &str = "thing-";

/// What the policy says of a thing's stream.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Who wins.
    pub conflict: ConflictRule,
    /// The side that everything comes from, where it goes one way only.
    pub source: Option<Side>,
    /// The sides' clocks say nothing of each other: which of two edits is the newer one is open.
    pub apart: bool,
}

impl From<Common> for Way {
    fn from(common: Common) -> Self {
        let source = match common.flow {
            Flow::ToCrm => Some(Side::Mailbox),
            Flow::ToMailbox => Some(Side::Crm),
            Flow::Both | Flow::Off => None,
        };
        Self {
            conflict: common.conflict,
            source,
            apart: false,
        }
    }
}

/// Must it be there, must it not, or is either right?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    There,
    Gone,
    Either,
}

/// A thing that somebody made.
#[derive(Clone, Debug)]
pub struct Thing {
    pub title: String,
    pub kind: RecordKind,
    /// Whose it is.
    pub row: usize,
    /// Where it was made.
    pub origin: Side,
    /// Its owner keeps it from the CRM.
    pub hidden: bool,
    slots: [Slot; 2],
    /// Where a person removed it since it last began to live.
    removed: BTreeSet<i16>,
    /// Where a person ever removed it, and ever wrote.
    ever_removed: BTreeSet<i16>,
    ever_written: BTreeSet<i16>,
    /// Where people wrote since both sides were last in step, the last one last.
    touched: Vec<Side>,
    /// False until both sides were in step once.
    met: bool,
    /// A turn broke off, or went on while people worked, since both sides were last in step.
    murky: bool,
    /// True once a removal met an edit, or a thing that was not in step yet, in murky times: it may be there or not.
    unsure: bool,
    /// It was gone, for certain.
    gone: bool,
}

#[derive(Clone, Debug)]
struct Slot {
    /// What may stand there.
    may: BTreeSet<String>,
    /// Written since both sides were last in step: where, what, in order.
    written: Vec<(Side, String)>,
    /// The last that was written on each side, and everything that ever was.
    last: [Option<String>; 2],
    all: BTreeSet<String>,
}

impl Slot {
    fn new(value: String, origin: Side) -> Self {
        let mut last = [None, None];
        last[place(origin)] = Some(value.clone());
        Self {
            may: BTreeSet::from([value.clone()]),
            written: Vec::new(),
            last,
            all: BTreeSet::from([value]),
        }
    }

    /// The last value written since both sides were in step, there.
    fn fresh(&self, side: Side) -> Option<String> {
        let mut of = self.written.iter().filter(|(at, _)| *at == side);
        of.next_back().map(|(_, value)| value.clone())
    }
}

fn place(side: Side) -> usize {
    match side {
        Side::Mailbox => 0,
        Side::Crm => 1,
    }
}

/// The opposite side.
pub fn other(side: Side) -> Side {
    match side {
        Side::Mailbox => Side::Crm,
        Side::Crm => Side::Mailbox,
    }
}

impl Thing {
    /// A thing with first values in its slots.
    pub fn new(title: String, kind: RecordKind, row: usize, origin: Side, values: [String; 2]) -> Self {
        Self {
            title,
            kind,
            row,
            origin,
            hidden: false,
            slots: values.map(|value| Slot::new(value, origin)),
            removed: BTreeSet::new(),
            ever_removed: BTreeSet::new(),
            ever_written: BTreeSet::new(),
            touched: Vec::new(),
            met: false,
            murky: false,
            unsure: false,
            gone: false,
        }
    }

    /// True where both sides were in step once, and nobody removed it since.
    pub fn lives(&self) -> bool {
        self.met && self.removed.is_empty() && !self.gone
    }

    /// What is due on this side.
    pub fn due(&self, side: Side, way: Way) -> Due {
        if self.hidden {
            return match (side, self.ever_removed.len()) {
                (Side::Crm, _) => Due::Gone,
                (Side::Mailbox, 0) => Due::There,
                (Side::Mailbox, _) if self.ever_removed.contains(&Side::Mailbox.number()) => Due::Either,
                (Side::Mailbox, _) => Due::Either,
            };
        }
        if let Some(source) = way.source {
            return self.due_one_way(side, source);
        }
        match (self.gone, self.removed.len(), self.unsure) {
            (true, ..) => Due::Gone,
            (_, 0, _) => Due::There,
            (_, 2, _) | (_, _, false) => Due::Gone,
            _ => Due::Either,
        }
    }

    fn due_one_way(&self, side: Side, source: Side) -> Due {
        let removed = |side: Side| self.ever_removed.contains(&side.number());
        if side == source {
            return match (self.origin == source, removed(source)) {
                (true, false) => Due::There,
                _ => Due::Gone,
            };
        }
        match (self.origin == source, removed(source), removed(side)) {
            (false, _, false) | (true, false, false) => Due::There,
            (false, _, true) => Due::Gone,
            (true, true, false) if self.met && !self.unsure => Due::Gone,
            (true, ..) => Due::Either,
        }
    }

    /// What may stand in a slot on this side.
    pub fn allowed(&self, slot: usize, side: Side, way: Way) -> BTreeSet<String> {
        let slot = &self.slots[slot];
        let last = |side: Side| slot.last[place(side)].iter().cloned().collect();
        match way.source {
            Some(source) if side == source => last(source),
            Some(_) if self.origin == side => last(side),
            Some(source) if !self.ever_written.contains(&side.number()) => last(source),
            Some(_) => slot.all.clone(),
            None if self.hidden => slot.all.clone(),
            None => {
                let written = slot.written.iter().map(|(_, value)| value.clone());
                slot.may.iter().cloned().chain(written).collect()
            }
        }
    }

    /// Somebody wrote into a slot.
    pub fn wrote(&mut self, side: Side, slot: usize, value: String) {
        self.touched.push(side);
        self.ever_written.insert(side.number());
        let slot = &mut self.slots[slot];
        slot.written.push((side, value.clone()));
        slot.all.insert(value.clone());
        slot.last[place(side)] = Some(value);
        self.unsure |= !self.removed.is_empty();
    }

    /// Somebody removed it.
    pub fn removed_on(&mut self, side: Side) {
        self.removed.insert(side.number());
        self.ever_removed.insert(side.number());
        self.unsure |= !self.met || self.touched.iter().any(|touched| *touched != side);
    }

    /// A turn broke off, or went on while people worked: who wins is open.
    pub fn troubled(&mut self) {
        self.murky |= !self.met || !self.touched.is_empty() || !self.removed.is_empty();
    }

    /// Both sides are in step now, by a turn that went well.
    pub fn in_step(&mut self, way: Way) {
        match (self.removed.len(), self.murky, self.met) {
            (0, true, false) => self.words_are_open(),
            (0, ..) => self.words_in_step(way),
            (1, false, true) => self.removal_in_step(way),
            (1, false, false) | (2, ..) => self.gone = true,
            _ if !self.unsure => self.gone = true,
            _ => self.words_are_open(),
        }
        for slot in &mut self.slots {
            slot.written.clear();
        }
        self.touched.clear();
        self.met = true;
        // What nobody can tell now, nobody can tell later.
        self.murky = self.unsure && !self.gone;
    }

    /// An edit beats a removal, unless the policy lets the removing side win.
    fn removal_in_step(&mut self, way: Way) {
        let removed_there = |side: Side| self.removed.contains(&side.number());
        let (by, edited) = match removed_there(Side::Mailbox) {
            true => (Side::Mailbox, Side::Crm),
            false => (Side::Crm, Side::Mailbox),
        };
        let wins = match by {
            Side::Mailbox => ConflictRule::MailboxWins,
            Side::Crm => ConflictRule::CrmWins,
        };
        if !self.touched.contains(&edited) || way.conflict == wins {
            self.gone = true;
            return;
        }
        for slot in &mut self.slots {
            slot.may = slot
                .fresh(edited)
                .map_or(slot.may.clone(), |value| BTreeSet::from([value]));
        }
        self.removed.clear();
        self.unsure = false;
    }

    /// A turn broke off before both sides were ever in step: the copy that it left behind is found by its key, but
    /// what both sides had in common is not known, so that the newer side may win as a whole. Or it was removed on one
    /// side while the other had words of its own: what was written where it was then removed is gone with it, or was
    /// carried before, and the words from before may be what it was made of again.
    fn words_are_open(&mut self) {
        for slot in &mut self.slots {
            slot.may.extend(slot.written.drain(..).map(|(_, value)| value));
        }
    }

    fn words_in_step(&mut self, way: Way) {
        let both = self.touched.contains(&Side::Mailbox) && self.touched.contains(&Side::Crm);
        let newest = self.touched.last().copied();
        let whole = both && way.conflict != ConflictRule::MergeByField;
        let by_time = matches!(
            way.conflict,
            ConflictRule::NewestWins | ConflictRule::MergeByField
        );
        let open = self.murky || way.apart && by_time;
        let winner = match way.conflict {
            ConflictRule::MailboxWins => Some(Side::Mailbox),
            ConflictRule::CrmWins => Some(Side::Crm),
            ConflictRule::NewestWins | ConflictRule::MergeByField => newest,
        };
        for slot in &mut self.slots {
            let sides: BTreeSet<i16> = slot.written.iter().map(|(side, _)| side.number()).collect();
            if !(whole || sides.len() > 1) {
                if let Some((_, last)) = slot.written.pop() {
                    slot.may = BTreeSet::from([last]);
                }
            } else if open {
                slot.may.extend(slot.written.drain(..).map(|(_, value)| value));
            } else if let Some(value) = winner.and_then(|winner| slot.fresh(winner)) {
                slot.may = BTreeSet::from([value]);
            }
        }
    }
}
