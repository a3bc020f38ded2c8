//! Where the files of proposals lie: `incidents/2026-11-25-vault-n42-41e5da7e/` beside the council file, one folder a
//! proposal, one file a signature. A folder's name is for people: which proposal it is of is told by what lies in it. Those
//! of earlier versions are called by the whole hash.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use alloy::primitives::{hex, keccak256};

use super::folder::{CandidateFile, Stored, StoredFiles, names_in, read_shelf};
use super::log_file::Log;
use super::read::INCIDENTS;
use super::write::{System, lock_on};
use super::{StoreError, create_folder, create_new, keep_new, read_text, shown};

const PROPOSAL_START: &str = "proposal";
const PROPOSAL: &str = "proposal.json";
const JSON: &str = ".json";
const SIGNATURE_END: &str = ".sig.json";
const OUTCOME_START: &str = "outcome";
const JOURNAL: &str = "journal.jsonl";
const SENT_START: &str = "sent-";
/// The folder of the sets that were signed ahead.
const ARMED: &str = "armed";
/// Numbered files of one owner for one proposal.
const MOST_NAMES: usize = 20;
/// Files of a proposal itself.
const MOST_PROPOSALS: usize = 10_000;
/// The longest proposal: an argument may be as long as a transaction's data.
const LONGEST_PROPOSAL: usize = 8 << 20;
/// The longest file of a signature, or of what was sent and what came of it.
const LONGEST_NOTE: usize = 1 << 20;

