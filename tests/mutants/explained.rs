//! The list of mutants that stay alive for a reason: a line that names one, a whole function, or a file of effects alone,
//! then an indented line with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::{Mutant, Result};

const LIST: &str = "tests/mutants/explained.txt";

/// Says what was missed; false if something was missed without a reason, or, where all of the files was tried, a reason is no
/// longer needed.
pub fn judge(missed: &[Mutant], files: &[String], tried: usize, whole: bool) -> Result<bool> {
    let reasons = reasons(&fs::read_to_string(LIST)?)?;
    let mut good = true;
    let mut needed = BTreeSet::new();
    let mut explained = 0;
    for mutant in missed {
        let keys = [mutant.key(), mutant.place(), mutant.file.clone()];
        match keys.into_iter().find(|key| reasons.contains_key(key)) {
            Some(key) => {
                explained += 1;
                needed.insert(key);
            }
            None => {
                println!("missed: {}:{}\n  {}", mutant.file, mutant.lines.start, mutant.key());
                good = false;
            }
        }
    }
    for key in reasons.keys().filter(|key| !needed.contains(*key)) {
        let file = key.split(" · ").next().unwrap_or_default();
        if whole && files.iter().any(|tried| tried == file) {
            println!("explained, but noticed or gone: {key}");
            good = false;
        }
    }
    println!(
        "{tried} mutants: {} noticed, {explained} explained, {} missed",
        tried - missed.len(),
        missed.len() - explained
    );
    Ok(good)
}

fn reasons(text: &str) -> Result<BTreeMap<String, String>> {
    let mut reasons = BTreeMap::new();
    let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    while let Some(key) = lines.next() {
        match lines.next().and_then(|line| line.strip_prefix("    ")) {
            Some(reason) => reasons.insert(key.to_owned(), reason.to_owned()),
            None => return Err(format!("{LIST}: no reason below: {key}").into()),
        };
    }
    Ok(reasons)
}
