//! The page's certificate: the site's own from two files, or a self-signed one that is made once.

use super::error::WebError;
use crate::foundation::config::Settings;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The TLS configuration of the page.
///
/// # Errors
/// [`WebError`], each with the file that is meant.
pub fn config(settings: &Settings) -> Result<ServerConfig, WebError> {
    let (certificate, key) = match (&settings.web.certificate_file, &settings.web.key_file) {
        (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
        _ => own(&settings.data_dir.join("web"))?,
    };
    let bad = |path: &Path| WebError::Certificate {
        path: path.to_owned(),
    };
    let read = |path: &Path| fs::read(path).map_err(|source| file_error(path, source));
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(&certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|_| bad(&certificate))?;
    let secret = PrivateKeyDer::from_pem_slice(&read(&key)?).map_err(|_| bad(&key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(WebError::Pair)?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(WebError::Pair)
}

/// The appliance's own certificate, made at the first start. A browser warns of it once; who wants no warning
/// brings a certificate of his own authority.
fn own(folder: &Path) -> Result<(PathBuf, PathBuf), WebError> {
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    if certificate.exists() && key.exists() {
        return Ok((certificate, key));
    }
    fs::create_dir_all(folder).map_err(|source| file_error(folder, source))?;
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).map_err(WebError::Make)?;
    write(&key, made.signing_key.serialize_pem().as_bytes(), 0o600)?;
    write(&certificate, made.cert.pem().as_bytes(), 0o644)?;
    Ok((certificate, key))
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), WebError> {
    let open = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path);
    open.and_then(|mut file| std::io::Write::write_all(&mut file, bytes))
        .map_err(|source| file_error(path, source))
}

fn file_error(path: &Path, source: std::io::Error) -> WebError {
    WebError::CertificateFile {
        path: path.to_owned(),
        source,
    }
}
