//! The seeded content, as the lab's description promises it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{TimeZone, Utc};

use super::super::field::Field;
use super::super::item::{Item, Kind};
use super::*;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::lab::Options;
use crate::ledger::Ledger;

fn world(people: usize, items_per_person: usize) -> World {
    let start = Utc.with_ymd_and_hms(2026, 11, 24, 10, 0, 0).unwrap();
    let cast = Arc::new(Cast::starting(people, 7, start));
    let options = Options {
        people,
        seed: 7,
        items_per_person,
        ..Options::default()
    };
    World::new(cast, Clock::new(), Ledger::new(), Faults::new(), &options)
}

/// The items of one mailbox, oldest first.
fn items(world: &World, mailbox: usize) -> Vec<Arc<Item>> {
    let stored: BTreeMap<_, _> = world
        .read(mailbox)
        .unwrap()
        .items
        .iter()
        .map(|(serial, stored)| (*serial, stored.item.clone()))
        .collect();
    stored.into_values().collect()
}

#[test]
fn twenty_people_have_at_least_four_thousand_items_of_every_kind() {
    let world = world(20, 200);
    let mut total = 0;
    for mailbox in 0..20 {
        let items = items(&world, mailbox);
        let count = |kind| items.iter().filter(|item| item.kind == kind).count();
        assert!(
            (30..70).contains(&count(Kind::CalendarItem)),
            "{} calendar items",
            count(Kind::CalendarItem)
        );
        assert_eq!(count(Kind::Contact), 30);
        assert_eq!(count(Kind::Task), 20);
        assert!(count(Kind::Message) >= 100, "{} mails", count(Kind::Message));
        let series = items
            .iter()
            .filter(|item| !item.exceptions.is_empty() && !item.deleted.is_empty())
            .count();
        assert!(series >= 3, "{series} series with exceptions");
        assert!(items.iter().any(|item| item.flag(Field::IsAllDayEvent)));
        assert!(items.iter().any(|item| item.class() == "IPM.Note.SMIME"));
        assert!(
            items
                .iter()
                .any(|item| item.attachments.iter().any(|attachment| attachment.inline))
        );
        let nameless =
            |item: &&Arc<Item>| item.kind == Kind::Message && item.get(Field::InternetMessageId).is_none();
        assert!(items.iter().filter(nameless).count() >= 1);
        total += items.len();
    }
    assert!(total >= 4_000, "{total} items");
}

#[test]
fn a_meeting_among_colleagues_has_one_uid_and_one_organiser() {
    let world = world(5, 200);
    let mut copies: BTreeMap<String, Vec<Arc<Item>>> = BTreeMap::new();
    for mailbox in 0..5 {
        for item in items(&world, mailbox)
            .into_iter()
            .filter(|item| item.kind == Kind::CalendarItem)
        {
            copies
                .entry(item.text(Field::Uid).to_owned())
                .or_default()
                .push(item);
        }
    }
    let shared: Vec<_> = copies.values().filter(|copies| copies.len() > 1).collect();
    assert!(shared.len() >= 5, "{} shared meetings", shared.len());
    for copies in shared {
        let organised = copies
            .iter()
            .filter(|item| item.text(Field::MyResponseType) == "Organizer")
            .count();
        assert!(organised <= 1);
        let starts: BTreeSet<_> = copies.iter().map(|item| item.time(Field::Start)).collect();
        assert_eq!(starts.len(), 1);
    }
}

#[test]
fn a_mail_among_colleagues_is_in_each_mailbox_under_one_message_id() {
    let world = world(5, 200);
    let mut boxes: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for mailbox in 0..5 {
        for item in items(&world, mailbox)
            .iter()
            .filter(|item| item.kind == Kind::Message)
        {
            boxes
                .entry(item.text(Field::InternetMessageId).to_owned())
                .or_default()
                .insert(mailbox);
        }
    }
    boxes.remove("");
    assert!(boxes.values().filter(|mailboxes| mailboxes.len() > 1).count() >= 20);
}

#[test]
fn half_of_the_contacts_are_known_to_the_crm_and_some_differ_there() {
    use super::super::item::Dictionary;
    let world = world(3, 200);
    let crm: BTreeMap<&str, &Outsider> = world
        .cast
        .outsiders
        .iter()
        .map(|outsider| (outsider.email.as_str(), outsider))
        .collect();
    let contacts: Vec<_> = items(&world, 1)
        .into_iter()
        .filter(|item| item.kind == Kind::Contact)
        .collect();
    let known: Vec<_> = contacts
        .iter()
        .filter_map(|item| {
            Some((
                item,
                crm.get(item.entry(Dictionary::EmailAddress, "EmailAddress1")?)?,
            ))
        })
        .collect();
    assert_eq!(known.len(), 15);
    let differs = |(item, outsider): &&(&Arc<Item>, &&Outsider)| {
        item.entry(Dictionary::PhoneNumber, "BusinessPhone") != Some(&outsider.phone)
    };
    assert!((1..8).contains(&known.iter().filter(differs).count()));
}

#[test]
fn the_same_seed_gives_the_same_mailboxes() {
    let (one, other) = (world(4, 100), world(4, 100));
    for mailbox in 0..4 {
        assert_eq!(items(&one, mailbox), items(&other, mailbox));
    }
}

#[test]
fn one_person_alone_and_a_tiny_scale_work() {
    assert!(!items(&world(1, 200), 0).is_empty());
    assert!(!items(&world(3, 1), 2).is_empty());
    assert!(items(&world(3, 0), 0).is_empty());
}
