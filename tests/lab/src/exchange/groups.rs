//! Distribution lists of the directory. They are made by whoever plays the administrator, and do not outlive the
//! process.
//!
//! Source: "ExpandDL operation": one level at a time, lists within a list are members like any other.

use super::value::Address;
use crate::cast::Cast;
use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

/// One list.
#[derive(Clone, Debug)]
pub struct List {
    /// Display name.
    pub name: String,
    /// SMTP address.
    pub smtp: String,
    /// Members, people outside and other lists included.
    pub members: Vec<Address>,
    /// Whether its membership is hidden (HiddenGroupMembershipEnabled).
    pub hidden: bool,
}

/// All lists.
#[derive(Default)]
pub struct Lists(RwLock<Vec<List>>);

/// The list of everybody, which is there from the start.
pub const EVERYBODY: &str = "everybody@lab.example";

impl Lists {
    /// A directory with the list of everybody.
    pub fn new(cast: &Cast) -> Lists {
        let lists = Lists::default();
        let people = cast.people.iter();
        lists.put(List {
            name: "Everybody".to_owned(),
            smtp: EVERYBODY.to_owned(),
            members: people
                .map(|person| Address::new(&person.display, &person.smtp))
                .collect(),
            hidden: false,
        });
        lists
    }

    /// Makes a list, or replaces the one with its address.
    pub fn put(&self, list: List) {
        let mut lists = self.0.write().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|other| !other.smtp.eq_ignore_ascii_case(&list.smtp));
        lists.push(list);
    }

    /// The list with this address, whatever its case.
    pub fn find(&self, smtp: &str) -> Option<List> {
        let lists = self.0.read().unwrap_or_else(PoisonError::into_inner);
        lists
            .iter()
            .find(|list| list.smtp.eq_ignore_ascii_case(smtp))
            .cloned()
    }

    /// Addressees with the lists among them replaced by whom these deliver to, each once.
    pub fn delivered(&self, to: &[Address]) -> Vec<Address> {
        let mut met = HashSet::new();
        let mut waiting: Vec<Address> = to.iter().rev().cloned().collect();
        let mut people = Vec::new();
        while let Some(address) = waiting.pop() {
            if !met.insert(address.email.to_lowercase()) {
                continue;
            }
            match self.find(&address.email) {
                Some(list) => waiting.extend(list.members.into_iter().rev()),
                None => people.push(address),
            }
        }
        people
    }
}
