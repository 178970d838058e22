//! The pages. Each file reads the board, puts what it read into words, and fills one template of
//! `src/web/templates`; templates hold no decisions beyond "is there any".
//!
//! * [`sign_in`] the way in, and out
//! * [`overview`] is everything in step? every mailbox, fifty at a time
//! * [`mailbox`] one mailbox: its streams, what was left alone and why, what failed
//! * [`failures`] what is wrong, by code, each with what to do
//!
//! Shared by them: [`layout`] what stands around a page, [`stream`] a stream drawn, [`concern`] something
//! that is wrong, in words.

pub mod asset;
pub mod concern;
pub mod failures;
pub mod layout;
pub mod mailbox;
pub mod overview;
pub mod sign_in;
pub mod stream;
