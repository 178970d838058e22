//! What tells one thing from another on both sides alike, as far as a person at either of them could say: whose it
//! is, its title, its time. The two worlds know nothing of each other's identifiers, and need not.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// What sort of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sort {
    /// An appointment or a meeting.
    Event,
    /// A person's card.
    Contact,
    /// Something to do.
    Task,
    /// A mail.
    Mail,
}

/// What two copies of one thing have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Likeness {
    /// What sort.
    pub sort: Sort,
    /// The address of whose it is; empty for what belongs to everybody.
    pub owner: String,
    identity: String,
}

impl Likeness {
    /// An event: `start` is a minute (`2026-11-24T08:30`), or the day for one that lasts whole days.
    pub fn event(owner: &str, subject: &str, start: &str) -> Likeness {
        Likeness::of(Sort::Event, owner, &[subject, start])
    }

    /// A task, by its title, its due day and its text.
    pub fn task(owner: &str, subject: &str, due: &str, text: &str) -> Likeness {
        Likeness::of(Sort::Task, owner, &[subject, due, text])
    }

    /// A contact, by its address; by its names if it has none.
    pub fn contact(owner: &str, address: &str, given: &str, family: &str) -> Likeness {
        match address {
            "" => Likeness::of(Sort::Contact, owner, &[given, family]),
            address => Likeness::of(Sort::Contact, owner, &[address]),
        }
    }

    /// A mail, by its Message-ID. Mail belongs to everybody.
    pub fn mail(message_id: &str) -> Likeness {
        Likeness::of(Sort::Mail, "", &[message_id])
    }

    /// Letters and digits alone, and not too many: the sides cut, fold and trim in ways of their own.
    fn of(sort: Sort, owner: &str, parts: &[&str]) -> Likeness {
        let plain = |part: &&str| -> String {
            let letters = part.chars().filter(|letter| letter.is_alphanumeric()).take(60);
            letters.flat_map(char::to_lowercase).collect()
        };
        Likeness {
            sort,
            owner: owner.to_lowercase(),
            identity: parts.iter().map(plain).collect::<Vec<_>>().join("|"),
        }
    }

    /// A name for it that says nothing of what it is.
    pub fn key(&self) -> String {
        let mut name = format!("{:?}-", self.sort).to_lowercase();
        for byte in Sha256::digest(&self.identity).iter().take(8) {
            // Writing to a text cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        name
    }
}

/// A side that can say how many living copies of a thing it has.
pub trait Holder: Send + Sync {
    /// How many.
    fn copies(&self, of: &Likeness) -> usize;
}
