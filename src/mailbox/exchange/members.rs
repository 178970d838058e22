//! Who is behind a distribution list, as far as Exchange tells.

use crate::record::person::Person;

/// Who is behind a list.
#[derive(Clone, Default)]
pub struct Members {
    /// Those that were told.
    pub people: Vec<Person>,
    /// Lists, this one or some within it, whose members were not.
    pub hidden: usize,
}
