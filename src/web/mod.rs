//! What a browser and a monitoring system see: the page, health, metrics. Read-only.
//!
//! * [`board`] what is told, read from the database
//! * [`server`] listener, TLS, routes, limits
//! * [`tls`] the certificate: the site's own, or one that is made once
//! * [`health`] is the process alive, can it do its work; and the metrics
//!
//! Only this room knows actix.

pub mod board;
pub mod error;
pub mod health;
pub mod parts;
pub mod server;
pub mod tls;
