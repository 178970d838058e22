//! An office at work: a lab with people, a database, and the engine between both sides, all in this process
//! and all over real sockets.

use super::TestDb;
use super::outside::Outside;
use super::pages::{CrmPages, LabPages};
use super::unsure_db::UnsureDb;
use diesel::PgConnection;
use holdfast::crm::model::{CrmId, CrmRecord, CrmWrite};
use holdfast::crm::port::Crm;
use holdfast::crm::salesforce::{SalesforceCrm, SalesforceSettings};
use holdfast::foundation::clock::Clock;
use holdfast::foundation::db::Db;
use holdfast::foundation::egress::MemoryLedger;
use holdfast::foundation::keyring::{KeyFile, Keyring};
use holdfast::foundation::telemetry::Metrics;
use holdfast::mailbox::exchange::{ExchangeServer, ExchangeSettings};
use holdfast::mailbox::model::{AccountNames, ItemChange, ItemId, MailboxItem, MailboxWrite, Notify};
use holdfast::mailbox::port::MailboxServer;
use holdfast::record::Record;
use holdfast::record::kind::RecordKind;
use holdfast::sync::budget::purse::Purse;
use holdfast::sync::engine::{Connections, Engine, EngineSettings};
use holdfast::sync::error::SyncError;
use holdfast::sync::pass;
use holdfast::sync::policy::Policy;
use holdfast::sync::report::{Counts, Quiet};
use holdfast::sync::store::directory::Directory;
use holdfast::sync::store::mailboxes::{self, MailboxRow, NewMailbox};
use holdfast_lab::{Lab, Options};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use tempfile::TempDir;
use uuid::Uuid;

/// The office.
pub struct Office {
    /// Both worlds.
    pub lab: Lab,
    /// The engine.
    pub engine: Engine,
    /// What went through the gate.
    pub egress: Arc<MemoryLedger>,
    /// Holds the database for as long as the office is open.
    _ground: Ground,
    /// The test's own way to both sides.
    pub hands: Wires,
    /// The CRM as its own people have it.
    pub pages: Arc<dyn CrmPages>,
    keys: TempDir,
}

/// A database, and the bridge to it, on which one office may follow another.
#[derive(Clone)]
pub struct Ground {
    /// The database.
    pub test: Arc<TestDb>,
    /// As the daemon sees it.
    pub db: Db,
    /// Past row-level security; opened when it is first asked for, since each connection is a process.
    above: Arc<OnceLock<Mutex<PgConnection>>>,
}

impl Ground {
    /// Fresh, with no rows.
    pub async fn new() -> Self {
        let test = TestDb::new();
        let db = test.db().await;
        Self {
            test: Arc::new(test),
            db,
            above: Arc::default(),
        }
    }

    /// The database as nobody of the product sees it.
    pub fn everything(&self) -> MutexGuard<'_, PgConnection> {
        let conn = self.above.get_or_init(|| Mutex::new(self.test.superuser()));
        conn.lock().unwrap()
    }

    /// Fresh, with the bridge through a socket that may fail.
    pub async fn behind(unsure: &UnsureDb) -> Self {
        let test = Arc::new(TestDb::new());
        let db = unsure.db(&test).await;
        Self {
            test,
            db,
            above: Arc::default(),
        }
    }
}

/// Both connectors.
pub struct Wires {
    server: Arc<ExchangeServer>,
    crm: Arc<dyn Crm>,
}

impl Connections for Wires {
    fn mail_server(&self, name: &str) -> Option<Arc<dyn MailboxServer>> {
        (name == "main").then(|| Arc::clone(&self.server) as Arc<dyn MailboxServer>)
    }

    fn crm(&self, name: &str) -> Option<Arc<dyn Crm>> {
        (name == "main").then(|| Arc::clone(&self.crm))
    }
}

impl Office {
    /// An office of so many people, each with about so many items.
    pub async fn open(people: usize, items_per_person: usize) -> Self {
        Self::open_with(Options {
            people,
            items_per_person,
            seed: 7,
            ..Options::default()
        })
        .await
    }

    /// An office in a lab of this kind.
    pub async fn open_with(options: Options) -> Self {
        Self::open_on(Ground::new().await, options).await
    }

    /// An office in a lab of this kind, on a database that has no rows.
    pub async fn open_on(ground: Ground, options: Options) -> Self {
        let lab = holdfast_lab::start(options).await.unwrap();
        let egress = Arc::new(MemoryLedger::default());
        let (_, crm) = Outside::of(&lab).connect(Arc::clone(&egress));
        let (_, people) = Outside::of(&lab).for_people().connect(Arc::clone(&egress));
        let pages = LabPages::of(&lab, people, Arc::clone(&egress));
        Self::between(ground, lab, egress, crm, Arc::new(pages)).await
    }

