//! `[web]`: the page, its certificate and its sessions.

use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// The page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    /// Where it listens. Loopback until told otherwise.
    pub listen: SocketAddr,
    /// The certificate chain, PEM. Unset: a self-signed one, made once under `data_dir`.
    pub certificate_file: Option<PathBuf>,
    /// Its private key, PEM. Set together with the certificate or not at all.
    pub key_file: Option<PathBuf>,
    /// A session ends after this long without a request.
    pub session_idle_minutes: u64,
    /// A session ends after this long in any case.
    pub session_hours: u64,
}

impl Web {
    /// How long a session may rest.
    pub fn session_idle(&self) -> Duration {
        Duration::from_secs(self.session_idle_minutes * 60)
    }

    /// How long a session may last.
    pub fn session_length(&self) -> Duration {
        Duration::from_secs(self.session_hours * 3600)
    }
}

impl Default for Web {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8443)),
            certificate_file: None,
            key_file: None,
            session_idle_minutes: 15,
            session_hours: 8,
        }
    }
}
