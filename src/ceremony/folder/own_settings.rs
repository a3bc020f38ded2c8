//! The reader's own settings and accepted texts. If either cannot be read, that is reported, and the command goes on.

use crate::council::{Pins, Settings};
use crate::device::{DeviceError, KeyName};
use crate::error::{Error, Exit};
use crate::progress::{Progress, Tone};
use crate::store::{SettingsFolder, home, variable};

/// Returns the reader's own settings: each from the environment, or else from their file.
pub fn settings(progress: &dyn Progress) -> Result<Settings, Error> {
    settings_of(progress, SettingsFolder::find().as_ref(), variable)
}

/// Returns the settings of a folder and of these variables.
pub fn settings_of(
    progress: &dyn Progress,
    folder: Option<&SettingsFolder>,
    variable: fn(&str) -> Option<String>,
) -> Result<Settings, Error> {
    let Settings { me, key, payer, council, ledger } = written(progress, folder)?;
    let or = |name: &str, written| named_key(name, variable(name).as_deref()).map(|named| named.or(written));
    let (key, payer) = (or("BREAKGLASS_KEY", key)?, or("BREAKGLASS_PAYER", payer)?);
    Ok(Settings { me: variable("BREAKGLASS_ME").or(me), key, payer, council, ledger })
}

/// Returns the key that the word of this variable names, if there is one.
fn named_key(variable: &str, word: Option<&str>) -> Result<Option<KeyName>, Error> {
    let bad = |why: DeviceError| Error::new(Exit::Usage, format!("{variable}: {why}"));
    word.map(str::parse).transpose().map_err(bad)
}

/// Returns the settings of the file; the defaults if it cannot be read, which is reported.
fn written(progress: &dyn Progress, folder: Option<&SettingsFolder>) -> Result<Settings, Error> {
    let Some(folder) = folder else { return Ok(Settings::default()) };
    match folder.config() {
        Ok(None) => Ok(Settings::default()),
        Ok(Some(text)) => {
            let origin = folder.config_path().display().to_string();
            Ok(Settings::parse(&origin, &text, home().as_deref())?)
        }
        Err(error) => {
            progress.tell_once(Tone::Warn, "your settings are not used: ", &error.to_string());
            Ok(Settings::default())
        }
    }
}

/// Returns what the reader accepted before; empty if it cannot be read, which is reported.
pub fn pins(progress: &dyn Progress, folder: Option<&SettingsFolder>) -> Result<Pins, Error> {
    let loud = |why: &str| {
        let text =
            format!("what you accepted before cannot be read: {why}. Everything counts as a first use");
        progress.tell_once(Tone::Bad, "! ", &text);
        Pins::default()
    };
    let Some(folder) = folder else { return Ok(loud("neither HOME nor XDG_CONFIG_HOME is set")) };
    let mut pins = Pins::default();
    match folder.acceptances() {
        Ok(files) => {
            for (path, text) in files {
                pins.read(&path.display().to_string(), &text).map_err(|fault| {
                    Error::from(fault).hint("or move that file away: what it says is then forgotten")
                })?;
            }
            Ok(pins)
        }
        Err(error) => Ok(loud(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::ceremony::tests::Home;

    #[test]
    fn a_variable_that_names_no_key_is_a_usage_error() {
        assert_eq!(named_key("KEY", None).unwrap(), None);
        assert_eq!(named_key("KEY", Some("ledger")).unwrap(), Some(KeyName::default()));
        let bad = named_key("KEY", Some("tcp://h")).unwrap_err();
        assert!(bad.exit == Exit::Usage && bad.message.starts_with("KEY: \"tcp://h\""), "{bad}");
    }

    #[test]
    fn settings_come_from_the_file_or_are_the_defaults() {
        let home = Home::new();
        let (desk, folder) = (home.desk(), SettingsFolder::below(home.path()));
        let me = |folder: Option<&SettingsFolder>| written(desk.progress, folder).map(|settings| settings.me);
        assert_eq!(me(None).unwrap(), None);
        assert_eq!(me(Some(&folder)).unwrap(), None);
        let path = folder.config_path();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "me = \"alice\"\n").unwrap();
        assert_eq!(me(Some(&folder)).unwrap().as_deref(), Some("alice"));
        let of = |variable| settings_of(desk.progress, Some(&folder), variable).unwrap();
        assert_eq!(
            of(|name| Some(format!("{name} by a variable"))).me.unwrap(),
            "BREAKGLASS_ME by a variable"
        );
        assert_eq!(of(|_| None).me.unwrap(), "alice");
        fs::write(&path, "mee = \"alice\"\n").unwrap();
        assert!(me(Some(&folder)).is_err(), "a mistake is not passed over");
        assert!(home.heard().is_empty());
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(me(Some(&folder)).unwrap(), None);
        assert!(home.heard()[0].starts_with("your settings are not used: "));
    }
}
