//! A secret: wiped from memory when dropped, and impossible to print, compare by accident or serialise.
//!
//! Not for content (see [`content`](super::content)): a secret is ours, content is the customer's.

use zeroize::{Zeroize, Zeroizing};

/// A password, token or key. The only way to the value is [`expose`](Self::expose).
#[derive(Clone)]
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes the value over; the caller keeps no copy.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// Borrows the value, to sign in or to encrypt with.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl Secret<Vec<u8>> {
    /// The bytes as text, where the secret is a password or a PEM file.
    ///
    /// # Errors
    /// The bytes are not UTF-8. The error says at which byte and no more.
    pub fn into_text(self) -> Result<Secret<String>, std::str::Utf8Error> {
        std::str::from_utf8(self.expose()).map(|text| Secret::new(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;
    use static_assertions::assert_not_impl_any;

    assert_not_impl_any!(Secret<String>: std::fmt::Debug, std::fmt::Display, serde::Serialize, PartialEq);
    assert_not_impl_any!(Secret<Vec<u8>>: std::fmt::Debug, serde::Serialize, PartialEq);

    #[test]
    fn bytes_become_text_only_when_they_are_text() {
        let text = Secret::new(b"open sesame".to_vec())
            .into_text()
            .map(|text| text.expose().clone());
        assert_eq!(text.as_deref(), Ok("open sesame"));
        assert!(Secret::new(vec![0xff]).into_text().is_err());
    }
}
