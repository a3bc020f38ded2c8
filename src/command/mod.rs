//! One file per command: load, decide, show. The only room that knows all the others; it hashes, encodes, opens and
//! prints nothing itself.

mod accept;
mod broadcast;
mod check;
mod completions;
mod device;
mod dry_run;
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

use clap::Parser;

use crate::ceremony::depth::Wanted;
use crate::ceremony::derive::Given;
use crate::ceremony::desk::Desk;
use crate::cli::{self, Cli, Command};
use crate::error::{Error, Exit};
use crate::playbook::Kind;
use crate::ui::Ui;

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

impl cli::Derive {
    pub fn given(&self) -> Given {
        Given { set: self.set.clone(), nonce: self.nonce, undo: self.undo }
    }
}

impl cli::Depth {
    pub const fn wanted(&self) -> Wanted {
        Wanted { confirmations: self.confirmations, finalized: self.finalized }
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
        Some(Command::Completions { shell }) => completions::run(ui, *shell),
    }
}
