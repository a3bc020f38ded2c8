//! The command line as it was typed: the flags of every command; read, answered for a shell that completes it, or said to
//! be wrong.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand, ValueHint};

use crate::cli::{complete, suggest};
use crate::error::{Error, Exit};
use crate::ui::Ui;

/// Emergency actions for EVM multisigs
///
/// Run a predefined playbook (pause a contract, change a parameter, rotate a key): it becomes a Safe transaction that
/// every owner derives, checks and signs alone; at threshold somebody broadcasts it, and its effect is proven on chain.
///
/// Without a command: what is open, and the state of every lever of your council file.
#[derive(Debug, Parser)]
#[command(
    name = "breakglass", version, max_term_width = 80, after_help = EXAMPLES, disable_help_subcommand = true,
    disable_help_flag = true, disable_version_flag = true
)]
pub struct CommandLine<C: Subcommand> {
    /// The council file
    ///
    /// breakglass.toml, looked for in this folder and in each folder above; then your settings may name one.
    #[arg(
        long, global = true, value_name = "FILE", help_heading = "What", display_order = 900, env = "BREAKGLASS_COUNCIL",
        hide_env_values = true, value_hint = ValueHint::FilePath
    )]
    pub council: Option<PathBuf>,

    /// The number of RPCs that must agree in this run
    ///
    /// In place of the council file's number; a smaller one is recorded.
    #[arg(
        long, allow_negative_numbers = true, global = true, value_name = "N", help_heading = "Checks", display_order = 901, value_parser = clap::value_parser!(u8).range(1..)
    )]
    pub quorum: Option<u8>,

    /// Print one JSON object on standard output
    #[arg(long, global = true, help_heading = "Output", display_order = 902)]
    pub json: bool,

    /// Print help: -h in short, --help in full
    #[arg(short, long, global = true, help_heading = "Output", display_order = 903, action = ArgAction::Help)]
    help: Option<bool>,

    /// Print the version
    #[arg(short = 'V', long, help_heading = "Output", display_order = 904, action = ArgAction::Version)]
    version: Option<bool>,

    #[command(subcommand)]
    pub command: Option<C>,
}

const EXAMPLES: &str = "\
Examples:
  breakglass                             what is open, and every lever's state
  breakglass sign vault --ledger         every owner, on their own machine
  breakglass broadcast vault             at threshold, anybody

breakglass help lists the topics: offline, ledger, settings, exit-codes, …";

/// Reads the command line.
/// The error is the exit code, if all that is to be said has been said.
pub fn read<C: Parser>(args: &[OsString]) -> Result<C, Exit> {
    match complete::answered(C::command, args) {
        Ok(false) => {}
        Ok(true) => return Err(Exit::Done),
        Err(error) => return Err(print(&error)),
    }
    let json = args.iter().any(|arg| arg == "--json");
    C::try_parse_from(args).map_err(|error| match suggest::improved(error, args, &C::command()) {
        Ok(plain) => Ui::new(json).finish(Err(plain)),
        Err(error) if json && error.use_stderr() => Ui::new(json).finish(Err(usage(&error))),
        Err(error) => print(&error),
    })
}

/// Prints what clap says. Help and version are no errors, and go to standard output.
fn print(error: &clap::Error) -> Exit {
    let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
    let lost = error.print().is_err_and(|why| why.kind() != ErrorKind::BrokenPipe);
    if lost && exit == Exit::Done { Exit::Failed } else { exit }
}

/// Returns what is wrong with the command line, without the usage that clap prints after it.
fn usage(error: &clap::Error) -> Error {
    let text = error.to_string();
    let what: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    Error::new(Exit::Usage, what.join(" ").trim_start_matches("error: ")).hint("breakglass --help")
}
