//! XML in both directions: [`read`] makes a small tree of a request, [`mod@write`] appends elements
//! to a response. Neither knows what the elements mean.

pub mod read;
pub mod write;

/// SOAP 1.1 envelopes.
pub const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// Types of Exchange Web Services, prefix `t`.
pub const TYPES: &str = "http://schemas.microsoft.com/exchange/services/2006/types";
/// Messages of Exchange Web Services, prefix `m`.
pub const MESSAGES: &str = "http://schemas.microsoft.com/exchange/services/2006/messages";
/// The detail of faults, prefix `e`.
pub const ERRORS: &str = "http://schemas.microsoft.com/exchange/services/2006/errors";
