//! The n-th call to the outside fails, once or from then on, for every n until a turn is over without meeting
//! the n-th: as SQLite's own tests do with its allocations and writes. After each, the world must come to rest
//! as if nothing had been.

use super::policies::both_ways;
use super::stops::Plan;
use super::world::{Ended, World};
use crate::harness::office::Ground;
use holdfast::record::kind::RecordKind;
use holdfast::sync::model::Side;
use holdfast::sync::policy::ConflictRule;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use std::time::Duration;

/// More stops than any turn of these has.
const MOST: u64 = 200;

/// Makes a world in which one turn has everything to do: create, change and remove, both ways, and a field
/// that both sides changed.
async fn busy_world(kind: RecordKind) -> World {
    let ground = Ground::new().await;
    let mut world = World::new(&ground, vec![both_ways(ConflictRule::MergeByField)], 3).await;
    let sides = [Side::Mailbox, Side::Crm];
    for side in [sides, sides, sides].concat() {
        world.make(kind, 0, side, false).await;
    }
    world.wait();
    match world.turn(0, (0, kind), None, None).await {
        Ended::By(Ok(counts)) => world.went_well((0, kind), &counts).await,
        _ => panic!("the first turn of {kind:?}"),
    }
    world.outside_moves(Duration::from_secs(3));
    assert!(world.remove(0, Side::Mailbox).await);
    assert!(world.remove(1, Side::Crm).await);
    for (which, side) in [
        (2, Side::Mailbox),
        (3, Side::Crm),
        (4, Side::Mailbox),
        (4, Side::Crm),
    ] {
        world.outside_moves(Duration::from_secs(2));
        assert!(world.write(which, side, which % 2).await);
    }
    for side in sides {
        world.make(kind, 0, side, false).await;
    }
    world.outside_moves(Duration::from_secs(3));
    world
}

/// Makes a world in which one turn has mail to save: of a customer and of strangers, with files and without.
async fn busy_mail() -> World {
    let ground = Ground::new().await;
    let mut policy = both_ways(ConflictRule::MergeByField);
    policy.attachments.of = vec![RecordKind::Mail];
    let mut world = World::new(&ground, vec![policy], 3).await;
    world.know_the_customer().await;
    let mut rng = StdRng::seed_from_u64(1);
    (0..6).for_each(|_| world.receive(&mut rng));
    world
}

async fn every_stop(kind: RecordKind, plan: fn(u64) -> Plan) {
    for at in 0..MOST {
        let mut world = match kind {
            RecordKind::Mail => busy_mail().await,
            _ => busy_world(kind).await,
        };
        world.wait();
        // A turn may end early or do what it can; what counts is what comes of it.
        let ended = world.turn(0, (0, kind), Some(plan(at)), None).await;
        world.troubled((0, kind));
        let struck = world.struck.clone();
        if let (None, Ended::By(result)) = (&struck, ended) {
            assert!(result.is_ok(), "{kind:?} met no failure and failed: {result:?}");
            assert!(at > 10, "a turn that does everything has more than {at} stops");
            return;
        }
        let outcome = match world.rest_of(&[(0, kind)]).await {
            Ok(()) => world.judge_of(&[(0, kind)]).await,
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

#[tokio::test]
async fn whichever_call_of_a_mail_turn_fails_once_nothing_comes_of_it() {
    every_stop(RecordKind::Mail, |at| Plan::FailOnce { at }).await;
}

#[tokio::test]
async fn from_whichever_call_of_a_mail_turn_on_all_fail_nothing_comes_of_it() {
    every_stop(RecordKind::Mail, |at| Plan::FailFrom { at }).await;
}

#[tokio::test]
async fn at_whichever_call_of_a_mail_turn_the_process_dies_nothing_comes_of_it() {
    every_stop(RecordKind::Mail, |at| Plan::Crash { at }).await;
}
