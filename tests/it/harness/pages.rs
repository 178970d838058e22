//! The CRM as its own people have it: what users and administrators do there and see there, outside Holdfast. One
//! kind of page for the lab's Salesforce; `odoo_pages` has those of a real Odoo.

use super::Office;
use super::outside::Outside;
use async_trait::async_trait;
use holdfast::crm::model::{CrmChange, CrmId, CrmRecord, CrmUser, CrmWrite, ExternalKey};
use holdfast::crm::port::Crm;
use holdfast::foundation::egress::MemoryLedger;
use holdfast::record::Record;
use holdfast::record::kind::RecordKind;
use holdfast_lab::Lab;
use holdfast_lab::cast::OutsiderKind;
use holdfast_lab::faults::{Fault, Faults, Rule, Side};
use holdfast_lab::salesforce::{World, control};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A test that is written once and runs over several CRMs is given its office by one of these.
pub trait Stage {
    /// An office of so many people with about so many items each.
    fn open(people: usize, items: usize) -> impl Future<Output = Office> + Send;
}

/// A CRM's own pages.
#[async_trait]
pub trait CrmPages: Send + Sync {
    /// Holdfast's connector of a process that has just come up: it knows nothing yet.
    fn connector(&self) -> Arc<dyn Crm>;

    /// The user name of the person of this number.
    fn username(&self, person: usize) -> String;

    /// Writes as the user would.
    async fn write(&self, user: &CrmUser, kind: RecordKind, write: CrmWrite) -> CrmId;

    /// Every record of the user's as it is now.
    async fn records(&self, user: &CrmUser, kind: RecordKind) -> Vec<CrmRecord>;

    /// A record that was there before Holdfast came: it carries no key.
    async fn was_there(&self, user: &CrmUser, record: Record) -> CrmId;

    /// From now on nobody sees what is not his own.
    async fn keep_apart(&self);

    /// The record belongs to this person from now on.
    async fn hand_over(&self, user: &CrmUser, kind: RecordKind, id: &CrmId, to: usize);

    /// The address of somebody whom the CRM knows as a contact.
    fn customer(&self) -> String;

    /// The subjects of the mails that were brought here.
    async fn mails(&self) -> Vec<String>;

    /// The names of the files that were brought here with mails.
    async fn files(&self) -> Vec<String>;

    /// True where these words stand anywhere in what these people have.
    async fn holds(&self, words: &str) -> bool;

    /// How much the CRM itself sent or showed to anybody in these users' names.
    async fn told(&self) -> u64;

    /// It does not work for the first person any more, until it is mended.
    async fn breaks(&self);

    /// It works again.
    async fn mends(&self);
}

/// Beside the lab's Salesforce.
pub struct LabSalesforce;

impl Stage for LabSalesforce {
    async fn open(people: usize, items: usize) -> Office {
        Office::open(people, items).await
    }
}

/// The pages of the lab's Salesforce.
pub struct LabPages {
    world: Arc<World>,
    faults: Faults,
    /// The door without TLS, for a process that comes up often.
    plain: Outside,
    egress: Arc<MemoryLedger>,
    /// What people do goes by the lab's second app, so that its ledger does not take it for ours.
    people: Arc<dyn Crm>,
    usernames: Vec<String>,
    ids: Vec<String>,
    customer: Option<String>,
}

impl LabPages {
    pub fn of(lab: &Lab, people: Arc<dyn Crm>, egress: Arc<MemoryLedger>) -> Self {
        let plain = Outside {
            exchange_url: lab.exchange_http_url.clone().unwrap(),
            salesforce_url: lab.salesforce_http_url.clone().unwrap(),
            ..Outside::of(lab)
        };
        let outsiders = lab.cast.outsiders.iter();
        let known = outsiders.filter(|one| one.kind == OutsiderKind::Contact);
        let of = |text: fn(&holdfast_lab::cast::Person) -> &String| {
            lab.cast
                .people
                .iter()
                .map(|person| text(person).clone())
                .collect()
        };
        Self {
            world: Arc::clone(&lab.parts.salesforce),
            faults: lab.parts.faults.clone(),
            plain,
            egress,
            people,
            usernames: of(|person| &person.sf_username),
            ids: of(|person| &person.sf_user_id),
            customer: known.map(|one| one.email.clone()).next(),
        }
    }

    fn administrate(&self, path: &str, body: &Value) {
        control::answer(&self.world, "PATCH", path, body.to_string().as_bytes())
            .unwrap()
            .unwrap();
    }
}

#[async_trait]
impl CrmPages for LabPages {
    fn connector(&self) -> Arc<dyn Crm> {
        let (_, crm) = self.plain.connect(Arc::clone(&self.egress));
        crm
    }

    fn username(&self, person: usize) -> String {
        self.usernames[person].clone()
    }

    async fn write(&self, user: &CrmUser, kind: RecordKind, write: CrmWrite) -> CrmId {
        let mut done = self.people.write(user, kind, &[write]).await.unwrap();
        done.pop().unwrap().unwrap().id
    }

    async fn records(&self, user: &CrmUser, kind: RecordKind) -> Vec<CrmRecord> {
        let (mut records, mut cursor) = (BTreeMap::new(), None);
        loop {
            let page = self.people.changes(user, kind, cursor.as_ref()).await.unwrap();
            for change in page.changes {
                match change {
                    CrmChange::Upserted(record) => records.insert(record.id.clone(), *record),
                    CrmChange::Deleted(id) => records.remove(&id),
                };
            }
            cursor = Some(page.cursor);
            if !page.more {
                return records.into_values().collect();
            }
        }
    }

    async fn was_there(&self, user: &CrmUser, record: Record) -> CrmId {
        let kind = record.kind();
        let number = self.records(user, kind).await.len();
        let write = CrmWrite::Create {
            key: ExternalKey(format!("before-{number}")),
            record,
            matches: Vec::new(),
        };
        let id = self.write(user, kind, write).await;
        let path = format!("/salesforce/records/{}", id.0);
        self.administrate(&path, &json!({"Holdfast_Key__c": null}));
        id
    }

    async fn keep_apart(&self) {
        self.administrate("/salesforce/settings", &json!({"sharing": "private"}));
    }

    async fn hand_over(&self, _: &CrmUser, _: RecordKind, id: &CrmId, to: usize) {
        let path = format!("/salesforce/records/{}", id.0);
        self.administrate(&path, &json!({"OwnerId": self.ids[to]}));
    }

    fn customer(&self) -> String {
        self.customer.clone().expect("the lab's CRM knows somebody")
    }

    async fn mails(&self) -> Vec<String> {
        let content = self.world.content();
        let rows = content["EmailMessage"].as_array().unwrap().iter();
        rows.filter(|row| row["IsDeleted"] != true)
            .map(|row| row["Subject"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    async fn files(&self) -> Vec<String> {
        let content = self.world.content();
        let rows = content["ContentVersion"].as_array().unwrap().iter();
        rows.map(|row| row["PathOnClient"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn holds(&self, words: &str) -> bool {
        self.world.content().to_string().contains(words)
    }

    /// Salesforce's own part of it is in the lab's ledger.
    async fn told(&self) -> u64 {
        0
    }

    async fn breaks(&self) {
        self.faults.add(Rule {
            side: Side::Salesforce,
            operation: None,
            mailbox: None,
            fault: Fault::Html { status: 200 },
            times: None,
            skip: 0,
            probability: None,
            seed: 1,
        });
    }

    async fn mends(&self) {
        self.faults.clear();
    }
}
