//! With what of the CRM a mail belongs together, by the policy's rules in their order. Pure.
//!
//! The first rule that finds anything decides that the mail is saved; the first that names a record decides under
//! which it is filed. A rule that finds several records finds none: to guess would file a mail where others read it.

use super::mail_policy::MatchRule;
use crate::crm::filing::{Filed, PlaceBy, PlaceId};
use crate::crm::model::{Match, WhoKind};
use crate::foundation::content::Content;
use crate::record::email::{Direction, Email};
use crate::record::person::Person;
use std::collections::{BTreeSet, HashMap};

/// What the CRM said of the places of mails, as far as it was asked in this turn.
#[derive(Default)]
pub struct Places {
    threads: HashMap<Content<String>, Option<Filed>>,
    found: HashMap<PlaceBy, HashMap<Content<String>, Vec<PlaceId>>>,
}

impl Places {
    /// Remembers where the mail with this Message-ID is filed; `None` for one that the CRM does not have.
    pub fn thread(&mut self, message_id: Content<String>, filed: Option<Filed>) {
        self.threads.insert(message_id, filed);
    }

    /// True where the CRM has the mail.
    pub fn has_thread(&self, message_id: &Content<String>) -> bool {
        matches!(self.threads.get(message_id), Some(Some(_)))
    }

    /// Remembers the places of an address.
    pub fn found(&mut self, by: &PlaceBy, address: Content<String>, places: Vec<PlaceId>) {
        self.found.entry(by.clone()).or_default().insert(address, places);
    }

    /// True where the CRM was asked about an address.
    pub fn asked(&self, by: &PlaceBy, address: &Content<String>) -> bool {
        self.found
            .get(by)
            .is_some_and(|found| found.contains_key(address))
    }

    /// Mails of a first reading are many; what the CRM has of earlier pages it says again when asked.
    pub fn forget_threads(&mut self) {
        self.threads.clear();
    }

    fn of(&self, by: &PlaceBy, addresses: &[Content<String>]) -> BTreeSet<&PlaceId> {
        let found = self.found.get(by);
        let places = addresses
            .iter()
            .filter_map(|address| found?.get(address))
            .flatten();
        places.collect()
    }
}

/// What the rules found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// The first rule that found anything; `None` where none did.
    pub by: Option<&'static str>,
    /// The record that the mail is filed under, and the rule that named it.
    pub under: Option<(&'static str, PlaceId)>,
    /// Rules that found several records, and so none.
    pub undecided: Vec<&'static str>,
}

/// Matches a mail. `who` tells whom the CRM knows by an address in comparable form.
pub fn matched<'k>(
    email: &Email,
    rules: &[MatchRule],
    owner: &Content<String>,
    who: impl Fn(&Content<String>) -> Option<&'k Match>,
    places: &Places,
) -> Matched {
    let addresses: Vec<Content<String>> = others(email)
        .map(Person::key)
        .filter(|key| key != owner)
        .collect();
    let known: Vec<&Match> = addresses.iter().filter_map(who).collect();
    let mut matched = Matched::default();
    for rule in rules {
        let (finds, place) = match rule {
            MatchRule::Thread => thread(email, places),
            MatchRule::Contact => (is_among(&known, WhoKind::Contact), None),
            MatchRule::Lead => (is_among(&known, WhoKind::Lead), None),
            MatchRule::Account => {
                let account = account(&known);
                (account.is_some(), account)
            }
            MatchRule::Opportunity | MatchRule::Case | MatchRule::Object(_) => {
                let found = rule
                    .asks_for()
                    .map(|by| places.of(&by, &addresses))
                    .unwrap_or_default();
                if found.len() > 1 {
                    matched.undecided.push(rule.word());
                }
                let only = found
                    .first()
                    .filter(|_| found.len() == 1)
                    .map(|place| (*place).clone());
                (only.is_some(), only)
            }
        };
        if finds && matched.by.is_none() {
            matched.by = Some(rule.word());
        }
        if matched.under.is_none() {
            matched.under = place.map(|place| (rule.word(), place));
        }
    }
    matched
}

/// Everybody in a mail in the order in which they count: whoever wrote it first, unless its owner did.
fn others(email: &Email) -> impl Iterator<Item = &Person> {
    let sender = email
        .from
        .iter()
        .filter(|_| email.direction == Direction::Received);
    let rest = email.from.iter().filter(|_| email.direction == Direction::Sent);
    sender
        .chain(&email.to)
        .chain(&email.cc)
        .chain(&email.bcc)
        .chain(rest)
}

/// The nearest mail of the thread that the CRM has, and the nearest place that one of them has.
fn thread(email: &Email, places: &Places) -> (bool, Option<PlaceId>) {
    let of_thread = || {
        let nearest_first = email.references.iter().rev();
        nearest_first.filter_map(|id| places.threads.get(id)?.as_ref())
    };
    let place = of_thread().find_map(|filed| filed.under.clone());
    (of_thread().next().is_some(), place)
}

fn is_among(known: &[&Match], kind: WhoKind) -> bool {
    known
        .iter()
        .any(|found| found.who.iter().any(|who| who.kind == kind))
}

/// The account of the first contact who stands for his address.
fn account(known: &[&Match]) -> Option<PlaceId> {
    let first = known.iter().filter_map(|found| found.who.first());
    first
        .filter(|who| who.kind == WhoKind::Contact)
        .find_map(|who| who.account.as_ref())
        .map(|id| PlaceId(id.0.clone()))
}
