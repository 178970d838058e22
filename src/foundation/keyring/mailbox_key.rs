//! A mailbox's own key, the fingerprints made with it, and the sealer of what is kept of the mailbox for some days.

use super::seal::Sealer;
use crate::foundation::secret::Secret;
use ring::hmac::{self, HMAC_SHA256};

/// A mailbox's key. Cannot be printed; the key itself cannot be taken out again.
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

    /// Seals and opens what only this mailbox's key may open. Its key follows from this one, so that it is lost with it.
    pub fn sealer(&self) -> Sealer {
        Sealer::new(&Secret::new(self.print(b"sealing", b"")))
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

    #[test]
    fn what_one_mailbox_sealed_no_other_opens() {
        let (ada, bob) = (MailboxKey::new(&[1; 32]), MailboxKey::new(&[2; 32]));
        let place = crate::foundation::keyring::seal::Place {
            table: "failures",
            column: "name",
            row: "1",
        };
        let sealed = ada
            .sealer()
            .seal(place, &Secret::new(b"Budget".to_vec()))
            .unwrap();
        assert!(bob.sealer().open(place, &sealed).is_err());
        let opened = ada.sealer().open(place, &sealed).ok();
        assert_eq!(
            opened.map(|name| name.expose().clone()).as_deref(),
            Some(b"Budget".as_slice())
        );
    }
}
