//! Where the files of proposals lie: `incidents/<safeTxHash>/` beside the council file, one folder a proposal, one
//! file a signature.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::{StoreError, create_folder, files_below, keep_new, read_text, shown};

const FOLDER: &str = "incidents";
const PROPOSAL: &str = "proposal.json";
const SIGNATURE_END: &str = ".sig.json";
const OUTCOME: &str = "outcome.json";
const SENT_START: &str = "sent-";

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
        Self { root: beside.join(FOLDER) }
    }

    #[must_use]
    pub fn folder(&self, proposal: &str) -> PathBuf {
        self.root.join(proposal)
    }

    #[must_use]
    pub fn proposal_path(&self, proposal: &str) -> PathBuf {
        self.folder(proposal).join(PROPOSAL)
    }

    /// Where the signature of one owner lies, or would.
    #[must_use]
    pub fn signature_path(&self, proposal: &str, owner: &str) -> PathBuf {
        self.folder(proposal).join(format!("{owner}{SIGNATURE_END}"))
    }

    fn ready(&self, proposal: &str) -> Result<PathBuf, StoreError> {
        create_folder(&self.root)?;
        let folder = self.folder(proposal);
        create_folder(&folder)?;
        Ok(folder)
    }

    /// Keeps a proposal; the same one may be there already, another may not.
    pub fn keep_proposal(&self, proposal: &str, contents: &str) -> Result<PathBuf, StoreError> {
        self.ready(proposal)?;
        keep(self.proposal_path(proposal), contents)
    }

    /// Keeps the signature of one owner; the same one may be there already, another may not.
    pub fn keep_signature(&self, proposal: &str, owner: &str, contents: &str) -> Result<PathBuf, StoreError> {
        self.ready(proposal)?;
        keep(self.signature_path(proposal, owner), contents)
    }

    /// Records a transaction before it is sent.
    pub fn keep_sent(
        &self,
        proposal: &str,
        transaction: &str,
        contents: &str,
    ) -> Result<PathBuf, StoreError> {
        let folder = self.ready(proposal)?;
        keep(folder.join(format!("{SENT_START}{transaction}.json")), contents)
    }

    /// Records that a proposal was executed and its effect proven.
    pub fn keep_outcome(&self, proposal: &str, contents: &str) -> Result<PathBuf, StoreError> {
        self.ready(proposal)?;
        let path = self.folder(proposal).join(OUTCOME);
        if self.is_proven(proposal) { Ok(path) } else { keep(path, contents) }
    }

    #[must_use]
    pub fn is_proven(&self, proposal: &str) -> bool {
        self.folder(proposal).join(OUTCOME).is_file()
    }

    /// Every proposal kept here: path and text.
    pub fn proposals(&self) -> Result<Vec<(PathBuf, String)>, StoreError> {
        self.texts(&self.root, |name| name == PROPOSAL)
    }

    /// Every signature kept for one proposal: path and text.
    pub fn signatures(&self, proposal: &str) -> Result<Vec<(PathBuf, String)>, StoreError> {
        self.texts(&self.folder(proposal), |name| name.ends_with(SIGNATURE_END))
    }

    /// The records of transactions that were sent for one proposal.
    pub fn sent(&self, proposal: &str) -> Result<Vec<(PathBuf, String)>, StoreError> {
        self.texts(&self.folder(proposal), |name| name.starts_with(SENT_START))
    }

    fn texts(
        &self,
        folder: &Path,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<(PathBuf, String)>, StoreError> {
        files_below(folder, "json")?
            .into_iter()
            .filter(|path| path.file_name().and_then(|n| n.to_str()).is_some_and(&wanted))
            .map(|path| read_text(&path).map(|text| (path, text)))
            .collect()
    }

    /// Takes the proposal's lock, or says that somebody has it. It ends with the process, however that ends.
    pub fn lock(&self, proposal: &str) -> Result<Lock, StoreError> {
        let path = self.ready(proposal)?.join(".lock");
        let failed = |error| StoreError::Write { path: shown(&path), error };
        if fs::symlink_metadata(&path).is_ok_and(|m| m.file_type().is_symlink()) {
            return Err(StoreError::Link { path: shown(&path) });
        }
        let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: shown(&self.folder(proposal)) }),
            // A file system without locks (a USB stick's) must not keep anybody from acting.
            Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => Ok(Lock { _file: file }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

fn keep(path: PathBuf, contents: &str) -> Result<PathBuf, StoreError> {
    keep_new(&path, contents)?;
    Ok(path)
}
