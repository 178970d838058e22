//! Random lives.

use super::stops::Plan;
use super::things::{KINDS, TITLE, Thing, value};
use super::world::{Ended, World};
use holdfast::record::kind::RecordKind;
use holdfast::sync::model::Side;
use holdfast::sync::policy::ConflictRule;
use holdfast_lab::faults::{Fault, Rule, Side as LabSide};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const RULES: [ConflictRule; 4] = [
    ConflictRule::MailboxWins,
    ConflictRule::CrmWins,
    ConflictRule::NewestWins,
    ConflictRule::MergeByField,
];

/// What a life passed through, for the census at the end.
#[derive(Default)]
struct Census {
    stops: BTreeSet<String>,
    struck: BTreeMap<String, u64>,
}

struct Life {
    world: World,
    things: Vec<Thing>,
    rng: StdRng,
    next: u64,
    census: Census,
}

/// Lives one world through.
async fn live(seed: u64) -> Result<Census, String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let people = rng.random_range(1..=3);
    let conflict = *RULES.choose(&mut rng).unwrap_or(&ConflictRule::MergeByField);
    let mut life = Life {
        world: World::new(people, conflict).await,
        things: Vec::new(),
        rng,
        next: 0,
        census: Census::default(),
    };
    let steps = life.rng.random_range(8..24);
    for _ in 0..steps {
        life.step().await;
    }
    let Life {
        mut world,
        mut things,
        mut census,
        ..
    } = life;
    let result = match world.rest(&mut things).await {
        Ok(()) => world.judge(&things).await,
        early => early,
    };
    census.stops = world.passed();
    result.map(|()| census).map_err(|what| {
        format!(
            "world {seed}: {what}\n  replay: make sim SEED={seed}\n  its life ({conflict:?}):\n    {}",
            world.log.join("\n    ")
        )
    })
}

impl Life {
    async fn step(&mut self) {
        // Time goes by, so that two writes never share an instant.
        self.world.outside_moves(Duration::from_millis(1500));
        match self.rng.random_range(0..100) {
            0..20 => self.make().await,
            20..42 => self.write().await,
            42..52 => self.remove().await,
            52..65 => self.interrupted_turn().await,
            65..68 => {
                self.world.restart();
                self.world.log.push("the node restarts".to_owned());
            }
            _ => self.turn().await,
        }
    }

    fn side(&mut self) -> Side {
        if self.rng.random_bool(0.5) {
            Side::Mailbox
        } else {
            Side::Crm
        }
    }

    fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    async fn make(&mut self) {
        for _ in 0..self.rng.random_range(1..=4) {
            let number = self.fresh();
            let kind = *KINDS.choose(&mut self.rng).unwrap_or(&KINDS[0]);
            let row = self.rng.random_range(0..self.world.rows.len());
            let side = self.side();
            let values = [value(kind, 0, number), value(kind, 1, number)];
            let thing = Thing::new(format!("{TITLE}{number}"), kind, row, values.clone());
            self.world.log.push(format!(
                "{} is made in the {} of {row}: {kind:?}",
                thing.title,
                side.word()
            ));
            self.world.make(&thing, side, &values).await;
            self.things.push(thing);
        }
    }

    fn some_thing(&mut self) -> Option<usize> {
        (!self.things.is_empty()).then(|| self.rng.random_range(0..self.things.len()))
    }

    async fn write(&mut self) {
        let Some(which) = self.some_thing() else { return };
        let (side, slot, number) = (self.side(), self.rng.random_range(0..2), self.fresh());
        let value = value(self.things[which].kind, slot, number);
        let thing = &mut self.things[which];
        if self.world.write(thing, side, slot, value.clone()).await {
            let line = format!("{}: slot {slot} is {value:?} in the {}", thing.title, side.word());
            self.world.log.push(line);
        }
    }

    async fn remove(&mut self) {
        let Some(which) = self.some_thing() else { return };
        let side = self.side();
        let thing = &mut self.things[which];
        if self.world.remove(thing, side).await {
            let line = format!("{} is removed in the {}", thing.title, side.word());
            self.world.log.push(line);
        }
    }

    async fn turn(&mut self) {
        let row = self.rng.random_range(0..self.world.rows.len());
        let kind = *KINDS.choose(&mut self.rng).unwrap_or(&KINDS[0]);
        let plan = self.rng.random_bool(0.35).then(|| Plan::Crash {
            at: self.rng.random_range(0..24),
        });
        let fault = self.rng.random_bool(0.35).then(|| rule(&mut self.rng));
        self.world.wait();
        let ended = self.world.turn(row, kind, plan, fault.clone()).await;
        let mut line = format!("a turn of {row}/{kind:?}");
        if let Some(Rule {
            side, fault, skip, ..
        }) = &fault
        {
            line += &format!(" with {fault:?} at {side:?} after {skip}");
        }
        match ended {
            Ended::By(Ok(counts)) => {
                line += &format!(" ends, {} written, {} failed", counts.written(), counts.failed);
                if fault.is_none() && counts.failed == 0 && self.world.standing(row, kind).await.0 == 0 {
                    let conflict = self.world.conflict;
                    let mine = |thing: &&mut Thing| thing.row == row && thing.kind == kind;
                    self.things
                        .iter_mut()
                        .filter(mine)
                        .for_each(|thing| thing.in_step(conflict));
                }
            }
            Ended::By(Err(error)) => line += &format!(" fails: {error:?}"),
            Ended::Died(stop) => {
                line += &format!(" dies {stop}");
                *self.census.struck.entry(stop).or_default() += 1;
                self.world.restart();
            }
        }
        self.world.log.push(line);
    }
}

