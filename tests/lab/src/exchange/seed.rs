//! What the mailboxes hold at the world's start, the same for the same cast, scale and seed.
//!
//! Each person has a calendar ([`calendar`]), contacts ([`contacts`]), tasks ([`tasks`]) and mail
//! in several folders ([`mail`]). What people share is shared: a meeting is in the calendar of
//! every colleague who did not decline it, under one UID; a mail among colleagues is in each
//! mailbox under one Message-ID. Half of a person's contacts are people whom the CRM knows too,
//! some with another telephone or title there. Times lie around the world's start, so the texts
//! and people repeat from run to run and the dates move along.
//!
//! Not here: what the server adds to every item ([`super::defaults`]).

mod calendar;
mod contacts;
mod mail;
mod tasks;

use chrono::Duration;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::value::{Address, Body};
use super::world::World;
use crate::cast::{Cast, Outsider, Person};
use crate::text;

/// Fills the mailboxes with about so many items each.
pub fn seed(world: &World, items_per_person: usize) {
    if items_per_person == 0 || world.cast.people.is_empty() {
        return;
    }
    let requests = calendar::seed(world, items_per_person);
    contacts::seed(world, items_per_person);
    tasks::seed(world, items_per_person);
    mail::seed(world, items_per_person, requests);
}

/// So many of a kind: `of_200` in a mailbox of 200 items, at least one.
fn share(items_per_person: usize, of_200: usize) -> usize {
    (items_per_person * of_200 / 200).max(1)
}

/// Generators of different purposes do not disturb each other.
#[derive(Clone, Copy)]
enum Purpose {
    Calendar = 0x4500,
    Contacts,
    Tasks,
    Mail,
}

fn rng(cast: &Cast, purpose: Purpose) -> ChaCha8Rng {
    cast.rng(purpose as u64)
}

/// Somebody in a meeting or a mail.
#[derive(Clone, Copy)]
enum Party<'a> {
    /// One of the cast's people, by index.
    Inside(usize, &'a Person),
    Outside(&'a Outsider),
}

impl<'a> Party<'a> {
    fn colleague(cast: &'a Cast, index: usize) -> Party<'a> {
        Party::Inside(index, &cast.people[index])
    }

    fn address(self) -> Address {
        match self {
            Party::Inside(_, person) => Address::new(&person.display, &person.smtp),
            Party::Outside(outsider) => Address::new(full_name(outsider), &outsider.email),
        }
    }

    fn mailbox(self) -> Option<usize> {
        match self {
            Party::Inside(index, _) => Some(index),
            Party::Outside(_) => None,
        }
    }

    fn domain(self) -> &'a str {
        let address = match self {
            Party::Inside(_, person) => &person.smtp,
            Party::Outside(outsider) => &outsider.email,
        };
        address
            .split_once('@')
            .map_or("lab.example", |(_, domain)| domain)
    }
}

fn full_name(outsider: &Outsider) -> String {
    format!("{} {}", outsider.given, outsider.family)
}

/// An outsider whom the CRM knows, or in one of four cases a stranger.
fn outsider<'a>(cast: &'a Cast, rng: &mut ChaCha8Rng) -> Party<'a> {
    let list = if rng.random_ratio(1, 4) {
        &cast.strangers
    } else {
        &cast.outsiders
    };
    Party::Outside(&list[rng.random_range(0..list.len())])
}

/// Up to `most` different colleagues of a person.
fn colleagues<'a>(cast: &'a Cast, rng: &mut ChaCha8Rng, of: usize, most: usize) -> Vec<Party<'a>> {
    let mut chosen: Vec<usize> = Vec::new();
    for _ in 0..most {
        let index = rng.random_range(0..cast.people.len());
        if index != of && !chosen.contains(&index) {
            chosen.push(index);
        }
    }
    chosen
        .into_iter()
        .map(|index| Party::colleague(cast, index))
        .collect()
}

fn plain(text: impl Into<String>) -> Body {
    Body {
        html: false,
        text: text.into().replace('\n', "\r\n"),
    }
}

fn html(paragraphs: &str, extra: &str) -> Body {
    let escaped = paragraphs
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let text: String = escaped
        .split("\n\n")
        .map(|part| format!("<p>{part}</p>\r\n"))
        .collect();
    Body {
        html: true,
        text: format!("<html><head></head><body>\r\n{text}{extra}</body></html>"),
    }
}

/// A body of one to `most` paragraphs; one of three is HTML.
fn body(rng: &mut ChaCha8Rng, most: usize) -> Body {
    let count = rng.random_range(1..=most);
    let paragraphs = text::paragraphs(rng, count);
    if rng.random_ratio(1, 3) {
        html(&paragraphs, "")
    } else {
        plain(paragraphs)
    }
}

fn hours(rng: &mut ChaCha8Rng, range: std::ops::Range<i64>) -> Duration {
    Duration::minutes(rng.random_range(range.start * 60..range.end * 60))
}

#[cfg(test)]
mod tests;
