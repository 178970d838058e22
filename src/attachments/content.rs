//! The two passes over an attachment's bytes: the first learns what they are, the second sends them.

use super::error::AttachmentError;
use super::plan::SNIFFED;
use crate::crm::port::FileBody;
use crate::foundation::content::Content;
use crate::foundation::egress::Abandoned;
use crate::foundation::keyring::MailboxKey;
use crate::mailbox::port::AttachmentBytes;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use ring::hmac;

/// What fits into so much is kept, and not read a second time.
const KEPT: usize = 1 << 20;

/// The key under which contents are hashed.
#[derive(Clone)]
pub struct ContentKey {
    hmac: hmac::Key,
    organisation: MailboxKey,
}

impl ContentKey {
    /// From the organisation's key.
    pub fn new(organisation: &MailboxKey) -> Self {
        Self {
            hmac: hmac::Key::new(hmac::HMAC_SHA256, &organisation.print(b"attachments", b"")),
            organisation: organisation.clone(),
        }
    }

    /// The hash of a link.
    pub fn of_link(&self, url: &Content<String>) -> Hash {
        Hash(
            self.organisation
                .print(b"attachment link", url.expose().as_bytes()),
        )
    }

    /// A hash that is this user's own, for a copy that only he may use.
    pub fn for_user(&self, hash: Hash, user: &str) -> Hash {
        Hash(
            self.organisation
                .print(b"attachment of user", &[&hash.0, user.as_bytes()].concat()),
        )
    }

    fn hasher(&self) -> hmac::Context {
        hmac::Context::with_key(&self.hmac)
    }
}

/// A content, by a keyed hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// As the key that a file carries.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What the first pass learned.
pub struct Learned {
    /// Which content.
    pub hash: Hash,
    /// How many bytes.
    pub length: u64,
    /// The first of them.
    pub first: Content<Bytes>,
    /// All of them, where they are few.
    pub kept: Option<Content<Bytes>>,
}

/// Reads an attachment to its end, or to the limit: `None` where it has more bytes.
///
/// # Errors
/// Those of the mail server.
pub async fn learn(
    key: &ContentKey,
    bytes: &mut dyn AttachmentBytes,
    limit: u64,
) -> Result<Option<Learned>, AttachmentError> {
    let mut hasher = key.hasher();
    let mut length = 0_u64;
    let mut start = BytesMut::new();
    while let Some(piece) = bytes.next().await? {
        let piece = piece.expose();
        length += piece.len() as u64;
        if length > limit {
            return Ok(None);
        }
        hasher.update(piece);
        let room = KEPT.saturating_sub(start.len()).min(piece.len());
        start.extend_from_slice(piece.get(..room).unwrap_or_default());
    }
    let start = start.freeze();
    let first = start.slice(..start.len().min(SNIFFED));
    let is_whole = start.len() as u64 == length;
    Ok(Some(Learned {
        hash: hash_of(hasher),
        length,
        first: Content::new(match is_whole {
            true => first,
            // A slice would hold the whole megabyte.
            false => Bytes::copy_from_slice(&first),
        }),
        kept: is_whole.then(|| Content::new(start)),
    }))
}

fn hash_of(hasher: hmac::Context) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(hasher.sign().as_ref());
    Hash(hash)
}

/// The second pass: the bytes on their way, watched. They end only if they are the ones of the first pass.
pub struct Sending {
    source: Source,
    hasher: Option<hmac::Context>,
    hash: Hash,
    left: u64,
    /// Why it was abandoned.
    pub failed: Option<AttachmentError>,
}

enum Source {
    Kept(Option<Content<Bytes>>),
    Again(Box<dyn AttachmentBytes>),
}

impl Sending {
    /// What the first pass kept.
    pub fn kept(key: &ContentKey, learned: &Learned, bytes: Content<Bytes>) -> Self {
        Self::of(key, learned, Source::Kept(Some(bytes)))
    }

    /// The attachment, opened again.
    pub fn again(key: &ContentKey, learned: &Learned, bytes: Box<dyn AttachmentBytes>) -> Self {
        Self::of(key, learned, Source::Again(bytes))
    }

    fn of(key: &ContentKey, learned: &Learned, source: Source) -> Self {
        Self {
            source,
            hasher: Some(key.hasher()),
            hash: learned.hash,
            left: learned.length,
            failed: None,
        }
    }

    async fn piece(&mut self) -> Result<Option<Content<Bytes>>, AttachmentError> {
        let piece = match &mut self.source {
            Source::Kept(bytes) => bytes.take().filter(|bytes| !bytes.expose().is_empty()),
            Source::Again(bytes) => bytes.next().await?,
        };
        let Some(piece) = piece else {
            let same = self
                .hasher
                .take()
                .is_none_or(|hasher| hash_of(hasher) == self.hash);
            return match same && self.left == 0 {
                true => Ok(None),
                false => Err(AttachmentError::Changed),
            };
        };
        let length = piece.expose().len() as u64;
        self.left = self.left.checked_sub(length).ok_or(AttachmentError::Changed)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(piece.expose());
        }
        Ok(Some(piece))
    }
}

#[async_trait]
impl FileBody for Sending {
    async fn next(&mut self) -> Result<Option<Content<Bytes>>, Abandoned> {
        self.piece().await.map_err(|error| {
            self.failed = Some(error);
            Abandoned
        })
    }
}
