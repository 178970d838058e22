//! Who addresses are to a CRM, remembered for some minutes by its connector.
//!
//! What one user may see another may not, so each user's answers are his own. A stranger is remembered for a
//! shorter time than somebody known: he may become known any moment.

use super::model::{CrmWrite, Who};
use crate::foundation::content::Content;
use crate::record::Record;
use crate::record::person::address_key;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const KEEP_KNOWN: Duration = Duration::from_secs(300);
const KEEP_STRANGERS: Duration = Duration::from_secs(60);
/// Answers kept for all users together.
const MOST_KEPT: usize = 100_000;

/// Who each address is, in the order of preference.
pub type Answers = HashMap<Content<String>, Vec<Who>>;

/// Answers of the last minutes.
#[derive(Default)]
pub struct Known {
    by_address: Mutex<HashMap<Content<String>, Vec<Entry>>>,
}

struct Entry {
    username: String,
    until: Instant,
    who: Vec<Who>,
}

impl Known {
    /// The answer for a user, where it is young enough.
    pub fn get(&self, now: Instant, username: &str, address: &Content<String>) -> Option<Vec<Who>> {
        let kept = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = kept
            .get(address)?
            .iter()
            .find(|entry| entry.username == username)?;
        (now < entry.until).then(|| entry.who.clone())
    }

    /// Remembers a user's answers.
    pub fn put(&self, now: Instant, username: &str, answers: &Answers) {
        let mut kept = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() + answers.len() > MOST_KEPT {
            kept.retain(|_, entries| entries.iter().any(|entry| now < entry.until));
        }
        if kept.len() + answers.len() > MOST_KEPT {
            kept.clear();
        }
        for (address, who) in answers {
            let keep = match who.is_empty() {
                true => KEEP_STRANGERS,
                false => KEEP_KNOWN,
            };
            let entries = kept.entry(address.clone()).or_default();
            entries.retain(|entry| entry.username != username && now < entry.until);
            entries.push(Entry {
                username: username.to_owned(),
                until: now + keep,
                who: who.clone(),
            });
        }
    }

    /// Forgets every answer.
    pub fn clear(&self) {
        self.by_address
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Forgets the addresses of contacts that are about to be written, for every user.
    pub fn forget(&self, writes: &[CrmWrite]) {
        let mut kept = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        for write in writes {
            if let CrmWrite::Create { record, .. } | CrmWrite::Update { record, .. } = write
                && let Record::Contact(contact) = record
            {
                kept.remove(&address_key(contact.email.expose()));
            }
        }
    }
}

/// What is longer than an address can be, or no address at all, is nobody's.
pub fn is_askable(address: &str) -> bool {
    address.len() <= 320 && address.contains('@') && !address.chars().any(char::is_control)
}
