//! Suggestions for a mistyped command line. Never the opposite of what was typed, and never a flag that weakens a
//! check.

use std::error::Error as _;
use std::ffi::OsString;
use std::num::{IntErrorKind, ParseIntError};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::complete;
use crate::error::{Error, Exit};
use crate::near::near;

/// Words for taking something back: what they take back is the nearest command, and the last thing that was meant.
const UNDOING: [&str; 10] = [
    "unpause", "resume", "unfreeze", "restart", "revert", "rollback", "restore", "enable", "unblock", "reset",
];
/// Flags that no slip of the fingers may lead to.
const WEAKENING: [&str; 5] = ["--accept", "--yes", "--confirm", "--quorum", "--unseen"];

/// Returns an error of our own for an unknown command; clap's error, without a suggestion that could harm, otherwise.
pub fn improved(
    mut error: clap::Error,
    args: &[OsString],
    root: &clap::Command,
) -> Result<Error, clap::Error> {
    let weakens = |value: &ContextValue| WEAKENING.iter().any(|flag| value.to_string().contains(flag));
    if error.get(ContextKind::SuggestedArg).is_some_and(weakens) {
        error.remove(ContextKind::SuggestedArg);
        error.remove(ContextKind::Usage);
    }
    if let Some(why) = error.source().and_then(|source| source.downcast_ref::<ParseIntError>()) {
        return Ok(not_a_number(&error, why));
    }
    match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(word)) if error.kind() == ErrorKind::InvalidSubcommand => {
            Ok(unknown(word, args, root))
        }
        _ => Err(error),
    }
}

/// Returns the error for a value that is not a whole number, or too large a one.
fn not_a_number(error: &clap::Error, why: &ParseIntError) -> Error {
    let named = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let (value, flag) = (named(ContextKind::InvalidValue), named(ContextKind::InvalidArg));
    let what = match why.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "the number is too large",
        _ => "it is not a whole number",
    };
    Error::new(Exit::Usage, format!("invalid value '{value}' for '{flag}': {what}"))
        .hint("for more information, try '--help'")
}

fn unknown(word: &str, args: &[OsString], root: &clap::Command) -> Error {
    let typed = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect::<Vec<_>>();
    let verb_of = |name: &str| complete::lever_kind(&typed, name).map(|kind| kind.to_string());
    let error = Error::new(Exit::Usage, format!("there is no command called {word:?}"));
    match nearest_command(word, &typed, root, verb_of) {
        Some(meant) => error.hint(format!("did you mean: breakglass {meant}")),
        None => error.hint("breakglass --help lists the commands"),
    }
}

/// Returns the command that was probably meant. `verb_of` tells the verb of a lever.
fn nearest_command(
    word: &str,
    typed: &[String],
    root: &clap::Command,
    verb_of: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    if let Some(verb) = verb_of(word) {
        return Some(format!("{verb} {word}"));
    }
    // A playbook's own commands are not known at the top, and the like.
    let above = typed.iter().take_while(|arg| *arg != word).find_map(|arg| root.find_subcommand(arg));
    let nested = above.filter(|command| command.has_subcommands());
    let verbs = nested.unwrap_or(root);
    let lower = word.to_lowercase();
    if nested.is_none() && near(&lower, UNDOING).is_some() {
        let lever = typed.iter().skip_while(|arg| *arg != word).skip(1).find(|arg| !arg.starts_with('-'));
        return Some(format!("undo {}", lever.map_or("LEVER", String::as_str)));
    }
    let prefix = nested.map(|command| format!("{} ", command.get_name())).unwrap_or_default();
    let verb = near(&lower, verbs.get_subcommands().map(clap::Command::get_name))?;
    Some(format!("{prefix}{verb}"))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::command::Cli;

    fn suggested(line: &str) -> Option<String> {
        let typed: Vec<String> = line.split(' ').map(String::from).collect();
        let word = typed
            .iter()
            .find(|word| !matches!(word.as_str(), "playbook" | "council" | "--json"))
            .unwrap()
            .clone();
        nearest_command(&word, &typed, &Cli::command(), |name| (name == "vault").then(|| "pause".into()))
    }

    #[test]
    fn a_word_for_taking_back_leads_to_undo_and_never_to_the_opposite() {
        for word in UNDOING {
            assert_eq!(suggested(&format!("{word} vault")).as_deref(), Some("undo vault"), "{word}");
        }
        assert_eq!(suggested("unpasue bridge --json").as_deref(), Some("undo bridge"));
        assert_eq!(suggested("Unpause").as_deref(), Some("undo LEVER"));
    }

    #[test]
    fn a_slip_leads_to_the_command_and_a_lever_to_its_verb() {
        for (typed, expected) in [
            ("vault", Some("pause vault")),
            ("pasue vault", Some("pause")),
            ("sing vault", Some("sign")),
            ("playbook lst", Some("playbook list")),
            ("council chek", Some("council check")),
            ("bridge", None),
        ] {
            assert_eq!(suggested(typed).as_deref(), expected, "{typed}");
        }
    }

    #[test]
    fn a_value_that_is_not_a_number_is_said_in_plain_words() {
        for (value, expected) in [
            ("abc", "invalid value 'abc' for '--max-fee <GWEI>': it is not a whole number"),
            ("", "invalid value '' for '--max-fee <GWEI>': it is not a whole number"),
            (&"9".repeat(30), "the number is too large"),
        ] {
            let args = ["breakglass", "broadcast", "vault", "--max-fee", value].map(OsString::from);
            let error = improved(Cli::try_parse_from(&args).unwrap_err(), &args, &Cli::command()).unwrap();
            assert!(error.message.contains(expected), "{error}");
        }
    }

    #[test]
    fn no_slip_leads_to_a_flag_that_weakens_a_check() {
        for (flag, verb) in [
            ("--account", "sign"),
            ("--acept", "sign"),
            ("--yess", "sign"),
            ("--confrim", "broadcast"),
            ("--qourum", "sign"),
        ] {
            let args = ["breakglass", verb, "vault", flag, "x"].map(OsString::from);
            let error = improved(Cli::try_parse_from(&args).unwrap_err(), &args, &Cli::command())
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(flag)
                    && !WEAKENING.iter().any(
                        |flag| error.contains(&format!("{flag} ")) || error.contains(&format!("{flag}'"))
                    ),
                "{error}"
            );
        }
        let args = ["breakglass", "sign", "vault", "--ofline"].map(OsString::from);
        let error = improved(Cli::try_parse_from(&args).unwrap_err(), &args, &Cli::command())
            .unwrap_err()
            .to_string();
        assert!(error.contains("'--offline'"), "{error}");
    }
}
