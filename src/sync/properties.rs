//! The planner's promises, tried on small worlds: two sides, any interleaving of edits, creations, deletions,
//! turns, crashes between any two writes of a turn, and people at work between any two of them.
//!
//! The world here keeps a number where the real one keeps a text, and does by hand what `gather` and `apply`
//! do against real counterparts: it reads a pair, decides, and writes what it read, unless the target changed
//! in between. News is taken page by page, and each page is committed with its links. What it proves is the
//! plan. The same promises over real sockets are in the integration tests.

// long: one world and every promise tried on it

use super::fingerprint::{EMPTY, PRINT_BYTES, Prints};
use super::model::{Change, Pair, Scope, Seen, Verdict};
use super::plan::decide;
use super::policy::{Common, ConflictRule, Deletion, FieldRules, Flow, OutOfScope};
use crate::record::field::{Field, FieldSet};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const FIELDS: [Field; 3] = [Field::Subject, Field::Body, Field::When];
const ALL: FieldSet = FieldSet::of(&FIELDS);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Thing {
    values: [u8; 3],
    modified: i64,
    /// What it was made from: the other side's id. The key in the CRM, the stamp in the mailbox.
    made_from: Option<u32>,
}

#[derive(Clone, Debug, Default)]
struct Half {
    things: BTreeMap<u32, Thing>,
    /// Changed since the last committed cursor.
    news: BTreeSet<u32>,
    /// Changed by people while a turn runs.
    touched: BTreeSet<u32>,
    /// Written by us since the last commit: which version that made is not remembered before.
    fresh: BTreeSet<u32>,
}

#[derive(Clone, Debug)]
struct World {
    mailbox: Half,
    crm: Half,
    /// Mailbox id -> CRM id and base.
    links: BTreeMap<u32, (u32, Prints)>,
    clock: i64,
    next: u32,
    writes: u32,
    policy: Common,
    /// What people do during a turn, each before so many writes of it.
    meanwhile: Vec<(u32, Deed)>,
}

/// What a person does.
#[derive(Clone, Debug)]
enum Deed {
    Create {
        in_mailbox: bool,
        values: [u8; 3],
    },
    Edit {
        in_mailbox: bool,
        which: usize,
        field: usize,
        value: u8,
    },
    Delete {
        in_mailbox: bool,
        which: usize,
    },
}

#[derive(Clone, Debug)]
enum Step {
    Person(Deed),
    Turn(Turn),
}

/// A turn; it crashes before its `crash`-th write, if it gets so far.
#[derive(Clone, Debug)]
struct Turn {
    crash: Option<u32>,
    /// News that are committed together.
    page: usize,
    meanwhile: Vec<(u32, Deed)>,
}

impl Turn {
    /// One that nothing disturbs.
    fn quiet() -> Self {
        Self {
            crash: None,
            page: 3,
            meanwhile: Vec::new(),
        }
    }
}

fn print(value: u8) -> [u8; PRINT_BYTES] {
    if value == 0 { EMPTY } else { [value; PRINT_BYTES] }
}

fn prints(values: &[u8; 3]) -> Prints {
    Prints::from_pairs(
        FIELDS
            .iter()
            .copied()
            .zip(values.iter().map(|value| print(*value))),
    )
}

struct Crash;

impl Half {
    fn modified(&self, id: u32) -> Option<i64> {
        self.things.get(&id).map(|thing| thing.modified)
    }
}

impl World {
    fn new(policy: Common) -> Self {
        Self {
            mailbox: Half::default(),
            crm: Half::default(),
            links: BTreeMap::new(),
            clock: 0,
            next: 0,
            writes: 0,
            policy,
            meanwhile: Vec::new(),
        }
    }

    fn half(&mut self, in_mailbox: bool) -> &mut Half {
        if in_mailbox {
            &mut self.mailbox
        } else {
            &mut self.crm
        }
    }

