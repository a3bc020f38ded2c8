//! The manual pages, from the same tree as the help.

use std::fmt::Display;

use clap::Command;
use clap_mangen::Man;

use crate::error::{Error, Exit};

/// Returns the pages of a command and of each below it: file name and text.
pub fn pages(root: Command) -> Result<Vec<(String, String)>, Error> {
    let mut root = root.disable_help_subcommand(true);
    root.build();
    let mut files = Vec::new();
    add(&root, "breakglass", &mut files)?;
    Ok(files)
}

fn add(command: &Command, name: &str, files: &mut Vec<(String, String)>) -> Result<(), Error> {
    let mut page = Vec::new();
    let failed = |why: &dyn Display| Error::new(Exit::Failed, format!("the page of {name}: {why}"));
    Man::new(command.clone()).title(name.to_string()).render(&mut page).map_err(|e| failed(&e))?;
    let page = String::from_utf8(page).map_err(|e| failed(&e))?;
    files.push((format!("{name}.1"), page));
    command.get_subcommands().try_for_each(|below| add(below, &format!("{name}-{}", below.get_name()), files))
}
