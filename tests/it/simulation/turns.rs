//! Turns in a life, and what becomes of them.

use super::life::Life;
use super::stops::{FILES, Plan, READS};
use super::troubles;
use super::world::{Ended, Place, Running};
use holdfast::sync::report::Counts;
use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use std::time::Duration;

impl Life {
    fn plan(&mut self, (row, kind): Place) -> Option<Plan> {
        let carries = self.world.policies[row].attachments.takes(kind);
        if carries && self.rng.random_bool(0.25) {
            return Some(Plan::CrashAtCall {
                call: FILES.choose(&mut self.rng).copied().unwrap_or(FILES[0]),
                after: self.rng.random_bool(0.7),
            });
        }
        match self.rng.random_range(0..100) {
            0..12 => Some(Plan::CrashAtWrite {
                after: self.rng.random_bool(0.8),
            }),
            12..35 => Some(Plan::Crash {
                at: self.rng.random_range(0..20),
            }),
            35..42 => Some(Plan::LoseCursor { of: self.side() }),
            _ => None,
        }
    }

    /// A turn, and perhaps more of the same stream.
    pub async fn turn(&mut self) {
        let place = self.place();
        self.one_turn(place).await;
        // Who fails is often called again at once.
        while !self.world.resting.contains_key(&place) && self.rng.random_bool(0.5) {
            self.one_turn(place).await;
        }
    }

    /// One turn, in which anything may go wrong.
    pub async fn one_turn(&mut self, place: Place) {
        let (node, plan) = (self.rng.random_range(0..2), self.plan(place));
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
                if calm && all && self.world.failures(place) == 0 {
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
        let answered = self.world.person_approves(place).await;
        match well.filter(|_| answered == 0) {
            Some(counts) => self.world.went_well(place, &counts).await,
            None => self.world.troubled(place),
        }
    }

    /// Two nodes at work at the same time, each on a stream.
    pub async fn two_turns(&mut self) {
        let (one, two) = (self.place(), self.place());
        if one == two {
            return;
        }
        let plans = [self.plan(one), self.plan(two)];
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
    pub async fn interrupted_turn(&mut self) {
        let (place, node) = (self.place(), self.rng.random_range(0..2));
        let named = self.rng.random_bool(0.5);
        let plan = match READS.choose(&mut self.rng) {
            Some(call) if named => Plan::PauseAfter { call },
            _ => Plan::Pause {
                at: self.rng.random_range(0..20),
            },
        };
        self.world.wait();
        self.world.fault(None);
        let mut running = self.world.begin(node, place, Some(plan)).await;
        let still = self.world.stands_still(&running).await;
        let stop = self.world.nodes[node].stops.struck().unwrap_or_default();
        if still {
            self.world.note(format!("a turn of {place:?} stands {stop}"));
            self.people_work().await;
            // What was already on its way when the process fell asleep cannot be called back.
            let sends = ["before crm.write", "before mailbox.write"].contains(&stop.as_str())
                || stop.starts_with("before crm.") && stop.ends_with("_file");
            let likely = if named { 0.8 } else { 0.3 };
            if !sends && self.rng.random_bool(likely) {
                self.oversleeps(&mut running).await;
            }
            self.world.nodes[node].stops.resume();
        }
        let overslept = running.overslept.is_some();
        let ended = self.world.end(running).await;
        let line = if still { "it" } else { "a turn of it" };
        if overslept {
            // It changed nothing; what the other's turn left stands.
            self.woke(node, place, ended);
            return;
        }
        self.over(node, place, ended, !still, format!("{line}, {place:?},"))
            .await;
    }

    async fn people_work(&mut self) {
        for _ in 0..self.rng.random_range(1..=3) {
            self.world.outside_moves(Duration::from_millis(1500));
            match self.rng.random_range(0..10) {
                0..6 => self.write().await,
                6..8 => self.remove().await,
                _ => self.make().await,
            }
        }
    }

    /// The process of this turn stands still for longer than its lease, and the other node takes the stream over.
    async fn oversleeps(&mut self, running: &mut Running) {
        let (node, place) = (running.node, running.place);
        running.overslept = Some(self.world.nodes[node].stops.sent());
        self.world.troubled(place);
        self.world.falls_asleep(node);
        self.world.wait();
        let other = 1 - node;
        let taken = self.world.begin(other, place, None).await;
        let ended = self.world.end(taken).await;
        let line = format!("{place:?}: the other node takes over, and its turn");
        self.over(other, place, ended, true, line).await;
        if self.rng.random_bool(0.5) {
            self.people_work().await;
        }
        self.world.wakes(node);
    }

    fn woke(&mut self, node: usize, place: Place, ended: Ended) {
        let how = match ended {
            Ended::By(Ok(counts)) => format!("with {} written", counts.written()),
            Ended::By(Err(error)) => format!("with {error:?}"),
            Ended::Died(stop) => format!("dead {stop}"),
        };
        self.world
            .note(format!("{place:?}: node {node} wakes too late and ends {how}"));
    }
}
