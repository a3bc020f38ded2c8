//! One file per command: load, decide, show. The only room that knows all the others; it hashes, encodes, opens and
//! prints nothing itself.

mod ack;
mod alert;
mod armed;
mod broadcast;
mod card;
mod check;
mod completions;
mod council;
mod council_add;
mod deputy;
mod device;
mod doctor;
mod drill;
mod dry_run;
mod export;
mod hash;
mod help;
mod home;
mod import;
mod incident;
mod init;
mod log;
mod man;
#[cfg(test)]
mod named_commands;
mod playbook;
mod propose;
mod report;
mod sign;
mod status;
mod watch;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;

use clap::{ArgAction, CommandFactory, Parser, Subcommand, ValueHint};

use crate::ceremony::desk::Desk;
use crate::cli::{args, complete, suggest};
use crate::error::{Error, Exit};
use crate::playbook::PlaybookKind;
use crate::session::{Session, on_ledger};
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
pub struct Cli {
    /// The council file
    ///
    /// breakglass.toml, looked for in this folder and in each folder above; then your settings may name one.
    #[arg(
        long, global = true, value_name = "FILE", help_heading = "What", display_order = 900, env = "BREAKGLASS_COUNCIL",
        hide_env_values = true, value_hint = ValueHint::FilePath
    )]
    council: Option<PathBuf>,

    /// The number of RPCs that must agree in this run
    ///
    /// In place of the council file's number; a smaller one is recorded.
    #[arg(
        long, allow_negative_numbers = true, global = true, value_name = "N", help_heading = "Checks", display_order = 901, value_parser = clap::value_parser!(u8).range(1..)
    )]
    quorum: Option<u8>,

    /// Print one JSON object on standard output
    #[arg(long, global = true, help_heading = "Output", display_order = 902)]
    json: bool,

    /// Print help: -h in short, --help in full
    #[arg(short, long, global = true, help_heading = "Output", display_order = 903, action = ArgAction::Help)]
    help: Option<bool>,

    /// Print the version
    #[arg(short = 'V', long, help_heading = "Output", display_order = 904, action = ArgAction::Version)]
    version: Option<bool>,

    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  breakglass                             what is open, and every lever's state
  breakglass sign vault --ledger         every owner, on their own machine
  breakglass broadcast vault             at threshold, anybody

breakglass help lists the topics: offline, ledger, settings, exit-codes, …";

#[derive(Debug, Subcommand)]
enum Command {
    /// Propose a pause
    Pause(propose::Args),
    /// Propose a parameter change
    Param(propose::Args),
    /// Propose a change of keys, roles or owners
    Rotate(propose::Args),
    /// Propose to take a lever back
    Undo(propose::UndoArgs),
    /// Rehearse a lever now, without sending anything
    DryRun(dry_run::Args),
    /// Review a lever's transaction and sign it
    Sign(sign::Args),
    /// List every check of a proposal
    Check(check::Args),
    /// Show who has signed and what is missing
    Status(status::Args),
    /// Read signatures from files, folders or a pasted chat
    Import(import::Args),
    /// Print signatures as lines, or copy them as files
    Export(export::Args),
    /// Print what a signer keeps on paper: the hashes to compare
    Card(card::Args),
    /// Send it at threshold, and prove its effect on chain
    Broadcast(broadcast::Args),
    /// Act at once, by a lever that one key pulls alone
    Deputy(deputy::Args),
    /// Read the alarms, and prepare the lever of one that fires
    Watch(watch::Args),
    /// Prepare the lever of an alarm that another monitor tells of
    Alert(alert::Args),
    /// Show what is signed ahead, and whether it is still good
    Armed(armed::Args),
    /// Say that you are awake: a line to paste
    Ack(ack::Args),
    /// Open and close an incident, and write notes
    #[command(subcommand)]
    Incident(incident::Args),
    /// Show the journal: who did what, and when
    Log(log::Args),
    /// Say whether everyone and everything is ready
    ///
    /// Reads every chain and Safe, tries every lever on a fork, and looks at people, keys and files. Exit code 8 if something
    /// must be repaired before an incident.
    Doctor(doctor::Args),
    /// Rehearse with everybody's keys: signatures good on no chain
    ///
    /// The same transaction, signed for a chain id that no chain has: breakglass help drill.
    Drill(drill::Args),
    /// Write the record of an incident, or a draft about it
    Report(report::Args),
    /// Compute the hashes of a Safe transaction, offline
    Hash(hash::Args),
    /// Show whether the Ledger is ready, and whose keys it holds
    Device(device::Args),
    /// List, explain, check and try playbooks
    #[command(subcommand)]
    Playbook(playbook::Args),
    /// Check the council file as a whole, and add to it
    #[command(subcommand)]
    Council(council::Args),
    /// Write a first council file, from a Safe on chain
    Init(init::Args),
    /// Print a shell's completion script
    Completions(completions::Args),
    /// Write the manual pages
    Man(man::Args),
    /// Explain a topic or a command
    Help(help::Args),
}

