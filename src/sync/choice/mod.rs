//! Going live with a person's choice. What is on both sides before Holdfast comes is often the same person under two
//! spellings, and what is on one side is often nobody's business on the other. Where the policy says `go_live = "ask"`, a
//! stream that is read from its start links what is certainly the same (our own key, one address that one record has)
//! and makes nothing: what is merely alike, and what has no counterpart, waits until somebody has said what is to become
//! of it.
//!
//! A choice is kept by ids. It outlives restarts, is carried out by an ordinary turn, which is due at once, and is
//! forgotten when the two are linked. What a person wants left alone stays left alone, and `explain` says so.
//!
//! * [`model`] what waits, and how it was found
//! * [`hold`] pure: what a turn may not do
//! * [`bring_back`] what was decided comes back into the turn
//! * [`store`] its SQL
//! * [`control`] what an operator may ask

pub mod bring_back;
pub mod control;
pub mod hold;
pub mod model;
pub mod store;
