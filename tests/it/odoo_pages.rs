//! A real Odoo as its own people have it, and an office beside it. What they do goes over Odoo's interface with
//! their own keys and by words of `odoo_forms` alone: it knows nothing of our connector, so that a misreading there is
//! no misreading here.

use crate::harness::Office;
use crate::harness::office::Ground;
use crate::harness::pages::{CrmPages, Stage};
use crate::odoo_forms::{CONTACT, EVENT, TASK, of_contact, of_event, of_task, seen, text};
use crate::odoo_server::{Odoo, Rep};
use async_trait::async_trait;
use holdfast::crm::model::{CrmId, CrmRecord, CrmUser, CrmWrite};
use holdfast::crm::port::Crm;
use holdfast::foundation::egress::MemoryLedger;
use holdfast::record::Record;
use holdfast::record::field::{Field, FieldSet};
use holdfast::record::kind::RecordKind;
use holdfast_lab::cast::OutsiderKind;
use holdfast_lab::{Lab, Options};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Beside a real Odoo.
pub struct RealOdoo;

impl Stage for RealOdoo {
    async fn open(people: usize, items: usize) -> Office {
        let odoo = Odoo::up();
        let reps: Vec<Rep> = (0..people).map(|_| odoo.rep()).collect();
        let options = Options {
            people,
            items_per_person: items,
            // Other people than those of other tests, who share the database.
            seed: reps[0].id.unsigned_abs(),
            ..Options::default()
        };
        open_on(Ground::new().await, Arc::new(odoo), reps, options).await
    }
}

/// An office of the lab's people, who are these users of the Odoo.
pub async fn open_on(ground: Ground, odoo: Arc<Odoo>, reps: Vec<Rep>, options: Options) -> Office {
    let lab = holdfast_lab::start(options).await.unwrap();
    let pages = OdooPages::new(odoo, reps);
    pages.introduce(&lab).await;
    let crm = pages.connector();
    let egress = Arc::new(MemoryLedger::default());
    Office::between(ground, lab, egress, crm, Arc::new(pages)).await
}

/// The pages of a real Odoo.
pub struct OdooPages {
    odoo: Arc<Odoo>,
    reps: Vec<Rep>,
    removed: AtomicU32,
}

/// Odoo tells attendees and assignees of what its own users do, as it should, and writes below a description whose
/// meeting it is. That is not what these tests are about.
fn quietly() -> Value {
    json!({
        "no_mail_to_attendees": true, "dont_notify": true, "mail_auto_subscribe_no_notify": true,
        "tracking_disable": true, "skip_contact_description": true,
    })
}

fn model(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Calendar => "calendar.event",
        RecordKind::Contacts => "res.partner",
        RecordKind::Tasks => "project.task",
        RecordKind::Mail => "mail.message",
    }
}

fn number(id: &CrmId) -> i64 {
    id.0.parse().unwrap()
}

impl OdooPages {
    pub fn new(odoo: Arc<Odoo>, reps: Vec<Rep>) -> Self {
        Self {
            odoo,
            reps,
            removed: AtomicU32::new(0),
        }
    }

    /// Nothing is left of what stood in these users' names, so that another life may begin.
    pub async fn clear(&self) {
        for rep in &self.reps {
            for (model, whose) in [
                ("calendar.event", json!(["user_id", "=", rep.id])),
                ("res.partner", json!(["user_id", "=", rep.id])),
                ("project.task", json!(["user_ids", "in", [rep.id]])),
            ] {
                let all = json!({ "domain": [whose], "context": { "active_test": false } });
                let ids = self.odoo.call(&rep.key, model, "search", all).await;
                let unlink = json!({ "ids": ids, "context": quietly() });
                self.odoo.call(&rep.key, model, "unlink", unlink).await;
            }
        }
        let domain = json!([["create_uid", "in", self.ids()], ["x_holdfast_key", "!=", false]]);
        let all = json!({ "domain": domain });
        let ids = self.odoo.admin("mail.message", "search", all).await;
        self.odoo
            .admin("mail.message", "unlink", json!({ "ids": ids }))
            .await;
    }

    fn rep(&self, user: &CrmUser) -> &Rep {
        let is_it = |rep: &&Rep| rep.login == user.username;
        self.reps.iter().find(is_it).unwrap()
    }

    fn ids(&self) -> Vec<i64> {
        self.reps.iter().map(|rep| rep.id).collect()
    }

