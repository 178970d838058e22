//! Where a connection leads, and what for.

use super::authority::authority;
use super::error::EgressError;
use url::{Host, Url};

/// Host, port, and whether TLS is spoken.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Host name in lower case (punycode for international names) or an IP literal without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// True where TLS is spoken from the first byte.
    pub tls: bool,
}

impl Target {
    /// The target of an `https` or `http` URL.
    ///
    /// # Errors
    /// [`EgressError::BadUrl`] for another scheme or a URL without a host.
    pub fn of(url: &Url) -> Result<Self, EgressError> {
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(EgressError::BadUrl),
        };
        let host = match url.host() {
            Some(Host::Domain(name)) => name.trim_end_matches('.').to_ascii_lowercase(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(EgressError::BadUrl),
        };
        let port = url.port_or_known_default().ok_or(EgressError::BadUrl)?;
        Ok(Self { host, port, tls })
    }

    /// `host:port` as the allow-list spells it: an IPv6 literal stands in brackets.
    pub fn authority(&self) -> String {
        authority(&self.host, self.port)
    }

    /// The value of the Host header: without the port where it is the scheme's own (RFC 9110 section 7.2).
    pub(super) fn host_header(&self) -> String {
        if self.port == if self.tls { 443 } else { 80 } {
            match self.host.contains(':') {
                true => format!("[{}]", self.host),
                false => self.host.clone(),
            }
        } else {
            self.authority()
        }
    }
}

/// What a connection is for; a column of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// To a mail server.
    MailServer,
    /// To a CRM.
    Crm,
}

impl Purpose {
    /// The word in the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Self::MailServer => "mail_server",
            Self::Crm => "crm",
        }
    }
}