/// Runs the program with these arguments and returns its exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    match complete::answered(Cli::command, &args) {
        Ok(false) => {}
        Ok(true) => return Exit::Done,
        Err(error) => return print(&error),
    }
    let json = args.iter().any(|arg| arg == "--json");
    match Cli::try_parse_from(&args) {
        Ok(cli) => {
            let ui = Ui::new(cli.json);
            ui.finish(dispatch(&ui, &cli))
        }
        Err(error) => match suggest::improved(error, &args, &Cli::command()) {
            Ok(plain) => Ui::new(json).finish(Err(plain)),
            Err(error) if json && error.use_stderr() => Ui::new(json).finish(Err(usage(&error))),
            Err(error) => print(&error),
        },
    }
}

/// Prints what clap says. Help and version are not errors, and go to standard output.
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

fn dispatch(ui: &Ui, cli: &Cli) -> Result<Exit, Error> {
    let council = cli.council.as_deref();
    let quietly = || Ok::<_, Error>(Session { ui, desk: Desk::load(ui, council)?.with_quorum(cli.quorum) });
    let load = || {
        let session = quietly()?;
        session.desk.warn_of_bad_levers();
        Ok::<_, Error>(session)
    };
    match &cli.command {
        None => home::run(ui, council),
        Some(Command::Pause(args)) => propose::run(&load()?, PlaybookKind::Pause, args),
        Some(Command::Param(args)) => propose::run(&load()?, PlaybookKind::Param, args),
        Some(Command::Rotate(args)) => propose::run(&load()?, PlaybookKind::Rotate, args),
        Some(Command::Undo(args)) => propose::undo(&load()?, args),
        Some(Command::Sign(args)) => sign::run(&load()?, args),
        Some(Command::Check(args)) => check::run(&load()?, args),
        Some(Command::Status(args)) => status::run(&load()?, args),
        Some(Command::Import(args)) => import::run(&load()?, args),
        Some(Command::Export(args)) => export::run(&load()?, args),
        Some(Command::Card(args)) => card::run(&load()?, args),
        Some(Command::Broadcast(args)) => broadcast::run(&load()?, args),
        Some(Command::Deputy(args)) => deputy::run(&load()?, args),
        Some(Command::Armed(args)) => armed::run(&load()?, args),
        Some(Command::DryRun(args)) => dry_run::run(&load()?, args),
        Some(Command::Watch(args)) => watch::run(&load()?, args),
        Some(Command::Alert(args)) => alert::run(&load()?, args),
        Some(Command::Ack(args)) => ack::run(&load()?, args),
        Some(Command::Incident(args)) => incident::run(&load()?, args),
        Some(Command::Log(args)) => log::run(&load()?, args),
        Some(Command::Doctor(args)) => doctor::run(&quietly()?, args),
        Some(Command::Drill(args)) => drill::run(&load()?, args),
        Some(Command::Report(args)) => report::run(&load()?, args),
        Some(Command::Hash(args)) => hash::run(ui, args),
        Some(Command::Device(args)) => device::run(ui, council, args),
        Some(Command::Playbook(args)) => playbook::run(ui, council, cli.quorum, args),
        Some(Command::Council(args)) => council::run(&quietly()?, args),
        Some(Command::Init(args)) => init::run(ui, council, args),
        Some(Command::Completions(args)) => completions::run(ui, args),
        Some(Command::Man(args)) => man::run(ui, args),
        Some(Command::Help(args)) => help::run(ui, args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(command: &clap::Command, look: &mut impl FnMut(&clap::Command)) {
        look(command);
        command.get_subcommands().for_each(|below| each(below, look));
    }

    #[test]
    fn every_option_is_described_and_has_a_heading_and_every_page_an_example() {
        let mut root = Cli::command();
        root.build();
        root.clone().debug_assert();
        each(&root, &mut |command| {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name} is not described");
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.contains("Examples:\n  "), "{name} has no example");
            for arg in command.get_arguments() {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(!help.is_empty(), "{name}: {} is not described", arg.get_id());
                assert!(help.chars().count() <= 75, "{name}: {} is described at length in -h", arg.get_id());
                let heading = arg.get_help_heading();
                let known = [Some("What"), Some("Key"), Some("Checks"), Some("Output")].contains(&heading);
                assert!(known || arg.is_positional(), "{name}: {} stands under {heading:?}", arg.get_id());
            }
        });
    }

    /// A flag that weakens a check must be typed each time.
    #[test]
    fn no_variable_weakens_a_check() {
        let mut found = Vec::new();
        each(&Cli::command(), &mut |command| {
            for arg in command.get_arguments().filter(|arg| arg.get_env().is_some()) {
                found.push(arg.get_id().to_string());
            }
        });
        found.sort();
        found.dedup();
        assert_eq!(found, ["council", "password_file"]);
    }
}
