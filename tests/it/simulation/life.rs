//! A random life: what happens in a world, step by step.

use super::people::PAPERS;
use super::policies;
use super::things::other;
use super::world::{Place, World};
use crate::harness::office::Ground;
use holdfast::record::kind::RecordKind;
use holdfast::sync::model::Side;
use holdfast::sync::policy::PrivateItems;
use holdfast_lab::exchange::meeting::Answer;
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

/// A world, and what decides about it.
pub struct Life {
    pub world: World,
    pub rng: StdRng,
    /// Deaths by stop.
    pub struck: BTreeMap<String, u64>,
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
    let world = World::new(ground, policies, rng.random_range(1..=3)).await;
    live_in(
        world,
        rng,
        &format!("world {seed}"),
        &format!("make sim SEED={seed}"),
    )
    .await
}

/// Lives through the random life of this world, from here on.
///
/// # Errors
/// What did not hold, and the world's whole history.
pub async fn live_in(world: World, rng: StdRng, name: &str, replay: &str) -> Result<Census, String> {
    let mut life = Life {
        world,
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
        Ok(()) => match world.judge().await {
            Ok(()) => world.quarrels().await,
            wrong => wrong,
        },
        early => early,
    };
    let census = Census {
        stops: world.passed(),
        struck,
    };
    result.map(|()| census).map_err(|what| {
        let agreed: Vec<_> = world.policies.iter().map(in_short).collect();
        format!(
            "{name}: {what}\n  replay: {replay}\n  agreed:\n    {}\n  its life:\n    {}",
            agreed.join("\n    "),
            world.log.join("\n    ")
        )
    })
}

fn in_short(policy: &holdfast::sync::policy::Policy) -> String {
    let of = |kind| {
        let common = policy.common(kind);
        let own = serde_json::to_string(&common.conflict_fields).unwrap_or_default();
        let (flow, conflict, deletion) = (common.flow, common.conflict, common.deletion);
        let left = common.out_of_scope;
        format!("{kind:?} {flow:?} {conflict:?} {own} deletions {deletion:?}, left {left:?}")
    };
    let all: Vec<String> = RecordKind::ALL.into_iter().map(of).collect();
    format!(
        "{}; private {:?}, files of {:?}, mail {:?}",
        all.join("; "),
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
            0..13 => self.make().await,
            13..26 => self.write().await,
            26..32 => self.remove().await,
            32..39 => self.quarrel().await,
            39..45 => self.world.receive(&mut self.rng),
            45..47 => self.world.throw_away(&mut self.rng).await,
            // Odoo keeps series in its own way, which has tests of its own.
            47..53 if self.world.apart => self.write().await,
            47..53 => self.world.about_series(&mut self.rng).await,
            53..55 => self.hide().await,
            55..60 => self.categorise().await,
            60..63 => self.attach().await,
            63..65 => self.answer(),
            65..68 => self.time(),
            68..77 => self.interrupted_turn().await,
            77..80 => self.two_turns().await,
            80..82 => {
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

    pub fn side(&mut self) -> Side {
        if self.rng.random_bool(0.5) {
            Side::Mailbox
        } else {
            Side::Crm
        }
    }

    pub async fn make(&mut self) {
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

    pub async fn write(&mut self) {
        let Some(which) = self.some_thing() else { return };
        let (side, slot) = (self.side(), self.rng.random_range(0..2));
        self.world.write(which, side, slot).await;
    }

    pub async fn remove(&mut self) {
        let Some(which) = self.some_thing() else { return };
        let side = self.side();
        self.world.remove(which, side).await;
    }

    async fn hide(&mut self) {
        let Some(which) = self.some_thing() else { return };
        let thing = &self.world.things[which];
        if thing.lives() && !thing.hidden && !thing.at_home && self.may_hide((thing.row, thing.kind)) {
            self.world.hide(which).await;
        }
    }

    /// A thing leaves, or comes back.
    async fn categorise(&mut self) {
        let Some(which) = self.some_thing() else { return };
        let thing = &self.world.things[which];
        let (home, way) = (!thing.at_home, self.world.way((thing.row, thing.kind)));
        if way.keeps_home && !thing.hidden && (thing.lives() || thing.at_home) {
            self.world.categorise(which, home).await;
        }
    }

    async fn attach(&mut self) {
        let Some(which) = self.some_thing() else { return };
        let (thing, file) = (&self.world.things[which], self.rng.random_range(0..PAPERS));
        let policy = &self.world.policies[thing.row];
        if policy.attachments.takes(thing.kind) && policy.common(thing.kind).flow.to_crm() {
            self.world.attach(which, file);
        }
    }

    /// Whoever was asked to a meeting answers.
    fn answer(&mut self) {
        let things = self.world.things.iter().enumerate();
        let meetings = things.filter(|(_, thing)| thing.guest.is_some());
        let meetings: Vec<usize> = meetings.map(|(which, _)| which).collect();
        if let Some(which) = meetings.choose(&mut self.rng) {
            let answers = [Answer::Accept, Answer::Decline];
            let answer = *answers.choose(&mut self.rng).unwrap_or(&Answer::Accept);
            self.world.answer(*which, answer);
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
        if !self.world.resting.contains_key(&(row, kind)) {
            self.one_turn((row, kind)).await;
        }
    }

    /// A stream; rather one in which something is to be done.
    pub fn place(&mut self) -> Place {
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
}
