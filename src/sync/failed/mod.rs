//! Items that failed, as a person comes to them: found by their ids, and for some days by their names; tried again one
//! by one.
//!
//! An id tells nobody which meeting it was. So a failure keeps the item's title, or a person's name: sealed with the
//! mailbox's own key and bound to its row before it goes anywhere ([`name`]), read by a right of its own ([`control`]),
//! erased some days after the failure began, whether or not the item fails on.

pub mod control;
pub mod name;
pub mod store;
