//! The engine: the life of one change.
//!
//! Somebody moves a meeting in Outlook. Nothing happens here until the *stream* (that person's calendar) is
//! due; then one node takes the stream's lease and runs one *turn*:
//!
//! ```text
//! lease -> pull (both sides) -> read (batched) -> plan (pure) -> apply (batched, idempotent)
//!       -> commit cursor, links, failures, skips in one transaction that carries the fencing number
//! ```
//!
//! 1. [`pass`] asks the CRM what changed since the CRM cursor and keeps it in memory, then goes through the
//!    mailbox's changes page by page. What it reads it brings to common form and turns into
//!    [`model::Seen`]: fingerprints, times, what may be written. From here on nobody sees content.
//! 2. [`plan`] pairs both sides' changes through the links and decides, by [`conflict`] and the policy, one
//!    [`model::Verdict`] for each pair. It is a function of its arguments: no clock, no network, no database.
//! 3. [`apply`] carries the verdicts out. Every create has a deterministic key on the target, so a create
//!    that is repeated after a crash finds its first copy.
//! 4. [`store`] commits the page: what the page taught us and the cursor behind it, together, and only if
//!    the lease is still ours.
//!
//! **What a crash does.** Before the commit nothing is remembered: the page is read again. Records that were
//! already created answer "I exist" to their key, updates are written again with the same values, deletions
//! find nothing to delete. After the commit there is nothing to repeat. There is no moment in between.
//!
//! **No echo.** What we wrote comes back as a change of the other side. Its fingerprints equal the link's,
//! so the plan for it is empty. On the mailbox side the version is recognised first, and the item is not
//! even read.
//!
//! **Poison.** An item that fails goes to the failures with its reason and a time for the next try; the
//! cursor moves on. Only what concerns the whole mailbox (a sign-in, a throttle) ends the turn.
//!
//! **When.** A stream is due when its time has come ([`pace`]), or at once when the mail server says that it has
//! news ([`listen`], [`watch`]). [`worker`] only asks "which streams are due"; who made them so is not its business.
//!
//! **Series.** The feed names a series, never its dates; `series` asks for the dates within the window and passes
//! each through the plan as a pair of its own.
//!
//! **A policy changes.** Who took part by the policy before and does not by this one, or the other way round, is found
//! by reading the stream from its start ([`rejudge`]); what becomes of a pair of which one side left is [`leaving`]'s.
//!
//! **Days go by.** No feed tells of that. What lies beyond the window is remembered with the day on which the window
//! reaches it, and read again then.
//!
//! **Going live.** Where the policy asks, a reading from the start links what is certainly the same and makes nothing;
//! what a person says of the rest comes back into an ordinary turn ([`choice`]).
//!
//! **One way.** What was asked of people is answered in the mailbox alone: such a field is compared with what was told last,
//! and never with what the CRM says.
//!
//! **Another organisation.** A sandbox that was refreshed has its records under other ids; [`refreshed`] joins them again.
//!
//! **Attachments.** Which items have some that go is committed with the page; they are carried when the turn has
//! read everything ([`crate::attachments`]), for so long, and the rest by the next turn, which is due at once.

pub mod anchors;
pub mod apply;
pub mod budget;
mod carry;
pub mod choice;
pub mod completeness;
pub mod conflict;
pub mod conflict_rule;
pub mod control;
pub mod engine;
pub mod error;
pub mod estimate;
pub mod explain;
pub mod failed;
pub mod fence;
pub mod filing;
pub mod fingerprint;
pub mod forms;
pub mod gather;
pub mod guard;
pub mod guests;
pub mod handover;
pub mod health;
mod in_words;
pub mod invitations;
pub mod journal;
pub mod keeping;
pub mod keys;
pub mod lag;
pub mod leaving;
pub mod listen;
pub mod listing;
pub mod mail_policy;
pub mod matching;
pub mod merged;
pub mod model;
pub mod notes;
pub mod pace;
pub mod pass;
pub mod plan;
pub mod policy;
pub mod presence;
pub mod preview;
pub mod pull;
pub mod refreshed;
pub mod rejudge;
pub mod report;
pub mod retry;
pub mod rules;
pub mod scope_policy;
mod series;
pub mod store;
pub mod stream;
pub mod told;
mod turn;
pub mod undo;
pub mod watch;
pub mod worker;

#[cfg(test)]
mod properties;
