//! The process dies in the middle of a hand-over, at every call to the outside and behind every COMMIT of its turn. An
//! organiser leaves and a colleague's copy takes over, the colleague drops the meeting, the organiser comes back: one
//! meeting stays one record, the same one, and exactly one copy keeps it.

use super::moment::Moment;
use super::stops::Plan;
use super::world::{Ended, World};
use crate::handover::{CALENDAR, invite, records, rename, resume, retire, subject};
use crate::harness::office::Ground;
use crate::harness::outlook::{Outlook, item};
use crate::harness::unsure_db::{Failing, UnsureDb};
use diesel::prelude::*;
use holdfast::foundation::db::schema::kept_meetings;
use holdfast::sync::policy::Policy;
use std::time::Duration;

/// More stops and more COMMITs than a turn of a calendar with one meeting has.
const MOST: u64 = 100;
/// Rounds of turns within which a hand-over is over.
const ROUNDS: usize = 6;

/// What the turn has to do that dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The organiser has left, and a colleague's copy takes over.
    Leaves,
    /// The same, and then the colleague drops the meeting before he is looked at again.
    LeavesAndIsDropped,
    /// The colleague who keeps the meeting drops it.
    Drops,
    /// The organiser is back, and the colleague gives it back.
    ComesBack,
}

/// Where the process dies.
#[derive(Clone, Copy, Debug)]
enum Death {
    AtStop(u64),
    BehindCommit(u64),
}

/// Three people, the first of whom has invited the others.
struct Meeting {
    world: World,
    unsure: UnsureDb,
    /// The record of the meeting.
    id: String,
    /// What people had noticed before.
    noticed: usize,
}

impl Meeting {
    /// Up to where a step begins.
    async fn before(step: Step) -> Self {
        let unsure = UnsureDb::new();
        let ground = Ground::behind(&unsure).await;
        let world = World::new(&ground, vec![Policy::default(); 3], 3).await;
        invite(&world.office, &world.rows).await;
        let mut meeting = Self {
            world,
            unsure,
            id: String::new(),
            noticed: 0,
        };
        meeting.settles(&[0, 1, 2]).await.unwrap();
        meeting.id = meeting.record().await.unwrap().0;
        retire(&meeting.world.office, 0).await;
        match step {
            Step::Leaves | Step::LeavesAndIsDropped => {}
            Step::Drops => {
                meeting.settles(&[1, 2]).await.unwrap();
                meeting.drops_his_copy().await;
            }
            Step::ComesBack => {
                meeting.settles(&[1, 2]).await.unwrap();
                resume(&meeting.world.office, 0).await;
            }
        }
        meeting.world.wait();
        meeting.noticed = meeting.world.disturbed().len();
        meeting
    }

    /// The one record: its id, and what it is called.
    async fn record(&self) -> Result<(String, String), String> {
        let all = records(&self.world.office, &self.world.rows).await;
        match all.as_slice() {
            [record] => Ok((record.id.0.clone(), subject(record))),
            _ => Err(format!("one meeting is {} records", all.len())),
        }
    }

    /// The second person's calendar loses its copy.
    async fn drops_his_copy(&self) {
        let office = &self.world.office;
        let copy = office.items(&self.world.rows[1], CALENDAR).await.remove(0);
        Outlook::of(&office.lab, 1).delete(&item(&copy.item.id.0)).await;
    }

    /// Whose copies keep the meeting.
    fn keepers(&self) -> Vec<usize> {
        let mut conn = self.world.ground.test.superuser();
        let ids: Vec<i32> = kept_meetings::table
            .select(kept_meetings::mailbox_id)
            .load(&mut conn)
            .unwrap();
        let row = |id| {
            let mut rows = self.world.rows.iter();
            rows.position(|row| row.mailbox.id.0 == id).unwrap()
        };
        ids.into_iter().map(row).collect()
    }

    /// The second person's turn, and the death of its process; false where the turn was over before.
    async fn dies(&mut self, death: Death) -> bool {
        let place = (1, CALENDAR);
        let died = match death {
            Death::AtStop(at) => matches!(
                self.world.turn(0, place, Some(Plan::Crash { at }), None).await,
                Ended::Died(_)
            ),
            Death::BehindCommit(at) => {
                let running = self.world.begin(0, place, None).await;
                self.unsure.fail(at, Failing::After, true);
                self.world.end_calmly(running, &self.unsure).await.1.is_some()
            }
        };
        (0..2).for_each(|node| self.world.restart(node));
        died
    }

