//! The lab's org and a connector to it.

use crate::crm_contract::Known;
use crate::crm_contract::samples::{key, task};
use holdfast::crm::error::CrmError;
use holdfast::crm::model::{CrmId, CrmUser, CrmWrite, CrmWritten};
use holdfast::crm::port::Crm;
use holdfast::crm::salesforce::{Flow, SalesforceCrm, SalesforceSettings};
use holdfast::foundation::clock::Clock;
use holdfast::foundation::egress::{Gate, GateLimits, MemoryLedger, Policy, TrustRoots};
use holdfast::foundation::secret::Secret;
use holdfast::record::Record;
use holdfast_lab::cast::OutsiderKind;
use holdfast_lab::faults::{Fault, Rule, Side};
use holdfast_lab::salesforce::app;
use holdfast_lab::{Lab, Options};
use std::sync::Arc;

/// A lab with a few people and its org in plain HTTP; what TLS has to do with it is the gate's own test.
pub struct Org {
    pub lab: Lab,
    pub crm: Arc<SalesforceCrm>,
    pub user: CrmUser,
}

impl Org {
    pub async fn up() -> Self {
        Self::with(jwt(app::JWT_PRIVATE_KEY_PEM)).await
    }

    pub async fn with(flow: Flow) -> Self {
        let lab = holdfast_lab::start(Options {
            people: 3,
            seed: 7,
            items_per_person: 20,
            ..Options::default()
        })
        .await
        .expect("a lab");
        let crm = Arc::new(connector(&lab, app::CLIENT_ID, flow));
        let person = &lab.cast.people[0];
        let user = CrmUser {
            username: person.sf_username.clone(),
            id: Some(CrmId(person.sf_user_id.clone())),
        };
        Self { lab, crm, user }
    }

    pub fn fault(&self, operation: Option<&str>, fault: Fault, times: Option<u64>) {
        self.lab.parts.faults.add(Rule {
            side: Side::Salesforce,
            operation: operation.map(str::to_owned),
            mailbox: None,
            fault,
            times,
            skip: 0,
            probability: None,
            seed: 1,
        });
    }

    pub fn known(&self, kind: OutsiderKind, nth: usize) -> Known {
        let of_kind = self
            .lab
            .cast
            .outsiders
            .iter()
            .filter(|outsider| outsider.kind == kind);
        let outsider = of_kind.skip(nth).next().expect("the cast has enough people");
        Known {
            address: outsider.email.clone(),
            id: CrmId(outsider.sf_id.clone()),
        }
    }

    pub async fn create(&self, name: &str, record: Record) -> Result<CrmWritten, CrmError> {
        let kind = record.kind();
        let mut fates = self.crm.write(&self.user, kind, &[create(name, record)]).await?;
        fates.remove(0)
    }
}

pub fn jwt(key: &str) -> Flow {
    Flow::Jwt {
        private_key_pem: Secret::new(key.to_owned()),
        audience: None,
    }
}

pub fn connector(lab: &Lab, client_id: &str, flow: Flow) -> SalesforceCrm {
    let login_url: url::Url = lab
        .salesforce_http_url
        .as_deref()
        .expect("plain HTTP")
        .parse()
        .expect("a URL");
    let door = format!("127.0.0.1:{}", login_url.port().expect("a port"));
    let gate = Gate::new(
        Policy::parse([door]).expect("a door"),
        TrustRoots::only([]).expect("no roots"),
        Arc::new(MemoryLedger::default()),
        GateLimits::default(),
    );
    let settings = SalesforceSettings {
        login_url,
        client_id: client_id.to_owned(),
        flow,
        api_version: None,
    };
    SalesforceCrm::new(settings, gate, Clock::system())
}

pub fn create(name: &str, record: Record) -> CrmWrite {
    CrmWrite::Create {
        key: key(name),
        record,
        matches: Vec::new(),
    }
}

pub fn tasks(count: usize) -> Vec<CrmWrite> {
    let names = (0..count).map(|n| format!("task {n}"));
    names.map(|name| create(&name, Record::Task(task()))).collect()
}

/// Rows of an object, by the lab's own account of itself.
pub fn rows(lab: &Lab, object: &str) -> Vec<serde_json::Value> {
    let world = lab.parts.salesforce.content();
    let rows = world
        .get(object)
        .or_else(|| world.get("records").and_then(|records| records.get(object)));
    let rows = rows
        .and_then(serde_json::Value::as_array)
        .cloned()
        .unwrap_or_default();
    rows.into_iter().filter(|row| row["IsDeleted"] != true).collect()
}

pub fn keyed(lab: &Lab, object: &str) -> usize {
    rows(lab, object)
        .iter()
        .filter(|row| row["Holdfast_Key__c"].is_string())
        .count()
}

pub fn senders(lab: &Lab) -> usize {
    let relations = rows(lab, "EmailMessageRelation");
    let is_sender =
        |row: &&serde_json::Value| row["RelationType"] == "FromAddress" && row["RelationId"].is_string();
    relations.iter().filter(is_sender).count()
}
