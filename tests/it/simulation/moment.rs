//! A world at one moment, for tests that must begin there many times: what it took to come there is done once.

use super::books;
use super::mails::Mail;
use super::series::Repeated;
use super::things::Thing;
use super::world::{Place, Rest, World};
use chrono::{DateTime, Utc};
use holdfast::foundation::clock::Clock;
use holdfast_lab::past::Past;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Both sides, the database, and what the world knows of them.
pub struct Moment {
    outside: Past,
    at: DateTime<Utc>,
    things: Vec<Thing>,
    mails: Vec<Mail>,
    series: Vec<Repeated>,
    resting: BTreeMap<Place, Rest>,
    log: Vec<String>,
    next: u64,
}

impl World {
    /// This moment. The database keeps one, its last.
    pub fn moment(&self) -> Moment {
        books::keep(&self.ground);
        Moment {
            outside: self.office.lab.parts.past(),
            at: self.nodes[0].engine.clock.now(),
            things: self.things.clone(),
            mails: self.mails.clone(),
            series: self.series.clone(),
            resting: self.resting.clone(),
            log: self.log.clone(),
            next: self.next,
        }
    }

    /// It is that moment again, and both processes have just come up: nothing in memory knows better.
    pub async fn go_back(&mut self, moment: &Moment) {
        books::go_back(&self.ground);
        self.office.lab.parts.go_back(&moment.outside);
        self.things.clone_from(&moment.things);
        self.mails.clone_from(&moment.mails);
        self.series.clone_from(&moment.series);
        self.resting.clone_from(&moment.resting);
        self.log.clone_from(&moment.log);
        self.next = moment.next;
        self.wrong.clear();
        // Each turn asks for its own again.
        self.journals.clear();
        self.struck = None;
        self.office.engine.keyring = Arc::new(self.office.keyring_anew().await);
        for node in 0..self.nodes.len() {
            self.wakes(node);
            self.comes_up(node, Clock::manual(moment.at));
        }
    }
}
