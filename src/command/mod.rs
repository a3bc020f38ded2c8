//! One file per command: its flags, and the function of [`session`](crate::session) that they go to. The only room that knows
//! all the others; it decides nothing itself.

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
mod playbook;
mod propose;
mod report;
mod sign;
mod status;
mod watch;

use std::ffi::OsString;

use clap::Subcommand;

use crate::ceremony::desk::Desk;
use crate::cli::command_line::{self, CommandLine};
use crate::error::{Error, Exit};
use crate::playbook::PlaybookKind;
use crate::session::Session;
use crate::ui::Ui;

/// The command line of this program.
pub type Cli = CommandLine<Command>;

#[derive(Debug, Subcommand)]
pub enum Command {
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
    ///
    /// The council confirms it afterwards, or takes it back: breakglass help deputies.
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
    /// A lever's transaction, signed for a chain id that no chain has: breakglass help drill.
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
    match command_line::read::<Cli>(&args.into_iter().collect::<Vec<_>>()) {
        Ok(cli) => {
            let ui = Ui::new(cli.json);
            ui.finish(dispatch(&ui, &cli))
        }
        Err(exit) => exit,
    }
}

fn dispatch(ui: &Ui, cli: &Cli) -> Result<Exit, Error> {
    let council = cli.council.as_deref();
    let quietly = || Ok::<_, Error>(Session { ui, desk: Desk::load(ui, council)?.with_quorum(cli.quorum) });
    let load = || {
        let session = quietly()?;
        session.desk.warn_of_bad_levers();
        Ok::<_, Error>(session)
    };
    let Some(command) = &cli.command else { return home::run(ui, council) };
    match command {
        Command::Pause(args) => propose::run(&load()?, PlaybookKind::Pause, args),
        Command::Param(args) => propose::run(&load()?, PlaybookKind::Param, args),
        Command::Rotate(args) => propose::run(&load()?, PlaybookKind::Rotate, args),
        Command::Undo(args) => propose::undo(&load()?, args),
        Command::Sign(args) => sign::run(&load()?, args),
        Command::Check(args) => check::run(&load()?, args),
        Command::Status(args) => status::run(&load()?, args),
        Command::Import(args) => import::run(&load()?, args),
        Command::Export(args) => export::run(&load()?, args),
        Command::Card(args) => card::run(&load()?, args),
        Command::Broadcast(args) => broadcast::run(&load()?, args),
        Command::Deputy(args) => deputy::run(&load()?, args),
        Command::Armed(args) => armed::run(&load()?, args),
        Command::DryRun(args) => dry_run::run(&load()?, args),
        Command::Watch(args) => watch::run(&load()?, args),
        Command::Alert(args) => alert::run(&load()?, args),
        Command::Ack(args) => ack::run(&load()?, args),
        Command::Incident(args) => incident::run(&load()?, args),
        Command::Log(args) => log::run(&load()?, args),
        Command::Doctor(args) => doctor::run(&quietly()?, args),
        Command::Drill(args) => drill::run(&load()?, args),
        Command::Report(args) => report::run(&load()?, args),
        Command::Hash(args) => hash::run(ui, args),
        Command::Device(args) => device::run(ui, council, args),
        Command::Playbook(args) => playbook::run(ui, council, cli.quorum, args),
        Command::Council(args) => council::run(&quietly()?, args),
        Command::Init(args) => init::run(ui, council, args),
        Command::Completions(args) => completions::run(ui, args),
        Command::Man(args) => man::run(ui, args),
        Command::Help(args) => help::run(ui, args),
    }
}

#[cfg(test)]
mod tests;
