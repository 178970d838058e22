//! What the rules may know.

use crate::crm::model::Match;
use crate::foundation::content::Content;
use crate::mailbox::folders::ItemFolder;
use crate::record::person::Person;
use crate::sync::matching::Places;
use crate::sync::policy::Policy;
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};

/// What the rules may know.
pub struct RuleContext<'a> {
    /// The mailbox's policy.
    pub policy: &'a Policy,
    /// The instant of the turn.
    pub now: DateTime<Utc>,
    /// The mailbox's own address, in comparable form.
    pub owner: &'a Content<String>,
    /// Addresses of all mailboxes whose calendars are synchronised, in comparable form.
    pub synchronised: &'a HashSet<Content<String>>,
    /// Whom the CRM knows, by address in comparable form.
    pub known: &'a Known,
    /// Where mails belong, as far as the CRM was asked.
    pub places: &'a Places,
    /// What its owner marked the item with, and who made it; nothing of a record of the CRM.
    pub marks: Marks<'a>,
    /// True where the CRM keeps no mail but under a record.
    pub mail_needs_record: bool,
}

/// What an item bears beside what it says.
#[derive(Clone, Copy, Default)]
pub struct Marks<'a> {
    /// Categories that its owner gave it.
    pub categories: &'a [Content<String>],
    /// In which folder it lies, where that matters.
    pub folder: Option<&'a ItemFolder>,
    /// True where we made it, as a copy of its counterpart.
    pub copy: bool,
    /// True where it is in the CRM's list; of no weight where the policy names none.
    pub listed: bool,
}

/// Addresses and whom the CRM knows by them.
#[derive(Default)]
pub struct Known(HashMap<Content<String>, Match>);

impl Known {
    /// Adds what the CRM answered.
    pub fn add(&mut self, matches: impl IntoIterator<Item = Match>) {
        self.0
            .extend(matches.into_iter().map(|found| (found.address.clone(), found)));
    }

    /// The match of an address; `None` where the CRM was not asked or knows nobody.
    pub fn get(&self, key: &Content<String>) -> Option<&Match> {
        self.0.get(key).filter(|found| !found.who.is_empty())
    }

    /// True where the CRM was asked about the address.
    pub fn asked(&self, key: &Content<String>) -> bool {
        self.0.contains_key(key)
    }

    /// The matches of these people, each address once.
    pub fn of<'p>(&self, people: impl Iterator<Item = &'p Person>) -> Vec<Match> {
        let mut seen = HashSet::new();
        people
            .map(Person::key)
            .filter(|key| seen.insert(key.clone()))
            .filter_map(|key| self.get(&key).cloned())
            .collect()
    }
}
