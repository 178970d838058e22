//! A sealed value: one version byte, a nonce of 12 bytes, the ciphertext with its tag of 16 bytes.
//!
//! AES-256-GCM with random nonces is good for 2^32 values under one key (NIST SP 800-38D, section 8.3); a
//! keyring seals a few per mailbox, and a mailbox one for each item that fails.

use super::error::KeyringError;
use crate::foundation::secret::Secret;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// The only version so far; another cipher or layout gets another number.
const VERSION: u8 = 1;

/// Where a sealed value is stored; authenticated with it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The row's primary key as text.
    pub row: &'a str,
}

impl Place<'_> {
    /// Each part with its length, so that no two places give the same bytes.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"holdfast".to_vec();
        for part in [self.table, self.column, self.row] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part.as_bytes());
        }
        bytes
    }

    fn damaged(&self) -> KeyringError {
        KeyringError::Damaged {
            place: format!("{}.{} of row {}", self.table, self.column, self.row),
        }
    }
}

/// Seals and opens under one key-encryption key.
pub struct Sealer {
    key: LessSafeKey,
}

impl Sealer {
    /// Takes the key into the cipher.
    #[expect(
        clippy::expect_used,
        reason = "a key of 32 bytes is what AES-256 takes, whatever is in it"
    )]
    pub fn new(key: &Secret<[u8; 32]>) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key.expose()).expect("AES-256 takes any 32 bytes");
        Self {
            key: LessSafeKey::new(key),
        }
    }

    /// Seals a value for its place.
    ///
    /// # Errors
    /// [`KeyringError::NoRandom`].
    pub fn seal(&self, place: Place<'_>, value: &Secret<Vec<u8>>) -> Result<Vec<u8>, KeyringError> {
        let nonce = random::<NONCE_LEN>()?;
        let mut sealed = value.expose().clone();
        let tag = self.key.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(place.bytes()),
            &mut sealed,
        );
        // Only a value of 64 GiB is too long for the cipher; one that does not fit cannot be in memory.
        let tag = tag.map_err(|_| place.damaged())?;
        Ok([&[VERSION], nonce.as_slice(), &sealed, tag.as_ref()].concat())
    }

    /// Opens what was sealed for this very place.
    ///
    /// # Errors
    /// [`KeyringError::Damaged`] for anything else: another key, another place, a changed bit, a foreign
    /// version. Which of them it was cannot be told apart, by design of the cipher.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Secret<Vec<u8>>, KeyringError> {
        let (version, rest) = sealed.split_first().ok_or_else(|| place.damaged())?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_LEN).ok_or_else(|| place.damaged())?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| place.damaged())?;
        if *version != VERSION {
            return Err(place.damaged());
        }
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let opened = self
            .key
            .open_in_place(nonce, Aad::from(place.bytes()), &mut buffer);
        opened
            .map(|value| Secret::new(value.to_vec()))
            .map_err(|_| place.damaged())
    }
}

/// Random bytes from the system.
///
/// # Errors
/// [`KeyringError::NoRandom`].
pub(super) fn random<const N: usize>() -> Result<[u8; N], KeyringError> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| KeyringError::NoRandom)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sealer() -> Sealer {
        Sealer::new(&Secret::new([7; 32]))
    }

    fn place<'a>(table: &'a str, row: &'a str) -> Place<'a> {
        Place {
            table,
            column: "sealed",
            row,
        }
    }

    #[test]
    fn a_value_opens_in_its_place_and_nowhere_else() {
        let sealed = sealer()
            .seal(place("a", "1"), &Secret::new(b"open sesame".to_vec()))
            .unwrap();
        let opened = sealer()
            .open(place("a", "1"), &sealed)
            .map(|value| value.expose().clone());
        assert_eq!(opened.ok().as_deref(), Some(b"open sesame".as_slice()));
        for elsewhere in [place("a", "2"), place("b", "1"), place("", "a1"), place("a1", "")] {
            assert!(sealer().open(elsewhere, &sealed).is_err());
        }
        assert!(
            Sealer::new(&Secret::new([8; 32]))
                .open(place("a", "1"), &sealed)
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn a_changed_or_cut_value_does_not_open(at in 0_usize..40, bit in 0_u8..8, cut in 0_usize..40) {
            let sealed = sealer().seal(place("a", "1"), &Secret::new(b"open sesame".to_vec())).unwrap();
            let mut changed = sealed.clone();
            changed[at % sealed.len()] ^= 1 << bit;
            prop_assert!(sealer().open(place("a", "1"), &changed).is_err());
            prop_assert!(sealer().open(place("a", "1"), &sealed[..cut % sealed.len()]).is_err());
        }
    }
}
