//! The result of an import: the lines for a person and the object for a script.

use alloy::primitives::Address;
use serde::Serialize;

use crate::proposal::Tally;
use crate::safe::SafeTxHash;
use crate::ui::{Lines, Text};

/// The most signatures that are listed one by one.
const LISTED: usize = 20;

/// The result of an import. Lists are whole for a script; a person sees the first of each.
#[derive(Serialize)]
pub struct Imported {
    pub taken: Vec<ImportedLine>,
    pub known: Vec<ImportedLine>,
    pub not_needed: Vec<Spare>,
    pub refused: Vec<RefusedImport>,
    pub refused_count: usize,
    pub not_looked_at: usize,
    pub files_not_read: usize,
    pub tallies: Vec<SigningProgress>,
    /// The part of `files_not_read` that is over the bound on their number.
    #[serde(skip)]
    pub files_over_bound: usize,
    /// The number of `refused` that are among `refused_count`: the others are files that were named.
    #[serde(skip)]
    pub refused_listed: usize,
    /// The first texts in which bytes that are not UTF-8 were skipped, and how many more there are.
    #[serde(skip)]
    pub damaged: (Vec<String>, usize),
}

/// An owner's signature.
#[derive(Serialize)]
pub struct ImportedLine {
    owner: String,
    safe_tx_hash: String,
    /// The owner's name in the council file and their address.
    #[serde(skip)]
    shown: String,
}

/// Good signatures of an owner who has signed already.
#[derive(Serialize)]
pub struct Spare {
    pub owner: String,
    pub safe_tx_hash: String,
    pub count: usize,
}

/// A text, or a line of one, that was refused.
#[derive(Serialize)]
pub struct RefusedImport {
    pub origin: String,
    pub why: String,
}

/// The progress of a proposal.
#[derive(Serialize)]
pub struct SigningProgress {
    safe_tx_hash: String,
    signed: Vec<String>,
    missing: Vec<String>,
    threshold: usize,
    next: String,
}

impl ImportedLine {
    /// Returns a line. `note` says how the owner approved, if not by a plain signature: `, for foundation`.
    pub fn new(owner: Address, hash: SafeTxHash, name: &str, note: &str) -> Self {
        let (owner, hash) = (owner.to_string(), hash.to_string());
        let shown = if name == owner { owner.clone() } else { format!("{name} {owner}") };
        Self { owner, safe_tx_hash: hash, shown: format!("{shown}{note}") }
    }
}

impl From<&Tally> for SigningProgress {
    fn from(tally: &Tally) -> Self {
        Self {
            safe_tx_hash: tally.hash.to_string(),
            signed: tally.signed.clone(),
            missing: tally.missing.clone(),
            threshold: tally.threshold,
            next: tally.next(),
        }
    }
}

impl Imported {
    /// Returns `true` if everything that was given was looked at, and nothing of it refused.
    pub const fn is_whole(&self) -> bool {
        self.refused.is_empty() && self.not_looked_at == 0 && self.files_not_read == 0
    }

    pub fn lines(&self) -> Lines {
        let mut out = Lines::default();
        list(&mut out, "imported  ", Text::good, &self.taken);
        list(&mut out, "known     ", Text::dim, &self.known);
        for RefusedImport { origin, why } in &self.refused {
            out.say(&Text::default().bad("refused   ").add(&format!("{origin}: {why}")));
        }
        for sentence in self.leftovers() {
            out.say(&Text::default().warn("! ").add(&sentence));
        }
        out
    }

