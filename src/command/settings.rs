//! The reader's own settings, and what they accepted. Where either cannot be read, it is said, and nobody is stopped.

use crate::council::{Pins, Settings};
use crate::device::StatedSettings;
use crate::error::Error;
use crate::store::{SettingsFolder, home};
use crate::ui::{Text, Ui};

/// The reader's own settings; none where they cannot be read, which is said.
pub fn settings(ui: &Ui) -> Result<Settings, Error> {
    let Some(folder) = SettingsFolder::find() else { return Ok(Settings::default()) };
    match folder.config() {
        Ok(None) => Ok(Settings::default()),
        Ok(Some(text)) => {
            let origin = folder.config_path().display().to_string();
            Ok(Settings::parse(&origin, &text, home().as_deref())?)
        }
        Err(error) => {
            ui.say_once(&Text::default().warn("your settings are not used: ").add(&error.to_string()));
            Ok(Settings::default())
        }
    }
}

/// What the reader's Ledger is set to, as far as they state it.
pub fn stated(ui: &Ui) -> Result<StatedSettings, Error> {
    let of = settings(ui)?.ledger;
    Ok(StatedSettings {
        raw_messages: of.raw_messages,
        transaction_hash: of.transaction_hash,
        nonce: of.nonce,
        debug_contracts: of.debug_contracts,
    })
}

/// What the reader accepted before; nothing where it cannot be read, which is said.
pub fn pins(ui: &Ui, folder: Option<&SettingsFolder>) -> Result<Pins, Error> {
    let loud = |why: &str| {
        let text =
            format!("what you accepted before cannot be read: {why}. Everything counts as a first use");
        ui.say_once(&Text::default().bad("! ").bold(&text));
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
