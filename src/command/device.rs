//! `device`: is the Ledger ready, and whose keys does it hold?

use std::path::{Path, PathBuf};

use clap_complete::ArgValueCompleter;

use crate::cli::args::DeviceArgs;
use crate::cli::complete;
use crate::device::{DerivationPath, UDEV_RULE_PATH};
use crate::error::{Error, Exit};
use crate::session::machine::device_state::{self, Look};
use crate::session::machine::udev_rule;
use crate::ui::Ui;

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
    device: DeviceArgs,

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
        return device_state::settings(ui);
    }
    let look = match (&args.show_address, &args.verify) {
        (Some(path), _) => Look::Address(path),
        (None, Some(name)) => Look::Signer(name),
        (None, None) => Look::Accounts,
    };
    device_state::run(ui, council, &args.device, look)
}
