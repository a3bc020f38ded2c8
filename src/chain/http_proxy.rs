//! The proxy that stands between this machine and an endpoint, where the environment names one.

use hyper_util::client::proxy::matcher::Matcher;
use url::{Host, Url};

use crate::council::SecretUrl;

/// The host and port of the proxy that requests to this address go through, without its credentials. `None` if they go
/// there directly: no proxy is named, `NO_PROXY` excepts the address, or it is on this machine.
pub fn proxy_of(url: &SecretUrl) -> Option<String> {
    // The rules of the HTTP client itself: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in either case.
    proxy_for(&Matcher::from_system(), url.expose())
}

fn proxy_for(rules: &Matcher, url: &str) -> Option<String> {
    if is_here(&Url::parse(url).ok()?) {
        return None;
    }
    let proxy = rules.intercept(&url.parse().ok()?)?;
    let (host, port) = (proxy.uri().host()?, proxy.uri().port_u16());
    Some(port.map_or_else(|| host.to_string(), |port| format!("{host}:{port}")))
}

/// Returns `true` for an address on this machine: no proxy could reach it.
pub(super) fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_by_its_host_alone_and_only_where_it_is_used() {
        let rules = Matcher::builder()
            .http("http://user:SECRET@plain.example:3128")
            .https("http://user:SECRET@secure.example")
            .no("direct.example,10.0.0.0/8")
            .build();
        for (url, proxy) in [
            ("http://h.example/v2/KEY", Some("plain.example:3128")),
            ("https://h.example/v2/KEY", Some("secure.example")),
            ("https://direct.example/v2/KEY", None),
            ("https://below.direct.example", None),
            ("http://10.1.2.3:8545", None),
            ("http://127.0.0.1:8545", None),
            ("http://localhost:8545", None),
            ("http://[::1]:8545", None),
        ] {
            assert_eq!(proxy_for(&rules, url).as_deref(), proxy, "{url}");
        }
        assert_eq!(proxy_for(&Matcher::builder().build(), "https://h.example"), None);
    }
}
