//! Undo: what Holdfast made for a mailbox since a time is removed again, by ids.
//!
//! The journal says what was made. A preview lists it, and what was changed beside it, with both records named:
//! no values are kept, so a change cannot be put back. Applied, the list is stored ([`store`]) and carried out
//! ([`carry_out`]) under the streams' leases, at once or by their next turn, batch by batch; a kill loses
//! nothing, and a removal that is repeated finds nothing to remove. What an item was made from is left alone from
//! then on, as *undone*, until a person lifts that.
//!
//! * [`carry_out`] removes · [`store`] the SQL · [`control`] what an operator may ask

pub mod carry_out;
pub mod control;
pub mod store;
