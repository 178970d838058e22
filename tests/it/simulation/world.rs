//! One world: an office with some mailboxes and one organisation in the CRM, two nodes that can die and come
//! back, and a time that the world itself moves.

use super::mails::Mail;
use super::ports::Stopped;
use super::series::Repeated;
use super::stops::{Plan, Stops, Written};
use super::things::Thing;
use super::way::Way;
use crate::harness::office::{Ground, Office};
use crate::harness::unsure_db::UnsureDb;
use chrono::TimeDelta;
use holdfast::foundation::clock::Clock;
use holdfast::record::kind::RecordKind;
use holdfast::sync::engine::{Engine, EngineSettings};
use holdfast::sync::error::SyncError;
use holdfast::sync::model::StreamId;
use holdfast::sync::pass::run_turn;
use holdfast::sync::policy::Policy;
use holdfast::sync::report::{Counts, Quiet};
use holdfast::sync::retry::Patience;
use holdfast::sync::store::mailboxes::MailboxRow;
use holdfast_lab::Options;
use holdfast_lab::faults::Rule;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Longer than a lease and than every wait of the settings below.
const LONG: Duration = Duration::from_secs(120);

/// Of the policies, one for each mailbox.
const NAMES: [&str; 3] = ["first", "second", "third"];

/// A stream: whose, and of what.
pub type Place = (usize, RecordKind);

/// How a turn ended.
pub enum Ended {
    /// The engine says how.
    By(Result<Counts, SyncError>),
    /// The process died at this stop.
    Died(String),
}

/// A turn under way.
pub struct Running {
    pub node: usize,
    pub place: Place,
    task: JoinHandle<Result<Counts, SyncError>>,
    /// Told at its end.
    over: Arc<Notify>,
    /// The journal at its beginning.
    before: Written,
    /// How much it had sent when another node took its stream over while it slept.
    pub overslept: Option<u64>,
}

/// A process.
pub struct Node {
    pub engine: Engine,
    pub stops: Arc<Stops>,
    /// How much time has gone by since it fell asleep, heartbeat and all; nothing while it is awake.
    slept: Option<Duration>,
}

/// How a stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Its last turn went well and wrote.
    Written,
    /// Its last turn went well and had nothing to write.
    Still,
}

/// A world.
pub struct World {
    pub office: Office,
    pub ground: Ground,
    pub rows: Vec<MailboxRow>,
    pub policies: Vec<Policy>,
    pub nodes: [Node; 2],
    pub things: Vec<Thing>,
    pub mails: Vec<Mail>,
    pub series: Vec<Repeated>,
    /// Streams whose last turn went well and in which nobody did anything since.
    pub resting: BTreeMap<Place, Rest>,
    /// The journals of streams as they were when a turn of theirs had added up.
    pub journals: BTreeMap<Place, Written>,
    /// Where the last turn's plan struck, if it did.
    pub struck: Option<String>,
    /// What happened so far, a line each, for whoever has to find out why.
    pub log: Vec<String>,
    /// What must not have happened.
    pub wrong: Vec<String>,
    /// Beside a real CRM, that has a clock of its own and no lab's faults.
    pub apart: bool,
    pub(super) next: u64,
}

impl World {
    /// A world of a mailbox under each of these policies, nothing in them. Pages are small, so that a few items
    /// are several.
    pub async fn new(ground: &Ground, policies: Vec<Policy>, page_size: usize) -> Self {
        let options = Options {
            people: policies.len(),
            items_per_person: 0,
            seed: 7,
            ..Options::default()
        };
        let office = Office::open_on(ground.clone(), options).await;
        Self::of(office, ground, policies, page_size).await
    }

