//! Content is radioactive: it passes through memory and leaves no trace.
//!
//! A value inside [`Content`] has no `Debug`, no `Display` and no `Serialize`, and there is no SQL type for
//! it, so that printing, logging or storing it does not compile. [`Content::expose`] is the one word to
//! search for in a review.

use std::hash::{Hash, Hasher};

/// Something a person wrote, or something about a person. It can be compared and passed on, never shown.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Content<T>(T);

impl<T> Content<T> {
    /// Wraps a value that came from a mailbox or a CRM.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Borrows the value, to compute with it or to hand it to the other side.
    pub fn expose(&self) -> &T {
        &self.0
    }

    /// Takes the value out, to hand it to the other side.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// Applies a function inside the wrapper.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Content<U> {
        Content(change(self.0))
    }
}

impl Content<String> {
    /// True for an empty text; says nothing else about it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Hash> Hash for Content<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl From<&str> for Content<String> {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl From<String> for Content<String> {
    fn from(value: String) -> Self {
        Self(value)
    }
}
