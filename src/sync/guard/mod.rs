//! The deletion guard: a deletion that looks like an accident waits for a person.
//!
//! Every deletion that the plan asks for passes [`plan`], which counts it against the policy's [`limits`]. What
//! goes beyond them is written into quarantine ([`store`]) instead of being carried out, and the rest of the
//! turn goes on. A person approves or refuses ([`control`]); the decision is carried out by the stream's next
//! turn, through the same plan and the same writes as everything else, so that a crash in between repeats it.
//!
//! What is no deletion in the first place never gets here: a record that a feed merely stopped showing. The
//! links are asked for by id ([`survivors`]), and only what the CRM itself calls deleted counts as that.
//!
//! * [`limits`] the thresholds of a policy
//! * [`plan`] what becomes of each deletion; pure
//! * [`hold`] asks the plan in the middle of a turn, and brings decided ones back into it
//! * [`survivors`] links whose records the CRM's feed does not mention any more
//! * [`store`] the SQL · [`control`] what an operator may ask · [`error`] what a person is told

pub mod control;
pub mod error;
pub mod hold;
pub mod limits;
pub mod plan;
pub mod store;
pub mod survivors;
