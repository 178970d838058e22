//! Who is in the world: the people with mailboxes, the companies they deal with, the outsiders
//! known to the CRM, and the strangers whom no CRM record knows.
//!
//! The cast is the same for the same number of people and seed; only the world's start differs.

use std::collections::HashSet;

use chrono::{DateTime, SubsecRound, Utc};
use chrono_tz::Tz;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::salesforce::id::id18;
use crate::text;

/// CRM records of outsiders per person.
const OUTSIDERS_PER_PERSON: usize = 15;

/// Everyone and everything both worlds agree on.
pub struct Cast {
    /// The seed it was made from.
    pub seed: u64,
    /// The people with a mailbox and a CRM user.
    pub people: Vec<Person>,
    /// The companies (CRM accounts).
    pub accounts: Vec<Company>,
    /// People who exist in the CRM as contacts or leads.
    pub outsiders: Vec<Outsider>,
    /// People whom no CRM record knows; their `sf_id` is empty.
    pub strangers: Vec<Outsider>,
    /// The world's start, whole seconds.
    pub start: DateTime<Utc>,
}

/// One person with a mailbox.
pub struct Person {
    /// Given name as shown.
    pub given: String,
    /// Family name as shown.
    pub family: String,
    /// Display name.
    pub display: String,
    /// Primary address, ASCII, `given.family@lab.example`.
    pub smtp: String,
    /// User principal name.
    pub upn: String,
    /// Security identifier.
    pub sid: String,
    /// Windows login, `LAB\given`.
    pub login: String,
    /// Windows password.
    pub password: String,
    /// CRM username.
    pub sf_username: String,
    /// CRM user id, 18 characters.
    pub sf_user_id: String,
    /// The zone of the mailbox and the CRM user.
    pub zone: Tz,
}

/// A company.
pub struct Company {
    /// Name as shown.
    pub name: String,
    /// Its mail domain.
    pub domain: String,
    /// Its CRM account id, 18 characters.
    pub sf_account_id: String,
}

/// Which CRM record an outsider has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutsiderKind {
    /// A contact of an account.
    Contact,
    /// A lead.
    Lead,
}

/// Someone outside the organisation.
pub struct Outsider {
    /// Given name as shown.
    pub given: String,
    /// Family name as shown.
    pub family: String,
    /// Address, ASCII.
    pub email: String,
    /// Telephone number, international form.
    pub phone: String,
    /// Job title.
    pub title: String,
    /// Index in [`Cast::accounts`].
    pub company: usize,
    /// Contact or lead.
    pub kind: OutsiderKind,
    /// CRM record id, 18 characters; empty for strangers.
    pub sf_id: String,
    /// Index in [`Cast::people`] of the CRM record's owner.
    pub owner: usize,
}

const ZONES: &[Tz] = &[
    Tz::Europe__Berlin,
    Tz::Europe__Berlin,
    Tz::America__New_York,
    Tz::Asia__Tokyo,
    Tz::Europe__London,
    Tz::Asia__Kolkata,
    Tz::America__Sao_Paulo,
    Tz::Australia__Sydney,
    Tz::America__Los_Angeles,
];

const TITLES: &[&str] = &[
    "Buyer",
    "CTO",
    "Geschäftsführer",
    "Chef d'atelier",
    "Ředitel",
    "Инженер",
    "主任",
    "Sales Manager",
];

impl Cast {
    /// The cast for so many people, starting now.
    pub fn new(people: usize, seed: u64) -> Cast {
        Cast::starting(people, seed, Utc::now())
    }

    /// The cast with a given start, as a restarted lab needs it.
    pub fn starting(people: usize, seed: u64, start: DateTime<Utc>) -> Cast {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut addresses = HashSet::new();
        let persons: Vec<Person> = (0..people)
            .map(|index| person(&mut rng, index, &mut addresses))
            .collect();
        let accounts: Vec<Company> = (0..(people * 3).max(5))
            .map(|index| company(&mut rng, index))
            .collect();
        let world = World {
            people: people.max(1),
            accounts: &accounts,
        };
        let outsiders = (0..people * OUTSIDERS_PER_PERSON)
            .map(|index| world.outsider(&mut rng, Some(index), &mut addresses))
            .collect();
        let strangers = (0..people * 3 + 10)
            .map(|_| world.outsider(&mut rng, None, &mut addresses))
            .collect();
        Cast {
            seed,
            people: persons,
            accounts,
            outsiders,
            strangers,
            start: start.trunc_subsecs(0),
        }
    }

    /// A generator for one purpose, independent of every other purpose's.
    pub fn rng(&self, purpose: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(purpose.wrapping_add(1));
        rng
    }
}

fn unique(taken: &mut HashSet<String>, local: &str, domain: &str) -> String {
    let mut address = format!("{local}@{domain}");
    let mut number = 2;
    while !taken.insert(address.clone()) {
        address = format!("{local}{number}@{domain}");
        number += 1;
    }
    address
}

fn person(rng: &mut ChaCha8Rng, index: usize, taken: &mut HashSet<String>) -> Person {
    let (given, given_ascii) = text::given_name(rng);
    let (family, family_ascii) = text::family_name(rng);
    let smtp = unique(taken, &format!("{given_ascii}.{family_ascii}"), "lab.example");
    let local = smtp.split('@').next().unwrap_or_default().to_owned();
    Person {
        display: format!("{given} {family}"),
        upn: smtp.clone(),
        sid: format!("S-1-5-21-1004336348-1177238915-682003330-{}", 1100 + index),
        login: format!("LAB\\{local}"),
        password: format!("Lab-{:08x}!", rng.random::<u32>()),
        sf_username: format!("{local}@lab.example.crm"),
        sf_user_id: id18("005", index as u64 + 10),
        zone: ZONES.get(index % ZONES.len()).copied().unwrap_or(Tz::UTC),
        given,
        family,
        smtp,
    }
}

fn company(rng: &mut ChaCha8Rng, index: usize) -> Company {
    let (name, ascii) = text::company_name(rng);
    Company {
        name: format!("{name} {}", index + 1),
        domain: format!("{ascii}{}.example", index + 1),
        sf_account_id: id18("001", index as u64 + 1),
    }
}

struct World<'a> {
    people: usize,
    accounts: &'a [Company],
}

impl World<'_> {
    fn outsider(&self, rng: &mut ChaCha8Rng, number: Option<usize>, taken: &mut HashSet<String>) -> Outsider {
        let (given, given_ascii) = text::given_name(rng);
        let (family, family_ascii) = text::family_name(rng);
        let company = rng.random_range(0..self.accounts.len());
        let domain = self
            .accounts
            .get(company)
            .map_or("nowhere.example", |company| company.domain.as_str());
        let domain = if number.is_some() {
            domain.to_owned()
        } else {
            format!("mail.{domain}")
        };
        let kind = match number {
            Some(number) if number % 5 == 4 => OutsiderKind::Lead,
            _ => OutsiderKind::Contact,
        };
        let prefix = if kind == OutsiderKind::Lead { "00Q" } else { "003" };
        Outsider {
            email: unique(taken, &format!("{given_ascii}.{family_ascii}"), &domain),
            phone: format!("+49 30 {:06}", rng.random_range(0..1_000_000)),
            title: TITLES
                .get(rng.random_range(0..TITLES.len()))
                .copied()
                .unwrap_or_default()
                .to_owned(),
            company,
            kind,
            sf_id: number
                .map(|number| id18(prefix, number as u64 + 1))
                .unwrap_or_default(),
            owner: number.unwrap_or(0) % self.people,
            given,
            family,
        }
    }
}
