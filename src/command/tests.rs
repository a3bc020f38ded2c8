//! The command line as a whole.

mod named_commands;

use clap::CommandFactory;

use super::*;

fn each(command: &clap::Command, visit: &mut impl FnMut(&clap::Command)) {
    visit(command);
    command.get_subcommands().for_each(|below| each(below, visit));
}

#[test]
fn every_option_is_described_and_has_a_heading_and_every_page_an_example() {
    let mut root = Cli::command();
    root.build();
    root.clone().debug_assert();
    each(&root, &mut |command| {
        let name = command.get_name();
        assert!(command.get_about().is_some(), "{name} is not described");
        let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(examples.contains("Examples:\n  "), "{name} has no example");
        for arg in command.get_arguments() {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(!help.is_empty(), "{name}: {} is not described", arg.get_id());
            assert!(help.chars().count() <= 75, "{name}: {} is described at length in -h", arg.get_id());
            let heading = arg.get_help_heading();
            let known = [Some("What"), Some("Key"), Some("Checks"), Some("Output")].contains(&heading);
            assert!(known || arg.is_positional(), "{name}: {} stands under {heading:?}", arg.get_id());
        }
    });
}

/// A flag that weakens a check must be typed each time.
#[test]
fn no_variable_weakens_a_check() {
    let mut found = Vec::new();
    each(&Cli::command(), &mut |command| {
        for arg in command.get_arguments().filter(|arg| arg.get_env().is_some()) {
            found.push(arg.get_id().to_string());
        }
    });
    found.sort();
    found.dedup();
    assert_eq!(found, ["council", "password_file"]);
}
