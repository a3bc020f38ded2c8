//! Each mutant against the tests that meet it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Mutant, OUT, Result};

/// Tests at once in one call of the binary: the first few mostly decide.
const AT_ONCE: usize = 12;

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
    for (done, number) in wanted.iter().enumerate() {
        if done % 100 == 0 {
            eprintln!("mutants: {done} of {}, {} missed", wanted.len(), missed.len());
        }
        let mut those: Vec<&Test> = met.get(number).into_iter().flatten().map(|test| &tests[*test]).collect();
        those.sort_by_key(|test| test.took);
        if !noticed(*number, &those, binary, tree)? {
            let mutant = mutants[*number].clone();
            writeln!(list, "{}", mutant.key())?;
            missed.push(mutant);
        }
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

/// Returns true if a test fails, or does not end, with this mutant awake.
fn noticed(number: usize, tests: &[&Test], binary: &Path, tree: &Path) -> Result<bool> {
    for some in tests.chunks(AT_ONCE) {
        let names: Vec<&str> = some.iter().map(|test| test.name.as_str()).collect();
        let limit = Duration::from_secs(5) + some.iter().map(|test| test.took * 5).sum::<Duration>();
        let mut call = test(binary, tree, &names);
        if !passes(call.env("BREAKGLASS_MUTANT", number.to_string()).spawn()?, limit)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn test(binary: &Path, tree: &Path, names: &[&str]) -> Command {
    let mut call = Command::new(binary);
    call.args(["--exact", "--quiet"])
        .args(names)
        .current_dir(tree)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    call
}

fn passes(mut child: Child, limit: Duration) -> Result<bool> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if begun.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(false);
        }
        sleep(Duration::from_millis(4));
    }
}
