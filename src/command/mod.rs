//! One file per command: load, decide, show. The only room that knows all the others; it hashes, encodes, opens and
//! prints nothing itself.

mod accept;
mod args;
mod broadcast;
mod check;
mod completions;
mod device;
mod dry_run;
mod earlier;
mod error;
mod export;
mod hash;
mod home;
mod import;
mod init;
mod key;
mod on_ledger;
mod playbook;
mod propose;
mod report;
mod sign;
mod status;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::ops::Deref;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::ceremony::desk::Desk;
use crate::error::{Error, Exit};
use crate::playbook::Kind;
use crate::ui::Ui;

/// Emergency actions for EVM multisigs
///
/// Run a predefined playbook (pause a contract, change a parameter, rotate a key): it becomes a Safe transaction that
/// every owner derives, checks and signs alone; at threshold somebody broadcasts it, and its effect is proven on chain.
///
/// Without a command: lists the levers of your council file.
#[derive(Debug, Parser)]
#[command(name = "breakglass", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    /// The council file [default: breakglass.toml here or in a folder above]
    #[arg(long, global = true, value_name = "FILE")]
    council: Option<PathBuf>,

    /// Print one JSON object on standard output
    #[arg(long, global = true)]
    json: bool,

    /// How many RPCs must agree, for this run, in place of the council file's number; a smaller one is recorded
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    quorum: Option<u8>,

    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done and proven, 1 failed, 2 usage or no terminal for a prompt, 3 threshold not met yet, \
4 refused by a check, 5 the chain has moved, 6 refused or not ready on the device, 7 network, 10 mined, but not as rehearsed";

#[derive(Debug, Subcommand)]
enum Command {
    /// Propose a pause: plan, review, proposal file
    Pause(propose::Args),
    /// Propose a parameter change
    Param(propose::Args),
    /// Propose a change of keys, roles or owners
    Rotate(propose::Args),
    /// Rehearse it now: what it would change, without sending anything
    DryRun(dry_run::Args),
    /// Derive or load, check, show, sign
    Sign(sign::Args),
    /// Every finding about a proposal, those that pass too
    Check(check::Args),
    /// Who has signed, what is missing, what has drifted
    Status(status::Args),
    /// Take in signatures: files, folders, lines, a whole pasted chat
    Import(import::Args),
    /// Give out signatures, as lines or as files
    Export(export::Args),
    /// At threshold: send it, wait, and prove its effect on chain
    Broadcast(broadcast::Args),
    /// Domain hash, message hash and safeTxHash of a transaction; no network
    Hash(hash::Args),
    /// Is the Ledger ready, and whose keys does it hold?
    Device(device::Args),
    /// The playbooks at hand
    #[command(subcommand)]
    Playbook(playbook::Args),
    /// Write a first council file, from a Safe on chain
    Init(init::Args),
    /// Print a shell's completion script
    Completions(completions::Args),
}

/// What every command about the reader's own files starts from.
#[derive(Debug)]
pub struct Session<'a> {
    pub ui: &'a Ui,
    pub desk: Desk<'a>,
}

impl<'a> Deref for Session<'a> {
    type Target = Desk<'a>;

    fn deref(&self) -> &Desk<'a> {
        &self.desk
    }
}

/// Runs the program with these arguments and answers its exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    let json = args.iter().any(|arg| arg == "--json");
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) if json && error.use_stderr() => return Ui::new(json).finish(Err(usage(&error))),
        Err(error) => {
            // Help and version are no errors, and go to standard output.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            let lost = error.print().is_err_and(|why| why.kind() != ErrorKind::BrokenPipe);
            return if lost && exit == Exit::Done { Exit::Failed } else { exit };
        }
    };
    let ui = Ui::new(cli.json);
    ui.finish(dispatch(&ui, &cli))
}

/// What is wrong with the command line, without the usage that clap prints after it.
fn usage(error: &clap::Error) -> Error {
    let text = error.to_string();
    let what: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    Error::new(Exit::Usage, what.join(" ").trim_start_matches("error: ")).hint("breakglass --help")
}

fn dispatch(ui: &Ui, cli: &Cli) -> Result<Exit, Error> {
    let council = cli.council.as_deref();
    let load = || Ok::<_, Error>(Session { ui, desk: Desk::load(ui, council)?.with_quorum(cli.quorum) });
    match &cli.command {
        None => home::run(ui, council),
        Some(Command::Pause(args)) => propose::run(&load()?, Kind::Pause, args),
        Some(Command::Param(args)) => propose::run(&load()?, Kind::Param, args),
        Some(Command::Rotate(args)) => propose::run(&load()?, Kind::Rotate, args),
        Some(Command::Sign(args)) => sign::run(&load()?, args),
        Some(Command::Check(args)) => check::run(&load()?, args),
        Some(Command::Status(args)) => status::run(&load()?, args),
        Some(Command::Import(args)) => import::run(&load()?, args),
        Some(Command::Export(args)) => export::run(&load()?, args),
        Some(Command::Broadcast(args)) => broadcast::run(&load()?, args),
        Some(Command::DryRun(args)) => dry_run::run(&load()?, args),
        Some(Command::Hash(args)) => hash::run(ui, args),
        Some(Command::Device(args)) => device::run(ui, council, args),
        Some(Command::Playbook(args)) => playbook::run(ui, council, cli.quorum, args),
        Some(Command::Init(args)) => init::run(ui, council, args),
        Some(Command::Completions(args)) => completions::run(ui, args),
    }
}
