//! The lab: one Exchange and one Salesforce over real sockets.
//!
//! Written from the vendors' documents and from nothing of the product, so that a misreading of a
//! document cannot hide in both. In reading order: who is in the world ([`cast`], [`text`]), what
//! all worlds share ([`clock`], [`ledger`], [`likeness`], [`faults`], [`stats`], [`journal`], [`record`], [`tape`]), how they are
//! reached ([`tls`], [`http`]), the worlds ([`exchange`], [`salesforce`]), and how a test steers
//! them ([`control`]). [`replay`] sends a tape once more, for benchmarks; [`past`] takes the worlds back to where they were.

pub mod cast;
pub mod clock;
pub mod control;
pub mod exchange;
pub mod faults;
pub mod http;
pub mod journal;
pub mod lab;
pub mod ledger;
pub mod likeness;
pub mod past;
pub mod record;
pub mod replay;
pub mod salesforce;
pub mod stats;
pub mod tape;
pub mod text;
pub mod tls;

pub use lab::{
    ExtendedProtection, Lab, OUTSIDE_SCOPE, Options, PEOPLES_LOGIN, Ports, SERVICE_LOGIN, SERVICE_PASSWORD,
    StartError, start,
};