impl Life {
    /// A turn that stands still at some stop. Meanwhile people work on what it has in hand, or, where it stands
    /// longer than its lease lasts, another node takes the stream over and this one wakes too late.
    async fn interrupted_turn(&mut self) {
        let row = self.rng.random_range(0..self.world.rows.len());
        let kind = *KINDS.choose(&mut self.rng).unwrap_or(&KINDS[0]);
        let at = self.rng.random_range(0..24);
        self.world.wait();
        let running = self.world.begin(row, kind, Some(Plan::Pause { at }), None).await;
        let still = self.world.stands_still(&running).await;
        let stop = self.world.stops.struck().unwrap_or_default();
        if still {
            self.world
                .log
                .push(format!("a turn of {row}/{kind:?} stands {stop}"));
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
                self.take_over(row, kind).await;
            }
            self.world.stops.resume();
        }
        let line = match self.world.end(running).await {
            Ended::By(Ok(counts)) => {
                format!("it ends, {} written, {} failed", counts.written(), counts.failed)
            }
            Ended::By(Err(error)) => format!("it fails: {error:?}"),
            Ended::Died(stop) => format!("it dies {stop}"),
        };
        self.world.log.push(line);
    }

    async fn take_over(&mut self, row: usize, kind: RecordKind) {
        self.world.restart();
        self.world.wait();
        let ended = self.world.take_over(row, kind).await;
        self.world.log.push(format!("another node takes over: {ended}"));
    }
}

/// A fault of any class that the lab knows.
fn rule(rng: &mut StdRng) -> Rule {
    let side = if rng.random_bool(0.5) {
        LabSide::Exchange
    } else {
        LabSide::Salesforce
    };
    let fault = match rng.random_range(0..14) {
        0 => Fault::Busy { back_off_ms: 5 },
        1 => Fault::Slow { ms: 5 },
        2 => Fault::Cut {
            after_bytes: rng.random_range(0..400),
        },
        3 => Fault::Html { status: 200 },
        4 => Fault::HttpStatus {
            status: 503,
            retry_after: Some(0),
        },
        5 => Fault::HttpStatus {
            status: 500,
            retry_after: None,
        },
        6 => Fault::HalfApplied,
        7 => Fault::ApplyThenCut,
        8 => Fault::ExpiredToken,
        9 => Fault::LostCursor,
        10 => Fault::IllegalXml,
        11 => Fault::Down,
        12 => Fault::LimitExceeded,
        _ => Fault::LockedRow,
    };
    Rule {
        side,
        operation: None,
        mailbox: None,
        fault,
        times: Some(rng.random_range(1..=3)),
        skip: rng.random_range(0..8),
        probability: None,
        seed: 0,
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// How many worlds at once; each waits for sockets and for PostgreSQL most of the time.
const AT_ONCE: usize = 4;

#[test]
fn every_world_comes_to_rest_with_both_sides_in_step() {
    let (first, worlds) = match setting("HOLDFAST_SIM_SEED") {
        Some(seed) => (seed, 1),
        None => (1, setting("HOLDFAST_SIM_WORLDS").unwrap_or(200)),
    };
    let next = Arc::new(AtomicU64::new(first));
    let census = Arc::new(Mutex::new(Census::default()));
    let failed = Arc::new(Mutex::new(Vec::new()));
    let lives: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (next, census, failed) = (Arc::clone(&next), Arc::clone(&census), Arc::clone(&failed));
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(1)
                    .enable_all()
                    .build()
                    .unwrap();
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first + worlds || !failed.lock().unwrap().is_empty() {
                        return;
                    }
                    match runtime.block_on(live(seed)) {
                        Ok(one) => {
                            let mut census = census.lock().unwrap();
                            census.stops.extend(one.stops);
                            for (stop, count) in one.struck {
                                *census.struck.entry(stop).or_default() += count;
                            }
                        }
                        Err(what) => failed.lock().unwrap().push(what),
                    }
                }
            })
        })
        .collect();
    for life in lives {
        life.join().unwrap();
    }
    let failed = failed.lock().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    let census = census.lock().unwrap();
    eprintln!("{worlds} worlds; deaths by stop: {:?}", census.struck);
    // A simulation that never kills at a stop proves nothing about it.
    if worlds >= 500 {
        let spared: Vec<_> = census
            .stops
            .iter()
            .filter(|stop| !census.struck.contains_key(*stop))
            .collect();
        assert!(spared.is_empty(), "no world died {spared:?}");
    }
}