    fn put(&mut self, in_mailbox: bool, id: Option<u32>, values: [u8; 3], made_from: Option<u32>) -> u32 {
        self.clock += 1;
        self.next += 1;
        let id = id.unwrap_or(self.next);
        let modified = self.clock;
        let half = self.half(in_mailbox);
        let made_from = half.things.get(&id).map_or(made_from, |thing| thing.made_from);
        half.things.insert(
            id,
            Thing {
                values,
                modified,
                made_from,
            },
        );
        // Our own writes come back as news from the CRM; the mailbox tells us the version that it made, and once
        // that is committed it is no news.
        if in_mailbox {
            half.fresh.insert(id);
        } else {
            half.news.insert(id);
        }
        id
    }

    fn remove(&mut self, in_mailbox: bool, id: u32) {
        let half = self.half(in_mailbox);
        half.things.remove(&id);
        half.news.insert(id);
    }

    /// A person's work, which always comes as news.
    fn deed(&mut self, deed: &Deed) {
        let (in_mailbox, id) = match deed {
            Deed::Create { in_mailbox, values } => {
                (*in_mailbox, Some(self.put(*in_mailbox, None, *values, None)))
            }
            Deed::Edit {
                in_mailbox,
                which,
                field,
                value,
            } => {
                let id = self.nth(*in_mailbox, *which);
                if let Some(id) = id {
                    let mut values = self.half(*in_mailbox).things[&id].values;
                    values[field % 3] = *value;
                    self.put(*in_mailbox, Some(id), values, None);
                }
                (*in_mailbox, id)
            }
            Deed::Delete { in_mailbox, which } => {
                let id = self.nth(*in_mailbox, *which);
                if let Some(id) = id {
                    self.remove(*in_mailbox, id);
                }
                (*in_mailbox, id)
            }
        };
        let half = self.half(in_mailbox);
        half.news.extend(id);
        half.touched.extend(id);
    }

