//! The composition root: opens the shared parts and chooses the connectors. The only file that names one.

use crate::appliance::{self, ApplianceError, PrivatePostgres};
use crate::crm::odoo::{Api, OdooCrm, OdooSettings, UserKeys};
use crate::crm::port::Crm;
use crate::crm::salesforce::{Flow, SalesforceCrm, SalesforceSettings};
use crate::foundation::clock::Clock;
use crate::foundation::config::{
    ConfigError, Crm as CrmSection, CrmApi, CrmFlow, CrmKind, ImpersonateBy as Name, LoadOptions,
    MailServer as MailSection, Settings, SignIn as Way, load,
};
use crate::foundation::db::Db;
use crate::foundation::egress::{
    EgressError, Gate, GateLimits, Policy, TrustRoots, policy::PolicyError, store::DbLedger,
};
use crate::foundation::explain::{Explain, Kind};
use crate::foundation::keyring::{KeyFile, Keyring, KeyringError};
use crate::foundation::secret::Secret;
use crate::foundation::telemetry::Metrics;
use crate::mailbox::exchange::{ExchangeServer, ExchangeSettings, ImpersonateBy, SignIn};
use crate::mailbox::port::MailboxServer;
use crate::sync::budget::Purses;
use crate::sync::budget::purse::Purse;
use crate::sync::engine::{Connections, Engine, EngineSettings};
use crate::sync::pace::Pace;
use crate::sync::retry::Patience;
use crate::sync::store::directory::Directory;
use async_trait::async_trait;
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use url::Url;
use uuid::Uuid;

