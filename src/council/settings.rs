//! A person's own settings, `config.toml`: who they are and where their key and council file lie. They weaken no check.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::device::{DeviceError, KeyName, StatedSettings};
use crate::excerpt::Fault;

/// The person's own settings. The program never changes this file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The person's name in the council file.
    pub me: Option<String>,
    pub key: Option<KeyName>,
    /// The key that pays for gas.
    pub payer: Option<KeyName>,
    /// The council file where none lies here or in a folder above.
    pub council: Option<PathBuf>,
    /// The settings that a Ledger does not tell.
    pub ledger: StatedSettings,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSettings {
    me: Option<String>,
    key: Option<Spanned<String>>,
    payer: Option<Spanned<String>>,
    council: Option<Spanned<String>>,
    #[serde(default)]
    ledger: StatedSettings,
}

impl Settings {
    /// Reads the settings; `home` stands for `~` at the beginning of a path.
    /// The error has the line and the word at fault: bad TOML, an unknown field, a word that names no key, a path that
    /// depends on the working folder.
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
        let key = |written: Spanned<String>| {
            let fault = |why: DeviceError| Fault::at(origin, text, written.span(), why.to_string());
            written.get_ref().parse::<KeyName>().map_err(fault)
        };
        let (key, payer) = (wire.key.map(key).transpose()?, wire.payer.map(key).transpose()?);
        Ok(Self { me: wire.me, key, payer, council, ledger: wire.ledger })
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
        assert_eq!((settings.me.as_deref(), settings.key), (Some("alice"), Some(KeyName::default())));
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
            ("payer = \"tcp://h\"", "config.toml:1:9: \"tcp://h\" is not a Ledger"),
            ("[ledger]\nraw = true", "config.toml:2:1: unknown field `raw`"),
        ] {
            let fault = Settings::parse("config.toml", text, None).unwrap_err().to_string();
            assert!(fault.starts_with(expected) && fault.contains('^'), "{fault}");
        }
    }
}
