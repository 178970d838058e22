//! Request elements as values of the item model. One file a form of value; [`item`] puts them
//! together.

pub mod item;
pub mod path;
pub mod recurrence;
pub mod value;

pub use value::zone;
