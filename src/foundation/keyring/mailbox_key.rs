//! A mailbox's own key, and the fingerprints made with it.

use ring::hmac::{self, HMAC_SHA256};

/// A key for fingerprints. Cannot be printed; the key itself cannot be taken out again.
#[derive(Clone)]
pub struct MailboxKey(hmac::Key);

impl MailboxKey {
    pub(super) fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(HMAC_SHA256, key))
    }

    /// The fingerprint of one value: HMAC-SHA256 under this key.
    ///
    /// `domain` says what the value is, such as `event.subject`; equal values of different domains have
    /// different fingerprints.
    pub fn print(&self, domain: &[u8], value: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&(domain.len() as u64).to_be_bytes());
        context.update(domain);
        context.update(value);
        let mut print = [0; 32];
        print.copy_from_slice(context.sign().as_ref());
        print
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use static_assertions::assert_not_impl_any;

    assert_not_impl_any!(MailboxKey: std::fmt::Debug, std::fmt::Display, serde::Serialize);

    #[test]
    fn a_fingerprint_depends_on_key_domain_and_value() {
        let (ada, bob) = (MailboxKey::new(&[1; 32]), MailboxKey::new(&[2; 32]));
        let print = ada.print(b"event.subject", b"Budget");
        assert_eq!(print, ada.print(b"event.subject", b"Budget"));
        assert_ne!(print, bob.print(b"event.subject", b"Budget"));
        assert_ne!(print, ada.print(b"event.location", b"Budget"));
        assert_ne!(ada.print(b"ab", b"c"), ada.print(b"a", b"bc"));
    }
}
