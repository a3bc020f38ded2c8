//! `device`: is the Ledger ready, and whose keys does it hold?

use std::io::ErrorKind;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli;
use crate::command::key;
use crate::command::session::{Session, find_council};
use crate::device::{DerivationPath, UDEV_RULE, UDEV_RULE_PATH};
use crate::error::{Error, Exit};
use crate::store::{self, StoreError};
use crate::ui::{Text, Ui};

pub fn run(ui: &Ui, council: Option<&Path>, args: &cli::Device) -> Result<Exit, Error> {
    if args.udev {
        let text = format!("put it there: breakglass device --udev | sudo tee {UDEV_RULE_PATH}");
        ui.say(&Text::new(&text));
        ui.script(UDEV_RULE);
        return Ok(Exit::Done);
    }
    if let Some(path) = &args.install_udev {
        return install_udev(ui, path);
    }
    let known = council.is_some() || find_council(ui)?.is_some();
    let session = if known { Some(Session::load(ui, council)?) } else { None };
    let wait = key::Wait::default();
    let mut ledger = key::ledger(ui, &args.key, args.key.ledger().unwrap_or("usb"), &wait)?;
    let status = *ledger.status();
    let model = status.model.map_or("unknown over TCP".to_string(), |m| m.to_string());
    ui.say(&Text::default().bold("Ledger ").add(&format!("{model}, Ethereum app {}", status.version)));
    let blind = if status.blind_signing { "on" } else { "off" };
    ui.say(&Text::new(&format!("Blind signing is {blind}")));
    ui.say(&Text::default().dim("  → ").add(status.advice()));
    if let Some(path) = &args.show_address {
        let address = wait.during(|| ledger.show_address(path))?;
        ui.data(&address.to_string());
        ui.object(&json!({ "path": path.to_string(), "address": address.to_string(), "shown": true }));
        return Ok(Exit::Done);
    }
    let paths = match &session {
        Some(session) => key::paths(&session.council)?,
        None => DerivationPath::search_order(),
    };
    let mut rows = Vec::new();
    let mut objects: Vec<Value> = Vec::new();
    for account in ledger.accounts(&paths)? {
        let council = session.as_ref().map(|s| &s.council);
        let signer = council.and_then(|c| c.signers.values().find(|s| s.address == account.address));
        let safes: Vec<String> = council
            .into_iter()
            .flat_map(|c| c.safes.values())
            .filter(|s| s.owners.as_ref().is_some_and(|o| o.contains(account.address)))
            .map(|s| s.name.clone())
            .collect();
        // Every key that is somebody's, and the first of all: the others say nothing.
        if signer.is_none() && safes.is_empty() && !rows.is_empty() {
            continue;
        }
        let name = signer.map_or(String::new(), |s| s.name.clone());
        objects.push(json!({
            "path": account.path.to_string(), "address": account.address.to_string(), "signer": name, "safes": safes,
        }));
        rows.push(vec![account.path.to_string(), account.address.to_string(), name, safes.join(", ")]);
    }
    ui.table(&["path", "address", "signer", "owner of"], &rows);
    ui.object(&json!({
        "model": model, "app": status.version.to_string(), "blind_signing": status.blind_signing,
        "advice": status.advice(), "accounts": objects,
    }));
    Ok(Exit::Done)
}

/// Writes the rule, and says what it is and what to do then. A file that says the same is left as it is.
fn install_udev(ui: &Ui, path: &Path) -> Result<Exit, Error> {
    ui.say(&Text::new(&format!(
        "writing to {}, so that whoever sits here may open a Ledger:",
        path.display()
    )));
    for line in Text::block(UDEV_RULE) {
        ui.say(&Text::new("  ").then(line));
    }
    match store::keep_new(path, UDEV_RULE).and_then(|()| store::let_all_read(path)) {
        Ok(()) => {}
        Err(StoreError::Write { error, .. }) if error.kind() == ErrorKind::PermissionDenied => {
            return Err(Error::new(Exit::Failed, format!("this user may not write {}", path.display()))
                .hint(format!("run it as root, or: breakglass device --udev | sudo tee {UDEV_RULE_PATH}")));
        }
        Err(StoreError::Exists { .. }) => {
            return Err(Error::new(Exit::Failed, format!("{} has another rule", path.display()))
                .hint("look at it; move it away, or add the lines above to it"));
        }
        Err(other) => return Err(other.into()),
    }
    ui.say(&Text::default().good("installed ").add("now unplug the Ledger and plug it in again"));
    ui.object(&json!({ "installed": path.display().to_string() }));
    Ok(Exit::Done)
}
