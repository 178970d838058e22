//! What every room may use. Foundation knows no domain: no meeting, no contact, no CRM.
//!
//! * [`content`] and [`secret`]: values that cannot be printed or stored
//! * [`explain`] and [`failure`]: how a failure reaches a person, and what a second try would mean
//! * [`ids`]: identifiers as types
//! * [`clock`] and [`backoff`]: the time, and how long to wait
//! * [`config`]: what an administrator can set
//! * [`db`]: the one bridge to PostgreSQL
//! * [`keyring`]: sealed secrets, and the keys that fingerprints are made with
//! * [`egress`]: the one door out
//! * [`telemetry`]: the log and the figures

pub mod backoff;
pub mod clock;
pub mod config;
pub mod content;
pub mod db;
pub mod egress;
pub mod explain;
pub mod failure;
pub mod ids;
pub mod keyring;
pub mod secret;
pub mod telemetry;
