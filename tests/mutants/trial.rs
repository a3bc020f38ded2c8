//! Each mutant against the tests that meet it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Mutant, OUT, Result};

/// Tests in the first call of the binary, and in the largest: the first few mostly decide.
const AT_ONCE: (usize, usize) = (3, 96);

/// A test, and how long it took alone.
struct Test {
    name: String,
    took: Duration,
}

/// Returns the mutants that no test notices, and writes each into the list as soon as it is known.
pub fn missed(
    mutants: &[Mutant],
    wanted: &[usize],
    binary: &Path,
    tree: &Path,
    skipped: &[&str],
    list: &Path,
) -> Result<Vec<Mutant>> {
    let (tests, met) = meetings(binary, tree, skipped)?;
    let mut list = fs::File::create(list)?;
    let mut missed = Vec::new();
    // When each test last noticed a mutant: it probably notices the next one in the same function.
    let mut noticed_at: BTreeMap<&str, usize> = BTreeMap::new();
    for (done, number) in wanted.iter().enumerate() {
        if done % 100 == 0 {
            eprintln!("mutants: {done} of {}, {} missed", wanted.len(), missed.len());
        }
        let mut those: Vec<&Test> = met.get(number).into_iter().flatten().map(|test| &tests[*test]).collect();
        those.sort_by_key(|test| (Reverse(noticed_at.get(test.name.as_str())), test.took));
        let Some(noticing) = first_to_notice(*number, &those, binary, tree)? else {
            let mutant = mutants[*number].clone();
            writeln!(list, "{}", mutant.key())?;
            missed.push(mutant);
            continue;
        };
        noticed_at.extend(noticing.into_iter().map(|name| (name, done)));
    }
    Ok(missed)
}

/// Returns each test, and which tests meet which mutant.
fn meetings(
    binary: &Path,
    tree: &Path,
    skipped: &[&str],
) -> Result<(Vec<Test>, BTreeMap<usize, Vec<usize>>)> {
    let listed = Command::new(binary).args(["--list", "--format", "terse"]).current_dir(tree).output()?;
    let listed = String::from_utf8(listed.stdout)?;
    let names = listed.lines().filter_map(|line| line.strip_suffix(": test"));
    let file = fs::canonicalize(OUT)?.join("met");
    let mut tests = Vec::new();
    let mut met: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for name in names.filter(|name| !skipped.iter().any(|part| name.contains(part))) {
        let _ = fs::remove_file(&file);
        let begun = Instant::now();
        let mut call = test(binary, tree, &[name]);
        if !passes(call.env("BREAKGLASS_MET", &file).spawn()?, Duration::from_mins(2))? {
            eprintln!("mutants: {name} does not pass without a change: left out");
            continue;
        }
        for number in fs::read_to_string(&file).unwrap_or_default().lines() {
            met.entry(number.parse()?).or_default().push(tests.len());
        }
        tests.push(Test { name: name.to_owned(), took: begun.elapsed() });
    }
    eprintln!("mutants: {} tests meet {} mutants", tests.len(), met.len());
    Ok((tests, met))
}

/// Returns the first tests that fail, or do not end, with this mutant awake; None if all pass.
fn first_to_notice<'a>(
    number: usize,
    tests: &[&'a Test],
    binary: &Path,
    tree: &Path,
) -> Result<Option<Vec<&'a str>>> {
    let mut rest = tests;
    let mut size = AT_ONCE.0;
    while !rest.is_empty() {
        let (some, later) = rest.split_at(size.min(rest.len()));
        let names: Vec<&str> = some.iter().map(|test| test.name.as_str()).collect();
        let limit = Duration::from_secs(10) + some.iter().map(|test| test.took * 5).sum::<Duration>();
        let output = fs::canonicalize(OUT)?.join("output");
        let mut call = test(binary, tree, &names);
        call.env("BREAKGLASS_MUTANT", number.to_string()).stdout(fs::File::create(&output)?);
        let failed = || failed_in(&output, &names);
        if !passes_until(call.spawn()?, limit, || failed().is_empty())? {
            return Ok(Some(failed()));
        }
        rest = later;
        size = (size * 4).min(AT_ONCE.1);
    }
    Ok(None)
}

/// Returns the tests that failed as far as the output says: `test NAME ... FAILED`.
fn failed_in<'a>(output: &Path, names: &[&'a str]) -> Vec<&'a str> {
    let output = fs::read(output).unwrap_or_default();
    let output = String::from_utf8_lossy(&output);
    let failed: Vec<&str> = output
        .lines()
        .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"))
        .map(|name| name.split(" - ").next().unwrap_or(name))
        .collect();
    names.iter().copied().filter(|name| failed.contains(name)).collect()
}

fn test(binary: &Path, tree: &Path, names: &[&str]) -> Command {
    let mut call = Command::new(binary);
    call.arg("--exact")
        .args(names)
        .current_dir(tree)
        .env("RUST_BACKTRACE", "0")
        .env("PROPTEST_MAX_SHRINK_ITERS", "0")
        .env("PROPTEST_CASES", "32")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    call
}

fn passes(child: Child, limit: Duration) -> Result<bool> {
    passes_until(child, limit, || true)
}

/// Returns false also once it does not go well any more: the tests that still run are not waited for.
fn passes_until(mut child: Child, limit: Duration, goes_well: impl Fn() -> bool) -> Result<bool> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if begun.elapsed() > limit || !goes_well() {
            child.kill()?;
            child.wait()?;
            return Ok(false);
        }
        sleep(Duration::from_millis(4));
    }
}
