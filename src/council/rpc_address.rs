//! The address of an RPC endpoint, which may hold a key: it can be used, and shown only without the key.

use std::fmt;

use url::Url;
use zeroize::Zeroizing;

use crate::excerpt::hide_urls;

/// An RPC address as the council file writes it: the address itself, or the one variable that holds all of it. A
/// variable inside an address would send any secret of the reader's shell to the host that the file names.
#[derive(Clone, PartialEq, Eq)]
pub struct RpcAddress(AddressForm);

#[derive(Clone, PartialEq, Eq)]
enum AddressForm {
    Literal(String),
    Variable(String),
}

/// An address ready for use. Neither `Debug` nor `Display` shows more than the host, or the variable it came from.
#[derive(Clone, derive_more::Display)]
#[display("{shown}")]
pub struct SecretUrl {
    url: Zeroizing<String>,
    shown: String,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RpcAddressError {
    #[error("the environment variable {0} is not set")]
    Unset(String),
    #[error(
        "RPC address {shown}: a variable stands for the whole address, never for a part of it; write \"${{{name}}}\" \
         and set {name} to the whole address"
    )]
    Part { shown: String, name: String },
    #[error("RPC address {0} does not begin with http:// or https:// and a host")]
    Scheme(String),
    #[error("the environment variable {0} does not hold an http:// or https:// address")]
    Value(String),
    #[error("the RPC address {0} may hold a key, and would be written to a file")]
    HoldsKey(String),
}

impl RpcAddress {
    /// Reads an address, or `${NAME}` alone.
    /// Fails if a variable is only a part of it, or it is not an HTTP address.
    pub fn parse(text: &str) -> Result<Self, RpcAddressError> {
        if let Some(name) = text.strip_prefix("${").and_then(|t| t.strip_suffix('}')).filter(|n| is_name(n)) {
            return Ok(Self(AddressForm::Variable(name.into())));
        }
        if text.contains('$') {
            // Braces would end what is taken for the address, and show the rest.
            let shown = Self(AddressForm::Literal(text.replace(['{', '}'], ""))).to_string();
            return Err(RpcAddressError::Part { shown, name: variable_in(text) });
        }
        let address = Self(AddressForm::Literal(text.into()));
        if is_http(text) { Ok(address) } else { Err(RpcAddressError::Scheme(address.to_string())) }
    }

    /// Reads an address that goes into the council file as it is.
    /// Fails if it is none, or may hold a key.
    pub fn without_key(text: &str) -> Result<Self, RpcAddressError> {
        let address = Self::parse(text)?;
        let shown = hide_urls(text);
        let is_whole = matches!(address.0, AddressForm::Variable(_)) || shown == text.trim_end_matches('/');
        if is_whole { Ok(address) } else { Err(RpcAddressError::HoldsKey(shown)) }
    }

    /// The address itself; `env` gives a variable's value.
    /// Fails if the variable is not set, or does not hold an HTTP address.
    pub fn resolve(&self, env: impl Fn(&str) -> Option<String>) -> Result<SecretUrl, RpcAddressError> {
        let url = match &self.0 {
            AddressForm::Literal(text) => Zeroizing::new(text.clone()),
            AddressForm::Variable(name) => {
                let value = env(name).filter(|v| !v.is_empty()).map(Zeroizing::new);
                let value = value.ok_or_else(|| RpcAddressError::Unset(name.clone()))?;
                if !is_http(&value) {
                    return Err(RpcAddressError::Value(name.clone()));
                }
                value
            }
        };
        Ok(SecretUrl { url, shown: self.to_string() })
    }
}

fn is_http(text: &str) -> bool {
    let scheme = text.starts_with("http://") || text.starts_with("https://");
    scheme && Url::parse(text).is_ok_and(|url| url.has_host())
}

/// A variable's name as a shell allows it.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The name that stands behind the first `$`, or one to propose where none can be read.
fn variable_in(text: &str) -> String {
    let rest = text.split_once('$').map_or("", |(_, rest)| rest).trim_start_matches('{');
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let name = &rest[..end];
    if is_name(name) && name.len() <= 50 { name.into() } else { "MAINNET_RPC".into() }
}

