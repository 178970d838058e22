//! What the org holds at the start: users, accounts, the cast's outsiders as contacts and leads,
//! opportunities, cases, and for every person some events and tasks that came from nowhere else.

use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use super::app;
use super::id::id18;
use super::moment::stamp;
use super::schema;
use super::settings::UserSettings;
use super::store::{Fields, Row, State};
use super::transaction::{Caller, Transaction, WriteOptions};
use super::write;
use crate::cast::{Cast, Outsider, OutsiderKind, Person};
use crate::text;

/// Which stream of the cast's randomness this is.
const PURPOSE: u64 = 0x5f;
/// Events, and tasks, per person at 200 mailbox items.
const ACTIVITIES: usize = 10;

/// Fills an empty org.
pub fn fill(state: &mut State, cast: &Cast, items_per_person: usize) {
    let mut rng = cast.rng(PURPOSE);
    users(state, cast);
    let modify_all = UserSettings {
        modify_all: true,
        view_all: true,
        ..UserSettings::default()
    };
    state
        .settings
        .users
        .insert(app::INTEGRATION_USERNAME.to_owned(), modify_all);
    accounts(state, cast, &mut rng);
    for outsider in &cast.outsiders {
        person_record(state, cast, outsider, &mut rng);
    }
    sales(state, cast, &mut rng);
    let each = (ACTIVITIES * items_per_person).div_ceil(200);
    for (index, person) in cast.people.iter().enumerate() {
        let owned: Vec<&Outsider> = cast
            .outsiders
            .iter()
            .skip(index)
            .step_by(cast.people.len().max(1))
            .collect();
        let mut seeder = Seeder {
            state,
            cast,
            person,
            owned,
            rng: &mut rng,
        };
        for number in 0..each {
            seeder.event(number);
            seeder.task(number);
        }
    }
}

/// A row with the system fields, made and last changed at one moment.
fn row(id: &str, owner: &str, at: DateTime<Utc>) -> Row {
    let mut row = Row::new();
    row.set("Id", id);
    row.set("IsDeleted", false);
    for field in ["CreatedDate", "LastModifiedDate", "SystemModstamp"] {
        row.set(field, stamp(at));
    }
    for field in ["CreatedById", "LastModifiedById"] {
        row.set(field, owner);
    }
    row
}

fn put(state: &mut State, object: &'static str, row: Row) {
    state.put(object, std::sync::Arc::new(row));
}

fn users(state: &mut State, cast: &Cast) {
    let made = cast.start - TimeDelta::days(700);
    let robot = app::integration_user_id();
    let mut integration = row(&robot, &robot, made);
    integration.set("Username", app::INTEGRATION_USERNAME);
    integration.set("LastName", "Integration");
    integration.set("Name", "Integration");
    integration.set("Email", "integration@lab.example");
    integration.set("Alias", "integr");
    locale(&mut integration, "UTC");
    put(state, "User", integration);
    for (index, person) in cast.people.iter().enumerate() {
        let mut user = row(&person.sf_user_id, &robot, made);
        user.set("Username", person.sf_username.as_str());
        user.set("FirstName", person.given.as_str());
        user.set("LastName", person.family.as_str());
        user.set("Name", person.display.as_str());
        user.set("Email", person.smtp.as_str());
        user.set("FederationIdentifier", person.upn.as_str());
        user.set("Alias", format!("u{index}"));
        // Every tenth person leads the nine after.
        if let Some(manager) = cast.people.get(index - index % 10).filter(|_| index % 10 != 0) {
            user.set("ManagerId", manager.sf_user_id.as_str());
        }
        locale(&mut user, person.zone.name());
        put(state, "User", user);
    }
}

fn locale(user: &mut Row, zone: &str) {
    user.set("IsActive", true);
    user.set("UserType", "Standard");
    user.set("TimeZoneSidKey", zone);
    user.set("LocaleSidKey", "en_US");
    user.set("LanguageLocaleKey", "en_US");
    user.set("EmailEncodingKey", "UTF-8");
}

fn past(cast: &Cast, rng: &mut ChaCha8Rng) -> DateTime<Utc> {
    cast.start - TimeDelta::minutes(rng.random_range(60..400 * 1440))
}

fn owner(cast: &Cast, index: usize) -> String {
    cast.people
        .get(index % cast.people.len().max(1))
        .map_or_else(app::integration_user_id, |p| p.sf_user_id.clone())
}

fn accounts(state: &mut State, cast: &Cast, rng: &mut ChaCha8Rng) {
    for (index, company) in cast.accounts.iter().enumerate() {
        let owner = owner(cast, index);
        let mut account = row(&company.sf_account_id, &owner, past(cast, rng));
        account.set("OwnerId", owner);
        account.set("Name", company.name.as_str());
        account.set("Website", format!("https://www.{}", company.domain));
        account.set("Type", "Customer");
        account.set("BillingCity", "Berlin");
        account.set("BillingCountry", "Germany");
        put(state, "Account", account);
    }
}

fn person_record(state: &mut State, cast: &Cast, outsider: &Outsider, rng: &mut ChaCha8Rng) {
    let owner = owner(cast, outsider.owner);
    let mut record = row(&outsider.sf_id, &owner, past(cast, rng));
    record.set("OwnerId", owner);
    record.set("FirstName", outsider.given.as_str());
    record.set("LastName", outsider.family.as_str());
    record.set("Name", format!("{} {}", outsider.given, outsider.family));
    record.set("Email", outsider.email.as_str());
    record.set("Phone", outsider.phone.as_str());
    record.set("Title", outsider.title.as_str());
    let company = cast.accounts.get(outsider.company);
    match outsider.kind {
        OutsiderKind::Contact => {
            record.set(
                "AccountId",
                company
                    .map(|company| company.sf_account_id.clone())
                    .unwrap_or_default(),
            );
            record.set("MailingCity", "Wien");
            record.set("MailingCountry", "Austria");
            put(state, "Contact", record);
        }
        OutsiderKind::Lead => {
            record.set(
                "Company",
                company.map(|company| company.name.clone()).unwrap_or_default(),
            );
            record.set("Status", "Working - Contacted");
            record.set("IsConverted", false);
            put(state, "Lead", record);
        }
    }
}

