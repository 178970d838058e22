//! TLS: whom we believe. rustls with ring, the machine's own roots and the customer's CA files.

use super::error::EgressError;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::path::PathBuf;
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// The roots that a server's certificate must lead to. Cheap to clone; clones share resumption tickets.
#[derive(Clone)]
pub struct TrustRoots {
    config: Arc<ClientConfig>,
}

impl TrustRoots {
    /// The machine's roots, and those in the PEM files of `egress.extra_ca_files`.
    ///
    /// # Errors
    /// [`EgressError::TrustFile`] for a file that cannot be read or holds no certificate. Roots of the machine
    /// that rustls cannot use are skipped, as every TLS client does.
    pub fn load(extra_ca_files: &[PathBuf]) -> Result<Self, EgressError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for path in extra_ca_files {
            let unusable = |reason: String| EgressError::TrustFile {
                path: path.clone(),
                reason,
            };
            let found = CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| unusable(error.to_string()))?;
            if found.is_empty() {
                return Err(unusable("it holds no certificate in PEM form".to_owned()));
            }
            for certificate in found {
                roots
                    .add(certificate)
                    .map_err(|error| unusable(error.to_string()))?;
            }
        }
        Self::of(roots)
    }

    /// These roots and no others, in DER.
    ///
    /// # Errors
    /// [`EgressError::Tls`] for a root that is not a certificate.
    pub fn only(certificates: impl IntoIterator<Item = Vec<u8>>) -> Result<Self, EgressError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            roots
                .add(CertificateDer::from(certificate))
                .map_err(|source| EgressError::Tls {
                    host: String::new(),
                    source,
                })?;
        }
        Self::of(roots)
    }

    /// The provider is named here, so that it does not matter whether the process has installed a default one.
    fn of(roots: RootCertStore) -> Result<Self, EgressError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|source| EgressError::Tls {
                host: String::new(),
                source,
            })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            config: Arc::new(config),
        })
    }

    pub(super) fn connector(&self) -> TlsConnector {
        TlsConnector::from(Arc::clone(&self.config))
    }
}

/// The name that the certificate must bear.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>, EgressError> {
    ServerName::try_from(host.to_owned()).map_err(|_| EgressError::BadUrl)
}
