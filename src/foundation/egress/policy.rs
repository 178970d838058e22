//! The allow-list: which host and port an administrator has opened. Pure.
//!
//! An entry is `host:port`. The host is an exact name, or `*.suffix` for every name below the suffix (not the
//! suffix itself), or an IP literal. An IP literal in a URL is allowed only where the very literal is listed,
//! so that a name in the list never opens an address.

use super::authority::authority;
use super::target::Target;
use std::net::IpAddr;
use url::Host;

/// The list. The empty one allows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    host: HostRule,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostRule {
    Name(String),
    /// With its leading dot.
    Below(String),
    Address(IpAddr),
}

/// An entry that is not `host:port`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{entry}` is not an entry of an allow-list; write host:port, *.suffix:port or an address such as [::1]:443"
)]
pub struct PolicyError {
    /// The entry as it stands in the settings.
    pub entry: String,
}

impl Policy {
    /// Reads the entries of `egress.allow`.
    ///
    /// # Errors
    /// The first entry that is not one.
    pub fn parse<S: AsRef<str>>(entries: impl IntoIterator<Item = S>) -> Result<Self, PolicyError> {
        let rules = entries
            .into_iter()
            .map(|entry| Rule::parse(entry.as_ref()))
            .collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }

    /// True where the list opens this door.
    pub fn permits(&self, target: &Target) -> bool {
        let address = target.host.parse::<IpAddr>().ok();
        self.rules.iter().any(|rule| {
            rule.port == target.port
                && match (&rule.host, address) {
                    (HostRule::Address(listed), Some(asked)) => *listed == asked,
                    (HostRule::Name(listed), None) => *listed == target.host,
                    (HostRule::Below(suffix), None) => {
                        target.host.len() > suffix.len() && target.host.ends_with(suffix.as_str())
                    }
                    _ => false,
                }
        })
    }

    /// The entries in the list's own spelling, for `doctor` and the console.
    pub fn entries(&self) -> impl Iterator<Item = String> {
        self.rules.iter().map(|rule| match &rule.host {
            HostRule::Name(name) => authority(name, rule.port),
            HostRule::Below(suffix) => format!("*{suffix}:{}", rule.port),
            HostRule::Address(address) => authority(&address.to_string(), rule.port),
        })
    }
}

impl Rule {
    fn parse(entry: &str) -> Result<Self, PolicyError> {
        let wrong = || PolicyError {
            entry: entry.to_owned(),
        };
        let (host, port) = entry.trim().rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
        let (below, name) = match host.strip_prefix("*.") {
            Some(suffix) => (true, suffix),
            None => (false, host),
        };
        let host = match (
            Host::parse(name.trim_end_matches('.')).map_err(|_| wrong())?,
            below,
        ) {
            (Host::Domain(name), _) if name.contains('*') => return Err(wrong()),
            (Host::Domain(name), false) => HostRule::Name(name.to_ascii_lowercase()),
            (Host::Domain(name), true) => HostRule::Below(format!(".{}", name.to_ascii_lowercase())),
            (Host::Ipv4(address), false) => HostRule::Address(address.into()),
            (Host::Ipv6(address), false) => HostRule::Address(address.into()),
            (Host::Ipv4(_) | Host::Ipv6(_), true) => return Err(wrong()),
        };
        Ok(Self { host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(host: &str, port: u16) -> Target {
        Target {
            host: host.to_owned(),
            port,
            tls: true,
        }
    }

    fn policy(entries: &[&str]) -> Policy {
        Policy::parse(entries).expect("the entries are good")
    }

    #[test]
    fn an_empty_list_opens_nothing() {
        assert!(!Policy::default().permits(&target("mail.example.com", 443)));
    }

    #[test]
    fn a_name_opens_itself_at_its_port_and_nothing_else() {
        let policy = policy(&["Mail.Example.com:443"]);
        assert!(policy.permits(&target("mail.example.com", 443)));
        assert!(!policy.permits(&target("mail.example.com", 444)));
        assert!(!policy.permits(&target("evil-mail.example.com", 443)));
        assert!(!policy.permits(&target("mail.example.com.evil.net", 443)));
    }

    #[test]
    fn a_suffix_opens_the_names_below_it_but_not_itself() {
        let policy = policy(&["*.my.salesforce.com:443"]);
        assert!(policy.permits(&target("acme.my.salesforce.com", 443)));
        assert!(policy.permits(&target("acme.sandbox.my.salesforce.com", 443)));
        assert!(!policy.permits(&target("my.salesforce.com", 443)));
        assert!(!policy.permits(&target("evilmy.salesforce.com", 443)));
    }

    #[test]
    fn an_address_is_open_only_where_that_very_address_is_listed() {
        let policy = policy(&["10.0.0.5:443", "[::1]:8443", "*.0.0.5.example:443"]);
        assert!(policy.permits(&target("10.0.0.5", 443)));
        assert!(policy.permits(&target("::1", 8443)));
        assert!(!policy.permits(&target("10.0.0.6", 443)));
        assert!(!policy.permits(&target("localhost", 8443)));
    }

    #[test]
    fn an_entry_that_is_no_door_is_refused_with_its_own_words() {
        for entry in [
            "mail.example.com",
            "mail.example.com:0",
            "*:443",
            "a*.example.com:443",
            ":443",
            "*.10.0.0.1:443",
        ] {
            assert_eq!(
                Policy::parse([entry]),
                Err(PolicyError {
                    entry: entry.to_owned()
                }),
                "{entry}"
            );
        }
    }
}
