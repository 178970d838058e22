//! Starts and stops a whole lab inside the calling process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::cast::Cast;
use crate::clock::Clock;
use crate::control;
use crate::faults::{Faults, Side};
use crate::http::{self, Tls};
use crate::journal::{Durable, Journal};
use crate::ledger::Ledger;
use crate::likeness::Holder;
use crate::record::Recorder;
use crate::stats::Stats;
use crate::tape::Tape;
use crate::tls::{Certificates, TlsError};
use crate::{exchange, salesforce};

/// The account that may impersonate mailboxes.
pub const SERVICE_LOGIN: &str = "LAB\\svc-holdfast";
/// Its password.
pub const SERVICE_PASSWORD: &str = "Service-Lab-1!";
/// An account that may impersonate too and counts as the people in whose name it acts: for tests that do what a
/// person would have done.
pub const PEOPLES_LOGIN: &str = "LAB\\svc-people";
/// A mailbox of its own, beside the cast's, that nobody may impersonate.
pub const OUTSIDE_SCOPE: &str = "outside.scope@lab.example";

/// Extended Protection for Authentication, as on a real IIS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExtendedProtection {
    /// Channel bindings are ignored.
    #[default]
    Off,
    /// A wrong channel binding is refused, none is accepted.
    Allow,
    /// A right channel binding is demanded on TLS.
    Require,
}

/// Ports on 127.0.0.1; 0 lets the kernel choose.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ports {
    /// Exchange over TLS.
    pub exchange: u16,
    /// Exchange in plain.
    pub exchange_http: u16,
    /// Salesforce over TLS.
    pub salesforce: u16,
    /// Salesforce in plain.
    pub salesforce_http: u16,
    /// The control surface.
    pub control: u16,
}

/// How the lab is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many people have a mailbox.
    pub people: usize,
    /// The seed of everything invented.
    pub seed: u64,
    /// Mailbox items per person, about.
    pub items_per_person: usize,
    /// Whether the plain-HTTP listeners are opened too.
    pub http: bool,
    /// The ports.
    pub ports: Ports,
    /// The journal's file; absent: nothing survives.
    pub state: Option<PathBuf>,
    /// What the Exchange side demands of channel bindings.
    pub extended_protection: ExtendedProtection,
    /// A folder that gets every Exchange request and answer, see [`crate::record`].
    pub record: Option<PathBuf>,
    /// The file in which every request of both sides is kept for a replay; absent: none.
    pub tape: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            people: 5,
            seed: 1,
            items_per_person: 200,
            http: true,
            ports: Ports::default(),
            state: None,
            extended_protection: ExtendedProtection::Off,
            record: None,
            tape: None,
        }
    }
}

/// Why a lab did not start.
#[derive(Debug)]
pub enum StartError {
    /// A port or the state file was not to be had.
    Io(std::io::Error),
    /// The certificates could not be made.
    Tls(TlsError),
    /// The state file belongs to another lab.
    State(serde_json::Error),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StartError::Io(source) => write!(f, "a port or the state file is not to be had: {source}"),
            StartError::Tls(source) => write!(f, "{source}"),
            StartError::State(source) => write!(f, "the state file is not one of this lab's: {source}"),
        }
    }
}

impl std::error::Error for StartError {}

impl From<std::io::Error> for StartError {
    fn from(source: std::io::Error) -> StartError {
        StartError::Io(source)
    }
}

impl From<TlsError> for StartError {
    fn from(source: TlsError) -> StartError {
        StartError::Tls(source)
    }
}

/// What must be the same after a restart: the journal's first entry.
#[derive(Serialize, Deserialize)]
struct Genesis {
    people: usize,
    seed: u64,
    items_per_person: usize,
    start: DateTime<Utc>,
    certificates: Certificates,
}

