//! The folders of `incidents/`: the hash recomputed from a file says which proposal a folder holds, never its name. The
//! files are read once in a run, and each is derived once.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::ceremony::desk::Desk;
use crate::ceremony::folder::filed::{KeptFile, lock};
use crate::ceremony::sending::sent::Sent;
use crate::clock;
use crate::error::Error;
use crate::incident::{Entry, Journal, Utc};
use crate::progress::Tone;
use crate::proposal::{OwnerSignature, Proposal, Truncated, WalletSignature};
use crate::safe::{Nonce, SafeId, SafeTxHash};
use crate::store::{Lock, StoreError, Stored};

/// The most characters of a lever's name in the name of a folder.
const LONGEST_TITLE: usize = 40;

impl Desk<'_> {
    /// Returns the files of the proposals that are wanted, derived or not.
    fn files(&self, wanted: impl Fn(&KeptFile) -> bool) -> Result<Vec<Arc<KeptFile>>, Error> {
        let mut files = {
            let mut read = lock(&self.filed.files);
            match &*read {
                Some(files) => files.clone(),
                None => read.insert(self.read_files()?).clone(),
            }
        };
        files.retain(|file| wanted(file));
        Ok(files)
    }

    fn read_files(&self) -> Result<Vec<Arc<KeptFile>>, Error> {
        let stored = self.incidents.proposals()?;
        let mut left_out = Truncated::default();
        let mut files = Vec::new();
        for Stored { path, folder, text } in stored.files {
            let parsed = match text {
                Ok(text) => Proposal::parse(&text).map_err(|e| e.to_string()),
                Err(error) => Err(error.to_string()),
            };
            // A folder of an earlier version has the hash of its proposal as its name.
            let claimed: Option<SafeTxHash> = folder.parse().ok();
            let own = parsed.and_then(|proposal| match proposal.hash() {
                hash if claimed.is_none_or(|claimed| claimed == hash) => Ok(proposal),
                hash => Err(format!("it is proposal {hash}")),
            });
            match own {
                Ok(proposal) => {
                    files.push(Arc::new(KeptFile { folder, path, proposal, derived: OnceLock::new() }));
                }
                Err(_) if self.incidents.has_outcome(&folder) => {}
                Err(why) => left_out.push(|| (path, why)),
            }
        }
        self.say_left_out("proposal", &left_out, stored.left);
        Ok(files)
    }

    /// Returns the kept real proposals that are wanted and that the reader's own files give; of each the last file.
    pub fn kept(&self, wanted: impl Fn(&Proposal) -> bool) -> Result<Vec<Proposal>, Error> {
        Ok(self.kept_files(wanted)?.into_iter().map(|(_, proposal)| proposal).collect())
    }

    /// Returns [`Desk::kept`] with the files.
    pub fn kept_files(&self, wanted: impl Fn(&Proposal) -> bool) -> Result<Vec<(PathBuf, Proposal)>, Error> {
        Ok(self.kept_among(self.files(|file| !file.proposal.is_drill() && wanted(&file.proposal))?))
    }

    /// Returns the kept proposals that are not known to be done: without a recorded outcome, or without one in the
    /// journal. An outcome file alone may be anybody's.
    pub fn kept_open(&self) -> Result<Vec<Proposal>, Error> {
        let proven = self.proven();
        let is_done = |file: &KeptFile| self.is_done(file, &proven);
        let open = self.files(|file| !file.proposal.is_drill() && !is_done(file))?;
        Ok(self.kept_among(open).into_iter().map(|(_, proposal)| proposal).collect())
    }

    /// Returns the proposals that this machine's journal has as proven.
    fn proven(&self) -> HashSet<SafeTxHash> {
        let journal = self.incidents.journal().read().map(|bytes| Journal::read(&bytes)).unwrap_or_default();
        journal.iter().filter_map(Entry::proven).collect()
    }

    fn is_done(&self, file: &KeptFile, proven: &HashSet<SafeTxHash>) -> bool {
        self.incidents.has_outcome(&file.folder) && proven.contains(&file.proposal.hash())
    }

    /// Returns the kept drills that are wanted and that the reader's own files give.
    pub fn kept_drills(&self, wanted: impl Fn(&Proposal) -> bool) -> Result<Vec<Proposal>, Error> {
        let files = self.files(|file| file.proposal.is_drill() && wanted(&file.proposal))?;
        Ok(self.kept_among(files).into_iter().map(|(_, proposal)| proposal).collect())
    }

    /// Returns the files of one proposal, real or a drill.
    pub fn files_of(&self, hash: SafeTxHash) -> Result<Vec<(PathBuf, Proposal)>, Error> {
        Ok(self.kept_among(self.files(|file| file.proposal.hash() == hash)?))
    }

    fn kept_among(&self, files: Vec<Arc<KeptFile>>) -> Vec<(PathBuf, Proposal)> {
        let mut left_out = Truncated::default();
        let mut kept: Vec<Arc<KeptFile>> = Vec::new();
        for file in files {
            let hash = file.proposal.hash();
            let known = kept.iter().position(|known| known.proposal.hash() == hash);
            if known.is_some_and(|at| kept[at].folder == file.folder) {
                continue;
            }
            match self.derived(&file) {
                Ok(()) => match known {
                    Some(at) => kept[at] = file,
                    None => kept.push(file),
                },
                // An executed proposal may be from an older council file.
                Err(_) if self.incidents.has_outcome(&file.folder) => {}
                Err(why) => left_out.push(|| (file.path.clone(), why.clone())),
            }
        }
        self.say_left_out("proposal", &left_out, 0);
        kept.into_iter().map(|file| (file.path.clone(), file.proposal.clone())).collect()
    }

    /// Returns the nonces of the real proposals that are wanted, derived or not, and `true` for each that is closed. If
    /// the chain is asked as well, an outcome file is enough for that; offline the journal must have it too.
    pub fn places(
        &self,
        wanted: impl Fn(&Proposal) -> bool,
        online: bool,
    ) -> Result<Vec<(Nonce, bool)>, Error> {
        let files = self.files(|file| !file.proposal.is_drill() && wanted(&file.proposal))?;
        let proven = if online { HashSet::new() } else { self.proven() };
        let is_closed = |file: &KeptFile| {
            if online { self.incidents.has_outcome(&file.folder) } else { self.is_done(file, &proven) }
        };
        Ok(files.iter().map(|file| (file.proposal.nonce(), is_closed(file))).collect())
    }

    /// Reports the first files that do not count, and how many more there are.
    pub fn say_left_out(&self, what: &str, files: &Truncated<(PathBuf, String)>, unread: usize) {
        let say = |text: &str| self.progress.tell_once(Tone::Warn, "left out: ", text);
        for (path, why) in files.first() {
            say(&format!("{}: {why}", path.display()));
        }
        if files.more() > 0 {
            say(&format!("{} more {what} files", files.more()));
        }
        if unread > 0 {
            say(&format!(
                "{unread} {what} files that were not read: there are too many; move away what is old"
            ));
        }
    }

    /// Returns the folders of a proposal: several if the folders of several machines were merged.
    pub fn folders(&self, hash: SafeTxHash) -> Result<Vec<String>, Error> {
        let files = self.files(|file| file.proposal.hash() == hash)?;
        let folders: BTreeSet<String> = files.iter().map(|file| file.folder.clone()).collect();
        Ok(folders.into_iter().collect())
    }

    /// Returns the folder for the files of a proposal; creates one with the proposal if there is none.
    fn folder(&self, proposal: &Proposal) -> Result<String, Error> {
        match self.folders(proposal.hash())?.pop() {
            Some(folder) => Ok(folder),
            None => Ok(self.file_first(proposal)?.0),
        }
    }

    fn file_first(&self, proposal: &Proposal) -> Result<(String, PathBuf), Error> {
        let name = folder_name(proposal, clock::seconds());
        let (folder, path) = self.incidents.keep_first(&name, &proposal.to_json())?;
        self.add_file(&folder, &path, proposal);
        Ok((folder, path))
    }

    /// Adds the newest file of a folder to the cache.
    fn add_file(&self, folder: &str, path: &Path, proposal: &Proposal) {
        if let Some(files) = &mut *lock(&self.filed.files) {
            let at = files.iter().position(|file| file.folder == folder).unwrap_or(files.len());
            let (folder, path, proposal) = (folder.to_string(), path.to_path_buf(), proposal.clone());
            files.insert(at, Arc::new(KeptFile { folder, path, proposal, derived: OnceLock::new() }));
        }
    }

    /// Keeps a proposal; the newest file of a proposal counts.
    pub fn keep_proposal(&self, proposal: &Proposal) -> Result<PathBuf, Error> {
        let Some(folder) = self.folders(proposal.hash())?.pop() else {
            return Ok(self.file_first(proposal)?.1);
        };
        let path = self.incidents.keep_proposal(&folder, &proposal.to_json())?;
        self.add_file(&folder, &path, proposal);
        Ok(path)
    }

    /// Keeps a signature beside its proposal.
    pub fn keep_signature(&self, proposal: &Proposal, signature: &OwnerSignature) -> Result<PathBuf, Error> {
        let folder = self.folder(proposal)?;
        let owner = signature.owner().to_string();
        Ok(self.incidents.keep_signature(&folder, &owner, &signature.to_json())?)
    }

    /// Keeps a contract's signature beside its proposal.
    pub fn keep_wallet(&self, proposal: &Proposal, wallet: &WalletSignature) -> Result<PathBuf, Error> {
        let folder = self.folder(proposal)?;
        let owner = wallet.signature().owner.to_string();
        Ok(self.incidents.keep_signature(&folder, &owner, &wallet.to_json())?)
    }

    /// Records a transaction before it is sent.
    pub fn keep_sent(&self, proposal: &Proposal, sent: &Sent) -> Result<PathBuf, Error> {
        let folder = self.folder(proposal)?;
        Ok(self.incidents.keep_sent(&folder, &sent.hash.to_string(), &sent.to_json())?)
    }

    /// Records the `nth` outcome of a proposal, from 1 on.
    pub fn keep_outcome(&self, proposal: &Proposal, nth: usize, contents: &str) -> Result<(), Error> {
        let folder = self.folder(proposal)?;
        Ok(self.incidents.keep_outcome(&folder, nth, contents)?)
    }

    /// Returns the outcomes recorded for a proposal, the last one last.
    pub fn outcomes(&self, proposal: &Proposal) -> Result<Vec<Stored>, Error> {
        Ok(self.incidents.outcomes(&self.folders(proposal.hash())?)?)
    }

    /// Returns the recorded transactions of a proposal. Records of anything else in its folder are skipped.
    pub fn sent(&self, proposal: &Proposal) -> Result<Vec<Sent>, Error> {
        let records = self.incidents.sent(&self.folders(proposal.hash())?)?;
        let read = |stored: Stored| Sent::parse(&stored.text.ok()?);
        Ok(records.into_iter().filter_map(read).filter(|sent| sent.is_for(proposal)).collect())
    }

    /// Returns `true` if a folder holds only proposals that a Safe with this nonce can no longer execute.
    pub fn is_over(&self, folder: &str, safe: &SafeId, now: Nonce) -> Result<bool, Error> {
        let mut files = self.files(|file| file.folder == folder)?;
        files.retain(|file| self.derived(file).is_ok());
        let is_over = |p: &Proposal| p.safe() == safe && p.nonce() < now;
        Ok(!files.is_empty() && files.iter().all(|file| is_over(&file.proposal)))
    }

    fn derived<'f>(&self, file: &'f KeptFile) -> &'f Result<(), String> {
        file.derived.get_or_init(|| self.derives(&file.proposal))
    }

    /// Takes the proposal's lock. Fails if another run has it, or it cannot be created.
    pub fn lock(&self, proposal: &Proposal) -> Result<Lock, StoreError> {
        self.incidents.lock(&proposal.hash().to_string())
    }
}

