//! `playbook new`: a first playbook for a function, from signatures, an ABI or a contract on chain.

use std::path::PathBuf;

use clap::ValueHint;
use clap_complete::ArgValueCompleter;

use crate::cli::args::{ARGUMENTS, parse_set};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::session::Session;
use crate::session::authoring::playbook_acts::{self, ContractOnChain, DraftTerms};
use crate::ui::Ui;

const EXAMPLES: &str = "\
Examples:
  breakglass playbook new pause/my-vault --call 'pause()' \\
    --view 'paused()(bool)' > playbooks/my-vault.toml
  breakglass playbook new param/cap --call 'setCap(address asset,uint256 cap)' \\
    --view 'capOf(address asset)(uint256)'
  breakglass playbook new pause/my-vault --at vault --call pause";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// The id, such as pause/my-vault: kind, and a name
    #[arg(help_heading = ARGUMENTS)]
    id: String,

    /// The function to call
    ///
    /// A signature such as "pause()"; with --abi its name; with --at its name or selector, where the library knows it.
    #[arg(long, value_name = "FUNCTION")]
    call: String,

    /// The view that proves it
    ///
    /// Such as "paused()(bool)"; with --abi or --at its name. What it is asked with are the call's own arguments where one
    /// fits, else params of its own. With --at it may be left out.
    #[arg(long, value_name = "VIEW", required_unless_present = "at")]
    view: Option<String>,

    /// The contract's ABI as JSON
    ///
    /// Or an artifact with a field "abi".
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    abi: Option<PathBuf>,

    /// The contract on chain: an address, or a target
    ///
    /// Its functions are read from its code. The call is rehearsed from the Safe on a fork; the views that tell another value
    /// afterwards are offered as checks before and after it.
    #[arg(long, value_name = "CONTRACT", add = ArgValueCompleter::new(complete::targets))]
    at: Option<String>,

    /// The chain of --at [default: the only one it can be]
    #[arg(long, value_name = "NAME", requires = "at", add = ArgValueCompleter::new(complete::chains))]
    chain: Option<String>,

    /// The Safe that calls it in the rehearsal [default: the only one]
    #[arg(long, value_name = "NAME", requires = "at", add = ArgValueCompleter::new(complete::safes))]
    safe: Option<String>,

    /// An argument of the call in the rehearsal; may be given again
    #[arg(long, value_name = "NAME=VALUE", requires = "at", value_parser = parse_set)]
    set: Vec<(String, String)>,
}

pub fn run<'a>(
    ui: &Ui,
    session: impl FnOnce() -> Result<Session<'a>, Error>,
    args: &Args,
) -> Result<Exit, Error> {
    let terms = DraftTerms {
        id: &args.id,
        call: &args.call,
        view: args.view.as_deref(),
        abi: args.abi.as_deref(),
        set: &args.set,
    };
    let Some(contract) = &args.at else { return playbook_acts::new(ui, &terms, None) };
    let (chain, safe) = (args.chain.as_deref(), args.safe.as_deref());
    playbook_acts::new(ui, &terms, Some(&ContractOnChain { session: session()?, contract, chain, safe }))
}
