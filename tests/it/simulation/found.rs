//! Faults that worlds have found, each as the shortest life that shows it.

use super::policies::both_ways;
use super::stops::Plan;
use super::world::{Ended, Place, World};
use crate::harness::office::Ground;
use crate::harness::outlook::nth;
use holdfast::record::kind::RecordKind;
use holdfast::sync::model::Side;
use holdfast::sync::policy::{ConflictRule, Policy, PrivateItems};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use std::time::Duration;

const CALENDAR: Place = (0, RecordKind::Calendar);
const MAIL: Place = (0, RecordKind::Mail);

async fn world(conflict: ConflictRule, change: impl FnOnce(&mut Policy)) -> World {
    let mut policy = both_ways(conflict);
    change(&mut policy);
    World::new(&Ground::new().await, vec![policy], 3).await
}

impl World {
    async fn one(&mut self, place: Place, plan: Option<Plan>) -> Ended {
        self.wait();
        let ended = self.turn(0, place, plan, None).await;
        match &ended {
            Ended::By(Ok(counts)) => self.went_well(place, counts).await,
            _ => self.troubled(place),
        }
        self.outside_moves(Duration::from_secs(3));
        ended
    }

    async fn ends_well(mut self) {
        let outcome = match self.rest().await {
            Ok(()) => self.judge().await,
            early => early,
        };
        outcome.unwrap_or_else(|what| panic!("{what}\n    {}", self.log.join("\n    ")));
    }
}

#[tokio::test]
async fn a_date_that_was_made_before_a_crash_and_moved_since_is_not_moved_back() {
    let mut world = world(ConflictRule::CrmWins, |_| {}).await;
    world.make_series(0, &mut StdRng::seed_from_u64(1)).await;
    let crash = Plan::CrashAtCall {
        call: "crm.write",
        after: true,
    };
    assert!(matches!(world.one(CALENDAR, Some(crash)).await, Ended::Died(_)));
    world.restart(0);
    let series = world.series[0].clone();
    let (_, start, _) = world.shown(&series).await[2].clone();
    let later = start + chrono::TimeDelta::hours(1);
    world
        .outlook(0)
        .set_times(&nth(&series.master, 3), later, 30)
        .await;
    let Ended::By(Ok(counts)) = world.one(CALENDAR, None).await else {
        panic!("the turn behind the crash");
    };
    assert_eq!((counts.updated_in_crm, counts.updated_in_mailbox), (1, 0));
    let shown = world.shown(&series).await;
    assert!(shown.iter().any(|(_, start, _)| *start == later), "{shown:?}");
    world.ends_well().await;
}

#[tokio::test]
async fn a_meeting_that_became_private_is_masked_in_the_crm_though_somebody_edited_it_there_meanwhile() {
    for rule in [ConflictRule::CrmWins, ConflictRule::MergeByField] {
        let mut world = world(rule, |policy| policy.calendar.private = PrivateItems::Mask).await;
        world.make(RecordKind::Calendar, 0, Side::Mailbox, false).await;
        world.one(CALENDAR, None).await;
        world.hide(0).await;
        world.outside_moves(Duration::from_secs(3));
        for slot in 0..2 {
            assert!(world.write(0, Side::Crm, slot).await);
        }
        // Looks for the title in the CRM.
        world.ends_well().await;
    }
}

#[tokio::test]
async fn a_record_that_is_made_anew_gets_the_files_of_its_item() {
    let mut world = world(ConflictRule::NewestWins, |policy| {
        policy.attachments.of = vec![RecordKind::Calendar];
    })
    .await;
    world.make(RecordKind::Calendar, 0, Side::Mailbox, false).await;
    world.attach(0, 1);
    world.one(CALENDAR, None).await;
    world.one(CALENDAR, None).await;
    assert!(world.remove(0, Side::Crm).await);
    world.outside_moves(Duration::from_secs(3));
    assert!(world.write(0, Side::Mailbox, 0).await);
    world.ends_well().await;
}

#[tokio::test]
async fn a_node_that_slept_through_its_lease_stores_no_file_beside_the_one_that_another_stored() {
    let mut world = world(ConflictRule::NewestWins, |policy| {
        policy.attachments.of = vec![RecordKind::Mail];
    })
    .await;
    world.know_the_customer().await;
    world.receive_with(&[1]);
    // Somebody began to store the file, and nobody knows how far that went.
    let crash = Plan::CrashAtCall {
        call: "crm.store_file",
        after: false,
    };
    assert!(matches!(world.one(MAIL, Some(crash)).await, Ended::Died(_)));
    world.restart(0);
    world.wait();
    let looks = Plan::PauseAfter {
        call: "crm.find_file",
    };
    let mut sleeper = world.begin(0, MAIL, Some(looks)).await;
    assert!(world.stands_still(&sleeper).await);
    sleeper.overslept = Some(world.nodes[0].stops.sent());
    world.falls_asleep(0);
    world.wait();
    assert!(matches!(world.turn(1, MAIL, None, None).await, Ended::By(Ok(_))));
    world.wakes(0);
    world.nodes[0].stops.resume();
    world.end(sleeper).await;
    world.ends_well().await;
}
