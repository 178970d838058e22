//! What Holdfast tells about itself: a log for people, figures for Prometheus. Neither ever has content.
//!
//! * [`logging`] sends tracing's events to standard error or to daily files
//! * [`metrics`] counts what was done, and renders it as text

pub mod logging;
pub mod metrics;

pub use logging::{LogGuard, TelemetryError};
pub use metrics::Metrics;
