//! Tasks in every state, one of them recurring.

use chrono::{DateTime, Duration, NaiveTime, Utc};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::super::field::Field;
use super::super::folder::DistinguishedFolder;
use super::super::item::{Item, Kind};
use super::super::recurrence::{Day, Ends, Pattern, Recurrence};
use super::super::world::World;
use super::{Purpose, body, rng, share};
use crate::text;

const STATES: [(&str, f64); 6] = [
    ("NotStarted", 0.0),
    ("InProgress", 40.0),
    ("Completed", 100.0),
    ("WaitingOnOthers", 60.0),
    ("Deferred", 0.0),
    ("InProgress", 0.0),
];

pub(super) fn seed(world: &World, items_per_person: usize) {
    let cast = &world.cast;
    let mut rng = rng(cast, Purpose::Tasks);
    for (mailbox, person) in cast.people.iter().enumerate() {
        for number in 0..share(items_per_person, 20) {
            let item = task(&mut rng, number, cast.start).with(Field::Owner, person.display.as_str());
            world.seed_item(mailbox, DistinguishedFolder::Tasks, item);
        }
    }
}

fn task(rng: &mut ChaCha8Rng, number: usize, now: DateTime<Utc>) -> Item {
    let (status, percent) = STATES[number % STATES.len()];
    let due = midnight(now + Duration::days(rng.random_range(-30..60)));
    let mut item = Item::new(Kind::Task)
        .with(Field::Subject, text::subject(rng))
        .with(Field::Body, body(rng, 2))
        .with(Field::Status, status)
        .with(Field::PercentComplete, percent)
        .with(
            Field::DateTimeCreated,
            (due - Duration::days(10)).min(now) - Duration::days(35),
        );
    // Some tasks have no dates at all.
    if number % 4 != 3 {
        item.set(Field::DueDate, due);
        item.set(Field::StartDate, due - Duration::days(rng.random_range(0..7)));
    }
    if status == "Completed" {
        item.set(
            Field::CompleteDate,
            midnight(now - Duration::days(rng.random_range(1..20))),
        );
    }
    match number % 5 {
        0 => item.set(Field::Importance, "High"),
        4 => item.set(Field::Importance, "Low"),
        _ => {}
    }
    if number % 9 == 8 {
        item.set(Field::Sensitivity, "Private");
    }
    if number % 6 == 1 {
        item.set(Field::ReminderIsSet, true);
        item.set(Field::ReminderDueBy, due + Duration::hours(8));
    }
    if number == 1 {
        let start = due.date_naive();
        let days = vec![Day::of(start)];
        let pattern = Pattern::Weekly {
            interval: 1,
            days,
            first_day: Some(Day::Monday),
        };
        item.set(
            Field::TaskRecurrence,
            Recurrence {
                pattern,
                start,
                ends: Ends::Never,
            },
        );
        item.set(Field::StartDate, due);
    }
    item
}

/// Task dates are days, kept as midnight UTC.
fn midnight(time: DateTime<Utc>) -> DateTime<Utc> {
    time.date_naive().and_time(NaiveTime::MIN).and_utc()
}
