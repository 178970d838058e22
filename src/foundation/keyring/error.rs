//! Why a secret could not be sealed or opened.

use crate::foundation::db::DbError;
use crate::foundation::explain::{Explain, Kind};
use std::path::{Path, PathBuf};

/// A failure of the keyring. Says which secret, never what is in it.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// There is no key file.
    #[error("the key file {} is missing", path.display())]
    KeyFileMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// There is no key file, but secrets that only the lost key opens.
    #[error("the key file {} is missing and secrets are sealed with it", path.display())]
    KeyFileLost {
        /// Where it should be.
        path: PathBuf,
    },
    /// Others may read the key file.
    #[error("the key file {} is open to others (mode {mode:o})", path.display())]
    KeyFileTooOpen {
        /// Where it is.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key file does not hold 32 bytes in Base64.
    #[error("the key file {} does not hold a key", path.display())]
    KeyFileMalformed {
        /// Where it is.
        path: PathBuf,
    },
    /// The key file cannot be read or made.
    #[error("the key file {} cannot be used", path.display())]
    KeyFileUnusable {
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The key is a key, but not the one that this database was sealed with.
    #[error("the key does not open this database's secrets")]
    WrongKey,
    /// No secret of that name was ever stored.
    #[error("there is no secret {name}")]
    NotStored {
        /// Its name, such as `mail_server.head.password`.
        name: String,
    },
    /// A sealed value was changed, or moved from another row.
    #[error("the sealed value in {place} does not open")]
    Damaged {
        /// Table, column and row.
        place: String,
    },
    /// The system has no random numbers to give.
    #[error("no random numbers")]
    NoRandom,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl KeyringError {
    /// For `map_err` on the calls that read or make the key file.
    pub(super) fn unusable(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::KeyFileUnusable { path, source }
    }
}

impl From<diesel::result::Error> for KeyringError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Explain for KeyringError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotStored { .. } => Kind::NotFound,
            Self::Database(error) => error.kind(),
            Self::NoRandom | Self::Damaged { .. } => Kind::Internal,
            _ => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::KeyFileMissing { .. } => "keyring.key_file_missing",
            Self::KeyFileLost { .. } => "keyring.key_file_lost",
            Self::KeyFileTooOpen { .. } => "keyring.key_file_too_open",
            Self::KeyFileMalformed { .. } => "keyring.key_file_malformed",
            Self::KeyFileUnusable { .. } => "keyring.key_file_unusable",
            Self::WrongKey => "keyring.wrong_key",
            Self::NotStored { .. } => "keyring.not_stored",
            Self::Damaged { .. } => "keyring.damaged",
            Self::NoRandom => "keyring.no_random",
            Self::Database(error) => error.code(),
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::KeyFileMissing { path } => format!(
                "The key file {} is missing. Run `holdfast migrate` with keyring.create_key_file = true to make \
                 a new one, and keep a copy of it apart from the database's backup.",
                path.display()
            ),
            Self::KeyFileLost { path } => format!(
                "The key file {} is missing, and the database holds secrets that only that key opens. Bring \
                 the file back from your copy. Without it the stored passwords are lost: remove the rows of \
                 sealed_secrets and mailbox_keys, make a new key and enter the passwords again.",
                path.display()
            ),
            Self::KeyFileTooOpen { path, mode } => format!(
                "The key file {path} can be read by others (mode {mode:04o}). Run chmod 0600 {path}, and consider \
                 whether somebody has read it.",
                path = path.display()
            ),
            Self::KeyFileMalformed { path } => format!(
                "The key file {} does not hold 32 bytes in Base64. Bring the right file back from your copy.",
                path.display()
            ),
            Self::KeyFileUnusable { path, source } => format!(
                "The key file {} cannot be used ({source}). See that its folder exists and that the user that \
                 runs Holdfast may read the file.",
                path.display()
            ),
            Self::WrongKey => "The key in keyring.key_file is not the one that this database's secrets were \
                 sealed with. Bring the key file that belongs to this database back from your copy."
                .into(),
            Self::NotStored { name } => format!(
                "No secret {name} has been stored yet. Store it with `holdfast secret set {name}`, which reads it from \
                 standard input."
            ),
            Self::Damaged { place } => format!(
                "The sealed value in {place} was changed or comes from another row, and is not used. Restore \
                 that row from a backup, or enter the secret again."
            ),
            Self::NoRandom => {
                "The system gave no random numbers, so nothing was sealed. Restart the machine; \
                 if it stays, report it."
                    .into()
            }
            Self::Database(error) => error.sentence(),
        }
    }
}
