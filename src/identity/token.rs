//! Codes and session tokens: random, shown once, stored as hashes.

use super::error::IdentityError;
use crate::foundation::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

/// Crockford's Base32: no letter that is mistaken for a digit, and no U, so that no word comes about.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Twelve letters of five bits.
const CODE_LETTERS: usize = 12;

/// What the database keeps of a code or token.
pub(super) type Hash = Vec<u8>;

fn hash(text: &str) -> Hash {
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}

fn random<const N: usize>() -> Result<Secret<Vec<u8>>, IdentityError> {
    let mut bytes = vec![0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| IdentityError::NoRandom)?;
    Ok(Secret::new(bytes))
}

/// A one-time sign-in code: sixty random bits as `K7QM-2X9D-4TFA`.
pub struct SignInCode(Secret<String>);

impl SignInCode {
    /// A fresh one.
    ///
    /// # Errors
    /// [`IdentityError::NoRandom`].
    pub(super) fn fresh() -> Result<Self, IdentityError> {
        let letters: String = random::<CODE_LETTERS>()?
            .expose()
            .iter()
            .filter_map(|byte| ALPHABET.get(usize::from(byte & 31)))
            .map(|letter| char::from(*letter))
            .collect();
        Ok(Self(Secret::new(letters)))
    }

    /// As somebody typed it: in any case, with or without the dashes, O for 0, I and L for 1.
    pub fn typed(text: &str) -> Self {
        let letters = text
            .chars()
            .filter(|c| c.is_ascii_alphanumeric())
            .map(|c| match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            })
            // Longer than any code, short enough to hash whatever was posted.
            .take(64)
            .collect();
        Self(Secret::new(letters))
    }

    /// In groups of four, to be read out and typed.
    pub fn shown(&self) -> Secret<String> {
        let letters: Vec<char> = self.0.expose().chars().collect();
        let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
        Secret::new(groups.join("-"))
    }

    pub(super) fn hash(&self) -> Hash {
        hash(self.0.expose())
    }
}

/// What the browser's cookie holds: 256 random bits in Base64.
pub struct SessionToken(Secret<String>);

impl SessionToken {
    pub(super) fn fresh() -> Result<Self, IdentityError> {
        let text = URL_SAFE_NO_PAD.encode(random::<32>()?.expose());
        Ok(Self(Secret::new(text)))
    }

    /// As a browser sent it.
    pub fn sent(text: &str) -> Self {
        Self(Secret::new(text.to_owned()))
    }

    /// For the cookie.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    pub(super) fn hash(&self) -> Hash {
        hash(self.0.expose())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_recognised_however_it_is_typed() {
        let code = SignInCode::typed("0K1M2X9D4TFA");
        for typed in [
            "0K1M-2X9D-4TFA",
            "ok1m 2x9d 4tfa",
            " 0KLM2X9D4TFA\n",
            "oKiM-2x9d-4tFA",
        ] {
            assert!(SignInCode::typed(typed).hash() == code.hash(), "{typed}");
        }
        assert!(SignInCode::typed("0K1M-2X9D-4TFB").hash() != code.hash());
    }

    #[test]
    fn a_fresh_code_has_three_groups_and_survives_being_typed() {
        let code = SignInCode::fresh().unwrap();
        let shown = code.shown();
        assert_eq!(shown.expose().len(), 14);
        assert!(SignInCode::typed(shown.expose()).hash() == code.hash());
    }
}
