//! The named stops of a turn: before and after every call to the outside, where a turn can be made to crash,
//! to freeze or to fail.
//!
//! What a turn keeps is either outside (in the mailbox, in the CRM) or in the database, and the database is
//! written between two outside calls. So a crash at one of these stops leaves every state behind that a crash
//! anywhere in a turn can leave, but for a transaction that PostgreSQL itself loses, which `kills.rs` and
//! `pg_faults.rs` see to.

use holdfast::sync::journal::Act;
use holdfast::sync::model::Side;
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, pending};
use std::sync::Mutex;
use tokio::sync::Notify as Signal;

/// Writes by side and by what was done, as the journal numbers them.
pub type Written = BTreeMap<(i16, i16), i64>;

/// What is to happen at a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The process dies at the n-th stop (counted from 0).
    Crash { at: u64 },
    /// The process dies with its first write: before it is sent, or when it was carried out.
    CrashAtWrite { after: bool },
    /// The process dies at the first call of this name: before it is sent, or when it was carried out.
    CrashAtCall { call: &'static str, after: bool },
    /// The n-th stop fails, as a call that was not applied (before) or whose answer was lost (after).
    FailOnce { at: u64 },
    /// Every stop from the n-th on fails.
    FailFrom { at: u64 },
    /// The turn waits at the n-th stop until it is told to go on: people are at work meanwhile, or another
    /// node, as when a process sleeps.
    Pause { at: u64 },
    /// The same behind the first call of this name.
    PauseAfter { call: &'static str },
    /// This side does not know the cursor any more.
    LoseCursor { of: Side },
}

/// Calls behind which a turn holds what it has read and has yet to write.
pub const READS: [&str; 10] = [
    "mailbox.changes",
    "mailbox.read",
    "mailbox.find_stamped",
    "mailbox.attachments",
    "mailbox.open",
    "crm.changes",
    "crm.read",
    "crm.who_is",
    "crm.filed",
    "crm.find_file",
];

/// Calls that carry a file.
pub const FILES: [&str; 5] = [
    "mailbox.open",
    "crm.store_file",
    "crm.link_file",
    "crm.find_file",
    "crm.take_files_off",
];

/// What was decided at one stop.
enum Fate {
    GoOn,
    Die,
    Fail,
    Pause,
}

#[derive(Default)]
struct Inner {
    plan: Option<Plan>,
    passed: u64,
    struck: Option<String>,
    names: BTreeSet<String>,
    written: Written,
    /// Files that were stored or linked.
    carried: u64,
    said: Vec<String>,
}

/// Counts the stops of a turn and carries the plan out.
#[derive(Default)]
pub struct Stops {
    inner: Mutex<Inner>,
    died: Signal,
    paused: Signal,
    resumed: Signal,
}

impl Stops {
    /// Starts counting anew, with this plan.
    pub fn arm(&self, plan: Option<Plan>) {
        let mut inner = self.inner.lock().unwrap();
        *inner = Inner {
            plan,
            names: std::mem::take(&mut inner.names),
            ..Inner::default()
        };
    }

    /// The stop at which the plan struck; `None` where the turn was over before.
    pub fn struck(&self) -> Option<String> {
        self.inner.lock().unwrap().struck.clone()
    }

    /// What the turn has written so far, as the outside answered.
    pub fn written(&self) -> Written {
        self.inner.lock().unwrap().written.clone()
    }

    /// Whether it deleted anything.
    pub fn deleted(&self) -> bool {
        let written = self.written();
        written.keys().any(|(_, act)| *act == Act::Deleted.number())
    }

    /// How much the turn has sent outside so far, of records and of files.
    pub fn sent(&self) -> u64 {
        let inner = self.inner.lock().unwrap();
        let records: i64 = inner.written.values().sum();
        records.unsigned_abs() + inner.carried
    }

    /// Counts a file that was stored or linked.
    pub fn note_file(&self) {
        self.inner.lock().unwrap().carried += 1;
    }

    /// What the turn asked the outside to write, a line each.
    pub fn said(&self) -> Vec<String> {
        self.inner.lock().unwrap().said.clone()
    }

    /// Writes are asked for.
    pub fn says(&self, line: String) {
        self.inner.lock().unwrap().said.push(line);
    }

    /// Counts a write.
    pub fn note(&self, side: Side, act: Act) {
        let mut inner = self.inner.lock().unwrap();
        *inner.written.entry((side.number(), act.number())).or_default() += 1;
    }

    /// True once, where the plan has this side lose its cursor.
    pub fn loses(&self, side: Side) -> bool {
        let mut inner = self.inner.lock().unwrap();
        let lost = inner.plan == Some(Plan::LoseCursor { of: side });
        if lost {
            inner.plan = None;
            inner.struck = Some(format!("{} loses its cursor", side.word()));
        }
        lost
    }

    /// Every stop that was ever passed, by name.
    pub fn names(&self) -> BTreeSet<String> {
        self.inner.lock().unwrap().names.clone()
    }

    /// Resolves when the plan let the process die.
    pub async fn died(&self) {
        self.died.notified().await;
    }

    /// Resolves when the plan has the turn wait.
    pub async fn paused(&self) {
        self.paused.notified().await;
    }

    /// Lets a turn that waits go on.
    pub fn resume(&self) {
        self.resumed.notify_one();
    }

    fn fate(&self, name: &str, when: &str) -> Fate {
        let mut inner = self.inner.lock().unwrap();
        let number = inner.passed;
        inner.passed += 1;
        inner.names.insert(format!("{when} {name}"));
        let fate = match inner.plan {
            Some(Plan::Crash { at }) if at == number => Fate::Die,
            Some(Plan::CrashAtWrite { after })
                if name.ends_with(".write") && (when == "after") == after && inner.struck.is_none() =>
            {
                Fate::Die
            }
            Some(Plan::CrashAtCall { call, after }) if name == call && (when == "after") == after => {
                Fate::Die
            }
            Some(Plan::PauseAfter { call }) if name == call && when == "after" && inner.struck.is_none() => {
                Fate::Pause
            }
            Some(Plan::FailOnce { at }) if at == number => Fate::Fail,
            Some(Plan::FailFrom { at }) if at <= number => Fate::Fail,
            Some(Plan::Pause { at }) if at == number => Fate::Pause,
            _ => return Fate::GoOn,
        };
        inner.struck.get_or_insert(format!("{when} {name}"));
        fate
    }

    /// A call with a stop before and a stop after it.
    pub async fn around<T>(&self, name: &str, call: impl Future<Output = T>, fail: impl Fn() -> T) -> T {
        match self.fate(name, "before") {
            Fate::GoOn => {}
            Fate::Die => self.die().await,
            Fate::Fail => return fail(),
            Fate::Pause => self.pause().await,
        }
        let answer = call.await;
        match self.fate(name, "after") {
            Fate::GoOn => answer,
            Fate::Die => self.die().await,
            Fate::Fail => fail(),
            Fate::Pause => {
                self.pause().await;
                answer
            }
        }
    }

    async fn pause(&self) {
        self.paused.notify_one();
        self.resumed.notified().await;
    }

    async fn die<T>(&self) -> T {
        self.died.notify_one();
        pending().await
    }
}