/// A running lab; dropping it stops it.
pub struct Lab {
    /// `https://localhost:P/EWS/Exchange.asmx`.
    pub exchange_url: String,
    /// The same in plain, if asked for.
    pub exchange_http_url: Option<String>,
    /// `https://localhost:P`: login host and instance in one.
    pub salesforce_url: String,
    /// The same in plain, if asked for.
    pub salesforce_http_url: Option<String>,
    /// `http://127.0.0.1:P`.
    pub control_url: String,
    /// The certificate to trust.
    pub ca_pem: String,
    /// Who is in it.
    pub cast: Arc<Cast>,
    /// Login and password of the account that may impersonate.
    pub service_account: (String, String),
    /// An address that exists but may not be impersonated.
    pub outside_scope: String,
    /// The parts, for tests in the same process.
    pub parts: Parts,
    tasks: Vec<JoinHandle<()>>,
}

/// The shared parts of a lab; clones share them.
#[derive(Clone)]
pub struct Parts {
    /// The lab's time.
    pub clock: Clock,
    /// What people noticed.
    pub ledger: Ledger,
    /// What goes wrong.
    pub faults: Faults,
    /// The counts.
    pub stats: Stats,
    /// The journal.
    pub journal: Journal,
    /// The mail side.
    pub exchange: Arc<exchange::World>,
    /// The CRM side.
    pub salesforce: Arc<salesforce::World>,
}

