//! `completions`: a shell's completion script.

use clap::CommandFactory;
use clap_complete::{Shell, generate};
use serde_json::json;

use crate::command::Cli;
use crate::error::{Error, Exit};
use crate::ui::Ui;

#[derive(Debug, clap::Args)]
pub struct Args {
    shell: Shell,
}

pub fn run(ui: &Ui, &Args { shell }: &Args) -> Result<Exit, Error> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "breakglass", &mut script);
    let script = String::from_utf8(script)
        .map_err(|e| Error::new(Exit::Failed, format!("the script for {shell} is not text: {e}")))?;
    if ui.is_json() {
        ui.object(&json!({ "shell": shell.to_string(), "script": script }));
    } else {
        ui.script(&script);
    }
    Ok(Exit::Done)
}
