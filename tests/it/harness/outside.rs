//! Where a lab's two worlds are, and connectors to them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holdfast::crm::salesforce::{Flow as SignInFlow, SalesforceCrm, SalesforceSettings};
use holdfast::foundation::clock::Clock;
use holdfast::foundation::egress::{Gate, GateLimits, MemoryLedger, Policy as EgressPolicy, TrustRoots};
use holdfast::foundation::secret::Secret;
use holdfast::mailbox::exchange::{ExchangeServer, ExchangeSettings, SignIn};
use holdfast_lab::salesforce::app;
use holdfast_lab::{Lab, PEOPLES_LOGIN};
use std::sync::Arc;
use url::Url;

/// The private half of the key that the lab's Salesforce trusts.
const JWT_KEY: &str = include_str!("../../lab/keys/jwt-private.pem");

/// Where the two worlds are, and how to get in.
#[derive(Clone)]
pub struct Outside {
    /// EWS over TLS.
    pub exchange_url: String,
    /// Login host and instance.
    pub salesforce_url: String,
    /// The certificate to trust.
    pub ca_pem: String,
    /// Login and password of the service account.
    pub service: (String, String),
    /// The app in the CRM.
    pub client_id: String,
}

impl Outside {
    /// The two worlds of a lab in this process.
    pub fn of(lab: &Lab) -> Self {
        Self {
            exchange_url: lab.exchange_url.clone(),
            salesforce_url: lab.salesforce_url.clone(),
            ca_pem: lab.ca_pem.clone(),
            service: lab.service_account.clone(),
            client_id: app::CLIENT_ID.to_owned(),
        }
    }

    /// The two worlds of a lab that told this at its start.
    pub fn told(lab: &serde_json::Value) -> Self {
        let text = |side: &str, name: &str| lab[side][name].as_str().unwrap().to_owned();
        Self {
            exchange_url: text("exchange", "url"),
            salesforce_url: text("salesforce", "login_url"),
            ca_pem: text("exchange", "ca_pem"),
            service: (
                text("exchange", "service_login"),
                text("exchange", "service_password"),
            ),
            client_id: text("salesforce", "client_id"),
        }
    }

    /// The same for tests that do what people would have done: for the lab's ledger it was they.
    pub fn for_people(self) -> Self {
        Self {
            service: (PEOPLES_LOGIN.to_owned(), self.service.1),
            client_id: app::PEOPLES_CLIENT_ID.to_owned(),
            ..self
        }
    }

    /// Connectors of our own, beside whatever else works with the two worlds.
    pub fn connect(&self, ledger: Arc<MemoryLedger>) -> (Arc<ExchangeServer>, Arc<SalesforceCrm>) {
        self.connect_with(ledger, |_| {})
    }

    /// The same with settings of the test's own for the mail server.
    pub fn connect_with(
        &self,
        ledger: Arc<MemoryLedger>,
        change: impl FnOnce(&mut ExchangeSettings),
    ) -> (Arc<ExchangeServer>, Arc<SalesforceCrm>) {
        let gate = self.gate(ledger);
        let (login, password) = self.service.clone();
        let url = Url::parse(&self.exchange_url).unwrap();
        let mut settings = ExchangeSettings {
            sign_in: SignIn::Basic,
            ..ExchangeSettings::new(url, login, Secret::new(password))
        };
        change(&mut settings);
        let server = Arc::new(ExchangeServer::new(settings, gate.clone()));
        let salesforce = self.salesforce();
        (
            server,
            Arc::new(SalesforceCrm::new(salesforce, gate, Clock::system())),
        )
    }

    /// How our own connector signs in to the org.
    pub fn salesforce(&self) -> SalesforceSettings {
        SalesforceSettings {
            login_url: Url::parse(&self.salesforce_url).unwrap(),
            client_id: self.client_id.clone(),
            flow: SignInFlow::Jwt {
                private_key_pem: Secret::new(JWT_KEY.to_owned()),
                audience: None,
            },
            api_version: None,
            watch_user: None,
        }
    }

    /// A gate with these two doors.
    pub fn gate(&self, ledger: Arc<MemoryLedger>) -> Gate {
        let doors = [&self.exchange_url, &self.salesforce_url].map(|url| {
            let url = Url::parse(url).unwrap();
            format!("{}:{}", url.host_str().unwrap(), url.port().unwrap())
        });
        let body: String = self
            .ca_pem
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .collect();
        let roots = TrustRoots::only([STANDARD.decode(body).unwrap()]).unwrap();
        Gate::new(
            EgressPolicy::parse(doors).unwrap(),
            roots,
            ledger,
            GateLimits::default(),
        )
    }
}
