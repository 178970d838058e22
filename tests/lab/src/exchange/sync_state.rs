//! SyncState: where a client stands in a folder's, or the hierarchy's, changes. Opaque to clients
//! and sealed, so that a state that is not the server's own is ErrorInvalidSyncStateData.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Where a client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncState {
    /// Index of the mailbox.
    pub mailbox: u64,
    /// The folder's number.
    pub folder: u64,
    /// All changes up to this one are known, save for what the first reading has yet to bring.
    pub change: u64,
    /// How far the first reading, newest first, has come; none when it is through.
    pub first: Option<(i64, u64)>,
}

const LENGTH: usize = 24 + 1 + 16;
const SEAL: usize = 8;

impl SyncState {
    /// The state as clients keep it.
    pub fn encode(self, seed: u64) -> String {
        let mut octets = Vec::with_capacity(LENGTH + SEAL);
        octets.extend_from_slice(&self.mailbox.to_be_bytes());
        octets.extend_from_slice(&self.folder.to_be_bytes());
        octets.extend_from_slice(&self.change.to_be_bytes());
        let (time, serial) = self.first.unwrap_or_default();
        octets.push(u8::from(self.first.is_some()));
        octets.extend_from_slice(&time.to_be_bytes());
        octets.extend_from_slice(&serial.to_be_bytes());
        octets.extend_from_slice(&seal(&octets, seed));
        STANDARD.encode(octets)
    }

    /// Reads a state; none when it is not one of this server's.
    pub fn decode(text: &str, seed: u64) -> Option<SyncState> {
        let octets = STANDARD.decode(text.trim()).ok()?;
        let (body, sealed) = octets.split_at_checked(LENGTH)?;
        if sealed != seal(body, seed) {
            return None;
        }
        let number = |at: usize| body.get(at..at + 8)?.try_into().ok().map(u64::from_be_bytes);
        let first = (
            i64::from_be_bytes(body.get(25..33)?.try_into().ok()?),
            number(33)?,
        );
        Some(SyncState {
            mailbox: number(0)?,
            folder: number(8)?,
            change: number(16)?,
            first: (body.get(24) == Some(&1)).then_some(first),
        })
    }
}

fn seal(body: &[u8], seed: u64) -> [u8; SEAL] {
    let digest = Sha256::new_with_prefix(b"sync state")
        .chain_update(seed.to_be_bytes())
        .chain_update(body)
        .finalize();
    let mut seal = [0; SEAL];
    seal.copy_from_slice(&digest[..SEAL]);
    seal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_back_and_a_changed_one_does_not() {
        let state = SyncState {
            mailbox: 1,
            folder: 2,
            change: 3,
            first: Some((-4, 5)),
        };
        let text = state.encode(9);
        assert_eq!(SyncState::decode(&text, 9), Some(state));
        assert_eq!(SyncState::decode(&text, 8), None);
        assert_eq!(SyncState::decode("AAAA", 9), None);
    }
}