    /// Returns a sentence for each number of signatures and files that are not listed or were not read.
    fn leftovers(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        for Spare { owner, safe_tx_hash, count } in self.not_needed.iter().take(LISTED) {
            sentences.push(format!(
                "{owner} has signed {safe_tx_hash} already: {count} more of theirs not needed"
            ));
        }
        let (damaged, more_damaged) = &self.damaged;
        for origin in damaged {
            sentences.push(format!("{origin}: bytes that are not text (UTF-8) were passed over"));
        }
        let counted = [
            (self.not_needed.len().saturating_sub(LISTED), "more owners who signed several times"),
            (*more_damaged, "more files with bytes that are not text"),
            (self.refused_count.saturating_sub(self.refused_listed), "more that were refused, not listed"),
            (
                self.not_looked_at,
                "signatures not looked at: there are too many. Pass fewer, the missing owner's first",
            ),
            (self.files_over_bound, "files not read: there are too many. Name the files that you mean"),
        ];
        sentences.extend(counted.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")));
        sentences
    }
}

fn list(out: &mut Lines, what: &str, tone: impl Fn(Text, &str) -> Text, signatures: &[ImportedLine]) {
    for ImportedLine { shown, safe_tx_hash, .. } in signatures.iter().take(LISTED) {
        // The beginning, as in the name of the proposal's folder; the object of --json has the whole hash.
        let hash = safe_tx_hash.get(..10).unwrap_or(safe_tx_hash);
        out.say(&tone(Text::default(), what).add(&format!("{shown}: {hash}")));
    }
    if signatures.len() > LISTED {
        let more = format!("and {} more", signatures.len() - LISTED);
        out.say(&tone(Text::default(), what).add(&more));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A flood takes a bounded number of lines, with the number of those that are not listed.
    #[test]
    fn imports_that_are_not_listed_are_counted() {
        let text = |n: usize| n.to_string();
        let line = |n| ImportedLine { owner: text(n), safe_tx_hash: "0xh".into(), shown: text(n) };
        let imported = Imported {
            taken: (0..25).map(line).collect(),
            known: Vec::new(),
            not_needed: (0..21)
                .map(|n| Spare { owner: text(n), safe_tx_hash: "0xh".into(), count: 2 })
                .collect(),
            refused: vec![RefusedImport { origin: "a.txt".into(), why: "cut".into() }],
            refused_count: 7,
            not_looked_at: 3,
            files_not_read: 5,
            tallies: Vec::new(),
            files_over_bound: 4,
            refused_listed: 1,
            damaged: (vec!["b.txt".into()], 2),
        };
        let lines: Vec<String> = imported.lines().iter().map(Text::plain).collect();
        assert_eq!(lines[0], "imported  0: 0xh");
        assert_eq!(lines[20], "imported  and 5 more");
        assert_eq!(lines[21], "refused   a.txt: cut");
        assert_eq!(lines[22], "! 0 has signed 0xh already: 2 more of theirs not needed");
        let counted = [
            "! b.txt: bytes that are not text (UTF-8) were passed over",
            "! 1 more owners who signed several times",
            "! 2 more files with bytes that are not text",
            "! 6 more that were refused, not listed",
            "! 3 signatures not looked at: there are too many. Pass fewer, the missing owner's first",
            "! 4 files not read: there are too many. Name the files that you mean",
        ];
        assert_eq!(lines[42..], counted);
        let object = serde_json::to_value(&imported).unwrap();
        assert_eq!(object["taken"].as_array().unwrap().len(), 25);
        assert_eq!(object["files_not_read"], 5);
        assert!(object.get("damaged").is_none());
    }

    /// A script that goes by the exit code has to learn that some of it may be missing.
    #[test]
    fn an_import_that_passed_over_anything_is_not_whole() {
        let none = || Imported {
            taken: Vec::new(),
            known: Vec::new(),
            not_needed: Vec::new(),
            refused: Vec::new(),
            refused_count: 0,
            not_looked_at: 0,
            files_not_read: 0,
            tallies: Vec::new(),
            files_over_bound: 0,
            refused_listed: 0,
            damaged: (Vec::new(), 0),
        };
        assert!(none().is_whole());
        assert!(!Imported { not_looked_at: 1, ..none() }.is_whole());
        assert!(!Imported { files_not_read: 1, ..none() }.is_whole());
        let refused = vec![RefusedImport { origin: "a.txt".into(), why: "cut".into() }];
        assert!(!Imported { refused, ..none() }.is_whole());
    }
}