/// The folder that holds one folder per proposal.
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
    pub fn next_to(beside: &Path) -> Self {
        Self { root: beside.join(INCIDENTS) }
    }

    /// The journal of this machine.
    pub fn journal(&self) -> Log {
        Log::at(self.root.join(JOURNAL))
    }

    fn path(&self, folder: &str) -> PathBuf {
        self.root.join(folder)
    }

    /// Keeps the first file of a proposal in a folder of its own: of this name, or of the next that nothing else has.
    /// Returns the folder's name and the file.
    pub fn keep_first(&self, name: &str, contents: &str) -> Result<(String, PathBuf), StoreError> {
        create_folder(&self.root)?;
        let digest = hex::encode(&keccak256(contents)[..8]);
        let names = (1..=MOST_NAMES).map(|n| numbered(name, n, "")).chain([format!("{name}-{digest}")]);
        let mut taken = PathBuf::new();
        for folder in names {
            taken = self.path(&folder);
            match create_folder(&taken) {
                Err(StoreError::Exists { .. } | StoreError::Link { .. }) => continue,
                result => result?,
            }
            let file = taken.join(PROPOSAL);
            match keep_new(&file, contents) {
                Err(StoreError::Exists { .. } | StoreError::Link { .. }) => {}
                result => return result.map(|()| (folder, file)),
            }
        }
        Err(StoreError::Exists { path: shown(&taken) })
    }

    /// Keeps another file of the same proposal beside what is there: what came later counts.
    pub fn keep_proposal(&self, folder: &str, contents: &str) -> Result<PathBuf, StoreError> {
        keep_last(&self.path(folder), proposal_names(), contents)
    }

    /// Keeps a signature under its owner's name; where another file has that name, under the next that is free.
    pub fn keep_signature(&self, folder: &str, owner: &str, contents: &str) -> Result<PathBuf, StoreError> {
        keep_beside(&self.path(folder), owner, SIGNATURE_END, contents)
    }

    /// Records a transaction before it is sent. The folder need not be there: what a deputy sends has no proposal.
    pub fn keep_sent(&self, folder: &str, transaction: &str, contents: &str) -> Result<PathBuf, StoreError> {
        create_folder(&self.root)?;
        create_folder(&self.path(folder))?;
        let path = self.path(folder).join(format!("{SENT_START}{transaction}.json"));
        keep_new(&path, contents).map(|()| path)
    }

    /// Records that a proposal was executed and its effect proven: the `nth` time that it was, from 1 on. A note for
    /// people: nothing rests on it.
    pub fn keep_outcome(&self, folder: &str, nth: usize, contents: &str) -> Result<(), StoreError> {
        let name =
            if nth <= 1 { format!("{OUTCOME_START}.json") } else { format!("{OUTCOME_START}-{nth}.json") };
        match create_new(&self.path(folder).join(name), contents) {
            Err(StoreError::Exists { .. }) => Ok(()),
            result => result,
        }
    }

    /// The outcomes recorded in the folders of one proposal, the last one last: a reorganisation leaves more than one.
    pub fn outcomes(&self, folders: &[String]) -> Result<Vec<Stored>, StoreError> {
        let mut all = self.notes(folders, OUTCOME_START)?;
        // outcome.json, outcome-2.json, …, outcome-10.json
        let order = |stored: &Stored| stored.path.file_name().map(|name| (name.len(), name.to_owned()));
        all.sort_by_key(order);
        Ok(all)
    }

    /// Returns `true` if an outcome was recorded.
    pub fn has_outcome(&self, folder: &str) -> bool {
        self.path(folder).join(format!("{OUTCOME_START}.json")).is_file()
    }

    /// The files of the proposals kept here, folder by folder, the last that was kept first. Where there are too many,
    /// the last file of every folder that is named as ours are is read before all others.
    pub fn proposals(&self) -> Result<StoredFiles, StoreError> {
        let mut candidates = Vec::new();
        for name in names_in(&self.root)? {
            let folder = self.path(&name);
            if !folder.symlink_metadata().is_ok_and(|there| there.is_dir()) {
                continue;
            }
            // Without a gap: a file with a number far ahead would be the last for ever.
            let numbers = proposal_names().map(|file| folder.join(file));
            let mut paths: Vec<PathBuf> =
                numbers.take_while(|path| path.symlink_metadata().is_ok()).collect();
            paths.reverse();
            let of_others = if is_ours(&name) { 0 } else { MOST_PROPOSALS };
            let candidate = |(at, path)| CandidateFile { path, folder: name.clone(), rank: at + of_others };
            candidates.extend(paths.into_iter().enumerate().map(candidate));
        }
        Ok(read_shelf(candidates, LONGEST_PROPOSAL))
    }

    /// The signatures in the folders of one proposal, in the order of their names. Where there are too many, those that
    /// are named by one of these owners are read before all others.
    pub fn signatures(&self, folders: &[String], owners: &[String]) -> Result<StoredFiles, StoreError> {
        let mut candidates = Vec::new();
        for folder in folders {
            candidates.extend(self.signatures_in(folder, owners)?);
        }
        Ok(read_shelf(candidates, LONGEST_NOTE))
    }

    fn signatures_in(&self, folder: &str, owners: &[String]) -> Result<Vec<CandidateFile>, StoreError> {
        let path = self.path(folder);
        let numbers = 1..=MOST_NAMES;
        let by_owner =
            owners.iter().flat_map(|o| numbers.clone().map(move |n| (n, numbered(o, n, SIGNATURE_END))));
        // They are found in a folder of any size, because they are opened by their names.
        let mut names: Vec<(String, usize)> = by_owner.map(|(n, name)| (name, n)).collect();
        let ends = |name: &String| name.ends_with(SIGNATURE_END);
        let owners: HashSet<&str> = owners.iter().map(String::as_str).collect();
        let by_an_owner = |name: &str| name.split(['-', '.']).next().is_some_and(|o| owners.contains(o));
        for name in names_in(&path)?.into_iter().filter(ends) {
            let rank = MOST_NAMES + if by_an_owner(&name) { 1 } else { 2 };
            names.push((name, rank));
        }
        names.sort();
        names.dedup_by(|later, first| later.0 == first.0);
        let candidate = |(name, rank)| CandidateFile { path: path.join(name), folder: folder.into(), rank };
        Ok(names.into_iter().map(candidate).collect())
    }

    /// The records of transactions that were sent, in the folders of one proposal.
    pub fn sent(&self, folders: &[String]) -> Result<Vec<Stored>, StoreError> {
        self.notes(folders, SENT_START)
    }

    /// Returns the transactions that were sent for every proposal.
    pub fn all_sent(&self) -> Result<Vec<Stored>, StoreError> {
        let folders = names_in(&self.root)?.into_iter();
        let all = folders.flat_map(|folder| self.candidates(&folder, SENT_START).unwrap_or_default());
        Ok(read_shelf(all.collect(), LONGEST_NOTE).files)
    }

    /// The files in these folders whose names begin like this.
    fn notes(&self, folders: &[String], start: &str) -> Result<Vec<Stored>, StoreError> {
        let mut candidates = Vec::new();
        for folder in folders {
            candidates.extend(self.candidates(folder, start)?);
        }
        Ok(read_shelf(candidates, LONGEST_NOTE).files)
    }

    fn candidates(&self, folder: &str, start: &str) -> Result<Vec<CandidateFile>, StoreError> {
        let path = self.path(folder);
        // A link leads elsewhere, perhaps to a whole disk.
        if !path.symlink_metadata().is_ok_and(|there| there.is_dir()) {
            return Ok(Vec::new());
        }
        let wanted = |name: &String| name.starts_with(start) && name.ends_with(JSON);
        let candidate = |(rank, name)| CandidateFile { path: path.join(name), folder: folder.into(), rank };
        Ok(names_in(&path)?.into_iter().filter(wanted).enumerate().map(candidate).collect())
    }

    /// Keeps a set that was signed ahead, under this name or the next that is free; its owner alone can read it.
    pub fn keep_set(&self, name: &str, contents: &str) -> Result<PathBuf, StoreError> {
        create_folder(&self.root)?;
        let folder = self.path(ARMED);
        create_folder(&folder)?;
        keep_beside(&folder, name, JSON, contents)
    }

    /// The sets that were signed ahead and are kept here, in the order of their names.
    pub fn sets(&self) -> Result<StoredFiles, StoreError> {
        Ok(read_shelf(self.candidates(ARMED, "")?, LONGEST_PROPOSAL))
    }

    /// Takes the lock of the proposal with this hash, or says that somebody has it.
    pub fn lock(&self, hash: &str) -> Result<Lock, StoreError> {
        self.lock_on(&format!(".{hash}"))
    }

    /// Takes the lock of an account that pays for gas on a chain: while it is held, nobody else here signs with its nonce.
    pub fn lock_payer(&self, payer: &str, chain_id: u64) -> Result<Lock, StoreError> {
        self.lock_on(&format!(".payer-{payer}-{chain_id}"))
    }

    /// Locks the first file of this name that can be one: whatever somebody laid in its place is passed over, by everybody.
    fn lock_on(&self, name: &str) -> Result<Lock, StoreError> {
        create_folder(&self.root)?;
        let mut taken = PathBuf::new();
        for path in (1..=MOST_NAMES).map(|n| self.root.join(numbered(name, n, ".lock"))) {
            match lock_on(&System, &path) {
                Err(StoreError::NotAFile { .. } | StoreError::Link { .. }) => taken = path,
                result => return result.map(|file| Lock { _file: file }),
            }
        }
        Err(StoreError::Exists { path: shown(&taken) })
    }
}

