//! The n-th statement of a turn fails at the database, for every n until a turn is over without meeting the n-th: the
//! connection breaks before a transaction begins or behind a COMMIT that nobody hears of, the server says no, once or to
//! everything from then on. (A server that is gone for good says no as well, only later: the bridge waits for it.) After
//! each, the world must come to rest as if nothing had been, by the same process: it did not die.
//!
//! Each kind of turn: the first reading, an ordinary one, one that deletes, and one under a changed policy.

use super::policies::{HOME, both_ways};
use super::world::{Ended, Place, World};
use crate::harness::office::Ground;
use crate::harness::unsure_db::{Failing, UnsureDb};
use holdfast::record::kind::RecordKind;
use holdfast::sync::model::Side;
use holdfast::sync::policy::{CategoryRules, ConflictRule, OutOfScope, Policy};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use std::time::Duration;

/// More statements than any turn of these has.
const MOST: u64 = 400;

/// How, and whether from then on. Every single statement is refused in an ordinary turn of a calendar and of mail, in
/// which there is the most to do; elsewhere every transaction is, since contacts and tasks go the same way through the
/// database.
fn ways(kind: RecordKind, turn: Turn) -> Vec<(Failing, bool)> {
    let mut ways = vec![(Failing::After, false), (Failing::Clash, true)];
    if matches!(kind, RecordKind::Calendar | RecordKind::Mail) {
        ways.push((Failing::Before, false));
        ways.extend((turn == Turn::Ordinary).then_some((Failing::Clash, false)));
    }
    ways
}

/// What the turn has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    First,
    Ordinary,
    Deletions,
    Policy,
}

fn policy(kind: RecordKind) -> Policy {
    let mut policy = both_ways(ConflictRule::MergeByField);
    if kind == RecordKind::Mail {
        policy.attachments.of = vec![kind];
    }
    for common in [
        &mut policy.calendar.common,
        &mut policy.contacts.common,
        &mut policy.tasks.common,
    ] {
        common.out_of_scope = OutOfScope::Remove;
    }
    policy
}

/// Says differently of who takes part.
fn narrower(policy: &Policy) -> Policy {
    let mut policy = policy.clone();
    let home = CategoryRules {
        allow: Vec::new(),
        block: vec![HOME.to_owned()],
    };
    for categories in [
        &mut policy.calendar.categories,
        &mut policy.contacts.categories,
        &mut policy.tasks.categories,
    ] {
        categories.clone_from(&home);
    }
    policy.mail.internal_domains.push("nowhere.example".to_owned());
    policy
}

impl World {
    /// Somebody does something, and time goes by.
    fn later(&self) {
        self.outside_moves(Duration::from_secs(2));
    }

    async fn well(&mut self, place: Place) {
        self.wait();
        match self.turn(0, place, None, None).await {
            Ended::By(Ok(counts)) => self.went_well(place, &counts).await,
            _ => panic!("a turn of {place:?} before anything goes wrong"),
        }
        self.later();
    }
}

/// Makes a world in which the next turn of this kind has this to do.
async fn waiting(ground: &Ground, kind: RecordKind, turn: Turn) -> World {
    let mut world = World::new(ground, vec![policy(kind)], 3).await;
    if kind == RecordKind::Mail {
        mails_wait(&mut world, turn).await;
    } else {
        things_wait(&mut world, kind, turn).await;
    }
    world.wait();
    world
}

async fn mails_wait(world: &mut World, turn: Turn) {
    let mut rng = StdRng::seed_from_u64(1);
    world.know_the_customer().await;
    (0..3).for_each(|_| world.receive(&mut rng));
    if turn == Turn::First {
        return;
    }
    world.well((0, RecordKind::Mail)).await;
    match turn {
        Turn::First => {}
        Turn::Ordinary => (0..2).for_each(|_| world.receive(&mut rng)),
        Turn::Deletions => world.throw_away(&mut rng).await,
        Turn::Policy => world.agree(0, narrower(&world.policies[0])).await,
    }
}

async fn things_wait(world: &mut World, kind: RecordKind, turn: Turn) {
    let sides = [Side::Mailbox, Side::Crm];
    for side in [sides, sides].concat() {
        world.make(kind, 0, side, false).await;
    }
    if turn == Turn::First {
        return;
    }
    world.well((0, kind)).await;
    match turn {
        Turn::First => {}
        Turn::Ordinary => {
            for (which, side) in [
                (0, Side::Mailbox),
                (1, Side::Crm),
                (2, Side::Mailbox),
                (2, Side::Crm),
            ] {
                assert!(world.write(which, side, which % 2).await);
                world.later();
            }
            for side in sides {
                world.make(kind, 0, side, false).await;
            }
        }
        Turn::Deletions => {
            for (which, side) in [(0, Side::Mailbox), (1, Side::Crm), (2, Side::Crm)] {
                assert!(world.remove(which, side).await);
            }
        }
        Turn::Policy => {
            for which in 0..2 {
                world.categorise(which, true).await;
            }
            world.well((0, kind)).await;
            world.agree(0, narrower(&world.policies[0])).await;
        }
    }
    world.later();
}

