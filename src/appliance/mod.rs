//! What makes Holdfast an appliance rather than a program that wants a database: it brings its own.
//!
//! With `database.url` unset, a private PostgreSQL lives under `data_dir/postgres`. Its files are made by
//! `provision`, its process is looked after by [`postgres`], its programs are found by [`programs`], and
//! [`os_user`] answers as whom it runs. With `database.url` set, none of that happens and the site's own
//! PostgreSQL is used. [`open()`] is the way in for both.

pub mod error;
pub mod open;
pub mod os_user;
pub mod postgres;
pub mod programs;
pub mod provision;

pub use error::ApplianceError;
pub use open::{Opened, migrate, open};
pub use postgres::PrivatePostgres;
