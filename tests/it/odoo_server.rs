//! The real Odoo that `scripts/odoo.sh` keeps on loopback, and a database of it for this run of the tests.
//!
//! All tests of a run share the database; each takes users of its own, so that none sees another's records in its
//! feed. Where Odoo cannot be had on a machine, `make test` leaves these tests out and says so; here they fail.

use crate::crm_contract::Known;
use holdfast::crm::model::{CrmId, CrmUser};
use holdfast::crm::odoo::{Api, OdooCrm, OdooSettings, UserKeys};
use holdfast::foundation::clock::Clock;
use holdfast::foundation::egress::{
    ClientLimits, Gate, GateLimits, HttpClient, MemoryLedger, Policy, Purpose, TrustRoots,
};
use holdfast::foundation::secret::Secret;
use http::Request;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use url::Url;

/// A user of the Odoo whom only this test has.
#[derive(Clone)]
pub struct Rep {
    pub login: String,
    pub address: String,
    pub id: i64,
    pub partner: i64,
    pub key: String,
}

/// The database of this run.
#[derive(Clone)]
pub struct Odoo {
    pub url: Url,
    pub database: String,
    told: Value,
    claims: PathBuf,
    http: HttpClient,
}

/// Keys as a test knows them. Whoever is not among them has one that Odoo never gave out.
pub struct Keys(HashMap<String, String>);

#[async_trait::async_trait]
impl UserKeys for Keys {
    async fn key(&self, login: &str) -> Option<Secret<String>> {
        let key = self.0.get(login).cloned();
        Some(Secret::new(key.unwrap_or_else(|| "0".repeat(40))))
    }
}

impl Odoo {
    /// Brings it up where it is not.
    pub fn up() -> Self {
        let run = std::env::var("NEXTEST_RUN_ID").unwrap_or_else(|_| std::process::id().to_string());
        Self::with(format!("run_{}", run.replace('-', "")))
    }

    /// With a database that no other test has, for one that changes what all would feel.
    pub fn apart() -> Self {
        Self::with(format!("run_{}", uuid::Uuid::new_v4().simple()))
    }

    fn with(database: String) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/odoo.sh");
        let output = Command::new(script)
            .args(["fresh", &database])
            .output()
            .expect("bash");
        assert!(
            output.status.success(),
            "Odoo cannot be had: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let file = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        let told: Value = serde_json::from_slice(&fs::read(&file).expect("told")).expect("JSON");
        let url: Url = told["url"].as_str().expect("a URL").parse().expect("a URL");
        let claims = file.with_file_name("claims").join(&database);
        fs::create_dir_all(&claims).expect("a folder");
        Self {
            http: HttpClient::new(gate(&url), Purpose::Crm, ClientLimits::default()),
            url,
            database,
            told,
            claims,
        }
    }

    /// A user whom no other test of this run has. The first few are for whoever needs a password.
    pub fn rep(&self) -> Rep {
        let people = self.told["people"].as_array().expect("people");
        let free = people.iter().skip(5).find(|person| self.claim(person));
        rep(free.expect("a user is left for this test"))
    }

    /// A user whom no other test of this run has, and the password for Odoo's own page.
    pub fn rep_at_the_page(&self) -> (Rep, String) {
        let people = self.told["people"].as_array().expect("people");
        let free = people.iter().take(4).find(|person| self.claim(person));
        let free = free.expect("a user with a password is left for this test");
        let password = free["password"].as_str().expect("a password");
        (rep(free), password.to_owned())
    }

    /// A user whom every test of this run may know, and none acts as.
    pub fn colleague(&self) -> Rep {
        rep(&self.told["people"][4])
    }

    fn claim(&self, person: &Value) -> bool {
        let file = self.claims.join(person["login"].as_str().expect("a login"));
        fs::File::create_new(file).is_ok()
    }

    /// Removes the database.
    pub fn drop_database(&self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/odoo.sh");
        let dropped = Command::new(script).args(["drop", &self.database]).status();
        assert!(dropped.expect("bash").success());
    }

