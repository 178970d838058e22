//! The n-th call to the outside fails, once or from then on, for every n until a turn is over without meeting
//! the n-th: as SQLite's own tests do with its allocations and writes. After each, the world must come to rest
//! as if nothing had been.

use super::stops::Plan;
use super::things::{TITLE, Thing, value};
use super::world::{Ended, World};
use holdfast::record::kind::RecordKind;
use holdfast::sync::model::Side;
use holdfast::sync::policy::ConflictRule;
use std::time::Duration;

/// More stops than any turn of these has.
const MOST: u64 = 200;

/// Makes a world in which one turn has everything to do: create, change and remove, both ways, and a field
/// that both sides changed.
async fn busy_world(kind: RecordKind) -> (World, Vec<Thing>) {
    let mut world = World::new(1, ConflictRule::MergeByField).await;
    let mut things = Vec::new();
    for number in 0..8_u64 {
        let values = [value(kind, 0, number), value(kind, 1, number)];
        let thing = Thing::new(format!("{TITLE}{number}"), kind, 0, values.clone());
        let side = if number % 2 == 0 { Side::Mailbox } else { Side::Crm };
        if number < 6 {
            world.make(&thing, side, &values).await;
        }
        things.push(thing);
    }
    world.wait();
    assert!(matches!(world.turn(0, kind, None, None).await, Ended::By(Ok(_))));
    things
        .iter_mut()
        .for_each(|thing| thing.in_step(ConflictRule::MergeByField));
    world.outside_moves(Duration::from_secs(3));
    let (new, old) = things.split_at_mut(6);
    for (which, side) in [(0, Side::Mailbox), (1, Side::Crm)] {
        assert!(world.remove(&mut new[which], side).await);
    }
    for (which, side) in [
        (2, Side::Mailbox),
        (3, Side::Crm),
        (4, Side::Mailbox),
        (4, Side::Crm),
    ] {
        world.outside_moves(Duration::from_secs(2));
        let slot = which % 2;
        let value = value(kind, slot, 20 + world.log.len() as u64 + which as u64);
        world.log.push(format!("{value} into {which}"));
        assert!(world.write(&mut new[which], side, slot, value).await);
    }
    for (thing, side) in old.iter().zip([Side::Mailbox, Side::Crm]) {
        let number: u64 = thing.title[TITLE.len()..].parse().unwrap();
        let values = [value(kind, 0, number), value(kind, 1, number)];
        world.make(thing, side, &values).await;
    }
    world.outside_moves(Duration::from_secs(3));
    (world, things)
}

async fn every_stop(kind: RecordKind, plan: fn(u64) -> Plan) {
    for at in 0..MOST {
        let (mut world, mut things) = busy_world(kind).await;
        world.wait();
        // A turn may end early or do what it can; what counts is what comes of it.
        let ended = world.turn(0, kind, Some(plan(at)), None).await;
        let struck = world.struck.clone();
        if let (None, Ended::By(result)) = (&struck, ended) {
            assert!(result.is_ok(), "{kind:?} met no failure and failed: {result:?}");
            assert!(at > 10, "a turn that does everything has more than {at} stops");
            return;
        }
        let outcome = match world.rest(&mut things).await {
            Ok(()) => world.judge(&things).await,
            early => early,
        };
        outcome.unwrap_or_else(|what| {
            panic!(
                "{kind:?}, {:?} ({struck:?}): {what}\n    {}",
                plan(at),
                world.log.join("\n    ")
            )
        });
    }
    panic!("a turn of {kind:?} never met fewer than {MOST} stops");
}

#[tokio::test]
async fn whichever_call_of_a_calendar_turn_fails_once_nothing_comes_of_it() {
    every_stop(RecordKind::Calendar, |at| Plan::FailOnce { at }).await;
}

#[tokio::test]
async fn from_whichever_call_of_a_calendar_turn_on_all_fail_nothing_comes_of_it() {
    every_stop(RecordKind::Calendar, |at| Plan::FailFrom { at }).await;
}

#[tokio::test]
async fn at_whichever_call_of_a_calendar_turn_the_process_dies_nothing_comes_of_it() {
    every_stop(RecordKind::Calendar, |at| Plan::Crash { at }).await;
}

#[tokio::test]
async fn whichever_call_of_a_contacts_turn_fails_once_nothing_comes_of_it() {
    every_stop(RecordKind::Contacts, |at| Plan::FailOnce { at }).await;
}

#[tokio::test]
async fn from_whichever_call_of_a_contacts_turn_on_all_fail_nothing_comes_of_it() {
    every_stop(RecordKind::Contacts, |at| Plan::FailFrom { at }).await;
}

#[tokio::test]
async fn at_whichever_call_of_a_contacts_turn_the_process_dies_nothing_comes_of_it() {
    every_stop(RecordKind::Contacts, |at| Plan::Crash { at }).await;
}

#[tokio::test]
async fn whichever_call_of_a_tasks_turn_fails_once_nothing_comes_of_it() {
    every_stop(RecordKind::Tasks, |at| Plan::FailOnce { at }).await;
}

#[tokio::test]
async fn from_whichever_call_of_a_tasks_turn_on_all_fail_nothing_comes_of_it() {
    every_stop(RecordKind::Tasks, |at| Plan::FailFrom { at }).await;
}

#[tokio::test]
async fn at_whichever_call_of_a_tasks_turn_the_process_dies_nothing_comes_of_it() {
    every_stop(RecordKind::Tasks, |at| Plan::Crash { at }).await;
}
