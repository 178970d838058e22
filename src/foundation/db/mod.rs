//! The database: one bridge from async code to PostgreSQL, and the only one.
//!
//! [`Db::run`] and [`Db::run_for`] each run one closure as one transaction on a blocking thread. The closure
//! is synchronous, so that no network call to Exchange or a CRM can happen while a transaction is open. A
//! store is a set of free functions that take the connection first; the caller composes several of them in
//! one closure, and all of it is committed or nothing.
//!
//! `run` has no mailbox in scope: row-level security hides every link, failure, skip and mailbox key from it.
//! `run_for` names one mailbox, and shows that mailbox's rows alone (invariant P5, "one mailbox cannot see
//! another", is kept by the database and not by our queries).
//!
//! * `pool` the bridge itself
//! * [`error`] what can go wrong, and what to do then
//! * [`migrate`] the embedded migrations, run by the owner's role under an advisory lock
//! * [`schema`] the tables as diesel knows them

pub mod error;
pub mod migrate;
mod pool;
#[allow(missing_docs, reason = "generated; migrations/ says what each column is")]
#[rustfmt::skip]
pub mod schema;

pub use error::DbError;
pub use pool::{Db, PoolOptions, answers};