    /// The same in an office that is open already.
    pub async fn of(mut office: Office, ground: &Ground, policies: Vec<Policy>, page_size: usize) -> Self {
        office.engine.settings = settings(page_size);
        let mut rows = Vec::new();
        for (person, policy) in policies.iter().enumerate() {
            let name = NAMES[person];
            office.policy(name, policy.clone()).await;
            rows.push(office.add_with(person, name).await);
        }
        let now = office.engine.clock.now();
        let nodes = [(); 2].map(|()| {
            let stops = Arc::new(Stops::default());
            Node {
                engine: process(&office, Clock::manual(now), &stops),
                stops,
                slept: None,
            }
        });
        Self {
            office,
            ground: ground.clone(),
            rows,
            policies,
            nodes,
            things: Vec::new(),
            mails: Vec::new(),
            series: Vec::new(),
            resting: BTreeMap::new(),
            journals: BTreeMap::new(),
            struck: None,
            log: Vec::new(),
            wrong: Vec::new(),
            apart: false,
            next: 0,
        }
    }

    /// Another policy is agreed with somebody.
    pub async fn agree(&mut self, row: usize, policy: Policy) {
        let name = NAMES[row];
        self.office.policy(name, policy.clone()).await;
        self.policies[row] = policy;
        self.resting.retain(|(of, _), _| *of != row);
        self.note(format!("another policy is agreed with {row}"));
    }

    /// What the policy says of a stream.
    pub fn way(&self, (row, kind): Place) -> Way {
        Way {
            apart: self.apart,
            ..Way::of(&self.policies[row], kind)
        }
    }

    /// A number that nothing else in this world has.
    pub fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// A line of the world's history.
    pub fn note(&mut self, line: String) {
        self.log.push(line);
    }

    /// A person did something in this stream.
    pub fn acted(&mut self, row: usize, kind: RecordKind) {
        self.resting.remove(&(row, kind));
    }

    /// A process is gone, and a new one comes up: nothing in memory survives.
    pub fn restart(&mut self, node: usize) {
        self.comes_up(node, self.nodes[node].engine.clock.clone());
    }

    /// A new process with this clock.
    pub(super) fn comes_up(&mut self, node: usize, clock: Clock) {
        let Node { engine, stops, .. } = &mut self.nodes[node];
        *engine = process(&self.office, clock, stops);
    }

    /// Time goes by for everybody.
    pub fn time_passes(&mut self, by: Duration) {
        self.nodes_jump(by);
        self.outside_moves(by);
    }

    /// The nodes' clocks are set forward, and nobody else's.
    pub fn nodes_jump(&mut self, by: Duration) {
        for node in &mut self.nodes {
            match &mut node.slept {
                Some(slept) => *slept += by,
                None => node.engine.clock.advance(by),
            }
        }
    }

    /// The whole process stands still, as one that is stopped or whose machine is.
    pub fn falls_asleep(&mut self, node: usize) {
        self.nodes[node].slept = Some(Duration::ZERO);
    }

    /// It goes on, and sees that it is later.
    pub fn wakes(&mut self, node: usize) {
        if let Some(slept) = self.nodes[node].slept.take() {
            self.nodes[node].engine.clock.advance(slept);
        }
    }

    /// A process that is awake.
    pub fn awake(&self) -> &Engine {
        let node = self.nodes.iter().find(|node| node.slept.is_none());
        &node.expect("one node sleeps at most").engine
    }

    /// Every lease of a dead node and every wait is over.
    pub fn wait(&mut self) {
        self.time_passes(LONG);
    }

    /// Time goes by for the mail server and the CRM.
    pub fn outside_moves(&self, by: Duration) {
        self.office.lab.parts.clock.advance(by);
    }

    /// This goes wrong outside from now on, and nothing else.
    pub fn fault(&self, rule: Option<Rule>) {
        self.office.lab.parts.faults.clear();
        if let Some(rule) = rule {
            self.office.lab.parts.faults.add(rule);
        }
    }

    /// One turn of one stream, under a plan and a fault.
    pub async fn turn(
        &mut self,
        node: usize,
        place: Place,
        plan: Option<Plan>,
        fault: Option<Rule>,
    ) -> Ended {
        self.fault(fault);
        let running = self.begin(node, place, plan).await;
        let ended = self.end(running).await;
        self.fault(None);
        ended
    }

