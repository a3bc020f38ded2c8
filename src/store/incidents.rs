//! Where the files of proposals lie: `incidents/<safeTxHash>/` beside the council file, one folder a proposal, one
//! file a signature.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use alloy::primitives::{hex, keccak256};

use super::folder::{Candidate, Shelf, Stored, names_in, read_shelf};
use super::journal::Log;
use super::read::INCIDENTS;
use super::write::{System, lock_on};
use super::{StoreError, create_folder, create_new, keep_new, read_text, shown};

const PROPOSAL_START: &str = "proposal";
const JSON: &str = ".json";
const SIGNATURE_END: &str = ".sig.json";
const OUTCOME_START: &str = "outcome";
const JOURNAL: &str = "journal.jsonl";
const SENT_START: &str = "sent-";
/// Numbered files of one owner for one proposal.
const MOST_NAMES: usize = 20;
/// Files of a proposal itself.
const MOST_PROPOSALS: usize = 10_000;
/// The longest proposal: an argument may be as long as a transaction's data.
const LONGEST_PROPOSAL: usize = 8 << 20;
/// The longest file of a signature, or of what was sent and what came of it.
const LONGEST_NOTE: usize = 1 << 20;

/// The folder that holds one folder per proposal. Proposals are named by the text of their hash.
#[derive(Clone, Debug)]
pub struct Incidents {
    root: PathBuf,
}

/// Held while a proposal is being broadcast, so that two runs on one machine don't send it twice.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Incidents {
    /// `beside` is the folder of the council file. Nothing is created before there is something to write.
    #[must_use]
    pub fn beside(beside: &Path) -> Self {
        Self { root: beside.join(INCIDENTS) }
    }

    /// The journal of this machine.
    #[must_use]
    pub fn journal(&self) -> Log {
        Log::at(self.root.join(JOURNAL))
    }

    #[must_use]
    pub fn folder(&self, proposal: &str) -> PathBuf {
        self.root.join(proposal)
    }

    fn ready(&self, proposal: &str) -> Result<PathBuf, StoreError> {
        create_folder(&self.root)?;
        let folder = self.folder(proposal);
        create_folder(&folder)?;
        Ok(folder)
    }

    /// Keeps a proposal; where another file is there already, beside it: what came later counts.
    pub fn keep_proposal(&self, proposal: &str, contents: &str) -> Result<PathBuf, StoreError> {
        let folder = self.ready(proposal)?;
        keep_last(&folder, proposal_names(), contents)
    }

    /// Keeps a signature under its owner's name; where another file has that name, under the next that is free.
    pub fn keep_signature(&self, proposal: &str, owner: &str, contents: &str) -> Result<PathBuf, StoreError> {
        let folder = self.ready(proposal)?;
        keep_beside(&folder, owner, SIGNATURE_END, contents)
    }

    /// Records a transaction before it is sent.
    pub fn keep_sent(
        &self,
        proposal: &str,
        transaction: &str,
        contents: &str,
    ) -> Result<PathBuf, StoreError> {
        let path = self.ready(proposal)?.join(format!("{SENT_START}{transaction}.json"));
        keep_new(&path, contents).map(|()| path)
    }

    /// Records that a proposal was executed and its effect proven: the `nth` time that it was, from 1 on. A note for
    /// people: nothing rests on it.
    pub fn keep_outcome(&self, proposal: &str, nth: usize, contents: &str) -> Result<(), StoreError> {
        let name =
            if nth <= 1 { format!("{OUTCOME_START}.json") } else { format!("{OUTCOME_START}-{nth}.json") };
        match create_new(&self.ready(proposal)?.join(name), contents) {
            Err(StoreError::Exists { .. }) => Ok(()),
            result => result,
        }
    }

    /// The outcomes recorded for one proposal, the last one last: a reorganisation leaves more than one.
    pub fn outcomes(&self, proposal: &str) -> Result<Vec<Stored>, StoreError> {
        let mut all = self.notes(proposal, OUTCOME_START)?.files;
        // outcome.json, outcome-2.json, …, outcome-10.json
        all.sort_by_key(|stored| (stored.path.as_os_str().len(), stored.path.clone()));
        Ok(all)
    }

    /// Returns `true` if an outcome was recorded.
    #[must_use]
    pub fn has_outcome(&self, proposal: &str) -> bool {
        self.folder(proposal).join(format!("{OUTCOME_START}.json")).is_file()
    }

    /// The files of the proposals kept here, folder by folder, the last that was kept first. Where there are too many,
    /// the last file of every folder that is named by a hash is read before all others.
    pub fn proposals(&self) -> Result<Shelf, StoreError> {
        let mut candidates = Vec::new();
        for name in names_in(&self.root)? {
            let folder = self.folder(&name);
            if !folder.symlink_metadata().is_ok_and(|there| there.is_dir()) {
                continue;
            }
            // Without a gap: a file with a number far ahead would be the last for ever.
            let numbers = proposal_names().map(|file| folder.join(file));
            let mut paths: Vec<PathBuf> =
                numbers.take_while(|path| path.symlink_metadata().is_ok()).collect();
            paths.reverse();
            let of_others = if is_hash(&name) { 0 } else { MOST_PROPOSALS };
            let candidate = |(at, path)| Candidate { path, folder: name.clone(), rank: at + of_others };
            candidates.extend(paths.into_iter().enumerate().map(candidate));
        }
        Ok(read_shelf(candidates, LONGEST_PROPOSAL))
    }

    /// The signatures kept for one proposal, in the order of their names. Where there are too many, those that are named
    /// by one of these owners are read before all others.
    pub fn signatures(&self, proposal: &str, owners: &[String]) -> Result<Shelf, StoreError> {
        let folder = self.folder(proposal);
        let numbers = 1..=MOST_NAMES;
        let by_owner =
            owners.iter().flat_map(|o| numbers.clone().map(move |n| (n, numbered(o, n, SIGNATURE_END))));
        // In a folder of any size they are found, because they are looked for by their names.
        let mut names: Vec<(String, usize)> = by_owner.map(|(n, name)| (name, n)).collect();
        let ends = |name: &String| name.ends_with(SIGNATURE_END);
        let owners: HashSet<&str> = owners.iter().map(String::as_str).collect();
        let by_an_owner = |name: &str| name.split(['-', '.']).next().is_some_and(|o| owners.contains(o));
        for name in names_in(&folder)?.into_iter().filter(ends) {
            let rank = MOST_NAMES + if by_an_owner(&name) { 1 } else { 2 };
            names.push((name, rank));
        }
        names.sort();
        names.dedup_by(|later, first| later.0 == first.0);
        let candidate = |(name, rank)| Candidate { path: folder.join(name), folder: proposal.into(), rank };
        Ok(read_shelf(names.into_iter().map(candidate).collect(), LONGEST_NOTE))
    }

    /// The records of transactions that were sent for one proposal.
    pub fn sent(&self, proposal: &str) -> Result<Vec<Stored>, StoreError> {
        Ok(self.notes(proposal, SENT_START)?.files)
    }

    /// Returns the transactions that were sent for every proposal.
    pub fn all_sent(&self) -> Result<Vec<Stored>, StoreError> {
        let folders = names_in(&self.root)?.into_iter().filter(|name| is_hash(name));
        let all = folders.flat_map(|folder| self.candidates(&folder, SENT_START).unwrap_or_default());
        Ok(read_shelf(all.collect(), LONGEST_NOTE).files)
    }

    fn notes(&self, proposal: &str, start: &str) -> Result<Shelf, StoreError> {
        Ok(read_shelf(self.candidates(proposal, start)?, LONGEST_NOTE))
    }

    /// The files of one proposal whose names begin like this.
    fn candidates(&self, proposal: &str, start: &str) -> Result<Vec<Candidate>, StoreError> {
        let folder = self.folder(proposal);
        let wanted = |name: &String| name.starts_with(start) && name.ends_with(JSON);
        let candidate = |(rank, name)| Candidate { path: folder.join(name), folder: proposal.into(), rank };
        Ok(names_in(&folder)?.into_iter().filter(wanted).enumerate().map(candidate).collect())
    }

    /// Takes the proposal's lock, or says that somebody has it.
    pub fn lock(&self, proposal: &str) -> Result<Lock, StoreError> {
        let path = self.ready(proposal)?.join(".lock");
        lock_on(&System, &path).map(|file| Lock { _file: file })
    }

    /// Takes the lock of an account that pays for gas: while it is held, nobody else here signs with its nonce.
    pub fn lock_payer(&self, payer: &str) -> Result<Lock, StoreError> {
        create_folder(&self.root)?;
        lock_on(&System, &self.root.join(format!(".payer-{payer}.lock"))).map(|file| Lock { _file: file })
    }
}

