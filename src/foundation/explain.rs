//! How a failure reaches a person: what happened, to what, what to do now.

/// The broad sort of a failure; it chooses the HTTP status and the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What was asked for does not exist, or must not be known to exist.
    NotFound,
    /// Signing in or a right failed.
    Refused,
    /// The input is wrong.
    Invalid,
    /// It clashes with something that is already so.
    Conflict,
    /// A counterpart does not answer, or asks for patience.
    Unavailable,
    /// Our own fault.
    Internal,
}

/// A failure that a person can act on. Never carries content.
pub trait Explain: std::error::Error {
    /// The broad sort.
    fn kind(&self) -> Kind;
    /// A stable code such as `sync.cursor_lost`; documented in docs/failures.md.
    fn code(&self) -> &'static str;
    /// What happened, to what, and the next step, in whole sentences.
    fn sentence(&self) -> String;
}