/// Returns the name of the folder of a proposal that is kept at this time, in seconds since 1970:
/// `2026-11-25-vault-n42-41e5da7e`; `DRILL-2026-11-25-vault-n42-7f3a91bc` for a drill.
fn folder_name(proposal: &Proposal, now: u64) -> String {
    let binding = proposal.binding();
    let title = if binding.undo() { format!("{}-undo", binding.title()) } else { binding.title() };
    let hash = proposal.hash().to_string();
    let head = hash.get(2..10).unwrap_or_default();
    let drill = if proposal.is_drill() { "DRILL-" } else { "" };
    format!("{drill}{}-{}-n{}-{head}", date(now), plain(&title), proposal.nonce())
}

/// Returns a text in lower-case letters and digits, with a hyphen for anything else, cut to a length.
pub(in crate::ceremony) fn plain(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let joined = words.collect::<Vec<_>>().join("-");
    joined.chars().take(LONGEST_TITLE).collect::<String>().trim_end_matches('-').into()
}

/// Returns the day in UTC, as `2026-11-25`.
pub(in crate::ceremony) fn date(seconds: u64) -> String {
    Utc::from_millis(seconds.saturating_mul(1_000)).to_string().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::{date, plain};

    #[test]
    fn a_title_is_cut_and_simplified_for_a_folder() {
        assert_eq!(plain("vault"), "vault");
        assert_eq!(plain("freeze without Bridge, oracle"), "freeze-without-bridge-oracle");
        assert_eq!(plain("../a + b/\u{202e}"), "a-b");
        assert_eq!(plain(&"a ".repeat(100)).len(), 39);
    }

    #[test]
    fn days_are_named_as_the_calendar_does() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (68_255_999, "1972-02-29"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_795_651_199, "2026-11-25"),
            (1_795_651_200, "2026-11-26"),
            (4_107_542_400, "2100-03-01"),
            (4_102_444_799, "2099-12-31"),
        ] {
            assert_eq!(date(seconds), day, "{seconds}");
        }
    }
}
