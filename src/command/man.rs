//! `man`: a manual page for each command, from the same tree as the help.

use std::path::PathBuf;

use clap::{CommandFactory, ValueHint};

use crate::cli::args::ARGUMENTS;
use crate::cli::manual;
use crate::command::Cli;
use crate::error::{Error, Exit};
use crate::store;
use crate::ui::Ui;

const EXAMPLES: &str = "\
Examples:
  breakglass man ~/.local/share/man/man1";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// The folder to write them to
    ///
    /// It is made if need be, and nothing in it is overwritten.
    #[arg(help_heading = ARGUMENTS, value_hint = ValueHint::DirPath)]
    dir: PathBuf,
}

pub fn run(ui: &Ui, args: &Args) -> Result<Exit, Error> {
    let pages = manual::pages(Cli::command())?.into_iter();
    let files: Vec<_> = pages.map(|(name, page)| (args.dir.join(name), page)).collect();
    store::create_folder(&args.dir)?;
    store::keep_all(&files)?;
    let paths: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
    for path in &paths {
        ui.data(path);
    }
    ui.field("files", &paths);
    Ok(Exit::Done)
}
