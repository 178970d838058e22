//! A random life: what happens in a world, step by step.

use super::stops::Plan;
use super::things::other;
use super::world::{Ended, Place, World};
use super::{policies, troubles};
use crate::harness::office::Ground;
use holdfast::record::kind::RecordKind;
use holdfast::sync::model::Side;
use holdfast::sync::policy::PrivateItems;
use holdfast::sync::report::Counts;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What a life passed through, for the census at the end.
#[derive(Default)]
pub struct Census {
    /// Every stop that was passed.
    pub stops: BTreeSet<String>,
    /// How often a process died at which.
    pub struck: BTreeMap<String, u64>,
}

struct Life {
    world: World,
    rng: StdRng,
    struck: BTreeMap<String, u64>,
}

/// Lives one world through.
///
/// # Errors
/// What did not hold, and the world's whole history.
pub async fn live(ground: &Ground, seed: u64) -> Result<Census, String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let policies: Vec<_> = (0..rng.random_range(1..=3))
        .map(|_| policies::any(&mut rng))
        .collect();
    let mut life = Life {
        world: World::new(ground, policies).await,
        rng,
        struck: BTreeMap::new(),
    };
    life.world.know_the_customer().await;
    for _ in 0..life.rng.random_range(8..24) {
        life.step().await;
    }
    let Life {
        mut world, struck, ..
    } = life;
    let result = match world.rest().await {
        Ok(()) => world.judge().await,
        early => early,
    };
    let census = Census {
        stops: world.passed(),
        struck,
    };
    result.map(|()| census).map_err(|what| {
        let agreed: Vec<_> = world.policies.iter().map(in_short).collect();
        format!(
            "world {seed}: {what}\n  replay: make sim SEED={seed}\n  agreed:\n    {}\n  its life:\n    {}",
            agreed.join("\n    "),
            world.log.join("\n    ")
        )
    })
}

fn in_short(policy: &holdfast::sync::policy::Policy) -> String {
    let of = |kind| {
        let common = policy.common(kind);
        format!("{kind:?} {:?} {:?}", common.flow, common.conflict)
    };
    let all: Vec<String> = RecordKind::ALL.into_iter().map(of).collect();
    format!(
        "{}, private {:?}, files of {:?}, mail {:?}",
        all.join(", "),
        policy.calendar.private,
        policy.attachments.of,
        policy.mail.body
    )
}

impl Life {
    async fn step(&mut self) {
        // Time goes by, so that two writes never share an instant.
        self.world.outside_moves(Duration::from_millis(1500));
        match self.rng.random_range(0..100) {
            0..14 => self.make().await,
            14..30 => self.write().await,
            30..37 => self.remove().await,
            37..42 => self.quarrel().await,
            42..48 => self.world.receive(&mut self.rng),
            48..50 => self.world.throw_away(&mut self.rng).await,
            50..56 => self.world.about_series(&mut self.rng).await,
            56..58 => self.hide().await,
            58..64 => self.time(),
            64..74 => self.interrupted_turn().await,
            74..78 => self.two_turns().await,
            78..80 => {
                let node = self.rng.random_range(0..2);
                self.world.restart(node);
                self.world.note(format!("node {node} restarts"));
            }
            _ => self.turn().await,
        }
    }

    /// Hours go by, for everybody or by one side's clock alone.
    fn time(&mut self) {
        let hours = self.rng.random_range(1..9);
        let by = Duration::from_secs(hours * 3600);
        let who = match self.rng.random_range(0..4) {
            0 => {
                self.world.nodes_jump(by);
                "the nodes"
            }
            1 => {
                self.world.outside_moves(by);
                "everybody outside"
            }
            _ => {
                self.world.time_passes(by);
                "everybody"
            }
        };
        self.world.note(format!("{hours} hours go by for {who}"));
    }

    fn side(&mut self) -> Side {
        if self.rng.random_bool(0.5) {
            Side::Mailbox
        } else {
            Side::Crm
        }
    }

