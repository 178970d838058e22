//! The planner's promises, tried on small worlds: two sides, any interleaving of edits, creations, deletions,
//! turns and crashes between any two writes of a turn.
//!
//! The world here keeps a number where the real one keeps a text, and does by hand what `gather` and `apply`
//! do against real counterparts; what it proves is the plan. The same promises over real sockets are in the
//! integration tests.

// long: one world and every promise tried on it

use super::fingerprint::{EMPTY, PRINT_BYTES, Prints};
use super::model::{Change, Pair, Scope, Seen, Verdict};
use super::plan::decide;
use super::policy::{Common, ConflictRule, Deletion, FieldRules, Flow};
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
}

#[derive(Clone, Debug)]
enum Step {
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
    /// A turn; it crashes before its `crash`-th write, if it gets so far.
    Turn {
        crash: Option<u32>,
    },
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
        half.news.insert(id);
        id
    }

    fn remove(&mut self, in_mailbox: bool, id: u32) {
        let half = self.half(in_mailbox);
        half.things.remove(&id);
        half.news.insert(id);
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Create { in_mailbox, values } => {
                self.put(*in_mailbox, None, *values, None);
            }
            Step::Edit {
                in_mailbox,
                which,
                field,
                value,
            } => {
                let half = self.half(*in_mailbox);
                let id = half.things.keys().nth(which % half.things.len().max(1)).copied();
                if let Some(id) = id {
                    let mut values = half.things[&id].values;
                    values[field % 3] = *value;
                    self.put(*in_mailbox, Some(id), values, None);
                }
            }
            Step::Delete { in_mailbox, which } => {
                let half = self.half(*in_mailbox);
                let id = half.things.keys().nth(which % half.things.len().max(1)).copied();
                if let Some(id) = id {
                    self.remove(*in_mailbox, id);
                }
            }
            Step::Turn { crash } => {
                let _ = self.turn(*crash);
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
        }
    }

    fn change(&self, half: &Half, id: u32) -> Change {
        half.things
            .get(&id)
            .map_or(Change::Deleted, |thing| Change::Upserted(self.seen(thing)))
    }

    /// One turn as `pass` runs it: all news, joined by links, keys and stamps; a commit at the end only.
    fn turn(&mut self, crash: Option<u32>) -> Result<u32, Crash> {
        let before = self.writes;
        let limit = crash.map(|crash| before + crash);
        let (mailbox_news, crm_news) = (self.mailbox.news.clone(), self.crm.news.clone());
        let mut links = self.links.clone();
        let mut met: BTreeSet<u32> = BTreeSet::new();
        for id in &mailbox_news {
            let (partner, base) = match links.get(id) {
                Some((crm, base)) => (Some(*crm), Some(base.clone())),
                None => (self.unlinked_partner(*id, &links), None),
            };
            let crm = match (partner, &base) {
                (Some(crm), Some(_)) | (Some(crm), None) => Some(self.change(&self.crm, crm)),
                (None, _) => None,
            };
            met.extend(partner);
            let pair = Pair {
                base,
                mailbox: Some(self.change(&self.mailbox, *id)),
                crm,
            };
            self.carry_out(Some(*id), partner, &pair, &mut links, limit)?;
        }
        for id in crm_news.difference(&met) {
            let linked = links
                .iter()
                .find(|(_, (crm, _))| crm == id)
                .map(|(item, (_, base))| (*item, base.clone()));
            let (item, base) = match linked {
                Some((item, base)) => (Some(item), Some(base)),
                None => (
                    self.mailbox
                        .things
                        .iter()
                        .find(|(item, thing)| thing.made_from == Some(*id) && !links.contains_key(item))
                        .map(|(item, _)| *item),
                    None,
                ),
            };
            let mailbox = item.map(|item| self.change(&self.mailbox, item));
            let pair = Pair {
                base,
                mailbox,
                crm: Some(self.change(&self.crm, *id)),
            };
            self.carry_out(item, Some(*id), &pair, &mut links, limit)?;
        }
        self.links = links;
        // Our own writes come back: the CRM's as news, the mailbox's not, since their versions are known.
        self.mailbox.news.clear();
        self.crm.news.retain(|id| {
            let written = i64::from(self.writes - before);
            self.crm
                .things
                .get(id)
                .is_some_and(|thing| thing.modified > self.clock - written)
        });
        Ok(self.writes - before)
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

    fn effect(&mut self, limit: Option<u32>) -> Result<(), Crash> {
        if limit.is_some_and(|limit| self.writes >= limit) {
            return Err(Crash);
        }
        self.writes += 1;
        Ok(())
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
        match (decide(pair, self.policy), item, crm) {
            (Verdict::CreateInCrm, Some(item), _) => {
                self.effect(limit)?;
                let values = self.mailbox.things[&item].values;
                let id = self.put(false, None, values, Some(item));
                links.insert(item, (id, prints(&values)));
            }
            (Verdict::CreateInMailbox, old, Some(crm)) => {
                self.effect(limit)?;
                let values = self.crm.things[&crm].values;
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
                let (mine, theirs) = (self.mailbox.things[&item].values, self.crm.things[&crm].values);
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
                    self.effect(limit)?;
                    self.put(false, Some(crm), merged(theirs, mine, to_crm), None);
                }
                if !to_mailbox.is_empty() {
                    self.effect(limit)?;
                    self.put(true, Some(item), merged(mine, theirs, to_mailbox), None);
                }
                links.insert(item, (crm, base));
            }
            (Verdict::InStep { base }, Some(item), Some(crm)) => {
                links.insert(item, (crm, base));
            }
            (Verdict::DeleteInCrm { .. }, item, Some(crm)) => {
                self.effect(limit)?;
                self.remove(false, crm);
                links.retain(|linked, _| Some(*linked) != item);
            }
            (Verdict::DeleteInMailbox, Some(item), _) => {
                self.effect(limit)?;
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

    fn settle(&mut self) -> u32 {
        let mut last = 0;
        for _ in 0..4 {
            last = self.turn(None).unwrap_or(u32::MAX);
        }
        last
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
        conflict_fields: FIELDS
            .iter()
            .zip(fields)
            .filter_map(|(field, rule)| Some((*field, rule?)))
            .fold(FieldRules::default(), |all, (field, rule)| all.with(field, rule)),
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let values = || [1_u8..4, 0_u8..4, 0_u8..4];
    let step = prop_oneof![
        2 => (any::<bool>(), values()).prop_map(|(in_mailbox, values)| Step::Create { in_mailbox, values }),
        4 => (any::<bool>(), 0_usize..8, 0_usize..3, 0_u8..4)
            .prop_map(|(in_mailbox, which, field, value)| Step::Edit { in_mailbox, which, field, value }),
        1 => (any::<bool>(), 0_usize..8).prop_map(|(in_mailbox, which)| Step::Delete { in_mailbox, which }),
        3 => proptest::option::of(0_u32..4).prop_map(|crash| Step::Turn { crash }),
    ];
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
        let edit = Step::Edit { in_mailbox, which, field, value: 9 };
        world.step(&edit);
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
        let policy = Common { flow: Flow::Both, conflict, deletion: Deletion::Follow, conflict_fields: FieldRules::default() };
        let mut world = World::new(policy);
        world.step(&Step::Create { in_mailbox: true, values });
        world.settle();
        world.step(&Step::Edit { in_mailbox: edited_in_mailbox, which: 0, field: 0, value: 9 });
        world.step(&Step::Delete { in_mailbox: !edited_in_mailbox, which: 0 });
        world.settle();
        for half in [&world.mailbox, &world.crm] {
            prop_assert_eq!(World::values(half), vec![[9, values[1], values[2]]]);
        }
    }

    #[test]
    fn a_deletion_that_nobody_contests_reaches_the_other_side(policy in policies(), in_mailbox: bool) {
        let mut world = World::new(policy);
        world.step(&Step::Create { in_mailbox: true, values: [1, 2, 3] });
        world.settle();
        world.step(&Step::Delete { in_mailbox, which: 0 });
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
    };
    let mut world = World::new(policy);
    world.step(&Step::Create {
        in_mailbox: true,
        values: [1, 1, 1],
    });
    world.step(&Step::Create {
        in_mailbox: false,
        values: [2, 2, 2],
    });
    assert_eq!(world.settle(), 0);
}