/// Returns `true` for a name such as a proposal's folder has: `2026-11-25-vault-n42-41e5da7e`, or the whole hash. It
/// decides only what is read first.
fn is_ours(name: &str) -> bool {
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    let is_date = |text: &str| {
        let form = |(at, b): (usize, u8)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() };
        text.len() == 11 && text.ends_with('-') && text.bytes().take(10).enumerate().all(form)
    };
    let is_hash = name.len() == 66 && name.strip_prefix("0x").is_some_and(is_hex);
    is_hash || (name.len() > 24 && name.get(..11).is_some_and(is_date))
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const NAME: &str = "2026-11-25-vault-n42-41e5da7e";

    #[test]
    fn a_folder_that_is_taken_gives_way_to_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let incidents = Incidents::next_to(dir.path());
        let kept = |contents| incidents.keep_first(NAME, contents).unwrap().0;
        assert_eq!([kept("one"), kept("two"), kept("one")], [NAME, &format!("{NAME}-2"), NAME]);
        fs::write(dir.path().join(format!("incidents/{NAME}-3")), "in the way").unwrap();
        // One that was made and never filled is used.
        fs::create_dir(dir.path().join(format!("incidents/{NAME}-4"))).unwrap();
        assert_eq!(kept("three"), format!("{NAME}-4"));
        let texts: Vec<String> =
            incidents.proposals().unwrap().files.into_iter().filter_map(|f| f.text.ok()).collect();
        assert_eq!(texts, ["one", "two", "three"]);
    }

    #[test]
    fn a_folder_in_the_place_of_a_lock_does_not_stop_a_broadcast_and_two_at_once_still_are() {
        let dir = tempfile::tempdir().unwrap();
        let incidents = Incidents::next_to(dir.path());
        for name in [".0x1.lock", ".payer-0x2-1.lock", ".payer-0x2-1-2.lock"] {
            fs::create_dir_all(dir.path().join("incidents").join(name)).unwrap();
        }
        let held = (incidents.lock("0x1").unwrap(), incidents.lock_payer("0x2", 1).unwrap());
        assert!(matches!(incidents.lock("0x1"), Err(StoreError::Locked { .. })));
        assert!(matches!(incidents.lock_payer("0x2", 1), Err(StoreError::Locked { .. })));
        drop(held);
        assert!(incidents.lock("0x1").is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_neither_written_nor_read_through() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("proposal.json"), "theirs").unwrap();
        fs::write(elsewhere.path().join("sent-1.json"), "theirs").unwrap();
        fs::create_dir(dir.path().join("incidents")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), dir.path().join("incidents").join(NAME)).unwrap();
        let incidents = Incidents::next_to(dir.path());
        assert_eq!(incidents.keep_first(NAME, "mine").unwrap().0, format!("{NAME}-2"));
        assert_eq!((incidents.proposals().unwrap().files.len(), incidents.all_sent().unwrap().len()), (1, 0));
    }

    #[test]
    fn names_of_ours_are_read_first_and_any_other_is_read_too() {
        for (name, ours) in [
            (NAME, true),
            ("2026-11-25-freeze-without-bridge-n0-41e5da7e-2", true),
            (&format!("0x{}", "ab".repeat(32)), true),
            ("2026-11-25", false),
            ("vault-of-the-25th-of-november", false),
            ("2026-11-2é-vault-n42-41e5da7e", false),
        ] {
            assert_eq!(is_ours(name), ours, "{name}");
        }
    }

    #[test]
    fn files_in_several_folders_of_one_proposal_are_read_together() {
        let dir = tempfile::tempdir().unwrap();
        let incidents = Incidents::next_to(dir.path());
        let folders: Vec<String> =
            [NAME, "theirs"].map(|name| incidents.keep_first(name, "same").unwrap().0).into();
        incidents.keep_signature(&folders[0], "0xa", "of a").unwrap();
        incidents.keep_signature(&folders[1], "0xb", "of b").unwrap();
        incidents.keep_sent(&folders[1], "0x1", "sent").unwrap();
        let shelf = incidents.signatures(&folders, &["0xa".into()]).unwrap();
        let texts: Vec<String> = shelf.files.into_iter().filter_map(|f| f.text.ok()).collect();
        assert_eq!(texts, ["of a", "of b"]);
        assert_eq!((incidents.sent(&folders).unwrap().len(), incidents.all_sent().unwrap().len()), (1, 1));
    }
}