    async fn make(&mut self) {
        let streams = self.world.streams();
        let mut place = *streams.choose(&mut self.rng).unwrap_or(&streams[0]);
        for _ in 0..self.rng.random_range(1..=4) {
            let side = self.side();
            let (row, kind) = place;
            let hidden = side == Side::Mailbox && self.may_hide(place) && self.rng.random_bool(0.15);
            self.world.make(kind, row, side, hidden).await;
            if self.rng.random_bool(0.3) {
                place = *streams.choose(&mut self.rng).unwrap_or(&place);
            }
        }
    }

    /// Private meetings of this stream are kept from the CRM, or all but their time is.
    fn may_hide(&self, (row, kind): Place) -> bool {
        let policy = &self.world.policies[row];
        kind == RecordKind::Calendar
            && policy.calendar.private != PrivateItems::Full
            && policy.calendar.common.flow.to_crm()
    }

    fn some_thing(&mut self) -> Option<usize> {
        let count = self.world.things.len();
        (count > 0).then(|| self.rng.random_range(0..count))
    }

    async fn write(&mut self) {
        let Some(which) = self.some_thing() else { return };
        let (side, slot) = (self.side(), self.rng.random_range(0..2));
        self.world.write(which, side, slot).await;
    }

    async fn remove(&mut self) {
        let Some(which) = self.some_thing() else { return };
        let side = self.side();
        self.world.remove(which, side).await;
    }

    async fn hide(&mut self) {
        let Some(which) = self.some_thing() else { return };
        let thing = &self.world.things[which];
        if thing.lives() && !thing.hidden && self.may_hide((thing.row, thing.kind)) {
            self.world.hide(which).await;
        }
    }

    /// Two people work on the same things, each on a side: one writes what the other writes too, or removes.
    async fn quarrel(&mut self) {
        let Some(which) = self.some_thing() else { return };
        let (row, kind) = (self.world.things[which].row, self.world.things[which].kind);
        let side = self.side();
        for which in self.world.things_of(row, kind) {
            if !self.world.things[which].lives() || self.rng.random_bool(0.2) {
                continue;
            }
            let slot = self.rng.random_range(0..2);
            self.world.write(which, other(side), slot).await;
            self.world.outside_moves(Duration::from_millis(1500));
            if self.rng.random_bool(0.6) {
                self.world.remove(which, side).await;
            } else {
                let slot = self.rng.random_range(0..2);
                self.world.write(which, side, slot).await;
            }
            self.world.outside_moves(Duration::from_millis(1500));
        }
    }

    /// A stream; rather one in which something is to be done.
    fn place(&mut self) -> Place {
        let world = &self.world;
        let mut busy: Vec<Place> = Vec::new();
        busy.extend(world.things.iter().map(|thing| (thing.row, thing.kind)));
        busy.extend(
            world
                .series
                .iter()
                .map(|series| (series.row, RecordKind::Calendar)),
        );
        busy.extend((0..world.rows.len()).map(|row| (row, RecordKind::Mail)));
        busy.retain(|place| !world.resting.contains_key(place));
        if let Some(place) = busy.choose(&mut self.rng).filter(|_| self.rng.random_bool(0.8)) {
            return *place;
        }
        let row = self.rng.random_range(0..world.rows.len());
        let kind = RecordKind::ALL[self.rng.random_range(0..RecordKind::ALL.len())];
        (row, kind)
    }

    fn plan(&mut self) -> Option<Plan> {
        match self.rng.random_range(0..100) {
            0..35 => Some(Plan::Crash {
                at: self.rng.random_range(0..20),
            }),
            35..42 => Some(Plan::LoseCursor { of: self.side() }),
            _ => None,
        }
    }

    async fn turn(&mut self) {
        let place = self.place();
        self.one_turn(place).await;
        // Who fails is often called again at once.
        while !self.world.resting.contains_key(&place) && self.rng.random_bool(0.5) {
            self.one_turn(place).await;
        }
    }

