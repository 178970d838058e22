//! The egress gate: the one door out (promise P2). Nothing else in the house opens a socket to the outside.
//!
//! A connector asks [`Gate::connect`] for a connection to a [`Target`] and says for what [`Purpose`]. The gate
//! looks the target up in the administrator's allow-list ([`policy`]), resolves the name itself ([`resolve`]),
//! looks at every address that came back, connects, speaks TLS where the target wants it ([`tls`]), and hands
//! out a [`Door`]. Each attempt leaves one row in the [`ledger`], refusals too; a door writes its row when it
//! closes, with the bytes that crossed the wire.
//!
//! Above the gate stand two ways to speak HTTP/1.1. [`HttpConnection`] is one connection, for protocols that
//! sign in the connection itself (NTLM), and [`Streamed`] an answer on it that stays open. [`HttpClient`] keeps idle connections per target, for protocols
//! whose sign-in is in a header; [`Upload`] sends a body that is made while it goes out. Neither follows redirects, and neither reads proxy settings from the
//! environment: a redirect would lead through a door that nobody opened.

mod authority;
pub mod binding;
pub mod body;
pub mod client;
pub mod connection;
pub mod error;
pub mod gate;

pub mod ledger;
pub mod policy;
pub mod resolve;
pub mod store;
pub mod streamed;
pub mod target;
pub mod tls;
pub mod upload;

pub use body::BodyLimits;
pub use client::{ClientLimits, HttpClient, Repeatable};
pub use connection::HttpConnection;
pub use error::EgressError;
pub use gate::{Door, Gate, GateLimits};
pub use ledger::{Ledger, LedgerRow, LedgerSink, MemoryLedger, Outcome};
pub use policy::Policy;
pub use streamed::Streamed;
pub use target::{Purpose, Target};
pub use tls::TrustRoots;
pub use upload::{Abandoned, BodySource, Upload, UploadError};