    /// An office between a lab's Exchange and any CRM.
    pub async fn between(
        ground: Ground,
        lab: Lab,
        egress: Arc<MemoryLedger>,
        crm: Arc<dyn Crm>,
        pages: Arc<dyn CrmPages>,
    ) -> Self {
        let db = ground.db.clone();
        let keys = tempfile::tempdir().unwrap();
        let key_file = KeyFile::new(keys.path().join("keyring.key"));
        Keyring::create_key_file(&key_file, &db).await.unwrap();
        let keyring = Keyring::open(&key_file, db.clone(), Clock::system())
            .await
            .unwrap();
        let (server, _) = Outside::of(&lab).connect(Arc::clone(&egress));
        let wires = Wires {
            server,
            crm: Arc::clone(&crm),
        };
        let (server, _) = Outside::of(&lab).for_people().connect(Arc::clone(&egress));
        let engine = Engine {
            db,
            keyring: Arc::new(keyring),
            clock: Clock::system(),
            connections: Arc::new(wires),
            settings: EngineSettings::default(),
            node: Uuid::new_v4(),
            metrics: Metrics::new(),
            directory: Directory::default(),
        };
        Self {
            lab,
            engine,
            egress,
            _ground: ground,
            hands: Wires { server, crm },
            pages,
            keys,
        }
    }

    /// The keyring of a process that has just come up: it has opened nothing yet.
    pub async fn keyring_anew(&self) -> Keyring {
        let key_file = KeyFile::new(self.keys.path().join("keyring.key"));
        Keyring::open(&key_file, self.engine.db.clone(), self.engine.clock.clone())
            .await
            .unwrap()
    }

    /// An engine whose mail server has other settings.
    pub fn engine_with(&self, change: impl FnOnce(&mut ExchangeSettings)) -> Engine {
        let (server, crm) = Outside::of(&self.lab).connect_with(Arc::clone(&self.egress), change);
        Engine {
            connections: Arc::new(Wires { server, crm }),
            ..self.engine.clone()
        }
    }

    /// An engine whose CRM counts its calls against this purse.
    pub fn governed_engine(&self, purse: Arc<Purse>) -> Engine {
        let outside = Outside::of(&self.lab);
        let gate = outside.gate(Arc::clone(&self.egress));
        self.engine_beside(SalesforceCrm::governed(
            outside.salesforce(),
            gate,
            Clock::system(),
            Some(purse),
        ))
    }

    /// An engine whose CRM is asked for everybody's news as this person, who sees it all.
    pub fn watching_engine(&self, person: usize) -> Engine {
        let username = &self.lab.cast.people[person].sf_username;
        let rights = serde_json::json!({ "users": { username: { "view_all": true, "view_setup": true } } });
        self.administrate("PATCH", "/salesforce/settings", &rights);
        let outside = Outside::of(&self.lab);
        let settings = SalesforceSettings {
            watch_user: Some(username.clone()),
            ..outside.salesforce()
        };
        let gate = outside.gate(Arc::clone(&self.egress));
        self.engine_beside(SalesforceCrm::new(settings, gate, Clock::system()))
    }

    fn engine_beside(&self, crm: SalesforceCrm) -> Engine {
        let (server, _) = Outside::of(&self.lab).connect(Arc::clone(&self.egress));
        Engine {
            connections: Arc::new(Wires {
                server,
                crm: Arc::new(crm),
            }),
            ..self.engine.clone()
        }
    }

    /// One turn of each of the mailbox's streams by this engine, as it comes.
    pub async fn try_sync_by(
        &self,
        engine: &Engine,
        row: &MailboxRow,
    ) -> Vec<(RecordKind, Result<Counts, SyncError>)> {
        pass::sync_mailbox(engine, row, &Quiet).await.unwrap()
    }

    /// Calls that the CRM has answered.
    pub fn crm_calls(&self) -> u64 {
        let stats = self.lab.parts.stats.side(holdfast_lab::faults::Side::Salesforce);
        stats.requests
    }

    /// Connectors of a process that has just come up, in plain: they know nothing yet.
    pub fn connect_anew(&self) -> (Arc<ExchangeServer>, Arc<dyn Crm>) {
        let lab = &self.lab;
        let outside = Outside {
            exchange_url: lab.exchange_http_url.clone().unwrap(),
            ..Outside::of(lab)
        };
        let (server, _) = outside.connect(Arc::clone(&self.egress));
        (server, self.pages.connector())
    }