    /// The users get the addresses of the lab's people, and Odoo gets to know whom the lab's Salesforce knows.
    async fn introduce(&self, lab: &Lab) {
        let first = &self.reps[0];
        for (rep, person) in self.reps.iter().zip(&lab.cast.people) {
            let email = json!({ "ids": [rep.partner], "vals": { "email": person.smtp } });
            self.odoo.admin("res.partner", "write", email).await;
        }
        let mut cards = vec![json!({ "name": "Customer", "email": self.customer() })];
        let mut leads = Vec::new();
        for one in &lab.cast.outsiders {
            match one.kind {
                OutsiderKind::Contact => cards.push(json!({ "name": one.family, "email": one.email })),
                OutsiderKind::Lead => leads.push(json!({
                    "name": one.family, "email_from": one.email, "type": "lead", "user_id": first.id
                })),
            }
        }
        let made = [("res.partner", cards), ("crm.lead", leads)];
        for (model, rows) in made.into_iter().filter(|(_, rows)| !rows.is_empty()) {
            let create = json!({ "vals_list": rows, "context": quietly() });
            self.odoo.admin(model, "create", create).await;
        }
    }

    async fn create(&self, rep: &Rep, record: &Record) -> CrmId {
        let kind = record.kind();
        let mut values = self.values(record, FieldSet::of_kind(kind)).await;
        let (owner, whose) = match kind {
            RecordKind::Tasks => ("user_ids", json!([[6, 0, [rep.id]]])),
            _ => ("user_id", json!(rep.id)),
        };
        values.insert(owner.to_owned(), whose);
        let create = json!({ "vals_list": [values], "context": quietly() });
        let made = self.odoo.call(&rep.key, model(kind), "create", create).await;
        CrmId(made[0].to_string())
    }

    async fn set(&self, who: &Rep, kind: RecordKind, id: &CrmId, values: Value) {
        let write = json!({ "ids": [number(id)], "vals": values, "context": quietly() });
        self.odoo.call(&who.key, model(kind), "write", write).await;
    }

    /// These fields of a record, as Odoo's forms would send them.
    async fn values(&self, record: &Record, fields: FieldSet) -> Map<String, Value> {
        let mut values = match record {
            Record::Event(event) => of_event(event),
            Record::Contact(card) => of_contact(card),
            Record::Task(task) => of_task(task),
            Record::Email(_) => panic!("people do not type mails into Odoo"),
        };
        values.retain(|(field, _, _)| fields.has(*field));
        let mut values: Map<String, Value> = values
            .into_iter()
            .map(|(_, name, value)| (name.to_owned(), value))
            .collect();
        if let Record::Event(event) = record
            && fields.has(Field::Attendees)
            && !event.attendees.is_empty()
        {
            let mut guests = Vec::new();
            for attendee in &event.attendees {
                guests.push(self.card_of(attendee.person.address.expose()).await);
            }
            values.insert("partner_ids".to_owned(), json!([[6, 0, guests]]));
        }
        values
    }

    /// The card of an address. The form makes one of whoever has none.
    async fn card_of(&self, address: &str) -> i64 {
        let domain = json!([["email_normalized", "=", address.to_lowercase()]]);
        let search = json!({ "domain": domain, "limit": 1 });
        let found = self.odoo.admin("res.partner", "search", search).await;
        match found[0].as_i64() {
            Some(id) => id,
            None => number(&self.odoo.person("res.partner", address).await.id),
        }
    }
}

#[async_trait]
impl CrmPages for OdooPages {
    fn connector(&self) -> Arc<dyn Crm> {
        let reps: Vec<&Rep> = self.reps.iter().collect();
        self.odoo.connector(&reps, None)
    }

    fn username(&self, person: usize) -> String {
        self.reps[person].login.clone()
    }

    async fn write(&self, user: &CrmUser, kind: RecordKind, write: CrmWrite) -> CrmId {
        let rep = self.rep(user);
        let (id, method, arguments) = match &write {
            CrmWrite::Create { record, .. } | CrmWrite::File { record, .. } => {
                return self.create(rep, record).await;
            }
            CrmWrite::Update {
                id, fields, record, ..
            } => (id, "write", json!({ "vals": self.values(record, *fields).await })),
            // Some people put away, some delete for good.
            CrmWrite::Delete { id } => match self.removed.fetch_add(1, Ordering::SeqCst) % 2 {
                0 => (id, "write", json!({ "vals": { "active": false } })),
                _ => (id, "unlink", json!({})),
            },
        };
        let mut arguments = arguments;
        arguments["ids"] = json!([number(id)]);
        arguments["context"] = quietly();
        self.odoo.call(&rep.key, model(kind), method, arguments).await;
        id.clone()
    }

