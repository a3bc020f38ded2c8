//! Which RPC addresses are one endpoint: what one of them says twice is still one word. Pure.

use std::net::IpAddr;

use url::{Host, Url};

use crate::council::SecretUrl;

/// Where an address leads: the host in one spelling, and the port where it is not the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq)]
struct HostPort {
    host: String,
    port: Option<u16>,
}

impl HostPort {
    /// None if the address names no host.
    fn of(url: &SecretUrl) -> Option<Self> {
        let url = Url::parse(url.expose()).ok()?;
        let host = match url.host()? {
            Host::Domain(name) => named(name),
            Host::Ipv4(ip) => numbered(ip.into()),
            Host::Ipv6(ip) => numbered(ip.to_canonical()),
        };
        Some(Self { host, port: url.port() })
    }
}

fn named(name: &str) -> String {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") { LOCAL.into() } else { name }
}

fn numbered(ip: IpAddr) -> String {
    if ip.is_loopback() || ip.is_unspecified() { LOCAL.into() } else { ip.to_string() }
}

const LOCAL: &str = "localhost";

/// Per address, the place in the list of the earlier one that leads to the same host and port; None for the first.
///
/// Path, key and scheme make no difference: they are the same operator's.
pub(super) fn repeats(urls: &[SecretUrl]) -> Vec<Option<usize>> {
    let places: Vec<Option<HostPort>> = urls.iter().map(HostPort::of).collect();
    let earlier = |(at, place): (usize, &Option<HostPort>)| {
        let same = |other: &Option<HostPort>| place.is_some() && other == place;
        places.iter().take(at).position(same)
    };
    places.iter().enumerate().map(earlier).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::council::RpcAddress;

    fn repeated(urls: &[&str]) -> Vec<Option<usize>> {
        let urls: Vec<SecretUrl> =
            urls.iter().map(|url| RpcAddress::parse(url).unwrap().resolve(|_| None).unwrap()).collect();
        repeats(&urls)
    }

    #[test]
    fn one_endpoint_in_several_spellings_is_one() {
        for other in [
            "https://rpc.example",
            "https://rpc.example/",
            "https://RPC.Example/v2/another-key",
            "https://rpc.example.:443/?key=1",
            "http://rpc.example",
            "https://user:password@rpc.example",
        ] {
            assert_eq!(repeated(&["https://rpc.example/v2/key", other]), [None, Some(0)], "{other}");
        }
        for other in
            ["127.0.0.1", "127.1", "127.8.8.8", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "a.localhost."]
        {
            let other = format!("http://{other}:8545/x");
            assert_eq!(repeated(&["http://localhost:8545", &other]), [None, Some(0)], "{other}");
        }
    }

    #[test]
    fn other_hosts_and_ports_are_others() {
        for other in
            ["https://rpc.example:8443", "https://eu.rpc.example", "https://10.0.0.1", "http://localhost"]
        {
            assert_eq!(repeated(&["https://rpc.example", other]), [None, None], "{other}");
        }
        assert_eq!(
            repeated(&["http://127.0.0.1:1", "http://127.0.0.1:2", "http://[::1]:1"]),
            [None, None, Some(0)]
        );
    }
}