/// Lives on from the moment; false where the turn was over without meeting the n-th. The processes live on as well: what
/// they know must not mislead them.
async fn meets(
    world: &mut World,
    unsure: &UnsureDb,
    (kind, turn): (RecordKind, Turn),
    at: u64,
    (how, lasting): (Failing, bool),
) -> bool {
    let places = [(0, kind)];
    let running = world.begin(0, places[0], None).await;
    unsure.fail(at, how, lasting);
    let (ended, struck) = world.end_calmly(running, unsure).await;
    world.troubled(places[0]);
    if struck.is_none() {
        let Ended::By(result) = ended else {
            panic!("nobody dies here")
        };
        assert!(result.is_ok(), "{kind:?} met no failure and failed: {result:?}");
        return false;
    }
    let outcome = match world.go_on_to_rest(&places).await {
        Ok(()) => world.judge_of(&places).await,
        early => early,
    };
    outcome.unwrap_or_else(|what| {
        panic!(
            "{kind:?}, {turn:?}, {how:?} at {at} (from then on: {lasting}), {struck:?}: {what}\n    {}",
            world.log.join("\n    ")
        )
    });
    true
}

async fn every_statement(kind: RecordKind, turn: Turn) {
    let unsure = UnsureDb::new();
    let ground = Ground::behind(&unsure).await;
    let mut world = waiting(&ground, kind, turn).await;
    let moment = world.moment();
    for way in ways(kind, turn) {
        let mut at = 0;
        while meets(&mut world, &unsure, (kind, turn), at, way).await {
            world.go_back(&moment).await;
            at += 1;
            assert!(
                at < MOST,
                "a turn of {kind:?} never met fewer than {MOST} statements"
            );
        }
        world.go_back(&moment).await;
        assert!(at > 5, "{way:?}: a turn has more than {at} statements");
        eprintln!("{kind:?} {turn:?} {way:?}: {at}");
    }
}

#[tokio::test]
async fn whichever_statement_of_a_first_reading_of_a_calendar_fails_nothing_comes_of_it() {
    every_statement(RecordKind::Calendar, Turn::First).await;
}

#[tokio::test]
async fn whichever_statement_of_an_ordinary_turn_of_a_calendar_fails_nothing_comes_of_it() {
    every_statement(RecordKind::Calendar, Turn::Ordinary).await;
}

#[tokio::test]
async fn whichever_statement_of_a_turn_of_a_calendar_that_deletes_fails_nothing_comes_of_it() {
    every_statement(RecordKind::Calendar, Turn::Deletions).await;
}

#[tokio::test]
async fn whichever_statement_of_a_turn_of_a_calendar_under_a_changed_policy_fails_nothing_comes_of_it() {
    every_statement(RecordKind::Calendar, Turn::Policy).await;
}

#[tokio::test]
async fn whichever_statement_of_a_first_reading_of_contacts_fails_nothing_comes_of_it() {
    every_statement(RecordKind::Contacts, Turn::First).await;
}

#[tokio::test]
async fn whichever_statement_of_an_ordinary_turn_of_contacts_fails_nothing_comes_of_it() {
    every_statement(RecordKind::Contacts, Turn::Ordinary).await;
}

#[tokio::test]
async fn whichever_statement_of_a_turn_of_contacts_that_deletes_fails_nothing_comes_of_it() {
    every_statement(RecordKind::Contacts, Turn::Deletions).await;
}

#[tokio::test]
async fn whichever_statement_of_a_turn_of_contacts_under_a_changed_policy_fails_nothing_comes_of_it() {
    every_statement(RecordKind::Contacts, Turn::Policy).await;
}

#[tokio::test]
async fn whichever_statement_of_a_first_reading_of_tasks_fails_nothing_comes_of_it() {
    every_statement(RecordKind::Tasks, Turn::First).await;
}

#[tokio::test]
async fn whichever_statement_of_an_ordinary_turn_of_tasks_fails_nothing_comes_of_it() {
    every_statement(RecordKind::Tasks, Turn::Ordinary).await;
}

#[tokio::test]
async fn whichever_statement_of_a_turn_of_tasks_that_deletes_fails_nothing_comes_of_it() {
    every_statement(RecordKind::Tasks, Turn::Deletions).await;
}

#[tokio::test]
async fn whichever_statement_of_a_turn_of_tasks_under_a_changed_policy_fails_nothing_comes_of_it() {
    every_statement(RecordKind::Tasks, Turn::Policy).await;
}

#[tokio::test]
async fn whichever_statement_of_a_first_reading_of_mail_fails_nothing_comes_of_it() {
    every_statement(RecordKind::Mail, Turn::First).await;
}

#[tokio::test]
async fn whichever_statement_of_an_ordinary_turn_of_mail_fails_nothing_comes_of_it() {
    every_statement(RecordKind::Mail, Turn::Ordinary).await;
}

#[tokio::test]
async fn whichever_statement_of_a_turn_of_mail_that_deletes_fails_nothing_comes_of_it() {
    every_statement(RecordKind::Mail, Turn::Deletions).await;
}

#[tokio::test]
async fn whichever_statement_of_a_turn_of_mail_under_a_changed_policy_fails_nothing_comes_of_it() {
    every_statement(RecordKind::Mail, Turn::Policy).await;
}
