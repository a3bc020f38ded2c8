//! `man`: a manual page for each command, from the same tree as the help.

use std::path::PathBuf;

use clap::{CommandFactory, ValueHint};
use clap_mangen::Man;
use serde_json::json;

use crate::cli::args::ARGUMENTS;
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
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let mut files = Vec::new();
    pages(&root, "breakglass", &mut files)?;
    let files: Vec<_> = files.into_iter().map(|(name, page)| (args.dir.join(name), page)).collect();
    store::create_folder(&args.dir)?;
    store::keep_all(&files)?;
    for (path, _) in &files {
        ui.data(&path.display().to_string());
    }
    let paths: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
    ui.object(&json!({ "files": paths }));
    Ok(Exit::Done)
}

/// The page of a command and of each below it.
fn pages(command: &clap::Command, name: &str, files: &mut Vec<(String, String)>) -> Result<(), Error> {
    let mut page = Vec::new();
    let failed = |why: &dyn std::fmt::Display| Error::new(Exit::Failed, format!("the page of {name}: {why}"));
    Man::new(command.clone()).title(name.to_string()).render(&mut page).map_err(|e| failed(&e))?;
    let page = String::from_utf8(page).map_err(|e| failed(&e))?;
    files.push((format!("{name}.1"), page));
    command
        .get_subcommands()
        .try_for_each(|below| pages(below, &format!("{name}-{}", below.get_name()), files))
}
