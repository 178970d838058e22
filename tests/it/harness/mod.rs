//! The shared ground of the integration tests: real servers, made once, and a fresh database for each test.

#![allow(unused_imports, reason = "each behaviour takes from here what it needs")]

pub mod acts;
pub mod cluster;
pub mod disk;
pub mod exchange;
pub mod letters;
pub mod moment;
pub mod node;
pub mod office;
pub mod outlook;
pub mod outside;
pub mod pages;
pub mod peer;
pub mod records;
pub mod sales;
pub mod site;
pub mod test_db;
pub mod unsure_db;
pub mod wait;

pub use moment::began;
pub use node::Node;
pub use office::Office;
pub use site::Site;
pub use test_db::TestDb;
pub use wait::{eventually, until};
