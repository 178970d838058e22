//! What the org holds at the start: users, companies, the outsiders of the cast as contacts and leads, and
//! activities that began in the CRM. Made through the same checks as every other write, by its owner.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use super::app;
use super::moment::stamp;
use super::permissions;
use super::schema;
use super::store::State;
use super::transaction::{Caller, Transaction, WriteOptions};
use super::write;
use crate::Options;
use crate::cast::{Cast, OutsiderKind, Person};
use crate::text;

/// Fills an empty org.
pub fn fill(state: &mut State, cast: &Cast, options: &Options) {
    let mut seed = Seed {
        state,
        cast,
        rng: cast.rng(40),
        contacts: HashMap::new(),
    };
    for outsider in cast
        .outsiders
        .iter()
        .filter(|one| one.kind == OutsiderKind::Contact)
    {
        seed.contacts
            .entry(outsider.owner)
            .or_default()
            .push(&outsider.sf_id);
    }
    seed.users();
    permissions::settle(seed.state, cast.start);
    seed.companies();
    seed.outsiders();
    // The lab's usual 200 items a person go with ten events, ten tasks and fifteen contacts in the CRM.
    let share = |usual: usize| (usual * options.items_per_person).div_ceil(200);
    for index in 0..cast.people.len() {
        seed.contacts_of(index, share(15));
        seed.sales_of(index, share(3));
        seed.events_of(index, share(10));
        seed.tasks_of(index, share(10));
    }
}

struct Seed<'a> {
    state: &'a mut State,
    cast: &'a Cast,
    rng: ChaCha8Rng,
    /// The ids of the cast's contacts by their owner's index.
    contacts: HashMap<usize, Vec<&'a str>>,
}