    /// A connector that knows the keys of these users.
    pub fn connector(&self, reps: &[&Rep], api: Option<Api>) -> Arc<OdooCrm> {
        self.connector_for(&self.database, reps, api)
    }

    pub fn connector_for(&self, database: &str, reps: &[&Rep], api: Option<Api>) -> Arc<OdooCrm> {
        let keys = reps.iter().map(|rep| (rep.login.clone(), rep.key.clone()));
        let settings = OdooSettings {
            url: self.url.clone(),
            database: database.to_owned(),
            api,
            keys: Arc::new(Keys(keys.collect())),
        };
        Arc::new(OdooCrm::new(settings, gate(&self.url), Clock::system()))
    }

    /// Asks Odoo by other means than the connector, as its administrator.
    pub async fn admin(&self, model: &str, method: &str, arguments: Value) -> Value {
        let key = self.told["admin"]["key"].as_str().expect("a key").to_owned();
        self.call(&key, model, method, arguments).await
    }

    /// The same as one of its users.
    pub async fn call(&self, key: &str, model: &str, method: &str, arguments: Value) -> Value {
        let url = self.url.join(&format!("json/2/{model}/{method}")).expect("a URL");
        let request = Request::post("/")
            .header("authorization", format!("bearer {key}"))
            .header("x-odoo-database", &self.database)
            .header("content-type", "application/json")
            .body(arguments.to_string().into())
            .expect("a request");
        let answer = self.http.send(&url, request).await.expect("answered");
        assert!(
            answer.status().is_success(),
            "{model}.{method}: {} {}",
            answer.status(),
            String::from_utf8_lossy(answer.body())
                .chars()
                .take(400)
                .collect::<String>()
        );
        serde_json::from_slice(answer.body()).unwrap_or_default()
    }

    /// How many records of a model there are.
    pub async fn count(&self, model: &str, domain: Value) -> u64 {
        let count = self
            .admin(model, "search_count", json!({ "domain": domain }))
            .await;
        count.as_u64().expect("a count")
    }

    /// What Odoo would send or has shown to anybody because of what these users did: mails in its outgoing queue, and
    /// notices.
    pub async fn told(&self, reps: &[&Rep]) -> u64 {
        let ids: Vec<i64> = reps.iter().map(|rep| rep.id).collect();
        let partners: Vec<i64> = reps.iter().map(|rep| rep.partner).collect();
        let mails = self.count("mail.mail", json!([["create_uid", "in", ids]])).await;
        let notices = json!([["author_id", "in", partners]]);
        mails + self.count("mail.notification", notices).await
    }

    /// A contact or a lead, made by somebody who never heard of Holdfast.
    pub async fn person(&self, model: &str, address: &str) -> Known {
        let values = match model {
            "crm.lead" => json!({ "name": address, "email_from": address, "type": "lead", "user_id": false }),
            _ => json!({ "name": address, "email": address }),
        };
        let made = self
            .admin(model, "create", json!({ "vals_list": [values] }))
            .await;
        Known {
            address: address.to_owned(),
            id: CrmId(made[0].to_string()),
        }
    }
}

fn rep(person: &Value) -> Rep {
    let text = |name: &str| person[name].as_str().expect("a text").to_owned();
    Rep {
        login: text("login"),
        address: text("address"),
        key: text("key"),
        id: person["id"].as_i64().expect("a number"),
        partner: person["partner"].as_i64().expect("a number"),
    }
}

impl Rep {
    pub fn user(&self) -> CrmUser {
        CrmUser {
            username: self.login.clone(),
            id: Some(CrmId(self.id.to_string())),
            list: None,
        }
    }
}

pub fn gate(url: &Url) -> Gate {
    let door = format!("127.0.0.1:{}", url.port().expect("a port"));
    Gate::new(
        Policy::parse([door]).expect("a door"),
        TrustRoots::only([]).expect("no roots"),
        Arc::new(MemoryLedger::default()),
        GateLimits::default(),
    )
}
