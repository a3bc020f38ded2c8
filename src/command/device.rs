//! `device`: is the Ledger ready, and whose keys does it hold?

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap_complete::ArgValueCompleter;
use serde_json::{Value, json};

use crate::ceremony::desk::Desk;
use crate::ceremony::desk::find_council;
use crate::ceremony::own_settings::stated;
use crate::command::args::Key;
use crate::command::complete;
use crate::device::{
    Account, DerivationPath, DeviceError, Ledger, Prediction, SearchPaths, Settings, UDEV_RULE,
    UDEV_RULE_PATH, address_pages,
};
use crate::error::{Error, Exit};
use crate::session::keys;
use crate::store::{self, SettingsFolder, StoreError};
use crate::ui::{Text, Ui};
use crate::view::ledger_pages;

const EXAMPLES: &str = "\
Examples:
  breakglass device
  breakglass device --verify alice
  breakglass device --settings
  sudo breakglass device --install-udev";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    key: Key,

    /// Show the address at a derivation path on the device
    #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = "m/44'/60'/0'/0/0")]
    show_address: Option<DerivationPath>,

    /// Show a signer's address on the device, and compare it
    ///
    /// It is compared with the address that the council file has for the signer.
    #[arg(
        long, value_name = "NAME", conflicts_with = "show_address", add = ArgValueCompleter::new(complete::signers)
    )]
    verify: Option<String>,

    /// Say what to set in the Ethereum app, and how to state it
    #[arg(long, conflicts_with_all = ["show_address", "verify"])]
    settings: bool,

    /// Print the rule by which Linux lets a user open a Ledger
    #[arg(long, conflicts_with = "show_address")]
    udev: bool,

    /// Install that rule, as root
    ///
    /// FILE where the system keeps its udev rules elsewhere.
    #[arg(
        long, value_name = "FILE", num_args = 0..=1, default_missing_value = UDEV_RULE_PATH,
        conflicts_with_all = ["show_address", "udev"]
    )]
    install_udev: Option<PathBuf>,
}

pub fn run(ui: &Ui, council: Option<&Path>, args: &Args) -> Result<Exit, Error> {
    if args.udev {
        let text = format!("put it there: breakglass device --udev | sudo tee {UDEV_RULE_PATH}");
        ui.say(&Text::new(&text));
        ui.script(UDEV_RULE);
        return Ok(Exit::Done);
    }
    if let Some(path) = &args.install_udev {
        return install_udev(ui, path);
    }
    if args.settings {
        return settings(ui);
    }
    let known = council.is_some() || find_council(ui)?.is_some();
    let session = if known { Some(Desk::load(ui, council)?) } else { None };
    let wait = keys::Wait::default();
    let mut ledger = keys::ledger(ui, &args.key, args.key.ledger().unwrap_or("usb"), &wait)?;
    let status = *ledger.status();
    let model = status.model.map_or("unknown over TCP".to_string(), |m| m.to_string());
    ui.say(&Text::default().bold("Ledger ").add(&format!("{model}, Ethereum app {}", status.version)));
    let blind = if status.blind_signing { "on" } else { "off" };
    ui.say(&Text::new(&format!("Blind signing is {blind}")));
    ui.say(&Text::default().dim("  → ").add(status.advice()));
    if let Some(path) = &args.show_address {
        let address = wait.during(|| ledger.address_at(path))?;
        let account = Account { path: path.clone(), address };
        return show_address(ui, &mut ledger, &wait, &account);
    }
    if let Some(name) = &args.verify {
        let session = session.as_ref().ok_or_else(|| {
            Error::new(Exit::Usage, "--verify needs a council file").hint("pass --council FILE")
        })?;
        let address = keys::signer(&session.council, name)?;
        let paths = keys::paths(&session.council)?;
        let found = wait.during(|| ledger.find(&paths, &[address]))?;
        let account =
            Account { path: found.into_iter().next().map(|one| one.path).unwrap_or_default(), address };
        ui.say(&Text::new(&format!(
            "{name} is {address} in {}, at {}",
            session.path.display(),
            account.path
        )));
        return show_address(ui, &mut ledger, &wait, &account);
    }
    let paths = match &session {
        Some(session) => keys::paths(&session.council)?,
        None => SearchPaths::default(),
    };
    let mut rows = Vec::new();
    let mut objects: Vec<Value> = Vec::new();
    for account in wait.during(|| ledger.accounts(&paths))? {
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

/// The pages first; then the device shows the address, and its person says yes or no there.
fn show_address(ui: &Ui, ledger: &mut Ledger, wait: &keys::Wait, account: &Account) -> Result<Exit, Error> {
    let status = *ledger.status();
    let pages = address_pages(&status, account.address);
    let predicted = [Prediction { settings: Settings::default(), pages }];
    ui.show(&ledger_pages::lines(
        &status,
        account.address,
        "confirm only if every character is the same",
        &predicted,
    ));
    let address = wait.during(|| ledger.show_address(&account.path))?;
    if address != account.address {
        let (path, expected) = (account.path.clone(), account.address);
        return Err(DeviceError::WrongAddress { path, expected, found: address }.into());
    }
    ui.say(&Text::default().good("confirmed ").add("on the Ledger"));
    ui.data(&address.to_string());
    ui.object(&json!({ "path": account.path.to_string(), "address": address.to_string(), "shown": true }));
    Ok(Exit::Done)
}

/// Says what to set on the device, and the lines by which the person states it: the app does not tell.
fn settings(ui: &Ui) -> Result<Exit, Error> {
    let stated = stated(ui)?;
    ui.say(&Text::default().bold("In the Ethereum app's settings, for signing as an owner:"));
    for line in [
        "Raw messages on        the Ledger shows every field",
        "Blind signing off      on only while it pays for gas, or for --hashes",
        "Transaction hash on    it shows both hashes too: they commit to every byte",
        "Nonce, Debug contracts as you like; with Debug contracts on, paying for gas takes about 70 pages",
    ] {
        ui.say(&Text::new(&format!("  {line}")));
    }
    let path =
        SettingsFolder::find().map_or_else(String::new, |folder| folder.config_path().display().to_string());
    ui.say(&Text::new(&format!("State what yours is set to in {path}, so that the review predicts by it:")));
    ui.data("[ledger]");
    for (name, said, recommended) in [
        ("raw_messages", stated.raw_messages, true),
        ("transaction_hash", stated.transaction_hash, true),
        ("nonce", stated.nonce, false),
        ("debug_contracts", stated.debug_contracts, false),
    ] {
        ui.data(&format!("{name} = {}", said.unwrap_or(recommended)));
    }
    ui.object(&json!({
        "file": path, "raw_messages": stated.raw_messages, "transaction_hash": stated.transaction_hash,
        "nonce": stated.nonce, "debug_contracts": stated.debug_contracts,
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