impl Lab {
    /// Closes every port and connection.
    pub fn shutdown(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Starts a lab on 127.0.0.1.
///
/// # Errors
/// A port is taken, the state file is unusable, or certificates cannot be made.
pub async fn start(mut options: Options) -> Result<Lab, StartError> {
    let (journal, lines) = match &options.state {
        Some(path) => Journal::open(path)?,
        None => (Journal::none(), Vec::new()),
    };
    let mut lines = lines.into_iter();
    let genesis = match lines.next() {
        Some(line) => serde_json::from_value(line.entry).map_err(StartError::State)?,
        None => new_genesis(&options, &journal)?,
    };
    options.people = genesis.people;
    options.seed = genesis.seed;
    options.items_per_person = genesis.items_per_person;
    let cast = Arc::new(Cast::starting(genesis.people, genesis.seed, genesis.start));
    let parts = build_parts(&cast, &options, journal);
    for line in lines {
        match line.world.as_str() {
            "exchange" => parts.exchange.replay(line.entry),
            "salesforce" => parts.salesforce.replay(line.entry),
            "ledger" => parts.ledger.replay(line.entry),
            "clock" => parts.clock.restore_offset_ms(line.entry.as_i64().unwrap_or(0)),
            _ => {}
        }
    }
    parts.exchange.attach(parts.journal.clone());
    parts.salesforce.attach(parts.journal.clone());
    parts.ledger.attach(parts.journal.clone());
    listen(options, cast, parts, genesis.certificates).await
}

fn new_genesis(options: &Options, journal: &Journal) -> Result<Genesis, StartError> {
    let genesis = Genesis {
        people: options.people,
        seed: options.seed,
        items_per_person: options.items_per_person,
        start: Clock::new().now(),
        certificates: Certificates::generate()?,
    };
    journal.append("genesis", &genesis);
    Ok(genesis)
}

fn build_parts(cast: &Arc<Cast>, options: &Options, journal: Journal) -> Parts {
    let (clock, ledger, faults) = (Clock::new(), Ledger::new(), Faults::new());
    let exchange = exchange::World::new(
        cast.clone(),
        clock.clone(),
        ledger.clone(),
        faults.clone(),
        options,
    );
    let salesforce = salesforce::World::new(
        cast.clone(),
        clock.clone(),
        ledger.clone(),
        faults.clone(),
        options,
    );
    let (exchange, salesforce) = (Arc::new(exchange), Arc::new(salesforce));
    let holder = |world: Arc<dyn Holder>| Arc::downgrade(&world);
    ledger.introduce(holder(exchange.clone()), holder(salesforce.clone()));
    Parts {
        clock,
        ledger,
        faults,
        stats: Stats::new(),
        journal,
        exchange,
        salesforce,
    }
}

async fn listen(
    options: Options,
    cast: Arc<Cast>,
    parts: Parts,
    certificates: Certificates,
) -> Result<Lab, StartError> {
    let tls = Tls {
        config: certificates.server_config()?,
        leaf_der: Arc::new(certificates.leaf_der()?),
    };
    let mut tasks = Vec::new();
    let ports = options.ports;
    let recorder = match &options.record {
        Some(folder) => Recorder::into_folder(folder)?,
        None => Recorder::default(),
    };
    let tape = match &options.tape {
        Some(file) => Tape::into_file(file)?,
        None => Tape::default(),
    };
    let kept = Kept { recorder, tape };
    let exchange = serve_exchange(ports.exchange, Some(tls.clone()), &parts, &kept, &mut tasks).await?;
    let salesforce = serve_salesforce(ports.salesforce, Some(tls), &parts, &kept, &mut tasks).await?;
    let (mut exchange_http, mut salesforce_http) = (None, None);
    if options.http {
        exchange_http = Some(serve_exchange(ports.exchange_http, None, &parts, &kept, &mut tasks).await?);
        salesforce_http =
            Some(serve_salesforce(ports.salesforce_http, None, &parts, &kept, &mut tasks).await?);
    }
    let listener = bind(ports.control).await?;
    let control = listener.local_addr()?;
    tasks.push(tokio::spawn(control::serve(listener, parts.clone())));
    Ok(Lab {
        exchange_url: format!("https://localhost:{}/EWS/Exchange.asmx", exchange.port()),
        exchange_http_url: exchange_http
            .map(|at| format!("http://127.0.0.1:{}/EWS/Exchange.asmx", at.port())),
        salesforce_url: format!("https://localhost:{}", salesforce.port()),
        salesforce_http_url: salesforce_http.map(|at| format!("http://127.0.0.1:{}", at.port())),
        control_url: format!("http://127.0.0.1:{}", control.port()),
        ca_pem: certificates.ca_pem,
        cast,
        service_account: (SERVICE_LOGIN.to_owned(), SERVICE_PASSWORD.to_owned()),
        outside_scope: OUTSIDE_SCOPE.to_owned(),
        parts,
        tasks,
    })
}

async fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await
}

/// What is kept of the wire, if anything; clones share it.
#[derive(Clone)]
struct Kept {
    recorder: Recorder,
    tape: Tape,
}

async fn serve_exchange(
    port: u16,
    tls: Option<Tls>,
    parts: &Parts,
    kept: &Kept,
    tasks: &mut Vec<JoinHandle<()>>,
) -> std::io::Result<SocketAddr> {
    let listener = bind(port).await?;
    let address = listener.local_addr()?;
    let (world, kept, clock) = (parts.exchange.clone(), kept.clone(), parts.clock.clone());
    tasks.push(tokio::spawn(http::serve(
        listener,
        tls,
        Side::Exchange,
        parts.stats.clone(),
        move |request, connection| {
            let (world, clock) = (world.clone(), clock.clone());
            let taped = kept.tape.request(Side::Exchange, connection.id, &request);
            let pending = kept.recorder.request(&request);
            async move {
                let reply = exchange::handle(world, request, &connection)
                    .await
                    .dated(clock.now());
                if let Some(taped) = taped {
                    taped.answered(&reply);
                }
                match pending {
                    Some(pending) => pending.reply(reply),
                    None => reply,
                }
            }
        },
    )));
    Ok(address)
}

async fn serve_salesforce(
    port: u16,
    tls: Option<Tls>,
    parts: &Parts,
    kept: &Kept,
    tasks: &mut Vec<JoinHandle<()>>,
) -> std::io::Result<SocketAddr> {
    let listener = bind(port).await?;
    let address = listener.local_addr()?;
    let (world, kept, clock) = (parts.salesforce.clone(), kept.clone(), parts.clock.clone());
    tasks.push(tokio::spawn(http::serve(
        listener,
        tls,
        Side::Salesforce,
        parts.stats.clone(),
        move |request, connection| {
            let (world, clock) = (world.clone(), clock.clone());
            let taped = kept.tape.request(Side::Salesforce, connection.id, &request);
            async move {
                let reply = salesforce::handle(world, request, &connection)
                    .await
                    .dated(clock.now());
                if let Some(taped) = taped {
                    taped.answered(&reply);
                }
                reply
            }
        },
    )));
    Ok(address)
}
