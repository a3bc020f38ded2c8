//! `playbook new`: a first playbook for a function, from signatures, an ABI or a contract on chain.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ValueHint;
use clap_complete::ArgValueCompleter;
use serde_json::json;

use crate::ceremony::contract::Place;
use crate::ceremony::desk::Desk;
use crate::ceremony::order::named_once;
use crate::ceremony::seen_changes::Seen;
use crate::cli::args::{ARGUMENTS, parse_set};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::evm::functions;
use crate::playbook::{DraftError, SeenChange, Signatures, Wanted, draft};
use crate::store;
use crate::ui::{Text, Ui};

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
                None => of_code(&desk, place)?,
            };
            let seen = rehearse(ui, &desk, place, &from, args, &given)?;
            (from, seen)
        }
    };
    let wanted =
        Wanted { id: &args.id, call: &args.call, view: args.view.as_deref(), given: &given, seen: &seen };
    let text = draft(&from, &wanted).map_err(|error| usage(&error))?;
    ui.data_block(&text);
    let seen: Vec<_> = seen
        .iter()
        .map(|change| json!({ "view": change.view.signature_with_outputs(), "before": change.before, "after": change.after }))
        .collect();
    ui.object(&json!({ "id": args.id, "text": text, "seen": seen }));
    ui.say(&Text::new(&format!("save it as playbooks/{}.toml beside the council file, say what is left to say, then: breakglass playbook check playbooks", args.id)));
    Ok(Exit::Done)
}

fn usage(error: &DraftError) -> Error {
    Error::new(Exit::Usage, error.to_string())
}

/// The functions of the code that runs at a place, a proxy's implementation included.
fn of_code(desk: &Desk<'_>, place: Place<'_>) -> Result<Signatures, Error> {
    let codes = desk.code_at(place)?;
    let found = codes.iter().flat_map(|code| functions(code)).collect();
    Ok(Signatures::code(found, desk.catalogue.all().iter().map(|entry| entry.playbook)))
}

/// Says what a rehearsal of the call changes.
fn rehearse(
    ui: &Ui,
    desk: &Desk<'_>,
    place: Place<'_>,
    from: &Signatures,
    args: &Args,
    given: &BTreeMap<String, String>,
) -> Result<Vec<SeenChange>, Error> {
    let function = from.function(&args.call).map_err(|error| usage(&error))?;
    let safe = desk.only_safe(args.safe.as_deref())?;
    if safe.chain != place.chain.name {
        let message =
            format!("{} is on {}, and {} on {}", safe.name, safe.chain, place.address, place.chain.name);
        return Err(Error::new(Exit::Usage, message).hint("name a Safe of that chain with --safe NAME"));
    }
    let (views, nameless) = from.bare_views();
    let Seen { changes, slots } = desk.seen_changes(place, safe, &function, given, &views)?;
    for change in &changes {
        let text = format!("{}: {} → {}", change.view.signature(), change.before, change.after);
        ui.say(&Text::default().good("changes: ").add(&text));
    }
    if changes.is_empty() {
        let text = format!("{slots} slots of the contract change, and no view whose name is known tells it");
        ui.say(&Text::default().warn("! ").add(&text));
    }
    if nameless > 0 {
        let text = format!("{nameless} views were not asked: nobody knows their names; --abi FILE has them");
        ui.say(&Text::default().dim(&text));
    }
    Ok(changes)
}