impl Seed<'_> {
    /// Makes one record as its owner would; seeds are written to pass every rule.
    fn insert(&mut self, owner: &Caller, object: &str, id: Option<&str>, body: Value) -> Option<String> {
        let object = schema::object(object)?;
        let body: Map<String, Value> = body.as_object().cloned().unwrap_or_default();
        let mut tx = Transaction::new(self.state, owner, self.cast.start, WriteOptions::default());
        tx.fixed_id = id.map(str::to_owned);
        let made = write::insert(&mut tx, object, &body);
        made.map_err(|error| format!("seed of {}: {} {}", object.name, error.code, error.message))
            .inspect_err(|message| tracing::error!("{message}"))
            .ok()
    }

    fn users(&mut self) {
        let integration = app::integration_user_id();
        let mut rows = vec![json!({
            "Id": integration, "Username": app::INTEGRATION_USERNAME, "LastName": "Integration",
            "Name": "Integration", "Email": "integration@lab.example", "IsActive": true,
            "UserType": "Standard", "TimeZoneSidKey": "GMT", "LocaleSidKey": "en_US",
        })];
        for (index, person) in self.cast.people.iter().enumerate() {
            // Every tenth person leads the nine after.
            let manager = self
                .cast
                .people
                .get(index - index % 10)
                .filter(|_| index % 10 != 0);
            rows.push(json!({
                "ManagerId": manager.map(|manager| &manager.sf_user_id),
                "Id": person.sf_user_id, "Username": person.sf_username, "FirstName": person.given,
                "LastName": person.family, "Name": person.display, "Email": person.smtp, "IsActive": true,
                "UserType": "Standard", "TimeZoneSidKey": person.zone.name(), "LocaleSidKey": "en_US",
                "FederationIdentifier": person.upn,
            }));
        }
        let now = stamp(self.cast.start);
        for mut row in rows {
            row["IsDeleted"] = json!(false);
            for field in ["CreatedDate", "LastModifiedDate", "SystemModstamp"] {
                row[field] = json!(now);
            }
            if let Value::Object(fields) = row {
                self.state.restore("User", fields);
            }
        }
    }

    fn companies(&mut self) {
        let cast = self.cast;
        for (index, company) in cast.accounts.iter().enumerate() {
            let owner = caller_at(cast, index);
            let website = format!("https://www.{}", company.domain);
            let body = json!({"Name": company.name, "Website": website, "Type": "Customer"});
            self.insert(&owner, "Account", Some(&company.sf_account_id), body);
        }
    }

    fn outsiders(&mut self) {
        let cast = self.cast;
        for outsider in &cast.outsiders {
            let owner = caller_at(cast, outsider.owner);
            let company = cast.accounts.get(outsider.company);
            let mut body = json!({
                "FirstName": outsider.given, "LastName": outsider.family, "Email": outsider.email,
                "Phone": outsider.phone, "Title": outsider.title,
            });
            let object = match outsider.kind {
                OutsiderKind::Contact => {
                    body["AccountId"] = json!(company.map(|company| company.sf_account_id.as_str()));
                    "Contact"
                }
                OutsiderKind::Lead => {
                    body["Company"] = json!(company.map_or("(none)", |company| company.name.as_str()));
                    "Lead"
                }
            };
            self.insert(&owner, object, Some(&outsider.sf_id), body);
        }
    }

    fn contacts_of(&mut self, index: usize, count: usize) {
        let owner = caller_at(self.cast, index);
        for number in 0..count {
            let (given, _) = text::given_name(&mut self.rng);
            let (family, _) = text::family_name(&mut self.rng);
            let company = self.account(index + number);
            let body = json!({
                "FirstName": given, "LastName": family, "AccountId": company,
                "Email": format!("crm.only.{index}.{number}@partner.example"),
                "MobilePhone": format!("+49 170 {:07}", self.rng.random_range(0..10_000_000)),
                "MailingCity": "Köln", "MailingCountry": "Germany", "Department": "Einkauf",
            });
            self.insert(&owner, "Contact", None, body);
        }
    }

    fn account(&self, index: usize) -> Option<&str> {
        let accounts = &self.cast.accounts;
        accounts
            .get(index % accounts.len().max(1))
            .map(|account| account.sf_account_id.as_str())
    }

    fn sales_of(&mut self, index: usize, count: usize) {
        let owner = caller_at(self.cast, index);
        for number in 0..count {
            let account = self.account(index * 3 + number).map(str::to_owned);
            let close = (self.cast.start + TimeDelta::days(30 + number as i64)).date_naive();
            let name = text::subject(&mut self.rng);
            let name: String = name.chars().take(100).collect();
            let body = json!({
                "Name": name, "AccountId": account, "StageName": "Prospecting", "CloseDate": close.to_string(),
            });
            self.insert(&owner, "Opportunity", None, body);
            let subject = text::subject(&mut self.rng);
            let body = json!({"Subject": subject, "AccountId": account, "Origin": "Email", "Status": "New"});
            self.insert(&owner, "Case", None, body);
        }
    }

    fn events_of(&mut self, index: usize, count: usize) {
        let owner = caller_at(self.cast, index);
        for number in 0..count {
            let subject = text::subject(&mut self.rng);
            let description = text::paragraphs(&mut self.rng, 1);
            let mut body = json!({
                "Subject": cut(&subject, 255), "Description": cut(&description, 2_000),
                "ShowAs": if number % 4 == 0 { "Free" } else { "Busy" }, "Location": "Raum 7",
            });
            let day = self.cast.start + TimeDelta::days(self.rng.random_range(-40..80));
            if number % 5 == 4 {
                body["IsAllDayEvent"] = json!(true);
                body["ActivityDate"] = json!(day.date_naive().to_string());
            } else {
                body["StartDateTime"] = json!(stamp(on_the_half_hour(day, number)));
                body["DurationInMinutes"] = json!(30 + 15 * (number % 5));
            }
            if number % 3 == 0 {
                body["WhoId"] = json!(self.somebody(index));
            }
            self.insert(&owner, "Event", None, body);
        }
    }

    fn tasks_of(&mut self, index: usize, count: usize) {
        let owner = caller_at(self.cast, index);
        for number in 0..count {
            let subject = text::subject(&mut self.rng);
            let due = (self.cast.start + TimeDelta::days(self.rng.random_range(-20..60))).date_naive();
            let status = [
                "Not Started",
                "In Progress",
                "Completed",
                "Waiting on someone else",
                "Deferred",
            ];
            let priority = ["Normal", "High", "Low"];
            let mut body = json!({
                "Subject": cut(&subject, 255), "ActivityDate": due.to_string(),
                "Status": status[number % status.len()], "Priority": priority[number % priority.len()],
                "Description": cut(&text::paragraphs(&mut self.rng, 1), 2_000),
            });
            if number % 2 == 0 {
                body["WhoId"] = json!(self.somebody(index));
            }
            self.insert(&owner, "Task", None, body);
        }
    }

    /// A contact whom this person owns, or nobody.
    fn somebody(&mut self, owner: usize) -> Option<String> {
        let own = self.contacts.get(&owner)?;
        own.get(self.rng.random_range(0..own.len()))
            .map(|id| (*id).to_owned())
    }
}

fn caller_at(cast: &Cast, index: usize) -> Caller {
    let person: Option<&Person> = cast.people.get(index % cast.people.len().max(1));
    Caller {
        id: person.map_or_else(app::integration_user_id, |person| person.sf_user_id.clone()),
        username: person
            .map_or(app::INTEGRATION_USERNAME, |person| &person.sf_username)
            .to_owned(),
        view_all: false,
        // The seed may link what other people own.
        modify_all: true,
        zone: person.map_or(chrono_tz::UTC, |person| person.zone),
        syncs: false,
    }
}

fn on_the_half_hour(day: DateTime<Utc>, number: usize) -> DateTime<Utc> {
    let midnight = day.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    midnight + TimeDelta::minutes(7 * 60 + 30 * (number as i64 % 18))
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
