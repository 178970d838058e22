//! The lab's org and a connector to it.

use crate::crm_contract::Known;
use crate::crm_contract::samples::{key, task};
use holdfast::crm::error::CrmError;
use holdfast::crm::model::{CrmId, CrmUser, CrmWrite, CrmWritten};
use holdfast::crm::port::Crm;
use holdfast::crm::salesforce::{Flow, SalesforceCrm, SalesforceSettings};
use holdfast::foundation::clock::Clock;
use holdfast::foundation::egress::{
    ClientLimits, Gate, GateLimits, HttpClient, MemoryLedger, Policy, Purpose, TrustRoots,
};
use holdfast::foundation::secret::Secret;
use holdfast::record::Record;
use holdfast_lab::cast::OutsiderKind;
use holdfast_lab::faults::{Fault, Rule, Side};
use holdfast_lab::salesforce::app;
use holdfast_lab::{Lab, Options};
use http::{Method, Request};
use std::sync::Arc;
use url::Url;

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
            list: None,
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
        let mut of_kind = self
            .lab
            .cast
            .outsiders
            .iter()
            .filter(|outsider| outsider.kind == kind);
        let outsider = of_kind.nth(nth).expect("the cast has enough people");
        Known {
            address: outsider.email.clone(),
            id: CrmId(outsider.sf_id.clone()),
        }
    }

    /// How often somebody signed in to the org.
    pub fn sign_ins(&self) -> u64 {
        let stats = self.lab.parts.stats.side(Side::Salesforce);
        stats.operations.get("oauth").copied().unwrap_or_default()
    }

    /// What the administrator lets the user do; see the lab's settings.
    pub fn rights(&self, rights: serde_json::Value) {
        self.set(serde_json::json!({ "users": { &self.user.username: rights } }));
    }

    /// What the administrator has set.
    pub fn set(&self, patch: serde_json::Value) {
        let settings = self.lab.parts.salesforce.patch_settings(&patch);
        settings.expect("the lab knows these settings");
    }

    /// Asks the org by other means than the connector.
    pub async fn ask(&self, query: &str) -> Vec<serde_json::Value> {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let answer = self.call(Method::GET, &format!("query?q={query}"), None).await;
        answer["records"].as_array().expect("records").clone()
    }

    /// Changes a record as somebody does who never heard of Holdfast.
    pub async fn change(&self, object: &str, id: &str, fields: serde_json::Value) {
        self.call(Method::PATCH, &format!("sobjects/{object}/{id}"), Some(fields))
            .await;
    }

    /// Makes a record likewise.
    pub async fn make(&self, object: &str, fields: serde_json::Value) {
        self.call(Method::POST, &format!("sobjects/{object}"), Some(fields))
            .await;
    }

    /// Deletes a record likewise.
    pub async fn delete(&self, object: &str, id: &str) {
        self.call(Method::DELETE, &format!("sobjects/{object}/{id}"), None)
            .await;
    }

    async fn call(&self, method: Method, path: &str, body: Option<serde_json::Value>) -> serde_json::Value {
        let http = HttpClient::new(gate(&self.lab), Purpose::Crm, ClientLimits::default());
        let at = |path: &str| login_url(&self.lab).join(path).expect("a URL");
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            app::CLIENT_ID,
            app::CLIENT_SECRET
        );
        let request = Request::post("/")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.into())
            .expect("a request");
        let token = http
            .send(&at("/services/oauth2/token"), request)
            .await
            .expect("a token");
        let token: serde_json::Value = serde_json::from_slice(token.body()).expect("a token");
        let request = Request::builder()
            .method(method)
            .header(
                "authorization",
                format!("Bearer {}", token["access_token"].as_str().expect("a token")),
            )
            .header("content-type", "application/json")
            .body(body.map(|body| body.to_string()).unwrap_or_default().into())
            .expect("a request");
        let answer = http
            .send(&at(&format!("/services/data/v62.0/{path}")), request)
            .await
            .expect("answered");
        assert!(answer.status().is_success(), "{} on {path}", answer.status());
        serde_json::from_slice(answer.body()).unwrap_or_default()
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

fn login_url(lab: &Lab) -> Url {
    let url = lab.salesforce_http_url.as_deref().expect("plain HTTP");
    url.parse().expect("a URL")
}

fn gate(lab: &Lab) -> Gate {
    let door = format!("127.0.0.1:{}", login_url(lab).port().expect("a port"));
    Gate::new(
        Policy::parse([door]).expect("a door"),
        TrustRoots::only([]).expect("no roots"),
        Arc::new(MemoryLedger::default()),
        GateLimits::default(),
    )
}

pub fn connector(lab: &Lab, client_id: &str, flow: Flow) -> SalesforceCrm {
    watching(lab, client_id, flow, None)
}

/// The same, which asks for everybody's news as this user.
pub fn watching(lab: &Lab, client_id: &str, flow: Flow, watch_user: Option<String>) -> SalesforceCrm {
    let settings = SalesforceSettings {
        login_url: login_url(lab),
        client_id: client_id.to_owned(),
        flow,
        api_version: None,
        watch_user,
    };
    SalesforceCrm::new(settings, gate(lab), Clock::system())
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