    fn nth(&mut self, in_mailbox: bool, which: usize) -> Option<u32> {
        let half = self.half(in_mailbox);
        half.things.keys().nth(which % half.things.len().max(1)).copied()
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Person(deed) => self.deed(deed),
            Step::Turn(turn) => {
                let _ = self.turn(turn);
            }
        }
    }

    fn seen(&self, thing: &Thing) -> Seen {
        let modified = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(thing.modified);
        Seen {
            modified: Some(modified),
            prints: prints(&thing.values),
            writable: ALL,
            scope: Scope::In,
            earlier: false,
            copy: false,
            masked: false,
        }
    }

    fn change(&self, half: &Half, id: u32) -> Change {
        half.things
            .get(&id)
            .map_or(Change::Deleted, |thing| Change::Upserted(self.seen(thing)))
    }

    /// One turn as `pass` runs it: the news joined by links, keys and stamps, a commit after each page.
    fn turn(&mut self, turn: &Turn) -> Result<u32, Crash> {
        let before = self.writes;
        let limit = turn.crash.map(|crash| before + crash);
        self.meanwhile = turn
            .meanwhile
            .iter()
            .map(|(at, deed)| (before + at, deed.clone()))
            .collect();
        let unknown = std::mem::take(&mut self.mailbox.fresh);
        self.mailbox.news.extend(unknown);
        self.mailbox.touched.clear();
        self.crm.touched.clear();
        let mut met = BTreeSet::new();
        let heard: Vec<_> = self
            .crm
            .news
            .iter()
            .map(|id| (*id, self.crm.modified(*id)))
            .collect();
        let news: Vec<u32> = self.mailbox.news.iter().copied().collect();
        for page in news.chunks(turn.page) {
            let mut links = self.links.clone();
            for id in page {
                self.item(*id, &mut links, &mut met, limit)?;
            }
            self.links = links;
            self.mailbox.fresh.clear();
            for id in page.iter().filter(|id| !self.mailbox.touched.contains(id)) {
                self.mailbox.news.remove(id);
            }
        }
        for page in heard.chunks(turn.page) {
            let mut links = self.links.clone();
            for (id, _) in page {
                if !met.contains(id) {
                    self.record(*id, &mut links, limit)?;
                }
            }
            self.links = links;
            self.mailbox.fresh.clear();
            // What was written meanwhile, by whomever, comes with the next turn.
            for (id, modified) in page {
                if self.crm.modified(*id) == *modified && !self.crm.touched.contains(id) {
                    self.crm.news.remove(id);
                }
            }
        }
        Ok(self.writes - before)
    }

    fn item(
        &mut self,
        id: u32,
        links: &mut BTreeMap<u32, (u32, Prints)>,
        met: &mut BTreeSet<u32>,
        limit: Option<u32>,
    ) -> Result<(), Crash> {
        let (partner, base) = match links.get(&id) {
            Some((crm, base)) => (Some(*crm), Some(base.clone())),
            None => (self.unlinked_partner(id, links), None),
        };
        met.extend(partner);
        let pair = Pair {
            base,
            mailbox: Some(self.change(&self.mailbox, id)),
            crm: partner.map(|crm| self.change(&self.crm, crm)),
        };
        self.carry_out(Some(id), partner, &pair, links, limit)
    }

    fn record(
        &mut self,
        id: u32,
        links: &mut BTreeMap<u32, (u32, Prints)>,
        limit: Option<u32>,
    ) -> Result<(), Crash> {
        let linked = links
            .iter()
            .find(|(_, (crm, _))| *crm == id)
            .map(|(item, (_, base))| (*item, base.clone()));
        let (item, base) = match linked {
            Some((item, base)) => (Some(item), Some(base)),
            None => (self.copy_of(links, id), None),
        };
        let pair = Pair {
            base,
            mailbox: item.map(|item| self.change(&self.mailbox, item)),
            crm: Some(self.change(&self.crm, id)),
        };
        self.carry_out(item, Some(id), &pair, links, limit)
    }

    fn unlinked_partner(&self, item: u32, links: &BTreeMap<u32, (u32, Prints)>) -> Option<u32> {
        let free = |crm: &u32| !links.values().any(|(linked, _)| linked == crm);
        let by_stamp = self.mailbox.things.get(&item).and_then(|thing| thing.made_from);
        let by_key = self
            .crm
            .things
            .iter()
            .find(|(_, thing)| thing.made_from == Some(item))
            .map(|(id, _)| *id);
        by_stamp
            .filter(|crm| self.crm.things.contains_key(crm))
            .or(by_key)
            .filter(free)
    }

    /// Before each write: what people do then, and the crash if it is due. Says whether the target is still as
    /// it was read; if not, the write is refused and the pair is planned again.
    fn effect(&mut self, in_mailbox: bool, target: Option<u32>, limit: Option<u32>) -> Result<bool, Crash> {
        if limit.is_some_and(|limit| self.writes >= limit) {
            return Err(Crash);
        }
        let read = target.and_then(|id| self.half(in_mailbox).modified(id));
        let writes = self.writes;
        let (due, later) = std::mem::take(&mut self.meanwhile)
            .into_iter()
            .partition(|(at, _)| *at <= writes);
        self.meanwhile = later;
        for (_, deed) in &due {
            self.deed(deed);
        }
        if target.and_then(|id| self.half(in_mailbox).modified(id)) != read {
            return Ok(false);
        }
        self.writes += 1;
        Ok(true)
    }

    // long: one arm a verdict
    fn carry_out(
        &mut self,
        item: Option<u32>,
        crm: Option<u32>,
        pair: &Pair,
        links: &mut BTreeMap<u32, (u32, Prints)>,
        limit: Option<u32>,
    ) -> Result<(), Crash> {
        let values =
            |half: &Half, id: Option<u32>| id.and_then(|id| half.things.get(&id)).map(|thing| thing.values);
        let (mine, theirs) = (values(&self.mailbox, item), values(&self.crm, crm));
        match (decide(pair, self.policy), item, crm) {
            (Verdict::CreateInCrm, Some(item), _) => {
                if let Some(made) = self.made_before(links, item) {
                    return self.plan_again(item, made, links, limit);
                }
                self.effect(false, None, limit)?;
                let values = mine.unwrap();
                let id = self.put(false, None, values, Some(item));
                links.insert(item, (id, prints(&values)));
            }
            (Verdict::CreateInMailbox, old, Some(crm)) => {
                if let Some(made) = self.copy_of(links, crm) {
                    links.retain(|item, _| Some(*item) != old);
                    return self.plan_again(made, crm, links, limit);
                }
                self.effect(true, None, limit)?;
                let values = theirs.unwrap();
                let id = self.put(true, None, values, Some(crm));
                links.retain(|item, _| Some(*item) != old);
                links.insert(id, (crm, prints(&values)));
            }
            (
                Verdict::Update {
                    to_crm,
                    to_mailbox,
                    base,
                    ..
                },
                Some(item),
                Some(crm),
            ) => {
                let values = (mine.unwrap(), theirs.unwrap());
                if self.update((item, crm), values, (to_crm, to_mailbox), limit)? {
                    links.insert(item, (crm, base));
                }
            }
            (Verdict::InStep { base }, Some(item), Some(crm)) => {
                links.insert(item, (crm, base));
            }
            (Verdict::DeleteInCrm { .. }, item, Some(crm)) => {
                if !self.effect(false, Some(crm), limit)? {
                    if let Some(item) = item {
                        self.again(item);
                    }
                    return Ok(());
                }
                self.remove(false, crm);
                links.retain(|linked, _| Some(*linked) != item);
            }
            (Verdict::DeleteInMailbox { .. }, Some(item), _) => {
                if !self.effect(true, Some(item), limit)? {
                    self.again(item);
                    return Ok(());
                }
                self.remove(true, item);
                links.remove(&item);
            }
            (Verdict::Unlink, Some(item), _) => {
                links.remove(&item);
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes the fields of one pair in each direction. Says whether both sides took them.
    fn update(
        &mut self,
        (item, crm): (u32, u32),
        (mine, theirs): ([u8; 3], [u8; 3]),
        (to_crm, to_mailbox): (FieldSet, FieldSet),
        limit: Option<u32>,
    ) -> Result<bool, Crash> {
        let merged = |own: [u8; 3], other: [u8; 3], takes: FieldSet| {
            let mut values = own;
            for (at, field) in FIELDS.iter().enumerate() {
                if takes.has(*field) {
                    values[at] = other[at];
                }
            }
            values
        };
        if !to_crm.is_empty() {
            if !self.effect(false, Some(crm), limit)? {
                self.again(item);
                self.again_of(crm);
                return Ok(false);
            }
            self.put(false, Some(crm), merged(theirs, mine, to_crm), None);
        }
        if !to_mailbox.is_empty() {
            if !self.effect(true, Some(item), limit)? {
                self.again(item);
                self.again_of(crm);
                return Ok(false);
            }
            self.put(true, Some(item), merged(mine, theirs, to_mailbox), None);
        }
        Ok(true)
    }

    /// The record that a turn made of this item before it crashed.
    fn made_before(&self, links: &BTreeMap<u32, (u32, Prints)>, item: u32) -> Option<u32> {
        let linked = |id: u32| links.values().any(|(crm, _)| *crm == id);
        let mut things = self.crm.things.iter();
        things
            .find(|(id, thing)| thing.made_from == Some(item) && !linked(**id))
            .map(|(id, _)| *id)
    }

    /// The item that a turn made of this record before it crashed.
    fn copy_of(&self, links: &BTreeMap<u32, (u32, Prints)>, crm: u32) -> Option<u32> {
        let mut things = self.mailbox.things.iter();
        things
            .find(|(id, thing)| thing.made_from == Some(crm) && !links.contains_key(id))
            .map(|(id, _)| *id)
    }

    fn plan_again(
        &mut self,
        item: u32,
        crm: u32,
        links: &mut BTreeMap<u32, (u32, Prints)>,
        limit: Option<u32>,
    ) -> Result<(), Crash> {
        let pair = Pair {
            base: None,
            mailbox: Some(self.change(&self.mailbox, item)),
            crm: Some(self.change(&self.crm, crm)),
        };
        self.carry_out(Some(item), Some(crm), &pair, links, limit)
    }

    /// The pair is looked at again in the next turn.
    fn again(&mut self, item: u32) {
        self.mailbox.news.insert(item);
        self.mailbox.touched.insert(item);
    }

    /// And its record, of which nobody tells again if the item is gone by then.
    fn again_of(&mut self, crm: u32) {
        self.crm.news.insert(crm);
        self.crm.touched.insert(crm);
    }

    /// Turns that nothing disturbs, until all that people did has arrived; says what the one after it writes.
    fn settle(&mut self) -> u32 {
        let mut turn = || self.turn(&Turn::quiet()).unwrap_or(u32::MAX);
        turn();
        turn()
    }

    fn values(half: &Half) -> Vec<[u8; 3]> {
        let mut values: Vec<_> = half.things.values().map(|thing| thing.values).collect();
        values.sort_unstable();
        values
    }
}

fn rules() -> impl Strategy<Value = ConflictRule> {
    prop_oneof![
        Just(ConflictRule::MailboxWins),
        Just(ConflictRule::CrmWins),
        Just(ConflictRule::NewestWins),
        Just(ConflictRule::MergeByField),
    ]
}

fn policies() -> impl Strategy<Value = Common> {
    let fields = proptest::collection::vec(proptest::option::of(rules()), FIELDS.len());
    (rules(), fields).prop_map(|(conflict, fields)| Common {
        flow: Flow::Both,
        conflict,
        deletion: Deletion::Follow,
        out_of_scope: OutOfScope::Keep,
        conflict_fields: FIELDS
            .iter()
            .zip(fields)
            .filter_map(|(field, rule)| Some((*field, rule?)))
            .fold(FieldRules::default(), |all, (field, rule)| all.with(field, rule)),
    })
}

fn deeds() -> impl Strategy<Value = Deed> {
    let values = || [1_u8..4, 0_u8..4, 0_u8..4];
    prop_oneof![
        2 => (any::<bool>(), values()).prop_map(|(in_mailbox, values)| Deed::Create { in_mailbox, values }),
        4 => (any::<bool>(), 0_usize..8, 0_usize..3, 0_u8..4)
            .prop_map(|(in_mailbox, which, field, value)| Deed::Edit { in_mailbox, which, field, value }),
        1 => (any::<bool>(), 0_usize..8).prop_map(|(in_mailbox, which)| Deed::Delete { in_mailbox, which }),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let crash = proptest::option::of(0_u32..4);
    let meanwhile = proptest::collection::vec((0_u32..4, deeds()), 0..3);
    let turn = (crash, 1_usize..4, meanwhile).prop_map(|(crash, page, meanwhile)| Turn {
        crash,
        page,
        meanwhile,
    });
    let step = prop_oneof![7 => deeds().prop_map(Step::Person), 3 => turn.prop_map(Step::Turn)];
    proptest::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_sides_converge_after_any_interleaving_of_edits_deletions_and_crashes(
        policy in policies(), steps in steps()
    ) {
        let mut world = World::new(policy);
        for step in &steps {
            world.step(step);
        }
        world.settle();
        prop_assert_eq!(World::values(&world.mailbox), World::values(&world.crm));
    }

    #[test]
    fn nothing_exists_twice_whatever_crashed(policy in policies(), steps in steps()) {
        let mut world = World::new(policy);
        for step in &steps {
            world.step(step);
        }
        world.settle();
        prop_assert_eq!(world.links.len(), world.mailbox.things.len());
        prop_assert_eq!(world.links.len(), world.crm.things.len());
        let records: BTreeSet<u32> = world.links.values().map(|(crm, _)| *crm).collect();
        prop_assert_eq!(records.len(), world.links.len());
    }

    #[test]
    fn our_own_writes_coming_back_cause_no_write(policy in policies(), steps in steps()) {
        let mut world = World::new(policy);
        for step in &steps {
            world.step(step);
        }
        prop_assert_eq!(world.settle(), 0);
    }

    #[test]
    fn planning_a_settled_world_again_gives_nothing(policy in policies(), steps in steps()) {
        let mut world = World::new(policy);
        for step in &steps {
            world.step(step);
        }
        world.settle();
        for (item, (crm, base)) in &world.links {
            let pair = Pair {
                base: Some(base.clone()),
                mailbox: Some(world.change(&world.mailbox, *item)),
                crm: Some(world.change(&world.crm, *crm)),
            };
            prop_assert_eq!(decide(&pair, policy), Verdict::InStep { base: base.clone() });
        }
    }

    #[test]
    fn an_edit_that_nobody_contests_is_never_lost(
        policy in policies(), steps in steps(), in_mailbox: bool, which in 0_usize..8, field in 0_usize..3
    ) {
        let mut world = World::new(policy);
        for step in &steps {
            world.step(step);
        }
        world.settle();
        let edit = Deed::Edit { in_mailbox, which, field, value: 9 };
        world.deed(&edit);
        let edited = world.half(in_mailbox).things.values().filter(|thing| thing.values[field] == 9).count();
        world.settle();
        for half in [&world.mailbox, &world.crm] {
            let there = half.things.values().filter(|thing| thing.values[field] == 9).count();
            prop_assert_eq!(there, edited);
        }
    }
}

proptest! {
    #[test]
    fn an_edit_beats_a_deletion_of_the_other_side(
        values in [1_u8..4, 0_u8..4, 0_u8..4], edited_in_mailbox: bool, merge: bool
    ) {
        let conflict = if merge { ConflictRule::MergeByField } else { ConflictRule::NewestWins };
        let policy = Common { flow: Flow::Both, conflict, deletion: Deletion::Follow, conflict_fields: FieldRules::default(), out_of_scope: OutOfScope::Keep };
        let mut world = World::new(policy);
        world.deed(&Deed::Create { in_mailbox: true, values });
        world.settle();
        world.deed(&Deed::Edit { in_mailbox: edited_in_mailbox, which: 0, field: 0, value: 9 });
        world.deed(&Deed::Delete { in_mailbox: !edited_in_mailbox, which: 0 });
        world.settle();
        for half in [&world.mailbox, &world.crm] {
            prop_assert_eq!(World::values(half), vec![[9, values[1], values[2]]]);
        }
    }

    #[test]
    fn a_copy_that_was_deleted_before_it_could_be_joined_is_made_again(policy in policies(), value in 1_u8..4) {
        let mut world = World::new(policy);
        world.deed(&Deed::Create { in_mailbox: false, values: [value, 2, 0] });
        world.deed(&Deed::Create { in_mailbox: false, values: [value, 0, 0] });
        // The turn dies once the first copy is made.
        let dying = Turn { crash: Some(1), ..Turn::quiet() };
        prop_assert!(world.turn(&dying).is_err());
        // Somebody is at work while the two are joined, and deletes the copy before the next turn.
        let edit = Deed::Edit { in_mailbox: true, which: 0, field: 0, value: 0 };
        world.deed(&edit);
        let during = Turn { meanwhile: vec![(0, edit)], ..Turn::quiet() };
        let _ = world.turn(&during);
        world.deed(&Deed::Delete { in_mailbox: true, which: 0 });
        world.settle();
        prop_assert_eq!(World::values(&world.mailbox), World::values(&world.crm));
    }

    #[test]
    fn a_deletion_that_nobody_contests_reaches_the_other_side(policy in policies(), in_mailbox: bool) {
        let mut world = World::new(policy);
        world.deed(&Deed::Create { in_mailbox: true, values: [1, 2, 3] });
        world.settle();
        world.deed(&Deed::Delete { in_mailbox, which: 0 });
        world.settle();
        prop_assert!(world.mailbox.things.is_empty() && world.crm.things.is_empty());
    }
}

#[test]
fn a_record_type_that_is_off_is_never_written() {
    let policy = Common {
        flow: Flow::Off,
        conflict: ConflictRule::NewestWins,
        deletion: Deletion::Follow,
        conflict_fields: FieldRules::default(),
        out_of_scope: OutOfScope::Keep,
    };
    let mut world = World::new(policy);
    world.deed(&Deed::Create {
        in_mailbox: true,
        values: [1, 1, 1],
    });
    world.deed(&Deed::Create {
        in_mailbox: false,
        values: [2, 2, 2],
    });
    assert_eq!(world.settle(), 0);
}
