//! `playbook list`, `show`, `check`, `new`, `schema`, `test`.

mod list;
mod new;

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueHint};
use clap_complete::ArgValueCompleter;

use crate::ceremony::desk::Desk;
use crate::cli::args::{ARGUMENTS, parse_set};
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::session::Session;
use crate::session::authoring::playbook_acts::{self, Trying};
use crate::ui::Ui;

#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true, after_help = EXAMPLES)]
pub enum Args {
    /// Find playbooks: all, by a text, or for a contract on chain
    ///
    /// Your council's own first, then the built-in ones by protocol. The undo of a playbook stands beside it.
    List(list::Args),
    /// Explain a playbook, with its parameters and an example lever
    Show(ShowArgs),
    /// Say what is wrong with a playbook file, or with all in a folder
    Check(PlaybookCheckArgs),
    /// Print a first playbook for a function, its checks included
    New(new::Args),
    /// Try a playbook on a fork; nothing is sent
    ///
    /// It is pulled, taken back, and denied to somebody without the role.
    Test(TestArgs),
    /// Print the JSON Schema of a playbook's file, for editors
    #[command(after_help = "Examples:\n  breakglass playbook schema > playbook.schema.json")]
    Schema,
}

const EXAMPLES: &str = "\
Examples:
  breakglass playbook list aave
  breakglass playbook show pause/oz-pausable";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = "Examples:\n  breakglass playbook show pause/oz-pausable")]
pub struct ShowArgs {
    /// The playbook
    #[arg(help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::playbooks))]
    id: String,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = "Examples:\n  breakglass playbook check playbooks")]
pub struct PlaybookCheckArgs {
    /// A file, or a folder; exit code 1 where something is wrong
    #[arg(help_heading = ARGUMENTS, value_hint = ValueHint::AnyPath)]
    path: PathBuf,
}

const TEST_EXAMPLES: &str = "\
Examples:
  breakglass playbook test pause/oz-pausable --set target=vault
  breakglass playbook test playbooks/my-vault.toml --safe guardian";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = TEST_EXAMPLES)]
pub struct TestArgs {
    /// A playbook's id, or a playbook file
    #[arg(help_heading = ARGUMENTS, add = ArgValueCompleter::new(complete::playbooks))]
    what: String,

    /// The Safe that pulls it [default: the only one]
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::safes))]
    safe: Option<String>,

    /// The Safe that takes it back [default: the same]
    #[arg(long, value_name = "NAME", add = ArgValueCompleter::new(complete::safes))]
    undo_safe: Option<String>,

    /// An argument of the playbook; may be given again
    #[arg(
        long, value_name = "NAME=VALUE", value_parser = parse_set, add = ArgValueCompleter::new(complete::arguments)
    )]
    set: Vec<(String, String)>,

    /// On this RPC alone, a running anvil for instance
    ///
    /// '${NAME}', in single quotes, for one that an environment variable holds.
    #[arg(long, value_name = "URL")]
    fork_url: Option<String>,
}

pub fn run(ui: &Ui, council: Option<&Path>, quorum: Option<u8>, args: &Args) -> Result<Exit, Error> {
    let session = || Ok::<_, Error>(Session { ui, desk: Desk::load(ui, council)?.with_quorum(quorum) });
    match args {
        Args::List(args) => list::run(ui, council, session, args),
        Args::Show(args) => playbook_acts::show(ui, council, &args.id),
        Args::Check(args) => playbook_acts::check(ui, &args.path),
        Args::New(args) => new::run(ui, session, args),
        Args::Test(args) => {
            let trying = Trying {
                what: &args.what,
                safe: args.safe.as_deref(),
                undo_safe: args.undo_safe.as_deref(),
                set: &args.set,
                fork_url: args.fork_url.as_deref(),
            };
            playbook_acts::test(session()?, &trying)
        }
        Args::Schema => Ok(playbook_acts::schema(ui)),
    }
}
