//! `make mutants`: changes each decision of the rooms that judge, one at a time, and asks which unit test notices.
//!
//! All changes are compiled into one copy of the crate, each behind a switch (`mutate.rs`), so that the crate is compiled
//! once. Each test says which changes it meets; a change is then tried against those tests alone. What no test notices must
//! stand in `explained.txt` with its reason, otherwise this ends with 1. `--missed` tries what was missed the last time.

mod explained;
mod mutate;
mod trial;

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use mutate::Mutant;

const OUT: &str = "target/mutants";
const PACKAGES: &str = "tests/fixtures/node_modules";

/// Tests that start a program of their own: what is judged is never seen by them alone.
const SKIPPED: &[&str] = &["anvil", "fork::tests"];

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("mutants: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<bool> {
    let (again, paths): (Vec<&String>, Vec<&String>) = words.iter().partition(|word| *word == "--missed");
    let files = sources(&paths)?;
    let list = Path::new(OUT).join("missed.txt");
    let before = match again.is_empty() {
        true => None,
        false => Some(fs::read_to_string(&list)?),
    };
    let tree = Path::new(OUT).join("tree");
    copy_project(&tree)?;
    let (mutants, dropped, binary) = compiled(&files, &tree)?;
    let alive = mutants.len() - dropped.len();
    eprintln!("mutants: {alive} in {} files, {} more do not compile", files.len(), dropped.len());
    let wanted = |number: &usize| {
        let listed = |text: &String| text.lines().any(|line| line == mutants[*number].key());
        !dropped.contains(number) && before.as_ref().is_none_or(listed)
    };
    let wanted: Vec<usize> = (0..mutants.len()).filter(wanted).collect();
    let missed = trial::missed(&mutants, &wanted, &binary, &tree, SKIPPED, &list)?;
    explained::judge(&missed, &files, wanted.len(), before.is_none())
}

/// Returns the files to change, in the order of the paths: `.rs` files without tests.
fn sources(paths: &[&String]) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for path in paths {
        let mut below = sources_below(Path::new(path.as_str()))?;
        below.sort();
        files.extend(below);
    }
    Ok(files)
}

fn sources_below(path: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                open.push(entry?.path());
            }
            continue;
        }
        let is_test = path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs");
        if path.extension().is_some_and(|it| it == "rs") && !is_test {
            files.push(path.to_str().ok_or("a path is not UTF-8")?.to_owned());
        }
    }
    Ok(files)
}

/// Copies what git knows, and leaves a file that is the same as it is, so that it is not compiled again.
fn copy_project(tree: &Path) -> Result<()> {
    // A file that was moved or deleted since the last time must not be compiled.
    for there in sources_below(&tree.join("src"))? {
        let there = Path::new(&there);
        if !there.strip_prefix(tree)?.is_file() {
            fs::remove_file(there)?;
        }
    }
    let listed = Command::new("git").args(["ls-files", "-co", "--exclude-standard"]).output()?;
    for name in String::from_utf8(listed.stdout)?.lines() {
        if Path::new(name).is_file() {
            write(&tree.join(name), &fs::read(name)?)?;
        }
    }
    // Unit tests run the contracts of Safe's packages.
    let link = tree.join(PACKAGES);
    match fs::symlink_metadata(&link) {
        Ok(_) => Ok(()),
        Err(_) => Ok(std::os::unix::fs::symlink(fs::canonicalize(PACKAGES)?, link)?),
    }
}

fn write(path: &Path, text: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().ok_or("a file without a folder")?)?;
    Ok(fs::write(path, text)?)
}

/// Returns every mutant, the numbers of those that do not compile, and the test binary.
fn compiled(files: &[String], tree: &Path) -> Result<(Vec<Mutant>, BTreeSet<usize>, PathBuf)> {
    let mut dropped = BTreeSet::new();
    for _ in 0..20 {
        let mutants = switch(files, tree, &dropped)?;
        match build(tree)? {
            Built::Binary(binary) => return Ok((mutants, dropped, fs::canonicalize(binary)?)),
            Built::Errors(places) => {
                let before = dropped.len();
                for (file, lines) in &places {
                    dropped.extend(blamed(&mutants, &dropped, file, lines));
                }
                eprintln!("mutants: {} do not compile", dropped.len());
                if dropped.len() == before {
                    return Err(format!("the copy does not compile: {places:?}").into());
                }
            }
        }
    }
    Err("the copy still does not compile".into())
}

/// Writes the changed files into the copy.
fn switch(files: &[String], tree: &Path, dropped: &BTreeSet<usize>) -> Result<Vec<Mutant>> {
    let mut mutants: Vec<Mutant> = Vec::new();
    for file in files {
        let source = fs::read_to_string(file)?;
        let text = mutate::switched(file, &source, &mut mutants, dropped)
            .map_err(|error| format!("{file}: {error}"))?;
        write(&tree.join(file), text.as_bytes())?;
    }
    write(&tree.join("src/mutant_switch.rs"), include_bytes!("switch.rs"))?;
    let lib = fs::read_to_string("src/lib.rs")? + "\nmod mutant_switch;\n";
    write(&tree.join("src/lib.rs"), lib.as_bytes())?;
    Ok(mutants)
}

/// Returns the smallest mutants on the lines where the compiler complains.
fn blamed(
    mutants: &[Mutant],
    dropped: &BTreeSet<usize>,
    file: &str,
    lines: &std::ops::Range<usize>,
) -> Vec<usize> {
    let there: Vec<usize> = (0..mutants.len())
        .filter(|number| !dropped.contains(number))
        .filter(|number| {
            let mutant = &mutants[*number];
            mutant.file == file && mutant.lines.start < lines.end && lines.start < mutant.lines.end
        })
        .collect();
    let smallest = there.iter().map(|number| mutants[*number].lines.len()).min();
    there.into_iter().filter(|number| Some(mutants[*number].lines.len()) == smallest).collect()
}

enum Built {
    Binary(PathBuf),
    Errors(Vec<(String, std::ops::Range<usize>)>),
}

fn build(tree: &Path) -> Result<Built> {
    let target = fs::canonicalize(OUT)?.join("build");
    let output = Command::new("cargo")
        .args(["test", "--locked", "--lib", "--no-run", "--message-format=json"])
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", target)
        .stderr(Stdio::null())
        .output()?;
    let mut errors = Vec::new();
    let mut binary = None;
    for line in String::from_utf8(output.stdout)?.lines() {
        let message: serde_json::Value = serde_json::from_str(line)?;
        if let Some(path) = message["executable"].as_str() {
            binary = Some(PathBuf::from(path));
        }
        if message["message"]["level"] == "error" {
            errors.extend(places(&message["message"]));
        }
    }
    match binary {
        Some(binary) if output.status.success() => Ok(Built::Binary(binary)),
        _ => Ok(Built::Errors(errors)),
    }
}

fn places(message: &serde_json::Value) -> Vec<(String, std::ops::Range<usize>)> {
    let spans = message["spans"].as_array().map(Vec::as_slice).unwrap_or_default();
    spans
        .iter()
        .filter_map(|span| {
            let line = |key: &str| span[key].as_u64().and_then(|line| usize::try_from(line).ok());
            Some((span["file_name"].as_str()?.to_owned(), line("line_start")?..line("line_end")? + 1))
        })
        .collect()
}
