//! `help`: the page of a command, or a longer text about something that several commands share.

use clap::CommandFactory;
use serde_json::json;

use crate::command::Cli;
use crate::command::args::ARGUMENTS;
use crate::error::{Error, Exit};
use crate::near::near;
use crate::ui::Ui;

/// Name, title, text.
const TOPICS: [(&str, &str, &str); 8] = [
    ("alarms", "Alarms, watch and alert", include_str!("topics/alarms.txt")),
    ("drill", "The whole ceremony, with signatures good on no chain", include_str!("topics/drill.txt")),
    ("exit-codes", "How a run ends", include_str!("topics/exit-codes.txt")),
    ("files", "What is kept where", include_str!("topics/files.txt")),
    ("ledger", "Signing on a Ledger", include_str!("topics/ledger.txt")),
    ("offline", "Signing without a network", include_str!("topics/offline.txt")),
    ("refusals", "What to do when a check refuses", include_str!("topics/refusals.txt")),
    ("settings", "Your own settings and variables", include_str!("topics/settings.txt")),
];

const EXAMPLES: &str = "\
Topics: alarms, drill, exit-codes, files, ledger, offline, refusals, settings

Examples:
  breakglass help offline
  breakglass help playbook test";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What", after_help = EXAMPLES)]
pub struct Args {
    /// A topic, or a command
    #[arg(help_heading = ARGUMENTS, value_name = "TOPIC")]
    what: Vec<String>,
}

pub fn run(ui: &Ui, args: &Args) -> Result<Exit, Error> {
    let name = args.what.join(" ");
    let text = match TOPICS.iter().find(|(topic, ..)| *topic == name) {
        Some((_, title, text)) => format!("{title}\n\n{text}"),
        None if args.what.is_empty() => format!("{}\n{}", page(&[]).unwrap_or_default(), topics()),
        None => page(&args.what).ok_or_else(|| unknown(&name))?,
    };
    if !ui.is_json() {
        ui.script(&text);
    }
    ui.object(&json!({ "topic": name, "text": text }));
    Ok(Exit::Done)
}

/// The whole help of a command.
fn page(path: &[String]) -> Option<String> {
    let mut root = Cli::command();
    root.build();
    let mut command = &mut root;
    for name in path {
        command = command.find_subcommand_mut(name)?;
    }
    Some(format!("{}\n", command.render_long_help().to_string().trim_end()))
}

fn topics() -> String {
    let lines = TOPICS.iter().map(|(name, title, _)| format!("  {name:<12}  {title}\n"));
    format!("Topics (breakglass help TOPIC):\n{}", lines.collect::<String>())
}

fn unknown(name: &str) -> Error {
    let root = Cli::command();
    let commands = root.get_subcommands().map(clap::Command::get_name);
    let known: Vec<&str> = TOPICS.iter().map(|(topic, ..)| *topic).chain(commands).collect();
    let error = Error::new(Exit::Usage, format!("there is no topic or command called {name:?}"));
    match near(name, known) {
        Some(meant) => error.hint(format!("did you mean breakglass help {meant}?")),
        None => error.hint("breakglass help lists all of them"),
    }
}
