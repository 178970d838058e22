//! Where the key-encryption key comes from. The first provider is a file; others (a TPM, an HSM, a vault)
//! implement the same trait.

use super::error::KeyringError;
use super::seal::random;
use crate::foundation::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Gives the key-encryption key. Asked once per start.
pub trait KeyProvider: Send + Sync {
    /// The 32 bytes.
    ///
    /// # Errors
    /// [`KeyringError`], with what an administrator can do.
    fn key_encryption_key(&self) -> Result<Secret<[u8; 32]>, KeyringError>;
}

/// A file of 32 random bytes in Base64, readable by its owner alone.
#[derive(Debug, Clone)]
pub struct KeyFile {
    path: PathBuf,
}

impl KeyFile {
    /// Names the file; nothing is read yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file is there at all.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Makes the file with a new key, mode 0600. False when it is already there; it is never overwritten.
    ///
    /// Call [`Keyring::create_key_file`](super::Keyring::create_key_file) instead, which first sees that no
    /// secret depends on a lost key.
    ///
    /// # Errors
    /// The folder is missing or not writable.
    pub(super) fn create(&self) -> Result<bool, KeyringError> {
        let unusable = || KeyringError::unusable(&self.path);
        let key = Secret::new(random::<32>()?);
        let text = Secret::new(STANDARD.encode(key.expose()));
        // Written beside and linked into place: nobody ever reads half a key, and two makers make one.
        let draft = self.path.with_extension(format!("{}.new", std::process::id()));
        let written = write_private(&draft, text.expose()).map_err(unusable());
        let linked = written.and_then(|()| match fs::hard_link(&draft, &self.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(unusable()(error)),
        });
        // The draft holds a key that either is in place by now or is used by nobody.
        let _ = fs::remove_file(&draft);
        linked
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

impl KeyProvider for KeyFile {
    fn key_encryption_key(&self) -> Result<Secret<[u8; 32]>, KeyringError> {
        let path = self.path.clone();
        let meta = match fs::metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(KeyringError::KeyFileMissing { path });
            }
            other => other.map_err(KeyringError::unusable(&self.path))?,
        };
        let mode = meta.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyringError::KeyFileTooOpen { path, mode });
        }
        let text = Secret::new(fs::read(&self.path).map_err(KeyringError::unusable(&self.path))?);
        let bytes = STANDARD.decode(text.expose().trim_ascii()).map(Secret::new);
        match bytes
            .as_ref()
            .map(|bytes| <[u8; 32]>::try_from(bytes.expose().as_slice()))
        {
            Ok(Ok(key)) => Ok(Secret::new(key)),
            _ => Err(KeyringError::KeyFileMalformed { path }),
        }
    }
}
