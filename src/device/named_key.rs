//! A key that is named and not open yet: by a flag, a setting or a variable of the environment.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use alloy::primitives::Address;
use zeroize::Zeroizing;

use super::ledger::Watcher;
use super::pages::StatedSettings;
use super::plugged::Model;
use super::transport::LedgerLocation;
use super::{DeviceError, Key, Keystore, Ledger};

/// The name of the device that is meant where none is named.
pub const USUAL_DEVICE: &str = Ledger::NAME;

/// A key by its name.
pub type KeyName = NamedKey<PathBuf>;

/// A key that is not open yet. A keystore is a name or path, or its file once it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedKey<File = KeystoreFile> {
    Ledger(LedgerLocation),
    Keystore(File),
}

/// A keystore's file, locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeystoreFile {
    pub path: PathBuf,
    pub text: String,
    /// The address that it states: a claim, until it is unlocked.
    pub stated: Option<Address>,
}

/// The terms on which a key is opened.
pub struct OpenTerms {
    /// The time that a device may take to be ready.
    pub patience: Duration,
    pub watcher: Watcher,
    /// The settings that a device does not tell.
    pub stated: StatedSettings,
}

impl<File> NamedKey<File> {
    /// Returns the name of the device on which its person compares and approves: nothing is asked at the terminal before.
    /// `None` for a key without a screen.
    pub const fn device(&self) -> Option<&'static str> {
        match self {
            Self::Ledger(_) => Some(Ledger::NAME),
            Self::Keystore(_) => None,
        }
    }

    /// Returns it with the device that is meant among several that are plugged in, and an emulator's model.
    #[must_use]
    pub fn on(mut self, which: Option<&str>, emulated: Option<Model>) -> Self {
        match &mut self {
            Self::Ledger(LedgerLocation::Usb { which: one }) => *one = which.map(String::from).or(one.take()),
            Self::Ledger(LedgerLocation::Tcp { model, .. }) => *model = emulated.or(*model),
            Self::Keystore(_) => {}
        }
        self
    }
}

impl KeyName {
    /// Returns it with its file, if it lies in one: `read` finds and reads that.
    pub fn read<E>(self, read: impl FnOnce(&Path) -> Result<KeystoreFile, E>) -> Result<NamedKey, E> {
        Ok(match self {
            Self::Ledger(location) => NamedKey::Ledger(location),
            Self::Keystore(name) => NamedKey::Keystore(read(&name)?),
        })
    }
}

impl Default for KeyName {
    fn default() -> Self {
        Self::Ledger(LedgerLocation::default())
    }
}

impl FromStr for KeyName {
    type Err = DeviceError;

    /// `ledger`, `tcp://HOST:PORT` for an emulator of one, else a keystore's name or path.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "ledger" => Ok(Self::default()),
            _ if word.starts_with("tcp://") => word.parse().map(Self::Ledger),
            _ => Ok(Self::Keystore(word.into())),
        }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger(LedgerLocation::Usb { .. }) => f.write_str("ledger"),
            Self::Ledger(LedgerLocation::Tcp { address, .. }) => write!(f, "tcp://{address}"),
            Self::Keystore(path) => path.display().fmt(f),
        }
    }
}

impl KeystoreFile {
    /// Fails with [`DeviceError::BadKeystore`] for a file that no password could open.
    pub fn new(path: PathBuf, text: String) -> Result<Self, DeviceError> {
        let stated = Keystore::stated(&text)?;
        Ok(Self { path, text, stated })
    }
}

impl NamedKey {
    /// Returns the address that a keystore states. `None` for a device, which says it when asked.
    pub fn stated(&self) -> Option<Address> {
        self.file()?.stated
    }

    /// Returns the file whose password opens it. `None` for a key that needs no password here.
    pub const fn file(&self) -> Option<&KeystoreFile> {
        match self {
            Self::Ledger(_) => None,
            Self::Keystore(file) => Some(file),
        }
    }

    /// Opens the key. The password is that of [`Self::file`].
    /// Fails with [`DeviceError::Several`] if it has to be said which of several devices is meant.
    pub fn open(&self, password: &Zeroizing<String>, terms: OpenTerms) -> Result<Key, DeviceError> {
        let OpenTerms { patience, watcher, stated } = terms;
        Ok(match self {
            Self::Ledger(location) => {
                let mut ledger = Ledger::open(location.clone(), patience, watcher)?;
                ledger.stated = stated;
                Key::Ledger(Box::new(ledger))
            }
            Self::Keystore(file) => Key::Keystore(Keystore::unlock(&file.text, password)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_names_a_ledger_its_emulator_or_a_keystore() {
        let named = |word: &str| word.parse::<KeyName>().unwrap();
        for word in ["ledger", "tcp://127.0.0.1:9999", "alice", "/keys/alice.json"] {
            assert_eq!(named(word).to_string(), word);
        }
        assert_eq!(named("ledger"), KeyName::default());
        assert_eq!((named("tcp://h:1").device(), named("usb").device()), (Some(USUAL_DEVICE), None));
        assert!(matches!("tcp://h".parse::<KeyName>(), Err(DeviceError::BadTarget(_))));
    }

    #[test]
    fn the_one_that_is_meant_and_the_model_of_an_emulator_are_added() {
        let usb =
            |which: Option<&str>| KeyName::Ledger(LedgerLocation::Usb { which: which.map(String::from) });
        assert_eq!(KeyName::default().on(Some("7"), Some(Model::Flex)), usb(Some("7")));
        assert_eq!(usb(Some("7")).on(None, None), usb(Some("7")));
        let address = "h:1".to_string();
        let tcp = KeyName::Ledger(LedgerLocation::Tcp { address, model: Some(Model::Flex) });
        assert_eq!("tcp://h:1".parse::<KeyName>().unwrap().on(Some("7"), Some(Model::Flex)), tcp);
    }
}
