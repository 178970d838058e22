//! The mail server's side of the house: the port that the engine sees, and the connectors behind it.
//!
//! [`port`] is small and in our words. A connector (`exchange/` is the first) translates them into a
//! vendor's protocol; it knows nothing of the engine, of the database, or of any other connector.

pub mod error;
pub mod exchange;
pub mod folders;
pub mod listener;
pub mod model;
pub mod port;
pub mod series;
