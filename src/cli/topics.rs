//! The pages of `help`: of a command, or a longer text about something that several commands share.

use clap::Command;
use serde::Serialize;

use crate::error::{Error, Exit};
use crate::near::near;

/// Name, title, text.
const TOPICS: [(&str, &str, &str); 11] = [
    ("alarms", "Alarms, watch and alert", include_str!("topics/alarms.txt")),
    ("deputies", "One key that may act at once", include_str!("topics/deputies.txt")),
    ("drill", "The whole ceremony, with signatures good on no chain", include_str!("topics/drill.txt")),
    ("exit-codes", "How a run ends", include_str!("topics/exit-codes.txt")),
    ("files", "What is kept where", include_str!("topics/files.txt")),
    ("ledger", "Signing on a Ledger", include_str!("topics/ledger.txt")),
    ("offline", "Signing without a network", include_str!("topics/offline.txt")),
    ("playbooks", "Writing a playbook of your own", include_str!("topics/playbooks.txt")),
    ("readiness", "Ready before an incident: doctor", include_str!("topics/readiness.txt")),
    ("refusals", "What to do when a check refuses", include_str!("topics/refusals.txt")),
    ("settings", "Your own settings and variables", include_str!("topics/settings.txt")),
];

/// A page, and what it is about.
#[derive(Serialize)]
pub struct HelpPage {
    topic: String,
    pub text: String,
}

/// Returns the page about a topic or a command below `root`; without a name, that of `root` with the list of topics.
pub fn page(mut root: Command, what: &[String]) -> Result<HelpPage, Error> {
    let topic = what.join(" ");
    root.build();
    let text = match TOPICS.iter().find(|(name, ..)| *name == topic) {
        Some((_, title, text)) => format!("{title}\n\n{text}"),
        None if what.is_empty() => format!("{}\n{}", help_of(&mut root, &[]).unwrap_or_default(), list()),
        None => help_of(&mut root, what).ok_or_else(|| unknown(&root, &topic))?,
    };
    Ok(HelpPage { topic, text })
}

/// Returns the whole help of a command.
fn help_of(root: &mut Command, path: &[String]) -> Option<String> {
    let mut command = root;
    for name in path {
        command = command.find_subcommand_mut(name)?;
    }
    Some(format!("{}\n", command.render_long_help().to_string().trim_end()))
}

fn list() -> String {
    let lines = TOPICS.iter().map(|(name, title, _)| format!("  {name:<12}  {title}\n"));
    format!("Topics (breakglass help TOPIC):\n{}", lines.collect::<String>())
}

fn unknown(root: &Command, name: &str) -> Error {
    let commands = root.get_subcommands().map(Command::get_name);
    let known: Vec<&str> = TOPICS.iter().map(|(topic, ..)| *topic).chain(commands).collect();
    let error = Error::new(Exit::Usage, format!("there is no topic or command called {name:?}"));
    match near(name, known) {
        Some(meant) => error.hint(format!("did you mean breakglass help {meant}?")),
        None => error.hint("breakglass help lists all of them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_topic_or_a_command_or_close_to_one() {
        let root = || Command::new("breakglass").subcommand(Command::new("sign").about("Sign"));
        let text = |name: &str| page(root(), &[name.to_string()]).map(|page| page.text);
        assert!(text("offline").unwrap().starts_with("Signing without a network\n\n"));
        assert!(text("sign").unwrap().contains("Sign"));
        assert!(page(root(), &[]).unwrap().text.contains("  settings      Your own settings"));
        let error = text("ofline").unwrap_err();
        assert_eq!(error.hints, ["did you mean breakglass help offline?"]);
    }
}