/// Why Holdfast did not start.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The settings.
    #[error("the settings cannot be used")]
    Settings(#[from] ConfigError),
    /// PostgreSQL, or the schema.
    #[error("the database cannot be opened")]
    Appliance(#[from] ApplianceError),
    /// The key file.
    #[error("the keyring cannot be opened")]
    Keyring(#[from] KeyringError),
    /// A certificate authority's file.
    #[error("the egress gate cannot be built")]
    Egress(#[from] EgressError),
    /// An entry of `egress.allow`.
    #[error("an entry of egress.allow is not host:port")]
    Allow(#[from] PolicyError),
    /// An address in the settings is no URL.
    #[error("an address in the settings is no URL")]
    Address {
        /// The setting's full name.
        setting: String,
        /// Why.
        #[source]
        source: url::ParseError,
    },
}

impl Explain for AppError {
    fn kind(&self) -> Kind {
        match self {
            Self::Settings(error) => error.kind(),
            Self::Appliance(error) => error.kind(),
            Self::Keyring(error) => error.kind(),
            Self::Egress(error) => error.kind(),
            Self::Allow(_) | Self::Address { .. } => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Settings(error) => error.code(),
            Self::Appliance(error) => error.code(),
            Self::Keyring(error) => error.code(),
            Self::Egress(error) => error.code(),
            Self::Allow(_) => "app.allow",
            Self::Address { .. } => "app.address",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Settings(error) => error.sentence(),
            Self::Appliance(error) => error.sentence(),
            Self::Keyring(error) => error.sentence(),
            Self::Egress(error) => error.sentence(),
            Self::Allow(error) => format!(
                "The entry \"{}\" of egress.allow is not of the form host:port. Correct it in the settings.",
                error.entry
            ),
            Self::Address { setting, source } => format!(
                "The setting {setting} is not an address ({source}). It must look like https://mail.example.com/EWS/Exchange.asmx."
            ),
        }
    }
}

/// Everything that a command or the daemon needs, open.
pub struct App {
    /// The settings.
    pub settings: Settings,
    /// The database as the daemon's role.
    pub db: Db,
    /// The private PostgreSQL, where there is one.
    pub postgres: Option<PrivatePostgres>,
    /// The time.
    pub clock: Clock,
    /// Secrets and keys.
    pub keyring: Keyring,
    /// What is counted; the engine counts, the page shows.
    pub metrics: Metrics,
    wires: Arc<Wires>,
    ledger: JoinHandle<()>,
}

/// The connections, and what kept others from being made.
struct Wires {
    mail: BTreeMap<String, Arc<dyn MailboxServer>>,
    crm: BTreeMap<String, Arc<dyn Crm>>,
    purses: Purses,
    broken: Vec<(String, KeyringError)>,
}

impl Connections for Wires {
    fn mail_server(&self, name: &str) -> Option<Arc<dyn MailboxServer>> {
        self.mail.get(name).cloned()
    }

    fn crm(&self, name: &str) -> Option<Arc<dyn Crm>> {
        self.crm.get(name).cloned()
    }
}

/// Reads the settings.
///
/// # Errors
/// [`AppError::Settings`], with file and line.
pub fn settings(file: Option<PathBuf>) -> Result<Settings, AppError> {
    Ok(load(&LoadOptions::from_process(file))?)
}

/// Provides the database, runs missing migrations, makes the key file where that is asked for. Returns the
/// versions that ran, and whether a key file was made.
///
/// # Errors
/// [`AppError`].
pub async fn migrate(settings: &Settings) -> Result<(Vec<String>, bool), AppError> {
    let ran = appliance::migrate(settings).await?;
    let opened = appliance::open(settings).await?;
    let key_file = KeyFile::new(&settings.keyring.key_file);
    let made = settings.keyring.create_key_file && Keyring::create_key_file(&key_file, &opened.db).await?;
    Ok((ran, made))
}

impl App {
    /// Opens everything.
    ///
    /// # Errors
    /// [`AppError`]. A connection whose secret is missing does not keep the others from working; see
    /// [`broken`](Self::broken).
    pub async fn open(settings: Settings) -> Result<Self, AppError> {
        let clock = Clock::system();
        let opened = appliance::open(&settings).await?;
        let key_file = KeyFile::new(&settings.keyring.key_file);
        let keyring = Keyring::open(&key_file, opened.db.clone(), clock.clone()).await?;
        let (sink, ledger) = DbLedger::start(opened.db.clone(), clock.clone());
        let gate = Gate::new(
            Policy::parse(&settings.egress.allow)?,
            TrustRoots::load(&settings.egress.extra_ca_files)?,
            sink,
            GateLimits {
                connect_timeout: settings.egress.connect_timeout(),
            },
        );
        let wires = Arc::new(wires(&settings, &keyring, &gate, &clock).await?);
        Ok(Self {
            settings,
            db: opened.db,
            postgres: opened.postgres,
            clock,
            keyring,
            metrics: Metrics::new(),
            wires,
            ledger,
        })
    }

    /// The engine over these parts.
    pub fn engine(&self) -> Engine {
        let sync = &self.settings.sync;
        let long = |span: Duration| TimeDelta::from_std(span).unwrap_or(TimeDelta::hours(1));
        let backoff = sync.backoff();
        Engine {
            db: self.db.clone(),
            keyring: Arc::new(self.keyring.clone()),
            clock: self.clock.clone(),
            connections: Arc::clone(&self.wires) as Arc<dyn Connections>,
            settings: EngineSettings {
                pace: Pace {
                    busy: long(sync.poll_interval()),
                    quiet: long(sync.quiet_poll_interval()),
                    listening: long(sync.listening_poll_interval()),
                },
                lease: long(sync.lease()),
                survivor_check: long(sync.survivor_check()),
                journal_keep: long(sync.journal_keep()),
                names_keep: long(self.settings.failures.names_keep()),
                workers: sync.workers,
                page_size: usize::try_from(sync.page_size).unwrap_or(512),
                patience: Patience {
                    first: long(backoff.first),
                    last: long(backoff.last),
                },
                ..EngineSettings::default()
            },
            node: Uuid::new_v4(),
            metrics: self.metrics.clone(),
            directory: Directory::default(),
        }
    }

    /// What this node may spend of each CRM's calls; empty until somebody fills them.
    pub fn purses(&self) -> Purses {
        self.wires.purses.clone()
    }

    /// Connections that the settings have and that could not be made, each with why.
    pub fn broken(&self) -> &[(String, KeyringError)] {
        &self.wires.broken
    }

    /// Lets go of the outside and waits until the last rows of the egress ledger are written.
    pub async fn close(self) {
        let Self { wires, ledger, .. } = self;
        drop(wires);
        // Connections that are still in use keep the ledger open; a row that is late is not worth waiting for.
        let _ = tokio::time::timeout(Duration::from_secs(5), ledger).await;
    }
}

async fn wires(
    settings: &Settings,
    keyring: &Keyring,
    gate: &Gate,
    clock: &Clock,
) -> Result<Wires, AppError> {
    let mut wires = Wires {
        mail: BTreeMap::new(),
        crm: BTreeMap::new(),
        purses: Purses::new(),
        broken: Vec::new(),
    };
    for (name, section) in &settings.mail_server {
        let url = address(&format!("mail_server.{name}.url"), &section.url)?;
        match secret(keyring, &MailSection::password_secret(name)).await {
            Ok(password) => {
                let server = exchange(section, url, password, settings.sync.read_batch, gate);
                wires.mail.insert(name.clone(), Arc::new(server));
            }
            Err(error) => wires.broken.push((format!("mail_server.{name}"), error)),
        }
    }
    for (name, section) in &settings.crm {
        if section.kind == CrmKind::Odoo {
            let url = address(&format!("crm.{name}.url"), &section.url)?;
            let crm = odoo(name, section, url, keyring, gate, clock);
            wires.crm.insert(name.clone(), Arc::new(crm));
            continue;
        }
        let url = address(&format!("crm.{name}.login_url"), &section.login_url)?;
        let wanted = match section.flow {
            CrmFlow::Jwt => CrmSection::private_key_secret(name),
            CrmFlow::ClientCredentials => CrmSection::client_secret_secret(name),
        };
        match secret(keyring, &wanted).await {
            Ok(key) => {
                let purse = Arc::new(Purse::sharing(
                    section.daily_call_reserve_percent,
                    section.backfill_call_percent,
                ));
                wires.purses.insert(name.clone(), Arc::clone(&purse));
                let crm = salesforce(section, url, key, gate, clock, purse);
                wires.crm.insert(name.clone(), Arc::new(crm));
            }
            Err(error) => wires.broken.push((format!("crm.{name}"), error)),
        }
    }
    Ok(wires)
}

fn address(setting: &str, url: &str) -> Result<Url, AppError> {
    Url::parse(url).map_err(|source| AppError::Address {
        setting: setting.to_owned(),
        source,
    })
}

async fn secret(keyring: &Keyring, name: &str) -> Result<Secret<String>, KeyringError> {
    let bytes = keyring.open_secret(name).await?;
    // `echo secret | holdfast secret set` ends with a line break that is not part of it.
    Ok(Secret::new(
        String::from_utf8_lossy(bytes.expose())
            .trim_end_matches(['\r', '\n'])
            .to_owned(),
    ))
}

fn exchange(
    section: &MailSection,
    url: Url,
    password: Secret<String>,
    read_batch: u32,
    gate: &Gate,
) -> ExchangeServer {
    let settings = ExchangeSettings {
        sign_in: match section.sign_in {
            Way::Ntlm => SignIn::Ntlm,
            Way::Basic => SignIn::Basic,
        },
        impersonate_by: match section.impersonate_by {
            Name::Smtp => ImpersonateBy::Smtp,
            Name::Upn => ImpersonateBy::Upn,
            Name::Sid => ImpersonateBy::Sid,
        },
        max_concurrency: usize::try_from(section.max_concurrency).unwrap_or(8),
        timeout: section.timeout(),
        read_batch: usize::try_from(read_batch).unwrap_or(50),
        notifications: section.notifications,
        ..ExchangeSettings::new(url, section.login.clone(), password)
    };
    ExchangeServer::new(settings, gate.clone())
}

/// The API keys of an Odoo's users, in the keyring.
struct SealedKeys {
    crm: String,
    keyring: Keyring,
}

#[async_trait]
impl UserKeys for SealedKeys {
    async fn key(&self, login: &str) -> Option<Secret<String>> {
        let name = CrmSection::user_key_secret(&self.crm, login);
        match secret(&self.keyring, &name).await {
            Ok(key) => Some(key),
            Err(error) => {
                tracing::debug!(secret = name, code = error.code(), "no key of the user");
                None
            }
        }
    }
}

fn odoo(
    name: &str,
    section: &CrmSection,
    url: Url,
    keyring: &Keyring,
    gate: &Gate,
    clock: &Clock,
) -> OdooCrm {
    let settings = OdooSettings {
        url,
        database: section.database.clone(),
        api: section.api.map(|api| match api {
            CrmApi::Json2 => Api::Json2,
            CrmApi::Jsonrpc => Api::JsonRpc,
        }),
        keys: Arc::new(SealedKeys {
            crm: name.to_owned(),
            keyring: keyring.clone(),
        }),
    };
    OdooCrm::new(settings, gate.clone(), clock.clone())
}

fn salesforce(
    section: &CrmSection,
    login_url: Url,
    key: Secret<String>,
    gate: &Gate,
    clock: &Clock,
    purse: Arc<Purse>,
) -> SalesforceCrm {
    let settings = SalesforceSettings {
        login_url,
        client_id: section.client_id.clone(),
        flow: match section.flow {
            CrmFlow::Jwt => Flow::Jwt {
                private_key_pem: key,
                audience: section.audience.clone(),
            },
            CrmFlow::ClientCredentials => Flow::ClientCredentials { secret: key },
        },
        api_version: section.api_version.clone(),
        watch_user: section.watch_user.clone(),
    };
    SalesforceCrm::governed(settings, gate.clone(), clock.clone(), Some(purse))
}
