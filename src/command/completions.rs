//! `completions`: the script by which a shell asks this program what can be typed next.

use clap::builder::PossibleValuesParser;
use clap_complete::env::Shells;

use crate::cli::args::ARGUMENTS;
use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::ui::Ui;

const EXAMPLES: &str = "\
Examples:
  breakglass completions bash > ~/.local/share/bash-completion/completions/breakglass
  breakglass completions fish > ~/.config/fish/completions/breakglass.fish";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// The shell
    #[arg(help_heading = ARGUMENTS, value_parser = PossibleValuesParser::new(Shells::builtins().names()))]
    shell: String,
}

pub fn run(ui: &Ui, Args { shell }: &Args) -> Result<Exit, Error> {
    let failed = |why: String| Error::new(Exit::Failed, format!("there is no script for {shell}: {why}"));
    let mut script = Vec::new();
    let shells = Shells::builtins();
    let writer = shells.completer(shell).ok_or_else(|| failed("an unknown shell".into()))?;
    writer
        .write_registration(complete::VARIABLE, "breakglass", "breakglass", "breakglass", &mut script)
        .map_err(|e| failed(e.to_string()))?;
    let script = String::from_utf8(script).map_err(|e| failed(e.to_string()))?;
    if !ui.is_json() {
        ui.script(&script);
    }
    ui.field("shell", shell);
    ui.field("script", &script);
    Ok(Exit::Done)
}
