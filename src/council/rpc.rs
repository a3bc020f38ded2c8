//! The address of an RPC endpoint, which may hold a key: it can be used, and shown only without the key.

use std::fmt;

use zeroize::Zeroizing;

use crate::excerpt::hide_urls;

/// An RPC address as the council file writes it, `${NAME}` not yet replaced.
#[derive(Clone, PartialEq, Eq)]
pub struct RpcAddress(String);

/// An address ready for use. Neither `Debug` nor `Display` shows more than the host, or the variable it came from.
#[derive(Clone)]
pub struct SecretUrl {
    url: Zeroizing<String>,
    shown: String,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RpcAddressError {
    #[error("the environment variable {0} is not set")]
    Unset(String),
    #[error("RPC address {0}: a ${{ is never closed")]
    Unclosed(String),
    #[error("RPC address {0} does not begin with http:// or https://")]
    Scheme(String),
}

impl RpcAddress {
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Replaces each `${NAME}` by what `env` answers.
    ///
    /// # Errors
    /// When a variable is not set or the result is no HTTP address.
    pub fn resolve(&self, env: impl Fn(&str) -> Option<String>) -> Result<SecretUrl, RpcAddressError> {
        let mut url = Zeroizing::new(String::new());
        let mut rest = self.0.as_str();
        while let Some((head, tail)) = rest.split_once("${") {
            let (name, tail) =
                tail.split_once('}').ok_or_else(|| RpcAddressError::Unclosed(self.to_string()))?;
            let value = env(name).filter(|v| !v.is_empty());
            url.push_str(head);
            url.push_str(&value.ok_or_else(|| RpcAddressError::Unset(name.into()))?);
            rest = tail;
        }
        url.push_str(rest);
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(RpcAddressError::Scheme(self.to_string()));
        }
        Ok(SecretUrl { url, shown: self.to_string() })
    }
}

impl fmt::Display for RpcAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What has no scheme may be an address all the same, key included.
        if self.0.contains("://") {
            return f.write_str(&hide_urls(&self.0));
        }
        match self.0.split_once('}') {
            Some((name, rest)) if name.starts_with("${") => {
                write!(f, "{name}}}{}", if rest.is_empty() { "" } else { "/…" })
            }
            _ => f.write_str("… (not shown: it may hold a key)"),
        }
    }
}

impl fmt::Debug for RpcAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl SecretUrl {
    /// The whole address, key included: for the client that opens the connection and for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.url
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        (name == "KEY").then(|| "SECRET".into())
    }

    #[test]
    fn a_key_can_be_used_and_never_seen() {
        for text in ["https://h.example/v2/${KEY}", "https://h.example/v2/SECRET"] {
            let url = RpcAddress::new(text).resolve(env).unwrap();
            assert_eq!(url.expose(), "https://h.example/v2/SECRET");
            let seen = format!("{url} {url:?} {:?}", RpcAddress::new(text));
            assert!(!seen.contains("SECRET"), "{seen}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let fault = |text: &str| RpcAddress::new(text).resolve(env).unwrap_err();
        assert_eq!(fault("${NO_SUCH}"), RpcAddressError::Unset("NO_SUCH".into()));
        assert!(matches!(fault("https://h/${KEY"), RpcAddressError::Unclosed(_)));
        for text in ["ftp://h/SECRET", "h.example/v2/SECRET", "https:/h/SECRET", "SECRET", "${KEY}/SECRET"] {
            assert!(!fault(text).to_string().contains("SECRET"), "{text}");
        }
    }
}
