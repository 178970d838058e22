//! Why the page could not be served.

use crate::foundation::explain::{Explain, Kind};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the page could not be served.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The address is taken, or not this machine's.
    #[error("the page cannot listen at {address}")]
    Listen {
        /// The setting `web.listen`.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A certificate or key file cannot be read or written.
    #[error("the certificate file {} cannot be used", path.display())]
    CertificateFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A certificate or key file holds something else.
    #[error("the certificate file {} holds no usable certificate or key", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
    },
    /// A certificate of our own could not be made.
    #[error("no certificate could be made")]
    Make(#[source] rcgen::Error),
    /// TLS refused certificate and key as a pair.
    #[error("the certificate and its key do not fit")]
    Pair(#[source] rustls::Error),
    /// The server ended by itself.
    #[error("the page's server ended")]
    Ended(#[source] std::io::Error),
}

impl Explain for WebError {
    fn kind(&self) -> Kind {
        match self {
            Self::Listen { .. } => Kind::Unavailable,
            Self::CertificateFile { .. } | Self::Certificate { .. } | Self::Pair(_) => Kind::Invalid,
            Self::Make(_) | Self::Ended(_) => Kind::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "web.listen",
            Self::CertificateFile { .. } => "web.certificate_file",
            Self::Certificate { .. } => "web.certificate",
            Self::Make(_) => "web.make_certificate",
            Self::Pair(_) => "web.certificate_pair",
            Self::Ended(_) => "web.ended",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Listen { address, source } => format!(
                "The page cannot be served at {address} ({source}). Choose another address with web.listen, or stop what uses this one."
            ),
            Self::CertificateFile { path, source } => format!(
                "The file {} cannot be used ({source}). See that the user that runs Holdfast may read it.",
                path.display()
            ),
            Self::Certificate { path } => format!(
                "The file {} holds no certificate or key in PEM form. Correct web.certificate_file and web.key_file, or unset both.",
                path.display()
            ),
            Self::Make(source) => format!(
                "No certificate could be made ({source}). Report it; meanwhile set web.certificate_file and web.key_file."
            ),
            Self::Pair(source) => format!(
                "The page's certificate and key cannot be used together ({source}). Correct web.certificate_file and web.key_file, or unset both."
            ),
            Self::Ended(source) => format!(
                "The page's server ended ({source}). Start Holdfast again; report it if it ends again."
            ),
        }
    }
}
