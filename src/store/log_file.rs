//! A file of lines that only grows: each is added under a lock, and synced. What a killed run left of a line is kept aside
//! before it is cut off.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::folder::names_in;
use super::write::{Disk, System, create_bytes, folder_of, open_file};
use super::{StoreError, create_folder, shown};

/// The length of the end that is read to add a line: more than two of the longest lines.
const TAIL: u64 = 160 << 10;
/// The largest file that is read whole.
const LARGEST: u64 = 256 << 20;
/// Between two tries to have the lock, and how many tries there are: two seconds in all.
const BETWEEN: Duration = Duration::from_millis(2);
const TRIES: u32 = 1_000;
/// Files of what was cut off.
const MOST_ASIDE: usize = 100;

/// A journal: `journal.jsonl`.
#[derive(Clone, Debug)]
pub struct Log {
    path: PathBuf,
}

/// An addition to a file of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLine {
    /// The text after the last line is a line too, whose end is missing.
    pub completes: bool,
    /// With its end.
    pub line: String,
}

/// The text that was cut off to add a line, and where it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutOff {
    pub bytes: usize,
    pub kept: PathBuf,
}

impl Log {
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads all of it; nothing where there is no file.
    pub fn read(&self) -> Result<Vec<u8>, StoreError> {
        match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            _ => {}
        }
        read_log(&self.path)
    }

    /// Adds a line, which `next` makes of the end of the file: whole lines, and what a killed run left of one. Returns what
    /// was cut off.
    pub fn append<E: From<StoreError>>(
        &self,
        next: impl FnOnce(&[u8]) -> Result<NewLine, E>,
    ) -> Result<Option<CutOff>, E> {
        append_on(&System, &self.path, next)
    }
}

/// Reads a file of lines, as [`Log::read`].
pub fn read_log(path: &Path) -> Result<Vec<u8>, StoreError> {
    let failed = |error| StoreError::Read { path: shown(path), error };
    let mut file = open(path, File::options().read(true), failed)?;
    // Not while a line is being written. Without locks, half a line may be read, and is taken for one.
    for _ in 0..TRIES {
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN),
            _ => break,
        }
    }
    let length = file.metadata().map_err(failed)?.len();
    if length > LARGEST {
        return Err(StoreError::TooLarge { path: shown(path), most: LARGEST });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    (&mut file).take(length).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Adds text to the end of a file that its owner alone can read, and that is made if need be: whole on the disk, or not at
/// all known to be there.
pub fn append_private(path: &Path, text: &str) -> Result<(), StoreError> {
    let failed = |error| StoreError::Write { path: shown(path), error };
    let mut file = open(path, File::options().create(true).append(true), failed)?;
    file.write_all(text.as_bytes()).and_then(|()| System.sync(&file)).map_err(failed)?;
    let _ = System.sync_folder(folder_of(path));
    Ok(())
}

/// Opens a file that its owner alone can read, if it is made.
fn open(
    path: &Path,
    options: &mut fs::OpenOptions,
    failed: impl Fn(io::Error) -> StoreError,
) -> Result<File, StoreError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    open_file(path, options, failed)
}

fn append_on<E: From<StoreError>>(
    disk: &impl Disk,
    path: &Path,
    next: impl FnOnce(&[u8]) -> Result<NewLine, E>,
) -> Result<Option<CutOff>, E> {
    let failed = |error| StoreError::Write { path: shown(path), error };
    let folder = folder_of(path);
    create_folder(folder)?;
    let mut file = open(path, File::options().read(true).append(true).create(true), failed)?;
    lock(disk, &file, path)?;
    let length = file.metadata().map_err(failed)?.len();
    let tail = read_tail(&mut file, length).map_err(|error| StoreError::Read { path: shown(path), error })?;
    let torn = tail.iter().rev().take_while(|b| **b != b'\n').count();
    if torn == tail.len() && length > TAIL {
        return Err(StoreError::NoLine { path: shown(path), most: TAIL }.into());
    }
    let NewLine { completes, line } = next(&tail)?;
    let cut_off = if torn == 0 || completes {
        None
    } else {
        let kept = keep_aside(folder, &tail[tail.len() - torn..])?;
        file.set_len(length - torn as u64).map_err(failed)?;
        Some(CutOff { bytes: torn, kept })
    };
    let whole = file.metadata().map_err(failed)?.len();
    let text = if completes { format!("\n{line}") } else { line };
    let written = file.write_all(text.as_bytes()).and_then(|()| disk.sync(&file));
    if let Err(error) = written {
        // A full disk may have taken a part. Should it not be cut off now, the next run does so.
        let _ = file.set_len(whole);
        return Err(failed(error).into());
    }
    if length == 0 {
        // The file has its line; a folder that cannot be synced does not take it away again.
        let _ = disk.sync_folder(folder);
    }
    Ok(cut_off)
}

/// Waits until no other run is adding a line. The lock ends with the process, however that ends.
fn lock(disk: &impl Disk, file: &File, path: &Path) -> Result<(), StoreError> {
    for _ in 0..TRIES {
        match disk.lock(file) {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN),
            Err(TryLockError::Error(error)) => return Err(StoreError::NoLock { path: shown(path), error }),
        }
    }
    Err(StoreError::Locked { path: shown(folder_of(path)) })
}

fn read_tail(file: &mut File, length: u64) -> io::Result<Vec<u8>> {
    let from = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.take(length - from).read_to_end(&mut tail)?;
    if from > 0
        && let Some(end) = tail.iter().position(|b| *b == b'\n')
    {
        // The first line may be a part of one.
        tail.drain(..=end);
    }
    Ok(tail)
}

/// Keeps what is cut off in a file of its own.
fn keep_aside(folder: &Path, bytes: &[u8]) -> Result<PathBuf, StoreError> {
    let mut taken = folder.to_path_buf();
    let names = names_in(folder)?;
    for number in 1..=MOST_ASIDE {
        let name = format!("journal-cut-{number}.txt");
        let path = folder.join(&name);
        if names.contains(&name) {
            // Kept by a run that was killed before it cut it off.
            if fs::symlink_metadata(&path)
                .is_ok_and(|found| found.is_file() && found.len() == bytes.len() as u64)
                && read_log(&path).is_ok_and(|there| there == bytes)
            {
                return Ok(path);
            }
            taken = path;
            continue;
        }
        match create_bytes(&path, bytes) {
            Err(StoreError::Exists { .. }) => taken = path,
            result => return result.map(|()| path),
        }
    }
    Err(StoreError::Exists { path: shown(&taken) })
}

#[cfg(test)]
mod tests;