/// Returns `true` for the name that a proposal's folder has.
fn is_hash(name: &str) -> bool {
    name.len() == 66 && name.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// `name.json`, `name-2.json`, …
fn numbered(name: &str, n: usize, end: &str) -> String {
    if n == 1 { format!("{name}{end}") } else { format!("{name}-{n}{end}") }
}

/// Which of them counts is told by their order: each has a number.
fn proposal_names() -> impl Iterator<Item = String> {
    (1..=MOST_PROPOSALS).map(|n| numbered(PROPOSAL_START, n, JSON))
}

/// Keeps a file after all that are there, unless the last of them says the same.
fn keep_last(
    folder: &Path,
    names: impl Iterator<Item = String>,
    contents: &str,
) -> Result<PathBuf, StoreError> {
    let mut last = folder.to_path_buf();
    for path in names.map(|name| folder.join(name)) {
        if path.symlink_metadata().is_err() {
            if read_text(&last).is_ok_and(|text| text == contents) {
                return Ok(last);
            }
            match create_new(&path, contents) {
                // Another run took that name.
                Err(StoreError::Exists { .. }) => {}
                result => return result.map(|()| path),
            }
        }
        last = path;
    }
    Err(StoreError::Exists { path: shown(&last) })
}

/// Keeps a file under the first name that is free or says the same already. Where strangers have taken all of them, its
/// name is a digest of what it says.
fn keep_beside(folder: &Path, name: &str, end: &str, contents: &str) -> Result<PathBuf, StoreError> {
    let digest = hex::encode(&keccak256(contents)[..8]);
    let numbered = (1..=MOST_NAMES).map(|n| numbered(name, n, end));
    let mut taken = PathBuf::new();
    for file in numbered.chain([format!("{name}-{digest}{end}")]) {
        let path = folder.join(file);
        match keep_new(&path, contents) {
            Err(StoreError::Exists { .. } | StoreError::Link { .. }) => taken = path,
            result => return result.map(|()| path),
        }
    }
    Err(StoreError::Exists { path: shown(&taken) })
}
