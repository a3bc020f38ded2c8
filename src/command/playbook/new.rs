//! `playbook new`: a first playbook for a function, from signatures, an ABI or a contract on chain.

use std::path::{Path, PathBuf};

use clap::ValueHint;
use clap_complete::ArgValueCompleter;

use crate::ceremony::desk::Desk;
use crate::ceremony::order::named_once;
use crate::cli::args::{ARGUMENTS, parse_set};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::playbook::{DraftError, ScaffoldInput, Signatures, draft};
use crate::store;
use crate::ui::{Text, Ui};
use crate::view::playbook_draft;

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

pub fn run(ui: &Ui, council: Option<&Path>, quorum: Option<u8>, args: &Args) -> Result<Exit, Error> {
    let given = named_once(&args.set)?;
    let abi = args.abi.as_ref().map(|path| store::read_text(path)).transpose()?;
    let abi = abi.map(|text| Signatures::abi(&text).map_err(|error| usage(&error))).transpose()?;
    let (from, seen) = match &args.at {
        None => (abi.unwrap_or_else(Signatures::written), Vec::new()),
        Some(contract) => {
            let desk = Desk::load(ui, council)?.with_quorum(quorum);
            let place = desk.place(contract, args.chain.as_deref())?;
            let from = match abi {
                Some(abi) => abi,
                None => desk.signatures_at(place)?,
            };
            let function = from.function(&args.call).map_err(|error| usage(&error))?;
            let (views, nameless) = from.bare_views();
            let safe = desk.only_safe(args.safe.as_deref())?;
            let seen = desk.seen_changes(place, safe, &function, &given, &views)?;
            ui.show(&playbook_draft::changes(&seen, nameless));
            (from, seen.changes)
        }
    };
    let wanted = ScaffoldInput {
        id: &args.id,
        call: &args.call,
        view: args.view.as_deref(),
        given: &given,
        seen: &seen,
    };
    let text = draft(&from, &wanted).map_err(|error| usage(&error))?;
    ui.data_block(&text);
    ui.object(&playbook_draft::object(&args.id, &text, &seen));
    ui.say(&Text::new(&format!("save it as playbooks/{}.toml beside the council file, say what is left to say, then: breakglass playbook check playbooks", args.id)));
    Ok(Exit::Done)
}

fn usage(error: &DraftError) -> Error {
    Error::new(Exit::Usage, error.to_string())
}
