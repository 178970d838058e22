//! Completeness: does it add up? Everything that a side has in scope is written, left alone with a reason, or
//! failed; what is none of them is a hole, and is named.
//!
//! Both sides are listed anew by their own feeds, page by page, and each entry is looked for in what is
//! remembered ([`store`]). Beside the list stands the server's own count, so that a feed that leaves something
//! out is noticed as well.

mod add_up;
mod list;
pub mod model;
mod store;

pub use add_up::completeness;
pub use model::{Said, Tally};
