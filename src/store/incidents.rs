//! Where the files of proposals lie: `incidents/<safeTxHash>/` beside the council file, one folder a proposal, one
//! file a signature.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::read::INCIDENTS;
use super::write::{System, lock_on};
use super::{StoreError, create_folder, create_new, files_below, keep_new, read_text, shown};

const PROPOSAL_START: &str = "proposal";
const PROPOSAL: &str = "proposal.json";
const SIGNATURE_END: &str = ".sig.json";
const OUTCOME_START: &str = "outcome";
const SENT_START: &str = "sent-";
/// Files of one owner, or of the proposal itself, for one proposal.
const MOST_NAMES: u32 = 20;

/// The folder that holds one folder per proposal. Proposals are named by the text of their hash.
#[derive(Clone, Debug)]
pub struct Incidents {
    root: PathBuf,
}

/// A file that is kept here, whole or with the reason why it cannot be read: one bad file must not stop an emergency.
#[derive(Debug)]
pub struct Stored {
    pub path: PathBuf,
    /// The name of its folder.
    pub folder: String,
    pub text: Result<String, StoreError>,
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

    #[must_use]
    pub fn folder(&self, proposal: &str) -> PathBuf {
        self.root.join(proposal)
    }

    #[must_use]
    pub fn proposal_path(&self, proposal: &str) -> PathBuf {
        self.folder(proposal).join(PROPOSAL)
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
        keep_beside(&folder, PROPOSAL_START, ".json", contents)
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
        let mut all = self.texts(proposal, |name| name.starts_with(OUTCOME_START))?;
        // outcome.json, outcome-2.json, …, outcome-10.json
        all.sort_by_key(|stored| (stored.path.as_os_str().len(), stored.path.clone()));
        Ok(all)
    }

    /// Whether an outcome was recorded.
    #[must_use]
    pub fn has_outcome(&self, proposal: &str) -> bool {
        self.folder(proposal).join(format!("{OUTCOME_START}.json")).is_file()
    }

    /// The files of every proposal kept here, folder by folder, the last that was kept first.
    pub fn proposals(&self) -> Result<Vec<Stored>, StoreError> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StoreError::Read { path: shown(&self.root), error }),
        };
        let mut names: Vec<String> = entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        let files = |folder: &String| {
            let at = |n: u32| self.folder(folder).join(numbered(PROPOSAL_START, n, ".json"));
            let there: Vec<PathBuf> = (1..=MOST_NAMES).rev().map(at).filter(|path| path.is_file()).collect();
            there
                .into_iter()
                .map(|path| Stored { text: read_text(&path), path, folder: folder.clone() })
                .collect::<Vec<_>>()
        };
        Ok(names.iter().flat_map(files).collect())
    }

    /// Every signature kept for one proposal.
    pub fn signatures(&self, proposal: &str) -> Result<Vec<Stored>, StoreError> {
        self.texts(proposal, |name| name.ends_with(SIGNATURE_END))
    }

    /// The records of transactions that were sent for one proposal.
    pub fn sent(&self, proposal: &str) -> Result<Vec<Stored>, StoreError> {
        self.texts(proposal, |name| name.starts_with(SENT_START))
    }

    /// The same for every proposal.
    pub fn all_sent(&self) -> Result<Vec<Stored>, StoreError> {
        let mut all = Vec::new();
        for proposal in self.proposals()? {
            all.extend(self.sent(&proposal.folder)?);
        }
        Ok(all)
    }

    fn texts(&self, proposal: &str, wanted: impl Fn(&str) -> bool) -> Result<Vec<Stored>, StoreError> {
        let folder = self.folder(proposal);
        let files = files_below(&folder, "json")?.into_iter().filter(|path| {
            let name = path.file_name().and_then(|n| n.to_str());
            path.parent() == Some(&folder) && name.is_some_and(&wanted)
        });
        let stored = |path: PathBuf| Stored { text: read_text(&path), path, folder: proposal.into() };
        Ok(files.map(stored).collect())
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

/// `name.json`, `name-2.json`, …
fn numbered(name: &str, n: u32, end: &str) -> String {
    if n == 1 { format!("{name}{end}") } else { format!("{name}-{n}{end}") }
}

/// Keeps a file under the first name that is free or says the same already.
fn keep_beside(folder: &Path, name: &str, end: &str, contents: &str) -> Result<PathBuf, StoreError> {
    let mut path = folder.join(numbered(name, 1, end));
    for n in 2..=MOST_NAMES + 1 {
        match keep_new(&path, contents) {
            Err(StoreError::Exists { .. } | StoreError::Link { .. }) if n <= MOST_NAMES => {
                path = folder.join(numbered(name, n, end));
            }
            result => return result.map(|()| path),
        }
    }
    Err(StoreError::Exists { path: shown(&path) })
}
