//! How a connection fails, and what its owner can do about it.

use super::authority::authority;
use crate::foundation::explain::{Explain, Kind};
use rustls::CertificateError;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

/// A failure at the door or on the way.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The administrator has not opened this door.
    #[error("{} is not on the allow-list", authority(host, *port))]
    NotAllowed {
        /// Host asked for.
        host: String,
        /// Port asked for.
        port: u16,
    },
    /// The URL has no host, or a scheme other than https and http.
    #[error("the URL names no server")]
    BadUrl,
    /// The name does not resolve.
    #[error("the name {host} does not resolve")]
    NameUnknown {
        /// The name.
        host: String,
        /// What the resolver said.
        #[source]
        source: io::Error,
    },
    /// The name leads to an address that is never a server.
    #[error("the name {host} leads to {address}")]
    AddressRefused {
        /// The name.
        host: String,
        /// The address.
        address: IpAddr,
    },
    /// No address accepted the connection.
    #[error("no connection to {}", authority(host, *port))]
    ConnectFailed {
        /// Host.
        host: String,
        /// Port.
        port: u16,
        /// What the last address said.
        #[source]
        source: io::Error,
    },
    /// TLS was not agreed.
    #[error("no TLS with {host}")]
    Tls {
        /// Host; empty for our own settings.
        host: String,
        /// What rustls said.
        #[source]
        source: rustls::Error,
    },
    /// The server cut the TLS handshake, or does not speak TLS.
    #[error("{host} broke off the TLS handshake")]
    TlsCut {
        /// Host.
        host: String,
        /// What the socket said.
        #[source]
        source: io::Error,
    },
    /// A CA file cannot be used.
    #[error("the CA file {} cannot be used: {reason}", path.display())]
    TrustFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// It took too long.
    #[error("{what} took too long")]
    TimedOut {
        /// Which step, in fixed words.
        what: &'static str,
    },
    /// A kept connection had ended already: not a byte of the request was written.
    #[error("the connection had ended before the request was written")]
    Closed(#[source] hyper::Error),
    /// The connection ended before or inside an answer.
    #[error("the connection ended inside an answer")]
    Cut(#[source] hyper::Error),
    /// The answer is longer than we take.
    #[error("the answer is longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// What came back is not HTTP, or is compressed in a way that we did not ask for.
    #[error("the answer is not proper HTTP: {what}")]
    Protocol {
        /// In fixed words.
        what: &'static str,
        /// What hyper said, where it said something.
        #[source]
        source: Option<hyper::Error>,
    },
}

impl EgressError {
    /// Sorts a failed TLS handshake: rustls wraps its own error in an I/O error.
    pub(super) fn handshake(host: &str, error: io::Error) -> Self {
        let host = host.to_owned();
        match error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        {
            Some(tls) => Self::Tls {
                host,
                source: tls.clone(),
            },
            None => Self::TlsCut { host, source: error },
        }
    }

    /// Sorts a failure of an exchange that was under way.
    pub(super) fn exchange(error: hyper::Error) -> Self {
        if error.is_parse() || error.is_user() {
            Self::Protocol {
                what: "it cannot be parsed",
                source: Some(error),
            }
        } else {
            Self::Cut(error)
        }
    }
}

impl Explain for EgressError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotAllowed { .. } | Self::AddressRefused { .. } => Kind::Refused,
            Self::BadUrl | Self::TrustFile { .. } => Kind::Invalid,
            _ => Kind::Unavailable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotAllowed { .. } => "egress.not_allowed",
            Self::BadUrl => "egress.bad_url",
            Self::NameUnknown { .. } => "egress.name_unknown",
            Self::AddressRefused { .. } => "egress.address_refused",
            Self::ConnectFailed { .. } => "egress.connect_failed",
            Self::Tls { .. } => "egress.tls",
            Self::TlsCut { .. } => "egress.tls_cut",
            Self::TrustFile { .. } => "egress.trust_file",
            Self::TimedOut { .. } => "egress.timed_out",
            Self::Closed(_) => "egress.closed",
            Self::Cut(_) => "egress.cut",
            Self::TooLarge { .. } => "egress.too_large",
            Self::Protocol { .. } => "egress.protocol",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::NotAllowed { host, port } => {
                let door = authority(host, *port);
                format!("Holdfast did not connect to {door}, because nobody has opened that door: add \"{door}\" to egress.allow if it is right.")
            }
            Self::BadUrl => "An address in the settings is not an https URL with a host name. Correct it.".to_owned(),
            Self::NameUnknown { host, .. } => format!(
                "The name {host} does not resolve. Check its spelling in the settings, and this machine's name servers with `getent hosts {host}`."
            ),
            Self::AddressRefused { host, address } => format!(
                "The name {host} leads to {address}, which is a link-local, multicast or empty address and never a server. Correct the name's DNS records."
            ),
            Self::ConnectFailed { host, port, source } => format!(
                "{} does not accept connections ({source}). Check that the server is up and that no firewall stands between.",
                authority(host, *port)
            ),
            Self::Tls { host, source } => tls_sentence(host, source),
            Self::TlsCut { host, source } => format!(
                "{host} broke off while TLS was being agreed ({source}). Check that the port speaks TLS 1.2 or newer and that no proxy stands between."
            ),
            Self::TrustFile { path, reason } => format!(
                "The CA file {} in egress.extra_ca_files cannot be used: {reason}. Give a readable file of certificates in PEM form.",
                path.display()
            ),
            Self::TimedOut { what } => {
                format!("The other side let us wait too long ({what}). Holdfast tries again by itself; if it lasts, look at that server's load.")
            }
            Self::Closed(_) | Self::Cut(_) => "The other side ended the connection inside an answer. Holdfast tries again by itself; if it lasts, look at proxies and time-outs between.".to_owned(),
            Self::TooLarge { limit } => format!(
                "The other side sent an answer of more than {limit} bytes, and Holdfast did not take it. If a server of yours sends such answers, report it."
            ),
            Self::Protocol { what, .. } => {
                format!("The other side does not answer in proper HTTP ({what}). Check that the address leads to the server and not to something else.")
            }
        }
    }
}

/// The three mistakes that administrators can mend themselves, told apart.
fn tls_sentence(host: &str, error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(wrong) = error else {
        return format!(
            "TLS with {host} could not be agreed ({error}). The server must speak TLS 1.2 or newer with a modern cipher."
        );
    };
    match wrong {
        CertificateError::UnknownIssuer => format!(
            "The certificate of {host} comes from an issuer that this machine does not trust. Add your CA's certificate to egress.extra_ca_files."
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => format!(
            "The certificate of {host} bears another name. Use a name that the certificate bears, or have it reissued."
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => format!(
            "The certificate of {host} has expired. Renew it on that server; check this machine's clock too."
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("The certificate of {host} is not valid yet. Check the clocks of both machines.")
        }
        _ => format!(
            "The certificate of {host} was not accepted ({error}). Have it reissued by a CA that this machine trusts."
        ),
    }
}