impl fmt::Display for RpcAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            AddressForm::Variable(name) => write!(f, "${{{name}}}"),
            AddressForm::Literal(text) if text.contains("://") => f.write_str(&hide_urls(text)),
            // A text without a scheme may be an address all the same, key included.
            AddressForm::Literal(_) => f.write_str("… (not shown: it may hold a key)"),
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
    pub fn expose(&self) -> &str {
        &self.url
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
        let values = [("URL", "https://h.example/v2/SECRET"), ("KEY", "SECRET"), ("FTP", "ftp://h/SECRET")];
        values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
    }

    #[test]
    fn a_key_can_be_used_and_never_seen() {
        for text in ["${URL}", "https://h.example/v2/SECRET"] {
            let address = RpcAddress::parse(text).unwrap();
            let url = address.resolve(env).unwrap();
            assert_eq!(url.expose(), "https://h.example/v2/SECRET");
            let seen = format!("{url} {url:?} {address:?}");
            assert!(!seen.contains("SECRET"), "{seen}");
        }
    }

    /// Any variable of the shell would go to whatever host the file names.
    #[test]
    fn a_variable_inside_an_address_is_refused_with_the_way_to_write_it() {
        for text in [
            "https://evil.example/${AWS_SECRET}",
            "https://evil.example/${AWS_SECRET",
            "https://evil.example/$AWS_SECRET",
            "https://${AWS_SECRET}.evil.example",
            "http://u:${AWS_SECRET}@evil.example",
            "${AWS_SECRET}/v2",
            "${AWS_SECRET}${OTHER}",
            " ${AWS_SECRET}",
        ] {
            let fault = RpcAddress::parse(text).unwrap_err().to_string();
            assert!(
                fault.contains("write \"${AWS_SECRET}\" and set AWS_SECRET to the whole address"),
                "{fault}"
            );
        }
        for text in ["https://h/${}", "https://h/${1}", "${A B}"] {
            assert!(matches!(RpcAddress::parse(text), Err(RpcAddressError::Part { .. })), "{text}");
        }
        let fault = RpcAddress::parse("https://h/${KEY}/SECRET").unwrap_err().to_string();
        assert!(!fault.contains("SECRET"), "{fault}");
    }

    #[test]
    fn an_address_that_may_hold_a_key_is_not_for_a_file() {
        for text in ["${URL}", "https://h.example", "https://h.example/", "http://127.0.0.1:8545"] {
            assert!(RpcAddress::without_key(text).is_ok(), "{text}");
        }
        for text in ["https://h.example/v2/SECRET", "https://u:SECRET@h.example", "https://h/?key=SECRET"] {
            let fault = RpcAddress::without_key(text).unwrap_err();
            assert!(matches!(fault, RpcAddressError::HoldsKey(_)), "{text}");
            assert!(!fault.to_string().contains("SECRET"), "{fault}");
        }
    }

    #[test]
    fn an_unusable_address_is_named_and_its_key_is_not_shown() {
        let fault = |text: &str| RpcAddress::parse(text).and_then(|a| a.resolve(env)).unwrap_err();
        assert_eq!(fault("${NO_SUCH}"), RpcAddressError::Unset("NO_SUCH".into()));
        assert_eq!(fault("${KEY}"), RpcAddressError::Value("KEY".into()));
        assert_eq!(fault("${FTP}"), RpcAddressError::Value("FTP".into()));
        for text in [
            "ftp://h/SECRET",
            "h.example/v2/SECRET",
            "https:/h/SECRET",
            "SECRET",
            "http:///",
            "http://[/SECRET",
        ] {
            let fault = fault(text);
            assert!(matches!(fault, RpcAddressError::Scheme(_)), "{text}");
            assert!(!fault.to_string().contains("SECRET"), "{fault}");
        }
    }
}
