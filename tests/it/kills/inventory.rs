//! What both worlds hold, by the lab's own books: how often each thing stands on each side.

use crate::harness::Site;
use serde_json::Value;
use std::collections::BTreeMap;

/// What sort, whose, and what tells it from others: its title first, then a bar.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Thing {
    pub sort: &'static str,
    owner: String,
    pub identity: String,
}

impl Thing {
    /// What it is called.
    pub fn title(&self) -> &str {
        self.identity.split('|').next().unwrap_or_default()
    }
}

/// Copies: in the mailbox, in the CRM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    pub mailbox: usize,
    pub crm: usize,
}

/// Everything of both sides.
pub struct Inventory(pub BTreeMap<Thing, Copies>);

impl Inventory {
    /// As it is now.
    pub fn of(site: &Site) -> Self {
        let world = site.control("GET", "/world", b"");
        let mut all = Self(BTreeMap::new());
        for mailbox in list(&world["exchange"]) {
            let owner = text(&mailbox["address"]);
            for item in list(&mailbox["items"]) {
                let thing = of_item(&owner, item);
                thing.into_iter().for_each(|thing| all.copies(thing).mailbox += 1);
            }
        }
        let people = site.people();
        let owner = |row: &Value| {
            let is_his = |person: &&Value| person["sf_user_id"] == row["OwnerId"];
            people
                .iter()
                .find(is_his)
                .map(|person| text(&person["smtp"]))
                .unwrap_or_default()
        };
        for object in ["Event", "Task", "Contact", "EmailMessage"] {
            // A mail has a task of its own beside it.
            let live = |row: &&Value| {
                row["IsDeleted"] != true && row["IsChild"] != true && row["TaskSubtype"] != "Email"
            };
            for row in list(&world["salesforce"][object]).iter().filter(live) {
                all.copies(of_row(object, owner(row), row)).crm += 1;
            }
        }
        all
    }

    fn copies(&mut self, thing: Thing) -> &mut Copies {
        self.0.entry(thing).or_default()
    }

    /// What stands on a side more often than people can have made it: those of both sides together at most, and a
    /// contact with an address or a mail once, since these are matched.
    pub fn doubled(&self, before: &Self) -> Vec<(Thing, Copies)> {
        let too_many = |(thing, now): &(&Thing, &Copies)| {
            let then = before.0.get(thing).copied().unwrap_or_default();
            let is_matched = thing.sort == "mail" || thing.identity.contains('@');
            let most = match is_matched {
                true => then.mailbox.max(then.crm),
                false => then.mailbox + then.crm,
            };
            now.mailbox.max(now.crm) > most.max(1)
        };
        let all = self.0.iter().filter(too_many);
        all.map(|(thing, copies)| (thing.clone(), *copies)).collect()
    }
}

/// How often each thing stands on each side whose title begins so, by sort and title.
pub fn titled(inventory: &Inventory, beginning: &str) -> BTreeMap<(&'static str, String), Copies> {
    let mut found: BTreeMap<_, Copies> = BTreeMap::new();
    for (thing, copies) in &inventory.0 {
        if thing.title().starts_with(beginning) {
            let sum = found.entry((thing.sort, thing.title().to_owned())).or_default();
            sum.mailbox += copies.mailbox;
            sum.crm += copies.crm;
        }
    }
    found
}

/// An item of a default folder. Mail is told by its Message-ID, which the CRM has too.
fn of_item(owner: &str, item: &Value) -> Option<Thing> {
    let field = |name: &str| {
        let value = &item["fields"][name];
        text(value.get("Text").or(value.get("Time")).unwrap_or(&Value::Null))
    };
    let minute = |name: &str| field(name).chars().take(16).collect::<String>();
    let subject = field("item:Subject");
    let (sort, identity) = match item["folder"].as_str()? {
        "calendar" => ("event", format!("{subject}|{}", minute("calendar:Start"))),
        "tasks" => (
            "task",
            format!(
                "{subject}|{}",
                &minute("task:DueDate").get(..10).unwrap_or_default()
            ),
        ),
        "contacts" => {
            let names = format!("{}|{}", field("contacts:Surname"), field("contacts:GivenName"));
            let entries = list(&item["entries"]).iter().map(text);
            let address = entries
                .into_iter()
                .find(|entry| entry.contains('@'))
                .unwrap_or_default();
            ("contact", format!("{names}|{}", address.to_lowercase()))
        }
        _ => return None,
    };
    Some(Thing {
        sort,
        owner: owner.to_owned(),
        identity,
    })
}

fn of_row(object: &str, owner: String, row: &Value) -> Thing {
    let field = |name: &str| text(&row[name]);
    let (sort, owner, identity) = match object {
        "Event" => {
            let start = match field("StartDateTime") {
                start if start.is_empty() => field("ActivityDate"),
                start => start.chars().take(16).collect(),
            };
            ("event", owner, format!("{}|{start}", field("Subject")))
        }
        "Task" => (
            "task",
            owner,
            format!("{}|{}", field("Subject"), field("ActivityDate")),
        ),
        "Contact" => {
            let names = format!("{}|{}", field("LastName"), field("FirstName"));
            (
                "contact",
                owner,
                format!("{names}|{}", field("Email").to_lowercase()),
            )
        }
        _ => {
            let id = format!("{}|{}", field("Subject"), field("MessageIdentifier"));
            ("mail", String::new(), id)
        }
    };
    Thing {
        sort,
        owner,
        identity,
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
