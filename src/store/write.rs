//! Writing: whole or not at all, durable, and never over what is there.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::{Builder, NamedTempFile, PersistError};

use super::read::{FileKind, never_waiting, read_text};
use super::{StoreError, shown};

/// The name of a file until it is whole.
const TEMPORARY: (&str, &str) = (".breakglass-", ".tmp");
/// Longer than it takes from making a file to locking it.
const MOMENT: Duration = Duration::from_secs(2);
/// Where a file system has no locks, no write takes longer.
const HOUR: Duration = Duration::from_hours(1);

/// The file system's part in writing a file: tests watch it, and let it fail.
pub(super) trait Disk {
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Gives the file its name; fails when the name is taken.
    fn name(&self, file: NamedTempFile, path: &Path) -> Result<(), PersistError>;
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    fn lock(&self, file: &File) -> Result<(), TryLockError>;
}

/// The real one.
#[derive(Clone, Copy, Debug)]
pub(super) struct System;

impl Disk for System {
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn name(&self, file: NamedTempFile, path: &Path) -> Result<(), PersistError> {
        file.persist_noclobber(path).map(drop)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
    }

    fn lock(&self, file: &File) -> Result<(), TryLockError> {
        file.try_lock()
    }
}

/// Creates a file whole, or not at all; never replaces one.
pub fn create_new(path: &Path, contents: &str) -> Result<(), StoreError> {
    create_on(&System, path, contents.as_bytes())
}

/// Refuses a path at which no file can be created: before what is to be written is made.
///
/// # Errors
/// If something is there, or the folder does not take a file.
pub fn require_creatable(path: &Path) -> Result<(), StoreError> {
    if fs::symlink_metadata(path).is_ok() && !is_unused(path) {
        return Err(name_taken(path));
    }
    let (prefix, suffix) = TEMPORARY;
    let probe = Builder::new().prefix(prefix).suffix(suffix).tempfile_in(folder_of(path));
    probe.map(drop).map_err(|error| StoreError::Write { path: shown(path), error })
}

/// Writes bytes that may not be text, in the same way.
pub(super) fn create_bytes(path: &Path, contents: &[u8]) -> Result<(), StoreError> {
    create_on(&System, path, contents)
}

fn create_on(disk: &impl Disk, path: &Path, contents: &[u8]) -> Result<(), StoreError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => name_taken(path),
        _ => StoreError::Write { path: shown(path), error },
    };
    if fs::symlink_metadata(path).is_ok() && !is_unused(path) {
        return Err(name_taken(path));
    }
    let folder = folder_of(path);
    clear_temporary(folder);
    let (prefix, suffix) = TEMPORARY;
    let mut file = Builder::new().prefix(prefix).suffix(suffix).tempfile_in(folder).map_err(failed)?;
    // Tells other runs that this one lives. Without locks they go by the file's age.
    let _ = disk.lock(file.as_file());
    file.write_all(contents).map_err(failed)?;
    disk.sync(file.as_file()).map_err(failed)?;
    disk.name(file, path).or_else(|refused| name_by_reserving(disk, refused, path)).map_err(failed)?;
    // The file has its name now; a folder that cannot be synced does not take it away again.
    let _ = disk.sync_folder(folder);
    Ok(())
}

/// Replaces a file whole, if it still says `before`. A symbolic link leads to the file that is replaced.
/// Fails if another process holds it or has changed it, or it cannot be written. It is then as it was.
pub fn replace(path: &Path, before: &str, after: &str) -> Result<(), StoreError> {
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let failed = |error| StoreError::Write { path: shown(path), error };
    let _lock = lock_on(&System, path)?;
    if !has_contents(path, before) {
        return Err(StoreError::Changed { path: shown(path) });
    }
    let folder = folder_of(path);
    clear_temporary(folder);
    let (prefix, suffix) = TEMPORARY;
    let mut file = Builder::new().prefix(prefix).suffix(suffix).tempfile_in(folder).map_err(failed)?;
    let _ = System.lock(file.as_file());
    file.write_all(after.as_bytes()).map_err(failed)?;
    let permissions = fs::metadata(path).map_err(failed)?.permissions();
    fs::set_permissions(file.path(), permissions).map_err(failed)?;
    System.sync(file.as_file()).map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    let _ = System.sync_folder(folder);
    Ok(())
}

