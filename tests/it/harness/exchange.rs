//! The lab's Exchange, and our connector to it over a real socket.

use holdfast::foundation::egress::{Gate, GateLimits, MemoryLedger, Policy, Target, TrustRoots};
use holdfast::foundation::ids::MailboxId;
use holdfast::foundation::secret::Secret;
use holdfast::mailbox::exchange::{ExchangeServer, ExchangeSettings};
use holdfast::mailbox::model::MailboxRef;
use holdfast_lab::{Lab, Options};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::sync::Arc;
use url::Url;

/// A lab with Exchange in it.
pub struct LabExchange {
    /// The lab.
    pub lab: Lab,
}

impl LabExchange {
    /// Two people whose mailboxes are empty.
    pub async fn empty() -> Self {
        Self::of(Options {
            people: 2,
            items_per_person: 0,
            ..Options::default()
        })
        .await
    }

    /// As the options say.
    pub async fn of(options: Options) -> Self {
        Self {
            lab: holdfast_lab::start(options).await.unwrap(),
        }
    }

    /// The first person's mailbox.
    pub fn mailbox(&self) -> MailboxRef {
        self.mailbox_of(0)
    }

    /// A person's mailbox.
    pub fn mailbox_of(&self, person: usize) -> MailboxRef {
        MailboxRef::new(
            MailboxId(person as i32 + 1),
            self.lab.cast.people[person].smtp.clone(),
        )
    }

    /// What the connector must be told, over TLS with NTLM.
    pub fn settings(&self) -> ExchangeSettings {
        let (login, password) = self.lab.service_account.clone();
        let url = Url::parse(&self.lab.exchange_url).unwrap();
        ExchangeSettings::new(url, login, Secret::new(password))
    }

    /// The connector.
    pub fn server(&self) -> ExchangeServer {
        self.server_with(self.settings())
    }

    /// The connector with these settings.
    pub fn server_with(&self, settings: ExchangeSettings) -> ExchangeServer {
        let root = CertificateDer::from_pem_slice(self.lab.ca_pem.as_bytes()).unwrap();
        server_at(settings, &[root])
    }
}

/// The connector behind a gate that opens its own door alone.
pub fn server_at(settings: ExchangeSettings, roots: &[CertificateDer<'_>]) -> ExchangeServer {
    let target = Target::of(&settings.url).unwrap();
    let policy = Policy::parse([target.authority()]).unwrap();
    let roots = TrustRoots::only(roots.iter().map(|root| root.to_vec())).unwrap();
    let ledger = Arc::new(MemoryLedger::default());
    let gate = Gate::new(policy, roots, ledger, GateLimits::default());
    ExchangeServer::new(settings, gate)
}
