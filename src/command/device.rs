//! `device`: is the Ledger ready, and whose keys does it hold?

use std::path::{Path, PathBuf};

use clap_complete::ArgValueCompleter;

use crate::ceremony::desk::{Desk, find_council};
use crate::ceremony::own_settings::stated;
use crate::cli::args::KeyArgs;
use crate::cli::complete;
use crate::device::{DerivationPath, LedgerAccount, SearchPaths, UDEV_RULE_PATH};
use crate::error::{Error, Exit};
use crate::session::keys;
use crate::session::{address_on_ledger, udev_rule};
use crate::store::SettingsFolder;
use crate::ui::{Text, Ui};
use crate::view::ledger_state::{self, LedgerState, SettingsObject};

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
    key: KeyArgs,

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
        return Ok(udev_rule::print(ui));
    }
    if let Some(path) = &args.install_udev {
        return udev_rule::install(ui, path);
    }
    if args.settings {
        return settings(ui);
    }
    let known = council.is_some() || find_council(ui)?.is_some();
    let desk = if known { Some(Desk::load(ui, council)?) } else { None };
    let wait = keys::Wait::default();
    let mut ledger = keys::ledger(ui, &args.key, args.key.ledger().unwrap_or("usb"), &wait)?;
    ui.show(&ledger_state::lines(ledger.status()));
    if let Some(path) = &args.show_address {
        let address = wait.during(|| ledger.address_at(path))?;
        return address_on_ledger::show(
            ui,
            &mut ledger,
            &wait,
            &LedgerAccount { path: path.clone(), address },
        );
    }
    let paths =
        desk.as_ref().map_or_else(|| Ok(SearchPaths::default()), |desk| keys::paths(&desk.council))?;
    if let Some(name) = &args.verify {
        let desk = desk.as_ref().ok_or_else(|| {
            Error::new(Exit::Usage, "--verify needs a council file").hint("pass --council FILE")
        })?;
        let address = keys::signer(&desk.council, name)?;
        let found = wait.during(|| ledger.find(&paths, &[address]))?;
        let path = found.into_iter().next().map(|one| one.path).unwrap_or_default();
        ui.say(&Text::new(&format!("{name} is {address} in {}, at {path}", desk.path.display())));
        return address_on_ledger::show(ui, &mut ledger, &wait, &LedgerAccount { path, address });
    }
    let accounts = wait.during(|| ledger.accounts(&paths))?;
    let state = LedgerState::new(ledger.status(), &accounts, desk.as_ref().map(|desk| &desk.council));
    ui.table(&ledger_state::HEADER, &state.rows());
    ui.object(&state);
    Ok(Exit::Done)
}

/// Says what to set on the device, and the lines by which the person states it: the app does not tell.
fn settings(ui: &Ui) -> Result<Exit, Error> {
    let stated = stated(ui)?;
    let path =
        SettingsFolder::find().map_or_else(String::new, |folder| folder.config_path().display().to_string());
    ui.show(&ledger_state::advice_on_settings(&path));
    ui.data_block(&ledger_state::settings_to_state(stated));
    ui.object(&SettingsObject::new(&path, stated));
    Ok(Exit::Done)
}
