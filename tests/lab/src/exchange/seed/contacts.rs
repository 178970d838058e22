//! Contacts: half of them people whom the CRM knows, by address, some with differences.

use chrono::{Duration, TimeZone, Utc};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::super::field::Field;
use super::super::folder::DistinguishedFolder;
use super::super::item::{Dictionary, Item, Kind};
use super::super::world::World;
use super::{Purpose, full_name, plain, rng, share};
use crate::cast::Outsider;
use crate::text;

pub(super) fn seed(world: &World, items_per_person: usize) {
    let cast = &world.cast;
    let mut rng = rng(cast, Purpose::Contacts);
    for mailbox in 0..cast.people.len() {
        let known: Vec<_> = cast
            .outsiders
            .iter()
            .filter(|outsider| outsider.owner == mailbox)
            .collect();
        for number in 0..share(items_per_person, 30) {
            let from_crm = known.get(number / 2).filter(|_| number % 2 == 0);
            let item = match from_crm {
                Some(outsider) => of_outsider(world, &mut rng, outsider, number),
                None => private(&mut rng, mailbox, number),
            };
            let created = cast.start - Duration::days(rng.random_range(20..700));
            world.seed_item(
                mailbox,
                DistinguishedFolder::Contacts,
                item.with(Field::DateTimeCreated, created),
            );
        }
    }
}

/// Somebody the CRM knows; every fourth has another telephone here, every sixth another title.
fn of_outsider(world: &World, rng: &mut ChaCha8Rng, outsider: &Outsider, number: usize) -> Item {
    let company = &world.cast.accounts[outsider.company];
    let phone = match number % 8 {
        2 => format!("+49 89 {:06}", rng.random_range(0..1_000_000)),
        _ => outsider.phone.clone(),
    };
    let title = if number % 12 == 4 {
        "Consultant"
    } else {
        outsider.title.as_str()
    };
    let mut item = named(&outsider.given, &outsider.family)
        .with(Field::CompanyName, company.name.as_str())
        .with(Field::JobTitle, title)
        .with_entry(Dictionary::PhoneNumber, "BusinessPhone", phone);
    set_address(&mut item, "EmailAddress1", &full_name(outsider), &outsider.email);
    if number.is_multiple_of(6) {
        item.set_entry(Dictionary::Street, "Business", "Hauptstraße 1\r\n2. Stock");
        item.set_entry(Dictionary::City, "Business", "Zürich");
        item.set_entry(Dictionary::PostalCode, "Business", "8001");
        item.set_entry(Dictionary::CountryOrRegion, "Business", "Switzerland");
    }
    item
}

/// Somebody no company cares about: family, friends, a plumber.
fn private(rng: &mut ChaCha8Rng, mailbox: usize, number: usize) -> Item {
    let (given, given_ascii) = text::given_name(rng);
    let (family, family_ascii) = text::family_name(rng);
    let mobile = format!("+420 {:09}", rng.random_range(600_000_000..800_000_000));
    let mut item = named(&given, &family).with_entry(Dictionary::PhoneNumber, "MobilePhone", mobile);
    let display = format!("{given} {family}");
    let address = format!("{given_ascii}.{family_ascii}.{mailbox}-{number}@home.example");
    match number % 10 {
        // Some have no address at all, one has all three.
        1 => {}
        3 => {
            set_address(&mut item, "EmailAddress1", &display, &address);
            set_address(&mut item, "EmailAddress2", &display, &format!("old.{address}"));
            set_address(&mut item, "EmailAddress3", &display, &format!("club.{address}"));
        }
        _ => set_address(&mut item, "EmailAddress1", &display, &address),
    }
    if number.is_multiple_of(5) {
        // Servers give birthdays at 11:59; only the date means anything.
        let birthday = Utc.with_ymd_and_hms(1980, 2, 29, 11, 59, 0).single();
        if let Some(birthday) = birthday {
            item.set(Field::Birthday, birthday);
        }
        item.set(Field::Categories, vec!["Family".to_owned()]);
    }
    if number.is_multiple_of(7) {
        item.set(Field::Body, plain(text::sentence(rng)));
        item.set(Field::Sensitivity, "Private");
    }
    item
}

fn named(given: &str, family: &str) -> Item {
    let file_as = format!("{family}, {given}");
    Item::new(Kind::Contact)
        .with(Field::Subject, format!("{given} {family}"))
        .with(Field::DisplayName, format!("{given} {family}"))
        .with(Field::GivenName, given)
        .with(Field::Surname, family)
        .with(Field::ContactFileAs, file_as)
        .with(Field::FileAsMapping, "LastCommaFirst")
}

fn set_address(item: &mut Item, key: &str, name: &str, email: &str) {
    item.set_entry(Dictionary::EmailAddress, key, email);
    item.set_entry(Dictionary::EmailName, key, name);
}
