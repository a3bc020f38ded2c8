//! The rule by which Linux lets a user open a Ledger: printed, or installed.

use std::io::ErrorKind;
use std::path::Path;

use crate::device::{UDEV_RULE, UDEV_RULE_PATH};
use crate::error::{Error, Exit};
use crate::store::{self, StoreError};
use crate::ui::{Text, Ui};

pub fn print(ui: &Ui) -> Exit {
    let text = format!("put it there: breakglass device --udev | sudo tee {UDEV_RULE_PATH}");
    ui.say(&Text::new(&text));
    ui.script(UDEV_RULE);
    Exit::Done
}

/// Writes the rule, and says what it is and what to do then. A file that says the same is left as it is.
/// Fails if this user may not write there, or another rule is there.
pub fn install(ui: &Ui, path: &Path) -> Result<Exit, Error> {
    let shown = path.display();
    ui.say(&Text::new(&format!("writing to {shown}, so that the user of this machine may open a Ledger:")));
    for line in Text::block(UDEV_RULE) {
        ui.say(&Text::new("  ").then(line));
    }
    match store::keep_new(path, UDEV_RULE).and_then(|()| store::let_all_read(path)) {
        Ok(()) => {}
        Err(StoreError::Write { error, .. }) if error.kind() == ErrorKind::PermissionDenied => {
            return Err(Error::new(Exit::Failed, format!("this user may not write {shown}"))
                .hint(format!("run it as root, or: breakglass device --udev | sudo tee {UDEV_RULE_PATH}")));
        }
        Err(StoreError::Exists { .. }) => {
            return Err(Error::new(Exit::Failed, format!("{shown} has another rule"))
                .hint("look at it; move it away, or add the lines above to it"));
        }
        Err(other) => return Err(other.into()),
    }
    ui.say(&Text::default().good("installed ").add("now unplug the Ledger and plug it in again"));
    ui.field("installed", &shown.to_string());
    Ok(Exit::Done)
}
