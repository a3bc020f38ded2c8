//! Every command that a message, a page of help or the README tells a person to type exists, with its flags.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};

use crate::command::Cli;

/// Words of sentences about the program itself that follow its name.
const PROSE: [&str; 6] = ["is", "itself", "roll", "shows", "signature", "then"];

fn root() -> clap::Command {
    let mut root = Cli::command();
    root.build();
    root
}

fn manifest(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn files(folder: &Path, ext: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == ext) {
                found.push(path);
            }
        }
    }
    found
}

/// Returns what is wrong with a command as a sentence names it; `None` if it and its flags exist.
fn fault(root: &clap::Command, named: &str) -> Option<String> {
    let mut command = root;
    let mut is_path = true;
    let mut words = named.split_whitespace();
    while let Some(word) = words.next() {
        let word = word.trim_matches(|c: char| ".,?".contains(c));
        if let Some(flag) = word.strip_prefix("--").map(|flag| flag.split('=').next().unwrap_or_default()) {
            if flag.is_empty() || (flag == "help" && std::ptr::eq(command, root)) {
                return None;
            }
            let Some(arg) = command.get_arguments().find(|arg| arg.get_long() == Some(flag)) else {
                return Some(format!("{} has no --{flag}", command.get_name()));
            };
            if arg.get_action().takes_values() && !word.contains('=') {
                words.next();
            }
            is_path &= std::ptr::eq(command, root);
        } else if let Some(below) = command.find_subcommand(word).filter(|_| is_path) {
            command = below;
        } else if std::ptr::eq(command, root) {
            return Some(format!("there is no command {word}"));
        } else {
            let is_value =
                word.contains(['{', '…', '/', ':']) || word.chars().all(|c| c.is_ascii_uppercase());
            if is_path && is_value && command.get_positionals().next().is_none() {
                return Some(format!("{} takes no {word}", command.get_name()));
            }
            is_path = false;
        }
    }
    None
}

/// Returns the commands in a text, each up to the end of its clause. `is_typed` says by the text before if it counts.
fn commands(text: &str, is_typed: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (at, name) in text.match_indices("breakglass ") {
        let rest =
            text[at + name.len()..].split(['"', '`', '\\', ';', ',', '|', '>', '<', '(', ')', '\n', '#']);
        let named = rest.into_iter().next().unwrap_or_default();
        let ends = [": ", "  ", " breakglass"];
        let named = ends.iter().fold(named, |named, end| named.split(end).next().unwrap_or_default());
        let first = named.split_whitespace().next().unwrap_or_default();
        if is_typed(&text[..at]) && !first.is_empty() && !first.starts_with('{') && !PROSE.contains(&first) {
            found.push(named.to_string());
        }
    }
    found
}

#[test]
fn every_command_that_a_message_names_exists() {
    let root = root();
    let mut count = 0;
    let mut wrong = Vec::new();
    for path in files(&manifest("src"), "rs") {
        let is_test = path.to_string_lossy().contains("tests") || path.ends_with("named_commands.rs");
        let text = read(&path);
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//!") && !is_test);
        for named in lines.flat_map(|line| commands(line, |before| !before.ends_with('/'))) {
            count += 1;
            wrong.extend(fault(&root, &named).map(|why| format!("{}: {named}: {why}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 150, "only {count} were found");
}

#[test]
fn every_command_in_the_readme_and_in_the_topics_exists() {
    let root = root();
    let mut texts: Vec<PathBuf> = files(&manifest("src/cli/topics"), "txt");
    texts.extend([manifest("README.md"), manifest("playbooks/README.md")]);
    let mut count = 0;
    let mut wrong = Vec::new();
    for path in texts {
        let is_topic = path.extension().is_some_and(|e| e == "txt");
        let is_typed = |before: &str| {
            let line = before.rsplit('\n').next().unwrap_or_default();
            (is_topic && !line.ends_with('/'))
                || line.ends_with('`')
                || line.trim().is_empty()
                || line.ends_with("| ")
        };
        for named in commands(&read(&path), is_typed) {
            count += 1;
            wrong.extend(fault(&root, &named).map(|why| format!("{}: {named}: {why}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 100, "only {count} were found");
}

/// Returns the words of a line as a shell reads them, up to a pipe, a redirection or the remark after two spaces.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut before = ' ';
    for c in line.trim().chars() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, ' ') if before == ' ' => break,
            (None, '|' | '<' | '>') => break,
            (None, ' ') => words.push(String::new()),
            _ => words.iter_mut().last().into_iter().for_each(|word| word.push(c)),
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn each(command: &clap::Command, visit: &mut impl FnMut(&clap::Command)) {
    visit(command);
    command.get_subcommands().for_each(|below| each(below, visit));
}

#[test]
fn every_example_of_the_help_parses_as_it_is_typed() {
    let mut texts: Vec<String> =
        files(&manifest("src/cli/topics"), "txt").iter().map(|path| read(path)).collect();
    each(&root(), &mut |command| texts.extend(command.get_after_help().map(ToString::to_string)));
    let mut count = 0;
    for text in &texts {
        // An example may go on in the next line.
        let text: String = text.split("\\\n").map(str::trim_start).collect();
        let text = text.replace("0x…", &format!("0x{}", "11".repeat(20)));
        for line in text.lines().filter(|line| line.starts_with("  breakglass")) {
            count += 1;
            let typed = words(line);
            if let Err(error) = Cli::try_parse_from(&typed) {
                panic!("{line}\n{typed:?}\n{error}");
            }
        }
    }
    assert!(count > 60, "only {count} were found");
}