    /// Begins a turn of one stream, under a plan.
    pub async fn begin(&mut self, node: usize, place: Place, plan: Option<Plan>) -> Running {
        let before = self.journals.remove(&place);
        let before = before.unwrap_or_else(|| self.journal(place));
        let Node { engine, stops, .. } = &self.nodes[node];
        let lease = engine.lease(self.stream(place)).await.unwrap();
        let lease = lease.expect("the world waits until every lease is over");
        stops.arm(plan);
        let (engine, over) = (engine.clone(), Arc::new(Notify::new()));
        let told = Arc::clone(&over);
        let task = tokio::spawn(async move {
            let result = run_turn(&engine, lease, &Quiet).await;
            told.notify_one();
            result
        });
        Running {
            node,
            place,
            task,
            over,
            before,
            overslept: None,
        }
    }

    fn stream(&self, (row, kind): Place) -> StreamId {
        StreamId {
            mailbox: self.rows[row].mailbox.id,
            kind,
        }
    }

    /// Waits until a turn stands still as planned; false where it was over before.
    pub async fn stands_still(&self, running: &Running) -> bool {
        tokio::select! {
            biased;
            () = self.nodes[running.node].stops.paused() => true,
            () = running.over.notified() => false,
        }
    }

    /// Waits for the end of a turn.
    pub async fn end(&mut self, running: Running) -> Ended {
        let Running {
            node,
            place,
            mut task,
            before,
            overslept,
            ..
        } = running;
        let stops = Arc::clone(&self.nodes[node].stops);
        let ended = tokio::select! {
            biased;
            result = &mut task => Ended::By(result.unwrap()),
            () = stops.died() => {
                task.abort();
                // Aborted at the stop where it stands for good; nothing of it runs any more.
                assert!(task.await.is_err());
                Ended::Died(stops.struck().unwrap_or_default())
            }
        };
        match (&ended, overslept) {
            (_, Some(sent)) if stops.sent() > sent => self.wrong.push(format!(
                "{place:?}: a node that had slept through its lease went on to write: {:?}",
                stops.said().last()
            )),
            (Ended::By(Ok(_)), None) => self.adds_up(place, before, stops.written()),
            _ => {}
        }
        if stops.deleted() {
            self.asks_in_time(place);
        }
        self.struck = stops.struck();
        let said = stops.said();
        self.log
            .extend(said.into_iter().map(|line| format!("    {place:?}: {line}")));
        stops.arm(None);
        ended
    }

    /// Waits for the end of a turn through whose database something goes wrong until then; what did.
    pub async fn end_calmly(&mut self, mut running: Running, unsure: &UnsureDb) -> (Ended, Option<String>) {
        let result = (&mut running.task).await.unwrap();
        let struck = unsure.calm();
        if result.is_ok() {
            let written = self.nodes[running.node].stops.written();
            self.adds_up(running.place, running.before, written);
        }
        (Ended::By(result), struck)
    }

    /// Every stop that a turn of this world passed.
    pub fn passed(&self) -> BTreeSet<String> {
        self.nodes.iter().flat_map(|node| node.stops.names()).collect()
    }
}

fn process(office: &Office, clock: Clock, stops: &Arc<Stops>) -> Engine {
    let (server, crm) = office.connect_anew();
    Engine {
        clock,
        connections: Arc::new(Stopped {
            server,
            crm,
            stops: Arc::clone(stops),
        }),
        node: Uuid::new_v4(),
        ..office.engine.clone()
    }
}

fn settings(page_size: usize) -> EngineSettings {
    EngineSettings {
        lease: TimeDelta::seconds(30),
        page_size,
        patience: Patience {
            first: TimeDelta::seconds(1),
            last: TimeDelta::seconds(20),
        },
        ..EngineSettings::default()
    }
}
