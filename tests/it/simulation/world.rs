//! One world: an office with some mailboxes and one organisation in the CRM, a node that can die and come back,
//! and a time that the world itself moves.

use super::stops::{Plan, Stopped, Stops};
use crate::harness::office::Office;
use chrono::TimeDelta;
use holdfast::foundation::clock::Clock;
use holdfast::record::kind::RecordKind;
use holdfast::sync::engine::{Engine, EngineSettings};
use holdfast::sync::error::SyncError;
use holdfast::sync::model::StreamId;
use holdfast::sync::pass::run_turn;
use holdfast::sync::policy::{Common, ConflictRule, Deletion, FieldRules, Flow, Policy};
use holdfast::sync::report::{Counts, Quiet};
use holdfast::sync::retry::Patience;
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast::sync::store::totals;
use holdfast_lab::faults::{Rule, Side};
use holdfast_lab::{Options, ledger::Noticed};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Longer than a lease and than every wait of the settings below.
const LONG: TimeDelta = TimeDelta::minutes(2);

/// How a turn ended.
pub enum Ended {
    /// The engine says how.
    By(Result<Counts, SyncError>),
    /// The process died at this stop.
    Died(String),
}

/// A turn under way.
pub struct Running {
    task: JoinHandle<Result<Counts, SyncError>>,
    /// Told at its end.
    over: Arc<Notify>,
}

/// A world.
pub struct World {
    pub office: Office,
    pub rows: Vec<MailboxRow>,
    pub conflict: ConflictRule,
    pub engine: Engine,
    pub stops: Arc<Stops>,
    /// Where the last turn's plan struck, if it did.
    pub struck: Option<String>,
    /// What happened so far, a line each, for whoever has to find out why.
    pub log: Vec<String>,
}

impl World {
    /// A world of so many mailboxes under one policy, nothing in them.
    pub async fn new(people: usize, conflict: ConflictRule) -> Self {
        let office = Office::open_with(Options {
            people,
            items_per_person: 0,
            seed: 7,
            ..Options::default()
        })
        .await;
        office.policy("world", policy(conflict)).await;
        let mut rows = Vec::new();
        for person in 0..people {
            rows.push(office.add_with(person, "world").await);
        }
        let stops = Arc::new(Stops::default());
        let clock = Clock::manual(office.engine.clock.now());
        let engine = node(&office, clock, &stops);
        Self {
            office,
            rows,
            conflict,
            engine,
            stops,
            struck: None,
            log: Vec::new(),
        }
    }

    /// The process is gone, and a new one comes up: nothing in memory survives.
    pub fn restart(&mut self) {
        self.engine = node(&self.office, self.engine.clock.clone(), &self.stops);
    }

    /// Every lease of a dead node and every wait is over.
    pub fn wait(&self) {
        self.engine.clock.advance(LONG.to_std().unwrap());
    }

    /// Time goes by for the mail server and the CRM.
    pub fn outside_moves(&self, by: Duration) {
        self.office.lab.parts.clock.advance(by);
    }

    /// One turn of one stream, under a plan and a fault.
    pub async fn turn(
        &mut self,
        row: usize,
        kind: RecordKind,
        plan: Option<Plan>,
        fault: Option<Rule>,
    ) -> Ended {
        let running = self.begin(row, kind, plan, fault).await;
        self.end(running).await
    }

    /// Begins a turn of one stream, under a plan and a fault.
    pub async fn begin(
        &mut self,
        row: usize,
        kind: RecordKind,
        plan: Option<Plan>,
        fault: Option<Rule>,
    ) -> Running {
        let lease = self.engine.lease(self.stream(row, kind)).await.unwrap();
        let lease = lease.expect("the world waits until every lease is over");
        self.office.lab.parts.faults.clear();
        if let Some(rule) = fault {
            self.office.lab.parts.faults.add(rule);
        }
        self.stops.arm(plan);
        let (engine, over) = (self.engine.clone(), Arc::new(Notify::new()));
        let told = Arc::clone(&over);
        let task = tokio::spawn(async move {
            let result = run_turn(&engine, lease, &Quiet).await;
            told.notify_one();
            result
        });
        Running { task, over }
    }

