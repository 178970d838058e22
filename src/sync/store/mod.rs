//! SQL of the engine: free functions, connection first. None opens a transaction, authorises or logs; the
//! caller composes several of them in one transaction.
//!
//! * [`mailboxes`] who is synchronised, and by which policy
//! * [`directory`] the same of all mailboxes at once, for every turn
//! * [`judged`] by which policy a stream was judged as a whole
//! * [`streams`] scheduling, leases, cursors
//! * [`nodes`] which daemons live
//! * [`listeners`] who listens to which mailboxes, and the hints that come of it
//! * [`watches`] who asks each CRM for everybody's news, and what comes of it
//! * [`links`] what is remembered of counterparts
//! * [`unseen`] items that we made and the mailbox's feed has not shown yet
//! * [`ahead`] what lies beyond the window, until the window reaches it
//! * [`outcome`] failures, skips, and the commit of a page
//! * [`journal`] what was written
//! * [`series`] which dates of a series were taken up
//! * [`totals`] counts for people

pub mod ahead;
pub mod directory;
pub mod journal;
pub mod judged;
pub mod kept;
pub mod links;
pub mod listeners;
pub mod mailboxes;
pub mod nodes;
pub mod notes;
pub mod outcome;
pub mod series;
pub mod streams;
pub mod totals;
pub mod unseen;
pub mod watches;
