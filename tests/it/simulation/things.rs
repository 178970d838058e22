//! What people made in a world, and what they may expect of it.
//!
//! Every thing has a title that is its own, which nobody changes, and two slots that people write into. For
//! each the world knows which values may stand there. As long as every turn went well, that is exactly one:
//! the conflict rule says which. A turn that broke off in the middle may have carried one side's words before
//! the other side's were written; then each of them is right, as long as both sides say the same.

use super::standing::Standing;
use super::way::Way;
use holdfast::record::kind::RecordKind;
use holdfast::sync::model::Side;
use holdfast::sync::policy::{ConflictRule, Deletion, OutOfScope};
use std::collections::BTreeSet;

/// The record types that go both ways.
pub const KINDS: [RecordKind; 3] = [RecordKind::Calendar, RecordKind::Contacts, RecordKind::Tasks];

/// How every thing's title begins. It is one word, so that it is a family name wherever names are taken apart.
pub const TITLE: &str = "thing-";

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
    /// Who was asked to it.
    pub guest: Option<String>,
    /// Its owner keeps it from the CRM.
    pub hidden: bool,
    /// A turn has seen that; where the item was removed before, nobody knows of it.
    seen_hidden: bool,
    /// Its owner gave it the category that keeps it at home.
    pub at_home: bool,
    /// A turn broke off since.
    left_in_trouble: bool,
    /// Whether the two are linked, as far as that is certain.
    pub standing: Standing,
    /// What was ever attached to it.
    pub papers: BTreeSet<usize>,
    /// On which side the one is that the other was made of.
    maker: Side,
    slots: [Slot; 2],
    /// Where a person removed it since it last began to live.
    removed: BTreeSet<i16>,
    /// Where a person ever removed it, and ever wrote.
    ever_removed: BTreeSet<i16>,
    ever_written: BTreeSet<i16>,
    /// Where people wrote since both sides were last in step.
    touched: Vec<Side>,
    /// Where somebody last did anything to it.
    newest: Side,
    /// False until both sides were in step once.
    met: bool,
    /// It was on both sides once, for certain.
    was_both: bool,
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
    /// What may stand on each side once the two go their own ways.
    alone: [BTreeSet<String>; 2],
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
            alone: Default::default(),
            last,
            all: BTreeSet::from([value]),
        }
    }

    /// What may stand there while nothing is carried over.
    fn of_its_own(&self, side: Side, murky: bool) -> BTreeSet<String> {
        match self.fresh(side) {
            _ if murky => {
                let written = self.written.iter().map(|(_, value)| value.clone());
                self.may.iter().cloned().chain(written).collect()
            }
            Some(value) => BTreeSet::from([value]),
            None => self.may.clone(),
        }
    }

    /// Where it was written since both sides were in step.
    fn sides(&self) -> BTreeSet<i16> {
        self.written.iter().map(|(side, _)| side.number()).collect()
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
            guest: None,
            hidden: false,
            seen_hidden: false,
            at_home: false,
            left_in_trouble: false,
            standing: Standing::Linked,
            papers: BTreeSet::new(),
            maker: origin,
            slots: values.map(|value| Slot::new(value, origin)),
            removed: BTreeSet::new(),
            ever_removed: BTreeSet::new(),
            ever_written: BTreeSet::new(),
            touched: Vec::new(),
            newest: origin,
            met: false,
            was_both: false,
            murky: false,
            unsure: false,
            gone: false,
        }
    }

    /// True where both sides were in step once, and nobody removed it since.
    pub fn lives(&self) -> bool {
        self.met && self.removed.is_empty() && !self.gone && self.standing == Standing::Linked
    }

    /// True where it is on both sides, and nothing about it is open.
    pub fn is_certain(&self) -> bool {
        self.lives() && !self.hidden && !self.at_home && !self.murky && !self.unsure
    }

    /// True where what happens on one side is carried over to the other.
    pub fn is_one(&self, way: Way) -> bool {
        self.standing == Standing::Linked && !self.rests_at_home(way)
    }

    /// True where it was removed on this side since it last began to live.
    pub fn is_removed(&self, side: Side) -> bool {
        self.removed.contains(&side.number())
    }

    /// True where somebody ever removed it, and no rule says for certain that it stays on this side.
    pub fn may_be_gone(&self, side: Side, way: Way) -> bool {
        let kept = way.deletion == Deletion::Keep && self.was_both;
        !self.ever_removed.is_empty() && (!kept || self.ever_removed.contains(&side.number()))
    }

    /// True where the two are linked and nothing is carried over.
    pub fn rests_at_home(&self, way: Way) -> bool {
        self.at_home && self.standing == Standing::Linked && way.source.is_none() && way.keeps_home
    }

    /// What is due on this side.
    pub fn due(&self, side: Side, way: Way) -> Due {
        if self.hidden {
            return match (side, self.ever_removed.len()) {
                (Side::Crm, _) if self.seen_hidden => Due::Gone,
                (Side::Crm, _) => Due::Either,
                (Side::Mailbox, 0) => Due::There,
                (Side::Mailbox, _) if self.ever_removed.contains(&Side::Mailbox.number()) => Due::Either,
                (Side::Mailbox, _) => Due::Either,
            };
        }
        if let Some(source) = way.source {
            return self.due_one_way(side, source, way.deletion);
        }
        if self.standing != Standing::Linked && !self.gone {
            return self.due_alone(side, way);
        }
        match (self.gone, self.removed.len(), self.unsure) {
            (true, ..) => Due::Gone,
            (_, 0, _) => Due::There,
            (_, 2, _) | (_, _, false) => Due::Gone,
            _ => Due::Either,
        }
    }

    fn due_one_way(&self, side: Side, source: Side, deletion: Deletion) -> Due {
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
            (true, true, false) if self.met && !self.unsure => match deletion {
                Deletion::Follow => Due::Gone,
                Deletion::Keep => Due::There,
            },
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
            None if self.hidden || self.standing == Standing::Open => slot.all.clone(),
            None if self.standing != Standing::Linked => slot.alone[place(side)].clone(),
            None if self.rests_at_home(way) => slot.of_its_own(side, self.murky),
            None => {
                let written = slot.written.iter().map(|(_, value)| value.clone());
                slot.may.iter().cloned().chain(written).collect()
            }
        }
    }

    /// Somebody wrote into a slot.
    pub fn wrote(&mut self, side: Side, slot: usize, value: String) {
        self.touched.push(side);
        self.newest = side;
        self.ever_written.insert(side.number());
        let slot = &mut self.slots[slot];
        slot.written.push((side, value.clone()));
        slot.all.insert(value.clone());
        slot.last[place(side)] = Some(value.clone());
        slot.alone[place(side)] = BTreeSet::from([value]);
        self.unsure |= !self.removed.is_empty();
    }

    /// Its owner gave it a category. The item is newer for it.
    pub fn categorised(&mut self, home: bool) {
        self.at_home = home;
        self.newest = Side::Mailbox;
        // The two may find each other again. And where a turn broke off while it left, what that turn took away looks
        // as if a person had.
        if self.standing == Standing::Apart
            || !home && self.left_in_trouble && self.standing == Standing::Linked
        {
            self.standing = Standing::Open;
        }
    }

    /// Its owner attached a file. The item is newer for it.
    pub fn was_attached(&mut self, file: usize) {
        self.papers.insert(file);
        self.newest = Side::Mailbox;
    }

    /// Whoever was asked to it answered. The item is newer for it.
    pub fn was_answered(&mut self) {
        self.newest = Side::Mailbox;
    }

    /// Somebody removed it.
    pub fn removed_on(&mut self, side: Side) {
        self.removed.insert(side.number());
        self.ever_removed.insert(side.number());
        self.unsure |= !self.met || self.touched.iter().any(|touched| *touched != side);
    }

    /// A turn broke off, or went on while people worked: who wins is open.
    pub fn troubled(&mut self) {
        self.left_in_trouble |= self.at_home;
        self.murky |= !self.met || !self.touched.is_empty() || !self.removed.is_empty();
    }

    /// Both sides are in step now, by a turn that went well.
    pub fn in_step(&mut self, way: Way) {
        if self.hidden && !self.seen_hidden {
            // What is made again of the record is not private.
            self.hidden = !self.is_removed(Side::Mailbox);
            self.seen_hidden = self.hidden;
        }
        let leaves = self.at_home && way.keeps_home;
        if way.source.is_none() && !self.hidden && (leaves || self.standing != Standing::Linked) {
            self.alone_in_step(way);
            return;
        }
        match (self.removed.len(), self.murky, self.met) {
            (0, true, false) => self.words_are_open(),
            (0, ..) => self.words_in_step(way),
            (1, false, true) => self.removal_in_step(way),
            (1, false, false) | (2, ..) => self.gone = true,
            _ if !self.unsure => self.ends(way),
            _ if way.deletion == Deletion::Keep && way.source.is_none() => self.parts(Standing::Open),
            _ => self.words_are_open(),
        }
        self.settled();
    }

    fn settled(&mut self) {
        for slot in &mut self.slots {
            slot.written.clear();
        }
        self.touched.clear();
        self.was_both |= self.removed.is_empty() && !self.gone;
        self.met = true;
        // What nobody can tell now, nobody can tell later.
        self.murky = self.unsure && !self.gone;
    }

    /// The same of one that is kept at home, or whose two go their own ways.
    fn alone_in_step(&mut self, way: Way) {
        self.left_in_trouble = false;
        if self.gone {
            return;
        }
        match self.standing {
            Standing::Linked => self.leaves(way),
            // It is made anew of what the owner has.
            Standing::Taken if !self.at_home && self.removed.is_empty() => {
                if self.murky {
                    self.standing = Standing::Open;
                } else {
                    self.standing = Standing::Linked;
                    self.maker = Side::Mailbox;
                    for slot in &mut self.slots {
                        slot.may.clone_from(&slot.alone[place(Side::Mailbox)]);
                    }
                    self.settled();
                }
            }
            _ => {}
        }
    }

    /// What becomes of two of which the item is at home.
    fn leaves(&mut self, way: Way) {
        let wrote_there = self.touched.contains(&Side::Crm);
        match (self.removed.len(), self.is_removed(Side::Crm), way.left) {
            (2, ..) => self.gone = true,
            (0, _, OutOfScope::Keep) => {}
            (0, _, OutOfScope::Unlink) => self.parts(Standing::Apart),
            // Where a turn broke off, nobody can tell which of the two was made of the other.
            (0, _, OutOfScope::Remove) if self.murky => self.parts(Standing::Open),
            (0, _, OutOfScope::Remove) => self.parts(match self.maker {
                Side::Mailbox => Standing::Taken,
                Side::Crm => Standing::Apart,
            }),
            _ if self.murky || self.unsure => self.parts(Standing::Open),
            (_, true, OutOfScope::Remove) => self.parts(Standing::Taken),
            (_, true, _) => self.ends(way),
            // The CRM's edit was seen, and perhaps passed over, while the item was at home.
            (_, false, _) if wrote_there => self.parts(Standing::Open),
            (_, false, _) => self.ends(way),
        }
    }

    /// What was removed on one side, and is in nobody's way, is gone on the other as well, or stays there alone.
    fn ends(&mut self, way: Way) {
        match way.deletion {
            Deletion::Follow => self.gone = true,
            Deletion::Keep if self.is_removed(Side::Mailbox) => self.parts(Standing::Alone(Side::Crm)),
            Deletion::Keep => self.parts(Standing::Alone(Side::Mailbox)),
        }
    }

    fn parts(&mut self, standing: Standing) {
        self.standing = standing;
        for slot in &mut self.slots {
            slot.alone = [Side::Mailbox, Side::Crm].map(|side| slot.of_its_own(side, self.murky));
        }
        if !matches!(standing, Standing::Open) {
            self.removed.clear();
        }
    }

    /// An edit beats a removal, unless the policy lets the removing side win.
    fn removal_in_step(&mut self, way: Way) {
        let (by, edited) = match self.is_removed(Side::Mailbox) {
            true => (Side::Mailbox, Side::Crm),
            false => (Side::Crm, Side::Mailbox),
        };
        if !self.touched.contains(&edited) || way.removal_wins(by) {
            self.ends(way);
            return;
        }
        for slot in &mut self.slots {
            slot.may = slot
                .fresh(edited)
                .map_or(slot.may.clone(), |value| BTreeSet::from([value]));
        }
        self.maker = edited;
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
        // Slots with a rule of their own are decided by themselves and draw nothing along.
        let together = self.slots.iter().zip(way.own).filter(|(_, own)| own.is_none());
        let sides: BTreeSet<i16> = together.flat_map(|(slot, _)| slot.sides()).collect();
        for (slot, own) in self.slots.iter_mut().zip(way.own) {
            let rule = own.unwrap_or(way.conflict);
            let by_time = matches!(rule, ConflictRule::NewestWins | ConflictRule::MergeByField);
            let whole = own.is_none() && sides.len() > 1 && rule != ConflictRule::MergeByField;
            let winner = match rule {
                ConflictRule::MailboxWins => Side::Mailbox,
                ConflictRule::CrmWins => Side::Crm,
                ConflictRule::NewestWins | ConflictRule::MergeByField => self.newest,
            };
            if !(whole || slot.sides().len() > 1) {
                if let Some((_, last)) = slot.written.pop() {
                    slot.may = BTreeSet::from([last]);
                }
            } else if self.murky || way.apart && by_time {
                slot.may.extend(slot.written.drain(..).map(|(_, value)| value));
            } else if let Some(value) = slot.fresh(winner) {
                slot.may = BTreeSet::from([value]);
            }
        }
    }
}