    /// Turns of these people's calendars until nothing is written.
    async fn settles(&mut self, people: &[usize]) -> Result<(), String> {
        for _ in 0..ROUNDS {
            let mut done = 0;
            for person in people {
                self.world.wait();
                match self.world.turn(0, (*person, CALENDAR), None, None).await {
                    Ended::By(Ok(counts)) if counts.failed == 0 => done += counts.written() + counts.matched,
                    Ended::By(other) => return Err(format!("a turn of {person}: {other:?}")),
                    Ended::Died(stop) => return Err(format!("died at {stop}")),
                }
            }
            if done == 0 {
                return self.world.wrong.first().map_or(Ok(()), |what| Err(what.clone()));
            }
        }
        Err("the calendars do not come to rest".to_owned())
    }

    /// One record, the same as ever; what its keeper writes arrives, and what anybody else writes does not.
    async fn stays_one(&mut self, step: Step, people: &[usize]) -> Result<(), String> {
        self.settles(people).await?;
        self.is("Board").await?;
        let keepers = self.keepers();
        let keeper = match (step, keepers.as_slice()) {
            (Step::ComesBack, []) => 0,
            (Step::Leaves, [keeper]) => *keeper,
            // Whoever is left takes it once his own copy changes.
            (Step::Drops | Step::LeavesAndIsDropped, [] | [2]) => 2,
            _ => return Err(format!("kept by {keepers:?}")),
        };
        let has_copy = |person: usize| person != 1 || matches!(step, Step::Leaves | Step::ComesBack);
        let rows = self.world.rows.clone();
        for person in people.iter().copied() {
            if person != keeper && has_copy(person) {
                rename(&self.world.office, &rows[person], person, "Mine alone").await;
            }
        }
        self.world.outside_moves(Duration::from_secs(2));
        self.settles(people).await?;
        self.is("Board").await?;
        rename(&self.world.office, &rows[keeper], keeper, "Board, in room 4").await;
        self.settles(people).await?;
        self.is("Board, in room 4").await?;
        let noticed = self.world.disturbed();
        match noticed.len() == self.noticed {
            true => Ok(()),
            false => Err(format!("somebody noticed: {noticed:?}")),
        }
    }

    async fn is(&self, title: &str) -> Result<(), String> {
        let (id, called) = self.record().await?;
        match id == self.id && called == title {
            true => Ok(()),
            false => Err(format!(
                "{called:?} and not {title:?} in {id} (it was {})",
                self.id
            )),
        }
    }

    /// Dies there, and lives on; false where the turn was over before.
    async fn outlives(&mut self, step: Step, death: Death, moment: &Moment) -> bool {
        self.world.go_back(moment).await;
        if !self.dies(death).await {
            return false;
        }
        if step == Step::LeavesAndIsDropped {
            self.drops_his_copy().await;
        }
        // Whoever is looked at first: the one whose turn died, or his colleagues.
        let people: &[usize] = match (step, death) {
            (Step::ComesBack, Death::AtStop(_)) => &[0, 1, 2],
            (Step::ComesBack, Death::BehindCommit(_)) => &[2, 1, 0],
            (_, Death::AtStop(_)) => &[1, 2],
            (_, Death::BehindCommit(_)) => &[2, 1],
        };
        if let Err(what) = self.stays_one(step, people).await {
            panic!(
                "{step:?}, {death:?}: {what}\n    {}",
                self.world.log.join("\n    ")
            );
        }
        true
    }
}

async fn every_death(step: Step) {
    let mut meeting = Meeting::before(step).await;
    let moment = meeting.world.moment();
    for death in [Death::AtStop, Death::BehindCommit] {
        let mut at = 0;
        while meeting.outlives(step, death(at), &moment).await {
            at += 1;
            assert!(at < MOST, "{:?}: the turn never ended", death(at));
        }
        assert!(at > 5, "{:?}: a turn has more steps than that", death(at));
    }
}

#[tokio::test]
async fn wherever_the_process_dies_while_a_colleague_takes_over_one_meeting_stays_one_record() {
    every_death(Step::Leaves).await;
}

#[tokio::test]
async fn a_colleague_who_died_while_taking_over_and_drops_the_meeting_leaves_it_to_the_next() {
    every_death(Step::LeavesAndIsDropped).await;
}

#[tokio::test]
async fn wherever_the_process_dies_while_a_colleague_drops_the_meeting_another_one_keeps_it() {
    every_death(Step::Drops).await;
}

#[tokio::test]
async fn wherever_the_process_dies_while_an_organiser_comes_back_one_meeting_stays_one_record() {
    every_death(Step::ComesBack).await;
}
