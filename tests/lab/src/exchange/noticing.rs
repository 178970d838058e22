//! What the synchronising account makes and deletes in mailboxes, told to the ledger.

use super::context::Context;
use super::field::Field;
use super::folder::DistinguishedFolder;
use super::ids::{ItemKey, Target};
use super::item::{Dictionary, Item};
use super::mailbox::{Mailbox, Stored};
use super::world::World;
use crate::faults::Side;
use crate::likeness::{Holder, Likeness, Sort};
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeMap;

/// What an item is, for a person who looks at both sides; none for what is in no default folder of its kind.
fn likeness(owner: &str, stored: &Stored) -> Option<Likeness> {
    let item = stored.item.as_ref();
    let subject = item.text(Field::Subject);
    Some(match stored.folder.distinguished()? {
        DistinguishedFolder::Calendar => Likeness::event(owner, subject, &start(item)),
        DistinguishedFolder::Tasks => {
            let due = item.time(Field::DueDate).map(day).unwrap_or_default();
            Likeness::task(owner, subject, &due, &text(item))
        }
        DistinguishedFolder::Contacts => {
            let address = item.entry(Dictionary::EmailAddress, "EmailAddress1");
            let (given, family) = (item.text(Field::GivenName), item.text(Field::Surname));
            Likeness::contact(owner, address.unwrap_or_default(), given, family)
        }
        _ => return None,
    })
}

/// The body without its markup.
fn text(item: &Item) -> String {
    let Some(body) = item.body() else {
        return String::new();
    };
    if !body.html {
        return body.text.clone();
    }
    let pieces = body.text.split('<').map(|piece| match piece.split_once('>') {
        Some((_, text)) => text,
        None => piece,
    });
    pieces.collect()
}

/// The minute, or the day for what lasts whole days: its midnight lies within twelve hours of that of UTC.
fn start(item: &Item) -> String {
    match item.time(Field::Start) {
        Some(start) if item.flag(Field::IsAllDayEvent) => day(start + Duration::hours(12)),
        Some(start) => start.format("%Y-%m-%dT%H:%M").to_string(),
        None => String::new(),
    }
}

fn day(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d").to_string()
}

/// Tells of what was just created.
pub fn made(cx: &Context, keys: &[ItemKey]) {
    if !cx.user.syncs {
        return;
    }
    let mut things: BTreeMap<Likeness, Vec<String>> = BTreeMap::new();
    for key in keys {
        let Some(stored) = cx.world.stored(*key) else {
            continue;
        };
        if let Some(thing) = likeness(&cx.user.smtp, &stored) {
            things.entry(thing).or_default();
        }
    }
    let Some(mailbox) = keys.first().and_then(|key| cx.world.read(key.mailbox)) else {
        return;
    };
    for stored in mailbox.items.values() {
        let copies = likeness(&cx.user.smtp, stored).and_then(|thing| things.get_mut(&thing));
        if let (Some(copies), Some(key)) = (copies, keys.first()) {
            let key = ItemKey {
                mailbox: key.mailbox,
                serial: stored.serial,
            };
            copies.push(cx.world.ids.encode(Target::Item(key)));
        }
    }
    drop(mailbox);
    for (thing, ids) in things {
        cx.world.ledger.made(Side::Exchange, &thing, ids);
    }
}

/// Tells of an item that was just deleted as a whole.
pub fn gone(cx: &Context, key: ItemKey, was: &Stored) {
    if !cx.user.syncs || was.made_by_sync {
        return;
    }
    let Some(thing) = likeness(&cx.user.smtp, was) else {
        return;
    };
    let left = cx
        .world
        .read(key.mailbox)
        .map_or(0, |mailbox| copies(&mailbox, &thing));
    let id = cx.world.ids.encode(Target::Item(key));
    cx.world.ledger.gone(Side::Exchange, &thing, left, id);
}

fn copies(mailbox: &Mailbox, thing: &Likeness) -> usize {
    let items = mailbox.items.values();
    items
        .filter(|stored| likeness(&thing.owner, stored).as_ref() == Some(thing))
        .count()
}

impl Holder for World {
    fn copies(&self, thing: &Likeness) -> usize {
        if thing.sort == Sort::Mail {
            return 0;
        }
        let owner = self.directory.by_smtp(&thing.owner);
        let mailbox = owner.and_then(|owner| self.read(owner.mailbox?));
        mailbox.map_or(0, |mailbox| copies(&mailbox, thing))
    }
}
