//! The named stops of a turn: before and after every call to the outside, where a turn can be made to crash,
//! to freeze or to fail.
//!
//! What a turn keeps is either outside (in the mailbox, in the CRM) or in the database, and the database is
//! written between two outside calls. So a crash at one of these stops leaves every state behind that a crash
//! anywhere in a turn can leave, but for a transaction that PostgreSQL itself loses, which `kills.rs` and
//! `pg_faults.rs` see to.

use async_trait::async_trait;
use holdfast::crm::error::CrmError;
use holdfast::crm::model::*;
use holdfast::crm::port::Crm;
use holdfast::foundation::content::Content;
use holdfast::mailbox::error::MailboxError;
use holdfast::mailbox::model::*;
use holdfast::mailbox::port::MailboxServer;
use holdfast::mailbox::series::{Series, Span};
use holdfast::record::kind::RecordKind;
use holdfast::sync::engine::Connections;
use std::collections::BTreeSet;
use std::future::{Future, pending};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify as Signal;

/// What is to happen at a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The process dies at the n-th stop (counted from 0).
    Crash { at: u64 },
    /// The n-th stop fails, as a call that was not applied (before) or whose answer was lost (after).
    FailOnce { at: u64 },
    /// Every stop from the n-th on fails.
    FailFrom { at: u64 },
    /// The turn waits at the n-th stop until it is told to go on: people are at work meanwhile, or another
    /// node, as when a process sleeps.
    Pause { at: u64 },
}

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
            Some(Plan::FailOnce { at }) if at == number => Fate::Fail,
            Some(Plan::FailFrom { at }) if at <= number => Fate::Fail,
            Some(Plan::Pause { at }) if at == number => Fate::Pause,
            _ => return Fate::GoOn,
        };
        inner.struck.get_or_insert(format!("{when} {name}"));
        fate
    }

    async fn around<T>(&self, name: &str, call: impl Future<Output = T>, fail: impl Fn() -> T) -> T {
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

fn mailbox_down<T>() -> Result<T, MailboxError> {
    Err(MailboxError::Unreachable("the plan says so".into()))
}

fn crm_down<T>() -> Result<T, CrmError> {
    Err(CrmError::Unreachable("the plan says so".into()))
}

/// Both sides, with stops around every call.
pub struct Stopped {
    pub server: Arc<dyn MailboxServer>,
    pub crm: Arc<dyn Crm>,
    pub stops: Arc<Stops>,
}

impl Connections for Stopped {
    fn mail_server(&self, name: &str) -> Option<Arc<dyn MailboxServer>> {
        (name == "main").then(|| {
            Arc::new(StoppedServer(Arc::clone(&self.server), Arc::clone(&self.stops)))
                as Arc<dyn MailboxServer>
        })
    }

    fn crm(&self, name: &str) -> Option<Arc<dyn Crm>> {
        (name == "main")
            .then(|| Arc::new(StoppedCrm(Arc::clone(&self.crm), Arc::clone(&self.stops))) as Arc<dyn Crm>)
    }
}

struct StoppedServer(Arc<dyn MailboxServer>, Arc<Stops>);

#[async_trait]
impl MailboxServer for StoppedServer {
    fn capabilities(&self) -> MailboxCapabilities {
        self.0.capabilities()
    }

    async fn probe(&self, mailbox: &MailboxRef) -> Result<MailboxProbe, MailboxError> {
        let call = self.0.probe(mailbox);
        self.1.around("mailbox.probe", call, mailbox_down).await
    }

    async fn changes(
        &self,
        mailbox: &MailboxRef,
        kind: RecordKind,
        cursor: Option<&MailboxCursor>,
        page_size: usize,
    ) -> Result<ChangePage, MailboxError> {
        let call = self.0.changes(mailbox, kind, cursor, page_size);
        self.1.around("mailbox.changes", call, mailbox_down).await
    }

    async fn dates(
        &self,
        mailbox: &MailboxRef,
        series: &[ItemId],
        span: &Span,
    ) -> Result<Vec<Result<Series, MailboxError>>, MailboxError> {
        let call = self.0.dates(mailbox, series, span);
        self.1.around("mailbox.dates", call, mailbox_down).await
    }

    async fn read(
        &self,
        mailbox: &MailboxRef,
        kind: RecordKind,
        items: &[ItemId],
    ) -> Result<Vec<Result<MailboxItem, MailboxError>>, MailboxError> {
        let call = self.0.read(mailbox, kind, items);
        self.1.around("mailbox.read", call, mailbox_down).await
    }

    async fn write(
        &self,
        mailbox: &MailboxRef,
        kind: RecordKind,
        writes: &[MailboxWrite],
        notify: Notify,
    ) -> Result<Vec<Result<MailboxWritten, MailboxError>>, MailboxError> {
        let call = self.0.write(mailbox, kind, writes, notify);
        self.1.around("mailbox.write", call, mailbox_down).await
    }

    async fn find_stamped(
        &self,
        mailbox: &MailboxRef,
        kind: RecordKind,
        stamps: &[Stamp],
    ) -> Result<Vec<Option<ItemRef>>, MailboxError> {
        let call = self.0.find_stamped(mailbox, kind, stamps);
        self.1.around("mailbox.find_stamped", call, mailbox_down).await
    }
}

struct StoppedCrm(Arc<dyn Crm>, Arc<Stops>);

#[async_trait]
impl Crm for StoppedCrm {
    async fn probe(&self, user: &CrmUser) -> Result<CrmProbe, CrmError> {
        self.1.around("crm.probe", self.0.probe(user), crm_down).await
    }

    async fn capabilities(&self, user: &CrmUser) -> Result<CrmCapabilities, CrmError> {
        let call = self.0.capabilities(user);
        self.1.around("crm.capabilities", call, crm_down).await
    }

    async fn changes(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        cursor: Option<&CrmCursor>,
    ) -> Result<CrmPage, CrmError> {
        let call = self.0.changes(user, kind, cursor);
        self.1.around("crm.changes", call, crm_down).await
    }

    async fn read(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        ids: &[CrmId],
    ) -> Result<Vec<Option<CrmRecord>>, CrmError> {
        self.1
            .around("crm.read", self.0.read(user, kind, ids), crm_down)
            .await
    }

    async fn fates(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        ids: &[CrmId],
    ) -> Result<Vec<holdfast::crm::model::Fate>, CrmError> {
        let call = self.0.fates(user, kind, ids);
        self.1.around("crm.fates", call, crm_down).await
    }

    async fn who_is(&self, user: &CrmUser, addresses: &[Content<String>]) -> Result<Vec<Match>, CrmError> {
        let call = self.0.who_is(user, addresses);
        self.1.around("crm.who_is", call, crm_down).await
    }

    async fn write(
        &self,
        user: &CrmUser,
        kind: RecordKind,
        writes: &[CrmWrite],
    ) -> Result<Vec<Result<CrmWritten, CrmError>>, CrmError> {
        let call = self.0.write(user, kind, writes);
        self.1.around("crm.write", call, crm_down).await
    }

    fn calls(&self) -> Option<(u64, u64)> {
        self.0.calls()
    }
}