    async fn one_turn(&mut self, place: Place) {
        let (node, plan) = (self.rng.random_range(0..2), self.plan());
        let fault = self.rng.random_bool(0.35).then(|| troubles::any(&mut self.rng));
        self.world.wait();
        let ended = self.world.turn(node, place, plan, fault.clone()).await;
        let mut line = format!("a turn of {place:?}");
        if let Some(rule) = &fault {
            let (what, side) = (&rule.fault, rule.side);
            line += &format!(
                " with {what:?} at {side:?} {:?} after {} for {:?}",
                rule.operation, rule.skip, rule.times
            );
        }
        let struck = self.world.struck.clone();
        if let Some(struck) = struck.filter(|_| !matches!(ended, Ended::Died(_))) {
            line += &format!(", {struck}");
        }
        self.over(node, place, ended, fault.is_none(), line).await;
        if fault.is_some_and(|rule| troubles::lingers(&rule)) {
            self.world.restart(node);
        }
    }

    /// What follows from the end of a turn.
    async fn over(&mut self, node: usize, place: Place, ended: Ended, calm: bool, mut line: String) {
        let mut well: Option<Counts> = None;
        match ended {
            Ended::By(Ok(counts)) => {
                line += &format!(" ends, {} written, {} failed", counts.written(), counts.failed);
                let all = counts.failed == 0 && !counts.attachments_wait;
                if calm && all && self.world.standing(place).await.0 == 0 {
                    well = Some(counts);
                }
            }
            Ended::By(Err(error)) => line += &format!(" fails: {error:?}"),
            Ended::Died(stop) => {
                line += &format!(" dies {stop}");
                *self.struck.entry(stop).or_default() += 1;
                self.world.restart(node);
            }
        }
        self.world.note(line);
        match well {
            Some(counts) => self.world.went_well(place, &counts).await,
            None => self.world.troubled(place),
        }
    }

    /// Two nodes at work at the same time, each on a stream.
    async fn two_turns(&mut self) {
        let (one, two) = (self.place(), self.place());
        if one == two {
            return;
        }
        let plans = [self.plan(), self.plan()];
        self.world.wait();
        self.world.fault(None);
        let first = self.world.begin(0, one, plans[0]).await;
        let second = self.world.begin(1, two, plans[1]).await;
        let ended = self.world.end(first).await;
        self.over(0, one, ended, true, format!("a turn of {one:?}, beside another,"))
            .await;
        let ended = self.world.end(second).await;
        self.over(1, two, ended, true, format!("a turn of {two:?}, beside it,"))
            .await;
    }
}

impl Life {
    /// A turn that stands still at some stop. Meanwhile people work on what it has in hand, or, where it stands
    /// longer than its lease lasts, another node takes the stream over and this one wakes too late.
    async fn interrupted_turn(&mut self) {
        let (place, node) = (self.place(), self.rng.random_range(0..2));
        let at = self.rng.random_range(0..20);
        self.world.wait();
        self.world.fault(None);
        let running = self.world.begin(node, place, Some(Plan::Pause { at })).await;
        let still = self.world.stands_still(&running).await;
        let stop = self.world.nodes[node].stops.struck().unwrap_or_default();
        if still {
            self.world.note(format!("a turn of {place:?} stands {stop}"));
            for _ in 0..self.rng.random_range(1..=3) {
                self.world.outside_moves(Duration::from_millis(1500));
                match self.rng.random_range(0..10) {
                    0..6 => self.write().await,
                    6..8 => self.remove().await,
                    _ => self.make().await,
                }
            }
            // A batch that was already on its way when the process fell asleep cannot be called back.
            if self.rng.random_bool(0.3) && !stop.ends_with(".write") {
                self.world.wait();
                let ended = self.world.take_over(1 - node, place).await;
                self.world.note(format!("another node takes over: {ended}"));
            }
            self.world.nodes[node].stops.resume();
        }
        let ended = self.world.end(running).await;
        let line = if still { "it" } else { "a turn of it" };
        self.over(node, place, ended, !still, format!("{line}, {place:?},"))
            .await;
    }
}