    /// Adds a person's mailbox, with the policy of this name.
    pub async fn add_with(&self, person: usize, policy: &str) -> MailboxRow {
        let who = &self.lab.cast.people[person];
        let new = NewMailbox {
            address: who.smtp.clone(),
            mail_server: "main".to_owned(),
            crm: "main".to_owned(),
            crm_username: self.pages.username(person),
            policy: policy.to_owned(),
            account: AccountNames::default(),
        };
        let now = self.engine.clock.now();
        self.engine
            .db
            .run(move |conn| {
                let id = mailboxes::add(conn, &new, now)?;
                Ok::<_, SyncError>(mailboxes::get(conn, id.unwrap())?.unwrap())
            })
            .await
            .unwrap()
    }

    /// Adds a person's mailbox with the default policy.
    pub async fn add(&self, person: usize) -> MailboxRow {
        self.add_with(person, "default").await
    }

    /// Stores a policy.
    pub async fn policy(&self, name: &'static str, policy: Policy) {
        let now = self.engine.clock.now();
        self.engine
            .db
            .run(move |conn| mailboxes::put_policy(conn, name, &policy, now))
            .await
            .unwrap();
    }

    /// One turn of each of the mailbox's streams; each must succeed.
    pub async fn sync(&self, row: &MailboxRow) -> BTreeMap<RecordKind, Counts> {
        let results = self.try_sync(row).await;
        results
            .into_iter()
            .map(|(kind, result)| (kind, result.unwrap_or_else(|error| panic!("{kind:?}: {error:?}"))))
            .collect()
    }

    /// One turn of each of the mailbox's streams, as it comes.
    pub async fn try_sync(&self, row: &MailboxRow) -> Vec<(RecordKind, Result<Counts, SyncError>)> {
        pass::sync_mailbox(&self.engine, row, &Quiet).await.unwrap()
    }

    /// Turns until nothing is written any more; panics when that does not come within six.
    pub async fn settle(&self, row: &MailboxRow) {
        for _ in 0..6 {
            let counts = self.sync(row).await;
            if counts
                .values()
                .all(|counts| counts.written() + counts.matched == 0)
            {
                return;
            }
        }
        panic!("the mailbox does not come to rest");
    }

    /// Every item of a mailbox's stream as it is now.
    pub async fn items(&self, row: &MailboxRow, kind: RecordKind) -> Vec<MailboxItem> {
        let (mut ids, mut cursor) = (BTreeMap::new(), None);
        loop {
            let page = self
                .hands
                .server
                .changes(&row.mailbox, kind, cursor.as_ref(), 512)
                .await
                .unwrap();
            for change in page.changes {
                match change {
                    ItemChange::Upserted(item) => ids.insert(item.id.clone(), ()),
                    ItemChange::Deleted(id) => ids.remove(&id),
                };
            }
            cursor = Some(page.cursor);
            if !page.more {
                break;
            }
        }
        let ids: Vec<ItemId> = ids.into_keys().collect();
        let read = self.hands.server.read(&row.mailbox, kind, &ids).await.unwrap();
        read.into_iter().filter_map(Result::ok).collect()
    }

    /// Every record of a user's as it is now.
    pub async fn records(&self, row: &MailboxRow, kind: RecordKind) -> Vec<CrmRecord> {
        self.pages.records(&row.user, kind).await
    }

    /// Writes to the mailbox as its owner would in Outlook.
    pub async fn in_mailbox(&self, row: &MailboxRow, kind: RecordKind, write: MailboxWrite) -> ItemId {
        let mut done = self
            .hands
            .server
            .write(&row.mailbox, kind, &[write], Notify::Nobody)
            .await
            .unwrap();
        done.pop().unwrap().unwrap().item.id
    }

    /// Writes to the CRM as the user would in its pages.
    pub async fn in_crm(&self, row: &MailboxRow, kind: RecordKind, write: CrmWrite) -> CrmId {
        self.pages.write(&row.user, kind, write).await
    }

    /// Everything that people would have noticed, as the lab tells it.
    pub fn noticed(&self) -> serde_json::Value {
        self.lab.parts.ledger.to_json()
    }
}

/// The title of an event or a task.
pub fn subject(record: &Record) -> &str {
    match record {
        Record::Event(event) => event.subject.expose(),
        Record::Task(task) => task.subject.expose(),
        Record::Email(email) => email.subject.expose(),
        Record::Contact(contact) => contact.family_name.expose(),
    }
}