/// One opportunity for every account, one case for every second.
fn sales(state: &mut State, cast: &Cast, rng: &mut ChaCha8Rng) {
    for (index, company) in cast.accounts.iter().enumerate() {
        let owner = owner(cast, index);
        let at = past(cast, rng);
        let mut opportunity = row(&id18("006", index as u64 + 1), &owner, at);
        opportunity.set("OwnerId", owner.as_str());
        opportunity.set("AccountId", company.sf_account_id.as_str());
        opportunity.set("Name", text::subject(rng));
        opportunity.set("StageName", "Qualification");
        opportunity.set("Amount", f64::from(rng.random_range(10..5000)) * 100.0);
        opportunity.set(
            "CloseDate",
            (cast.start + TimeDelta::days(40)).date_naive().to_string(),
        );
        opportunity.set("IsClosed", false);
        opportunity.set("IsWon", false);
        put(state, "Opportunity", opportunity);
        if index % 2 == 0 {
            let mut case = row(&id18("500", index as u64 + 1), &owner, at);
            case.set("OwnerId", owner);
            case.set("AccountId", company.sf_account_id.as_str());
            case.set("CaseNumber", format!("{:08}", 1001 + index));
            case.set("Subject", text::subject(rng));
            case.set("Status", "New");
            case.set("Priority", "Medium");
            case.set("IsClosed", false);
            put(state, "Case", case);
        }
    }
}

/// Writes one person's activities as that person.
struct Seeder<'a> {
    state: &'a mut State,
    cast: &'a Cast,
    person: &'a Person,
    owned: Vec<&'a Outsider>,
    rng: &'a mut ChaCha8Rng,
}

impl Seeder<'_> {
    fn write(&mut self, object: &str, fields: Value) {
        let caller = Caller {
            id: self.person.sf_user_id.clone(),
            username: self.person.sf_username.clone(),
            view_all: false,
            modify_all: false,
            zone: self.person.zone,
        };
        let at = past(self.cast, self.rng);
        let mut tx = Transaction::new(self.state, &caller, at, WriteOptions::default());
        let empty = Map::new();
        let fields = fields.as_object().unwrap_or(&empty);
        let object = schema::object(object).expect("the seed names objects of the schema");
        write::insert(&mut tx, object, fields).expect("the seed obeys the rules");
    }

    /// Whom the activity relates to: mostly one of the person's own contacts or leads.
    fn relate(&mut self, fields: &mut Map<String, Value>) {
        let chosen = self.rng.random_range(0..self.owned.len().max(1));
        let Some(outsider) = self.owned.get(chosen) else {
            return;
        };
        if self.rng.random_bool(0.8) {
            fields.insert("WhoId".to_owned(), json!(outsider.sf_id));
        }
        let company = self.cast.accounts.get(outsider.company);
        if let (OutsiderKind::Contact, Some(company)) = (outsider.kind, company) {
            fields.insert("WhatId".to_owned(), json!(company.sf_account_id));
        }
    }

    fn event(&mut self, number: usize) {
        let day = (self.cast.start + TimeDelta::days(self.rng.random_range(-30..45))).date_naive();
        let mut fields = Map::new();
        fields.insert("Subject".to_owned(), json!(text::subject(self.rng)));
        fields.insert("Description".to_owned(), json!(text::paragraphs(self.rng, 1)));
        self.relate(&mut fields);
        if number % 10 == 3 {
            fields.insert("IsAllDayEvent".to_owned(), json!(true));
            fields.insert("ActivityDate".to_owned(), json!(day.to_string()));
            fields.insert("ShowAs".to_owned(), json!("OutOfOffice"));
        } else {
            let hour = NaiveTime::from_hms_opt(self.rng.random_range(8..17), 30, 0).unwrap_or(NaiveTime::MIN);
            let start = self
                .person
                .zone
                .from_local_datetime(&day.and_time(hour))
                .earliest();
            let start = start.map_or(self.cast.start, |start| start.with_timezone(&Utc));
            fields.insert("StartDateTime".to_owned(), json!(stamp(start)));
            fields.insert(
                "DurationInMinutes".to_owned(),
                json!(30 * self.rng.random_range(1..5)),
            );
            fields.insert("Location".to_owned(), json!("Room 4"));
        }
        fields.insert("IsPrivate".to_owned(), json!(number % 10 == 7));
        self.write("Event", Value::Object(fields));
    }

    fn task(&mut self, number: usize) {
        const STATES: [&str; 5] = [
            "Not Started",
            "In Progress",
            "Completed",
            "Waiting on someone else",
            "Deferred",
        ];
        let day = (self.cast.start + TimeDelta::days(self.rng.random_range(-10..30))).date_naive();
        let mut fields = Map::new();
        fields.insert("Subject".to_owned(), json!(text::subject(self.rng)));
        fields.insert("Description".to_owned(), json!(text::sentence(self.rng)));
        fields.insert("Status".to_owned(), json!(STATES.get(number % STATES.len())));
        fields.insert(
            "Priority".to_owned(),
            json!(if number % 4 == 0 { "High" } else { "Normal" }),
        );
        if number % 3 != 0 {
            fields.insert("ActivityDate".to_owned(), json!(day.to_string()));
        }
        self.relate(&mut fields);
        self.write("Task", Value::Object(fields));
    }
}
