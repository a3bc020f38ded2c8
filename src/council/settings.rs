//! A person's own settings, `config.toml`: who they are and where their key and council file lie. They weaken no check.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::excerpt::Fault;

/// The person's own settings. The program never changes this file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The person's name in the council file.
    pub me: Option<String>,
    /// `ledger`, or a keystore's name or path.
    pub key: Option<String>,
    /// The key that pays for gas, written like `key`.
    pub payer: Option<String>,
    /// The council file where none lies here or in a folder above.
    pub council: Option<PathBuf>,
    pub ledger: LedgerSettings,
}

/// Settings of the Ethereum app that cannot be read from outside; `None` where nothing is stated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerSettings {
    pub raw_messages: Option<bool>,
    pub transaction_hash: Option<bool>,
    pub nonce: Option<bool>,
    pub debug_contracts: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSettings {
    me: Option<String>,
    key: Option<String>,
    payer: Option<String>,
    council: Option<Spanned<String>>,
    #[serde(default)]
    ledger: LedgerSettings,
}

impl Settings {
    /// Reads the settings; `home` stands for `~` at the beginning of a path.
    /// The error has the line and the word at fault: bad TOML, an unknown field, a path that depends on the working
    /// folder.
    pub fn parse(origin: &str, text: &str, home: Option<&Path>) -> Result<Self, Fault> {
        let wire: WireSettings = toml::from_str(text).map_err(|e| Fault::toml(origin, text, &e))?;
        let path = |written: Spanned<String>| {
            let path = match (written.get_ref().strip_prefix("~/"), home) {
                (Some(rest), Some(home)) => home.join(rest),
                _ => PathBuf::from(written.get_ref()),
            };
            let message = "the path must begin with / or ~/: it is the same in every folder";
            if path.is_absolute() { Ok(path) } else { Err(Fault::at(origin, text, written.span(), message)) }
        };
        let council = wire.council.map(path).transpose()?;
        Ok(Self { me: wire.me, key: wire.key, payer: wire.payer, council, ledger: wire.ledger })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_person_writes_and_points_at_what_is_wrong() {
        let text =
            "me = \"alice\" # that is me\nkey = \"ledger\"\ncouncil = \"~/protocol/breakglass.toml\"\n";
        let settings = Settings::parse("config.toml", text, Some(Path::new("/home/alice"))).unwrap();
        assert_eq!(settings.me.as_deref(), Some("alice"));
        assert_eq!(settings.council, Some("/home/alice/protocol/breakglass.toml".into()));
        assert_eq!(Settings::parse("config.toml", "", None).unwrap(), Settings::default());
        let ledger = "[ledger]\nraw_messages = true\ntransaction_hash = false\n";
        let stated = Settings::parse("config.toml", ledger, None).unwrap().ledger;
        assert_eq!(
            (stated.raw_messages, stated.transaction_hash, stated.nonce),
            (Some(true), Some(false), None)
        );
        for (text, expected) in [
            ("me = \"alice\"\nmy = 1", "config.toml:2:1: unknown field `my`"),
            ("council = \"breakglass.toml\"", "config.toml:1:11: the path must begin with / or ~/"),
            ("me = alice", "config.toml:1:6: "),
            ("[ledger]\nraw = true", "config.toml:2:1: unknown field `raw`"),
        ] {
            let fault = Settings::parse("config.toml", text, None).unwrap_err().to_string();
            assert!(fault.starts_with(expected) && fault.contains('^'), "{fault}");
        }
    }
}