    fn stream(&self, row: usize, kind: RecordKind) -> StreamId {
        StreamId {
            mailbox: self.rows[row].mailbox.id,
            kind,
        }
    }

    /// Another node runs a turn while one stands still; how it ended, in words.
    pub async fn take_over(&self, row: usize, kind: RecordKind) -> String {
        let other = node(
            &self.office,
            self.engine.clock.clone(),
            &Arc::new(Stops::default()),
        );
        // Its heartbeat may wake first: then it did not sleep long enough.
        let Some(lease) = other.lease(self.stream(row, kind)).await.unwrap() else {
            return "no, the lease was renewed".to_owned();
        };
        match run_turn(&other, lease, &Quiet).await {
            Ok(counts) => format!("{} written", counts.written()),
            Err(error) => format!("{error:?}"),
        }
    }

    /// Waits until a turn stands still as planned; false where it was over before.
    pub async fn stands_still(&self, running: &Running) -> bool {
        tokio::select! {
            biased;
            () = self.stops.paused() => true,
            () = running.over.notified() => false,
        }
    }

    /// Waits for the end of a turn.
    pub async fn end(&mut self, Running { mut task, .. }: Running) -> Ended {
        let ended = tokio::select! {
            biased;
            result = &mut task => Ended::By(result.unwrap()),
            () = self.stops.died() => {
                task.abort();
                // Aborted at the stop where it stands for good; nothing of it runs any more.
                assert!(task.await.is_err());
                Ended::Died(self.stops.struck().unwrap_or_default())
            }
        };
        self.struck = self.stops.struck();
        self.stops.arm(None);
        self.office.lab.parts.faults.clear();
        ended
    }

    /// Failures that wait for another try in a stream, and its links.
    pub async fn standing(&self, row: usize, kind: RecordKind) -> (i64, i64) {
        let (mailbox, now) = (&self.rows[row].mailbox.address, self.engine.clock.now());
        let all = self
            .engine
            .db
            .run(move |conn| totals::streams(conn, now))
            .await
            .unwrap();
        let row = all
            .iter()
            .find(|row| row.mailbox == *mailbox && row.kind == kind)
            .unwrap();
        (row.failed, row.linked)
    }

    /// What people would have noticed and nobody meant: mail that went out, writes over something unseen.
    pub fn disturbed(&self) -> Vec<Noticed> {
        let entries = self.office.lab.parts.ledger.entries();
        entries
            .into_iter()
            .filter(|entry| match entry {
                Noticed::Invitation { .. }
                | Noticed::Cancellation { .. }
                | Noticed::Response { .. }
                | Noticed::Mail { .. } => true,
                Noticed::LostUpdate { side, .. } | Noticed::Duplicate { side, .. } => *side == Side::Exchange,
                Noticed::Deleted { .. } => false,
            })
            .collect()
    }

    /// Every stop that a turn of this world passed.
    pub fn passed(&self) -> BTreeSet<String> {
        self.stops.names()
    }
}

fn policy(conflict: ConflictRule) -> Policy {
    let common = Common {
        flow: Flow::Both,
        conflict,
        deletion: Deletion::Follow,
        conflict_fields: FieldRules::default(),
    };
    let mut policy = Policy::default();
    policy.calendar.common = common;
    policy.contacts.common = common;
    policy.tasks.common = common;
    policy
}

fn node(office: &Office, clock: Clock, stops: &Arc<Stops>) -> Engine {
    let (server, crm) = office.connect_anew();
    Engine {
        clock,
        connections: Arc::new(Stopped {
            server,
            crm,
            stops: Arc::clone(stops),
        }),
        settings: EngineSettings {
            lease: TimeDelta::seconds(30),
            // Small, so that a few items are several pages.
            page_size: 3,
            patience: Patience {
                first: TimeDelta::seconds(1),
                last: TimeDelta::seconds(20),
            },
            ..EngineSettings::default()
        },
        node: Uuid::new_v4(),
        ..office.engine.clone()
    }
}
