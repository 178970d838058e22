//! The database keeps its promises.
