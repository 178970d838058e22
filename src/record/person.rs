//! A person as mail and calendars name them: an address, perhaps with a name.

use crate::foundation::content::Content;

/// An SMTP address with an optional display name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The address as it was written; compare by [`Person::key`].
    pub address: Content<String>,
    /// The display name, where there is one.
    pub name: Option<Content<String>>,
}

impl Person {
    /// A person known by address alone.
    pub fn at(address: impl Into<String>) -> Self {
        Self {
            address: Content::new(address.into()),
            name: None,
        }
    }

    /// The address in the form in which addresses are compared: trimmed, lower case. Local parts are case
    /// sensitive by RFC 5321 section 2.4, but neither Exchange nor any CRM treats them so.
    pub fn key(&self) -> Content<String> {
        address_key(self.address.expose())
    }
}

/// See [`Person::key`].
pub fn address_key(address: &str) -> Content<String> {
    Content::new(address.trim().to_lowercase())
}
