//! The channel binding of a TLS connection: `tls-server-end-point` of RFC 5929 section 4.

use ring::digest;
use x509_parser::certificate::X509Certificate;
use x509_parser::oid_registry::{
    OID_NIST_HASH_SHA384, OID_NIST_HASH_SHA512, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA,
    OID_SIG_ECDSA_WITH_SHA384, OID_SIG_ECDSA_WITH_SHA512, OID_SIG_ED25519,
};
use x509_parser::prelude::FromDer;
use x509_parser::signature_algorithm::SignatureAlgorithm;

/// The whole token, prefix included, from the server's leaf certificate in DER.
///
/// The hash is the one of the certificate's own signature; MD5 and SHA-1 are raised to SHA-256. `None` for a
/// certificate that cannot be read, or whose signature names no hash (RFC 5929 leaves that case undefined):
/// a wrong binding is refused by Exchange even where a missing one is allowed, so none is better.
pub fn tls_server_end_point(leaf: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate) = X509Certificate::from_der(leaf).ok()?;
    let algorithm = hash_of(&certificate)?;
    let mut token = b"tls-server-end-point:".to_vec();
    token.extend_from_slice(digest::digest(algorithm, leaf).as_ref());
    Some(token)
}

fn hash_of(certificate: &X509Certificate<'_>) -> Option<&'static digest::Algorithm> {
    let signature = &certificate.signature_algorithm;
    let named = &signature.algorithm;
    if *named == OID_SIG_ED25519 {
        return None;
    }
    if let Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) = SignatureAlgorithm::try_from(signature) {
        let hash = parameters.hash_algorithm_oid();
        return Some(match () {
            () if *hash == OID_NIST_HASH_SHA384 => &digest::SHA384,
            () if *hash == OID_NIST_HASH_SHA512 => &digest::SHA512,
            () => &digest::SHA256,
        });
    }
    Some(match () {
        () if *named == OID_PKCS1_SHA384WITHRSA || *named == OID_SIG_ECDSA_WITH_SHA384 => &digest::SHA384,
        () if *named == OID_PKCS1_SHA512WITHRSA || *named == OID_SIG_ECDSA_WITH_SHA512 => &digest::SHA512,
        () => &digest::SHA256,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{
        CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
        SignatureAlgorithm,
    };

    fn leaf(algorithm: &'static SignatureAlgorithm) -> Vec<u8> {
        let key = KeyPair::generate_for(algorithm).expect("a key");
        let parameters = CertificateParams::new(vec!["mail.example.com".to_owned()]).expect("parameters");
        parameters
            .self_signed(&key)
            .expect("a certificate")
            .der()
            .to_vec()
    }

    #[test]
    fn the_hash_is_that_of_the_certificates_signature() {
        for (algorithm, length) in [(&PKCS_ECDSA_P256_SHA256, 32), (&PKCS_ECDSA_P384_SHA384, 48)] {
            let token = tls_server_end_point(&leaf(algorithm)).expect("a binding");
            assert_eq!(token.len(), b"tls-server-end-point:".len() + length);
        }
    }

    #[test]
    fn a_signature_without_a_hash_of_its_own_gives_no_binding() {
        assert_eq!(tls_server_end_point(&leaf(&PKCS_ED25519)), None);
        assert_eq!(tls_server_end_point(b"not a certificate"), None);
    }
}
