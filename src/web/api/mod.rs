//! The pages' content as JSON, for scripts and monitoring, by the same session. Names and shapes are stable;
//! fields may be added. Failures are `{"code", "sentence", "request"}` with the fitting status.
//!
//! * [`status`] `GET /api/status`
//! * [`mailboxes`] `GET /api/mailboxes`, with the filters of the page's address bar
//! * [`failures`] `GET /api/failures`

pub mod failures;
pub mod mailboxes;
pub mod status;
