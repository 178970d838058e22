//! Both worlds as they were at one moment, for tests that must begin there many times. Only of a lab without a state
//! file, whose journal would tell of what never was.

use crate::exchange::mailbox::Mailbox;
use crate::lab::Parts;
use crate::ledger::Noticed;
use crate::salesforce;
use chrono::{DateTime, Utc};

/// Both worlds as they were, what had been noticed, and when that was.
pub struct Past {
    exchange: Vec<Mailbox>,
    salesforce: salesforce::past::Past,
    noticed: Vec<Noticed>,
    at: DateTime<Utc>,
}

impl Parts {
    /// Both worlds as they are now.
    ///
    /// # Panics
    /// Where a state file is kept.
    pub fn past(&self) -> Past {
        assert!(!self.journal.keeps(), "a state file knows no way back");
        Past {
            exchange: self.exchange.past(),
            salesforce: self.salesforce.past(),
            noticed: self.ledger.entries(),
            at: self.clock.now(),
        }
    }

    /// Both worlds are again as they were, and it is then.
    pub fn go_back(&self, past: &Past) {
        self.exchange.go_back(&past.exchange);
        self.salesforce.go_back(&past.salesforce);
        self.ledger.go_back(&past.noticed);
        self.clock.go_back(past.at);
    }
}