    async fn records(&self, user: &CrmUser, kind: RecordKind) -> Vec<CrmRecord> {
        let rep = self.rep(user);
        let (mine, fields): (Value, &[&str]) = match kind {
            RecordKind::Calendar => (json!(["user_id", "=", rep.id]), EVENT),
            RecordKind::Contacts => (json!(["user_id", "=", rep.id]), CONTACT),
            RecordKind::Tasks => (json!(["user_ids", "in", [rep.id]]), TASK),
            RecordKind::Mail => panic!("nobody owns a mail in Odoo"),
        };
        let search = json!({ "domain": [mine], "fields": fields, "order": "id" });
        let rows = self.odoo.call(&rep.key, model(kind), "search_read", search).await;
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| seen(kind, row))
            .collect()
    }

    async fn was_there(&self, user: &CrmUser, record: Record) -> CrmId {
        self.create(self.rep(user), &record).await
    }

    /// Its own rules are so already, for what is private.
    async fn keep_apart(&self) {}

    async fn hand_over(&self, user: &CrmUser, kind: RecordKind, id: &CrmId, to: usize) {
        let (rep, heir) = (self.rep(user), &self.reps[to]);
        match kind {
            RecordKind::Tasks => {
                let values = json!({ "user_ids": [[6, 0, [heir.id]]] });
                self.set(rep, kind, id, values).await;
            }
            _ => self.set(rep, kind, id, json!({ "user_id": heir.id })).await,
        }
        // Only who was asked sees a private meeting; everybody else sees that somebody is busy.
        if kind == RecordKind::Calendar {
            let alone = json!({ "partner_ids": [[6, 0, [heir.partner]]], "privacy": "private" });
            self.set(heir, kind, id, alone).await;
        }
    }

    fn customer(&self) -> String {
        format!("customer.{}@out.example", self.reps[0].login)
    }

    async fn mails(&self) -> Vec<String> {
        let domain = json!([["create_uid", "in", self.ids()], ["x_holdfast_key", "!=", false]]);
        let search = json!({ "domain": domain, "fields": ["subject"], "order": "id" });
        let rows = self.odoo.admin("mail.message", "search_read", search).await;
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| text(&row["subject"])).collect()
    }

    async fn files(&self) -> Vec<String> {
        let domain = json!([["create_uid", "in", self.ids()], ["x_holdfast_key", "!=", false]]);
        let search = json!({ "domain": domain, "fields": ["attachment_ids"] });
        let mails = self.odoo.admin("mail.message", "search_read", search).await;
        let mails = mails.as_array().unwrap().iter();
        let ids: Vec<&Value> = mails
            .flat_map(|row| row["attachment_ids"].as_array().unwrap())
            .collect();
        let read = json!({ "ids": ids, "fields": ["name"] });
        let files = self.odoo.admin("ir.attachment", "read", read).await;
        let files = files.as_array().unwrap().iter();
        files.map(|row| text(&row["name"])).collect()
    }

    async fn holds(&self, words: &str) -> bool {
        let mut found = 0;
        for (model, fields) in [
            ("calendar.event", ["name", "description"]),
            ("project.task", ["name", "description"]),
            ("res.partner", ["name", "comment"]),
            ("mail.message", ["subject", "body"]),
        ] {
            for rep in &self.reps {
                let [one, two] = fields.map(|field| json!([field, "ilike", words]));
                let count = json!({ "domain": ["&", ["create_uid", "=", rep.id], "|", one, two],
                    "context": { "active_test": model == "mail.message" } });
                let count = self.odoo.call(&rep.key, model, "search_count", count).await;
                found += count.as_u64().unwrap();
            }
        }
        found > 0
    }

    async fn told(&self) -> u64 {
        self.odoo.told(&self.reps.iter().collect::<Vec<_>>()).await
    }

    /// The administrator takes the first person's account away.
    async fn breaks(&self) {
        let archive = json!({ "ids": [self.reps[0].id], "vals": { "active": false } });
        self.odoo.admin("res.users", "write", archive).await;
    }

    async fn mends(&self) {
        let give_back = json!({ "ids": [self.reps[0].id], "vals": { "active": true } });
        self.odoo.admin("res.users", "write", give_back).await;
    }
}
