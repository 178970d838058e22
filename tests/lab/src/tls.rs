//! The lab's certificates: one certificate authority and one server certificate per lab.
//!
//! ECDSA P-256 with SHA-256, for `localhost`, 127.0.0.1 and ::1. The leaf's DER form is what the
//! `tls-server-end-point` channel binding hashes (RFC 5929).

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};

/// The certificates as PEM texts, so that a restarted lab is still trusted.
#[derive(Clone, Serialize, Deserialize)]
pub struct Certificates {
    /// The authority's certificate, what a client must trust.
    pub ca_pem: String,
    /// The server's certificate.
    pub leaf_pem: String,
    /// The server's private key.
    pub leaf_key_pem: String,
}

/// Why the certificates could not be made or used.
#[derive(Debug)]
pub enum TlsError {
    /// The certificate library refused.
    Certificate(rcgen::Error),
    /// The PEM texts do not hold what they should.
    Pem(rustls::pki_types::pem::Error),
    /// The TLS library refused the certificate.
    Tls(rustls::Error),
}

impl std::fmt::Display for TlsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TlsError::Certificate(source) => write!(f, "the lab's certificate could not be made: {source}"),
            TlsError::Pem(source) => write!(f, "the lab's certificate could not be read: {source}"),
            TlsError::Tls(source) => write!(f, "the lab's certificate was refused: {source}"),
        }
    }
}

impl std::error::Error for TlsError {}

impl Certificates {
    /// Makes a new authority and a server certificate signed by it.
    ///
    /// # Errors
    /// The certificate library refuses.
    pub fn generate() -> Result<Certificates, TlsError> {
        let ca_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(TlsError::Certificate)?;
        let mut ca = CertificateParams::new(Vec::new()).map_err(TlsError::Certificate)?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.distinguished_name.push(DnType::CommonName, "Lab CA");
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_cert = ca.self_signed(&ca_key).map_err(TlsError::Certificate)?;
        let issuer = Issuer::from_params(&ca, &ca_key);

        let leaf_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(TlsError::Certificate)?;
        let names = ["localhost", "127.0.0.1", "::1"].map(String::from).to_vec();
        let mut leaf = CertificateParams::new(names).map_err(TlsError::Certificate)?;
        leaf.distinguished_name.push(DnType::CommonName, "localhost");
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        let leaf_cert = leaf
            .signed_by(&leaf_key, &issuer)
            .map_err(TlsError::Certificate)?;
        Ok(Certificates {
            ca_pem: ca_cert.pem(),
            leaf_pem: leaf_cert.pem(),
            leaf_key_pem: leaf_key.serialize_pem(),
        })
    }

    /// The server certificate in DER form.
    ///
    /// # Errors
    /// The PEM text is damaged.
    pub fn leaf_der(&self) -> Result<Vec<u8>, TlsError> {
        let der = CertificateDer::from_pem_slice(self.leaf_pem.as_bytes()).map_err(TlsError::Pem)?;
        Ok(der.as_ref().to_vec())
    }

    /// The server side of TLS 1.2 and 1.3 with these certificates; the chain includes the authority.
    ///
    /// # Errors
    /// The PEM texts are damaged or do not belong together.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let leaf = CertificateDer::from_pem_slice(self.leaf_pem.as_bytes()).map_err(TlsError::Pem)?;
        let ca = CertificateDer::from_pem_slice(self.ca_pem.as_bytes()).map_err(TlsError::Pem)?;
        let key = PrivateKeyDer::from_pem_slice(self.leaf_key_pem.as_bytes()).map_err(TlsError::Pem)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Tls)?
            .with_no_client_auth()
            .with_single_cert(vec![leaf, ca], key)
            .map_err(TlsError::Tls)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}
