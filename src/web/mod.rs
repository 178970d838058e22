//! What a browser and a monitoring system see: the page, JSON, health, metrics. Read-only.
//!
//! A request travels: [`server`] takes it, [`middleware`] gives it a number and looks whether another site
//! sent it, [`routes`] finds the handler, [`viewer`] asks who is there and what he may see, the handler reads
//! the [`board`] and fills a template; on the way back [`problem`] turns a failure into words, and the headers
//! that tell the browser what a page of ours may do are put on whatever the answer is.
//!
//! * [`board`] what is told, read from the database
//! * [`console`] the pages, one file each
//! * [`api`] the same as JSON, for scripts and monitoring
//! * [`routes`] every address with who may use it, in one table
//! * [`viewer`] who is at the console; nothing is read without him
//! * [`cookie`] the session in the browser
//! * [`tries`] how often a code may be tried
//! * [`advice`] what to do about a failure, out of docs/failures.md
//! * [`query`] filters in the address bar
//! * [`assets`] style, script and mark, compiled in
//! * [`middleware`], [`problem`] what holds for every answer
//! * [`server`] listener, TLS, limits
//! * [`tls`] the certificate: the site's own, or one that is made once
//! * [`health`] is the process alive, can it do its work; and the metrics
//!
//! Only this room knows actix. There is no inline script or style, so the content security policy can forbid
//! them, and the pages work without the script: it only keeps them fresh.

pub mod advice;
pub mod api;
pub mod assets;
pub mod board;
pub mod console;
pub mod cookie;
pub mod error;
pub mod health;
pub mod middleware;
pub mod parts;
pub mod problem;
pub mod query;
pub mod routes;
pub mod server;
pub mod tls;
pub mod tries;
pub mod viewer;
