//! Names to addresses. Resolution happens here and nowhere else, and every address is looked at.
//!
//! On premises a name normally leads to a private address, so private and loopback ranges are fine for a name
//! that the administrator listed. What no server of anybody's is: link-local addresses (cloud metadata
//! services live there), multicast, broadcast, and the unspecified address, which the kernel takes for itself.

use super::error::EgressError;
use super::target::Target;
use std::io;
use std::net::{IpAddr, SocketAddr};

/// The target's addresses, in the resolver's order.
///
/// # Errors
/// [`EgressError::NameUnknown`], or [`EgressError::AddressRefused`] as soon as one of the addresses is of a
/// range that is never a server: a name that leads there even once is not to be trusted with the rest.
#[expect(
    clippy::disallowed_methods,
    reason = "names are resolved here and nowhere else"
)]
pub(super) async fn addresses(target: &Target) -> Result<Vec<SocketAddr>, EgressError> {
    let unknown = |source| EgressError::NameUnknown {
        host: target.host.clone(),
        source,
    };
    let found: Vec<SocketAddr> = match target.host.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, target.port)],
        Err(_) => tokio::net::lookup_host((target.host.as_str(), target.port))
            .await
            .map_err(unknown)?
            .collect(),
    };
    if let Some(bad) = found.iter().find(|found| never_a_server(found.ip())) {
        return Err(EgressError::AddressRefused {
            host: target.host.clone(),
            address: bad.ip(),
        });
    }
    if found.is_empty() {
        return Err(unknown(io::Error::new(
            io::ErrorKind::NotFound,
            "the name has no address",
        )));
    }
    Ok(found)
}

/// True for the ranges that are refused whatever the allow-list says.
fn never_a_server(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_multicast() || v4.is_unspecified() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.is_multicast() || v6.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_and_multicast_addresses_are_never_servers_also_when_mapped_into_version_six() {
        for address in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fe80::1",
            "224.0.0.1",
            "ff02::1",
            "0.0.0.0",
            "::",
            "255.255.255.255",
        ] {
            assert!(never_a_server(address.parse().expect("an address")), "{address}");
        }
        for address in [
            "127.0.0.1",
            "::1",
            "10.1.2.3",
            "192.168.0.1",
            "fd00::1",
            "93.184.216.34",
        ] {
            assert!(!never_a_server(address.parse().expect("an address")), "{address}");
        }
    }
}