/// Names a file where the file system has neither hard links nor a rename that replaces nothing (FAT and exFAT on some
/// systems): an empty file takes the name, which fails when it is taken, and is then replaced by the whole one. A run
/// that ends in between leaves the empty file, whose name is free again.
fn name_by_reserving(disk: &impl Disk, refused: PersistError, path: &Path) -> io::Result<()> {
    let reserved = match File::options().write(true).create_new(true).open(path) {
        Ok(new) => {
            let _ = disk.lock(&new);
            new
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => unused(path).ok_or(error)?,
        Err(error) => return Err(error),
    };
    let named = refused.file.persist(path).map(drop).map_err(|e| e.error);
    if named.is_err() {
        let _ = fs::remove_file(path);
    }
    drop(reserved);
    named
}

/// Returns the empty file that took this name for a run which ended before it was filled, locked; `None` for anything
/// else.
fn unused(path: &Path) -> Option<File> {
    let held = open_abandoned(path)?;
    // Checked again under the lock: another run may have filled it.
    let there = fs::symlink_metadata(path).ok()?;
    (there.is_file() && there.len() == 0).then_some(held)
}

fn is_unused(path: &Path) -> bool {
    unused(path).is_some()
}

/// Returns the file, locked, if whoever was writing it is gone.
fn open_abandoned(path: &Path) -> Option<File> {
    if FileKind::of(fs::symlink_metadata(path).ok()?.file_type()) != FileKind::File {
        return None;
    }
    let file = never_waiting(File::options().read(true)).open(path).ok()?;
    let age = file.metadata().ok()?.modified().ok()?.elapsed().ok()?;
    let patience = match file.try_lock() {
        Ok(()) => MOMENT,
        Err(TryLockError::WouldBlock) => return None,
        Err(TryLockError::Error(_)) => HOUR,
    };
    (age >= patience).then_some(file)
}

/// Removes what killed runs left in a folder: it is nobody's, and never had a name. Nothing depends on it.
fn clear_temporary(folder: &Path) {
    let (prefix, suffix) = TEMPORARY;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_ours = name.to_str().is_some_and(|name| name.starts_with(prefix) && name.ends_with(suffix));
        if is_ours && open_abandoned(&entry.path()).is_some() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Opens what is a file and not a link to one, without ever waiting.
pub(super) fn open_file(
    path: &Path,
    options: &mut OpenOptions,
    failed: impl Fn(io::Error) -> StoreError,
) -> Result<File, StoreError> {
    let is_file = |kind| match FileKind::of(kind) {
        FileKind::File => Ok(()),
        other => Err(StoreError::NotAFile { path: shown(path), what: other.text() }),
    };
    if let Ok(found) = fs::symlink_metadata(path) {
        if found.file_type().is_symlink() {
            return Err(StoreError::Link { path: shown(path) });
        }
        is_file(found.file_type())?;
    }
    let file = never_waiting(options).open(path).map_err(&failed)?;
    is_file(file.metadata().map_err(&failed)?.file_type())?;
    Ok(file)
}

/// Opens or makes the file at this path and locks it. The lock ends with the process, however that ends.
pub(super) fn lock_on(disk: &impl Disk, path: &Path) -> Result<File, StoreError> {
    let failed = |error| StoreError::Write { path: shown(path), error };
    let file = open_file(path, File::options().create(true).append(true), failed)?;
    match disk.lock(&file) {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: shown(folder_of(path)) }),
        Err(TryLockError::Error(error)) => Err(StoreError::NoLock { path: shown(path), error }),
    }
}

/// A file of the system's, which is not secret: whoever made it may be root.
pub fn let_all_read(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let all_read = fs::Permissions::from_mode(0o644);
        fs::set_permissions(path, all_read)
            .map_err(|error| StoreError::Write { path: shown(path), error })?;
    }
    Ok(())
}

/// Creates the file, or finds that it says the same already.
pub fn keep_new(path: &Path, contents: &str) -> Result<(), StoreError> {
    match create_new(path, contents) {
        Err(StoreError::Exists { .. }) if has_contents(path, contents) => Ok(()),
        other => other,
    }
}

/// Keeps several files; where one of them cannot be created because of what is there, none is.
pub fn keep_all(files: &[(PathBuf, String)]) -> Result<(), StoreError> {
    for (path, contents) in files {
        let found = fs::symlink_metadata(path);
        if found.is_ok_and(|found| found.is_symlink() || !has_contents(path, contents)) {
            return Err(name_taken(path));
        }
    }
    files.iter().try_for_each(|(path, contents)| keep_new(path, contents))
}

fn has_contents(path: &Path, contents: &str) -> bool {
    read_text(path).is_ok_and(|there| there == contents)
}

fn name_taken(path: &Path) -> StoreError {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_symlink() => StoreError::Link { path: shown(path) },
        _ => StoreError::Exists { path: shown(path) },
    }
}

pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Creates a folder if it is not there, in one that is. A symbolic link in its place is refused.
pub fn create_folder(folder: &Path) -> Result<(), StoreError> {
    create_folder_on(&System, folder)
}

fn create_folder_on(disk: &impl Disk, folder: &Path) -> Result<(), StoreError> {
    // Without a `/` at its end, which would follow a link.
    let folder: PathBuf = folder.components().collect();
    let failed = |error| StoreError::Write { path: shown(&folder), error };
    match fs::symlink_metadata(&folder) {
        Ok(found) if found.file_type().is_symlink() => Err(StoreError::Link { path: shown(&folder) }),
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(StoreError::Exists { path: shown(&folder) }),
        Err(_) => match fs::create_dir(&folder) {
            Ok(()) => {
                // The folder is there; one above it that cannot be synced does not take it away again.
                let _ = disk.sync_folder(folder_of(&folder));
                Ok(())
            }
            // Another run was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !folder.is_symlink() => Ok(()),
            Err(error) => Err(failed(error)),
        },
    }
}

#[cfg(test)]
mod tests;
