//! The key that a command was given: a keystore file and its password.

use std::path::Path;

use crate::cli;
use crate::device::{Device, Keystore};
use crate::error::{Error, Exit};
use crate::store;
use crate::ui::Ui;

/// Unlocks the keystore; asks for its password unless a file holds it.
pub fn unlock(ui: &Ui, key: &cli::Key) -> Result<Box<dyn Device>, Error> {
    let path = keystore(key)?;
    let text = store::read_text(path)?;
    let password = match &key.password_file {
        Some(file) => store::read_password(file)?,
        None => ui.password(&format!("password of {}", path.display()), "--password-file FILE")?,
    };
    let unlocked = ui
        .wait("unlocking the keystore", || Keystore::unlock(&text, &password))
        .map_err(|e| Error::from(e).about(&path.display().to_string()))?;
    Ok(Box::new(unlocked))
}

/// The keystore named on the command line.
pub fn keystore(key: &cli::Key) -> Result<&Path, Error> {
    key.keystore
        .as_deref()
        .ok_or_else(|| Error::new(Exit::Usage, "no key is named to sign with").hint("pass --keystore FILE"))
}
