//! The only room that touches files. It knows names and bytes, not what the bytes mean.
//!
//! Nothing is ever overwritten: a file is written whole under a temporary name, made durable, and only then given its
//! name, which fails when the name is taken. A crash between any two steps leaves the file there or not there.

mod incidents;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use zeroize::Zeroizing;

pub use incidents::{Incidents, Lock, Stored};

/// The most bytes read from a file or from standard input: far above any council file, proposal or chat.
pub const MAX_BYTES: u64 = 8 << 20;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot read {path}: {error}")]
    Read { path: String, error: io::Error },
    #[error("{path} is larger than {MAX_BYTES} bytes: this is not the file you mean")]
    TooLarge { path: String },
    #[error("{path} is not text (UTF-8)")]
    NotText { path: String },
    #[error("{path} already exists, and nothing is overwritten")]
    Exists { path: String },
    #[error("{path} is a symbolic link; files are written only where no link leads elsewhere")]
    Link { path: String },
    #[error("cannot write {path}: {error}")]
    Write { path: String, error: io::Error },
    #[error("another breakglass is working in {path}; wait for it to end")]
    Locked { path: String },
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Reads a text file of bounded size.
pub fn read_text(path: &Path) -> Result<String, StoreError> {
    let error = |error| StoreError::Read { path: shown(path), error };
    let file = File::open(path).map_err(error)?;
    if file.metadata().map_err(error)?.is_dir() {
        return Err(error(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")));
    }
    read_bounded(file, path)
}

/// Reads standard input to its end, of bounded size.
pub fn read_stdin() -> Result<String, StoreError> {
    read_bounded(io::stdin().lock(), Path::new("standard input"))
}

fn read_bounded(source: impl Read, path: &Path) -> Result<String, StoreError> {
    let mut bytes = Vec::new();
    source
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| StoreError::Read { path: shown(path), error })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(StoreError::TooLarge { path: shown(path) });
    }
    String::from_utf8(bytes).map_err(|_| StoreError::NotText { path: shown(path) })
}

/// Reads a password file: its first line, without the line's end.
pub fn read_password(path: &Path) -> Result<Zeroizing<String>, StoreError> {
    let text = Zeroizing::new(read_text(path)?);
    Ok(Zeroizing::new(text.lines().next().unwrap_or("").to_string()))
}

/// The file of this name in `start` or the nearest folder above it.
#[must_use]
pub fn find_upwards(start: &Path, name: &str) -> Option<PathBuf> {
    start.ancestors().map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// The files of one extension below a folder, in order of path; none when the folder is not there.
/// Links are not followed.
pub fn files_below(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::Read { path: shown(folder), error }),
    };
    let mut found = Vec::new();
    for entry in entries {
        let error = |error| StoreError::Read { path: shown(folder), error };
        let entry = entry.map_err(error)?;
        let kind = entry.file_type().map_err(error)?;
        let path = entry.path();
        // What an operating system leaves behind (`._name`) is not what anybody put there.
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            found.extend(files_below(&path, extension)?);
        } else if kind.is_file() && path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Creates a file whole, or not at all; never replaces one.
pub fn create_new(path: &Path, contents: &str) -> Result<(), StoreError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => taken(path),
        _ => StoreError::Write { path: shown(path), error },
    };
    if fs::symlink_metadata(path).is_ok() {
        return Err(taken(path));
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = NamedTempFile::with_prefix_in(".breakglass-", folder).map_err(failed)?;
    file.write_all(contents.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist_noclobber(path).map_err(|e| failed(e.error))?;
    // The file has its name now; a folder that cannot be synced does not take it away again.
    let _ = sync_folder(folder);
    Ok(())
}

/// A file of the system's, which is no secret: whoever made it may be root.
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
        Err(StoreError::Exists { .. }) if says(path, contents) => Ok(()),
        other => other,
    }
}

/// The same for several; where one of them cannot be created because of what is there, none is.
pub fn keep_all(files: &[(PathBuf, String)]) -> Result<(), StoreError> {
    for (path, contents) in files {
        let found = fs::symlink_metadata(path);
        if found.is_ok_and(|found| found.is_symlink() || !says(path, contents)) {
            return Err(taken(path));
        }
    }
    files.iter().try_for_each(|(path, contents)| keep_new(path, contents))
}

fn says(path: &Path, contents: &str) -> bool {
    read_text(path).is_ok_and(|there| there == contents)
}

fn taken(path: &Path) -> StoreError {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_symlink() => StoreError::Link { path: shown(path) },
        _ => StoreError::Exists { path: shown(path) },
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Creates a folder if it is not there. A symbolic link in its place is refused.
fn create_folder(folder: &Path) -> Result<(), StoreError> {
    match fs::symlink_metadata(folder) {
        Ok(found) if found.file_type().is_symlink() => Err(StoreError::Link { path: shown(folder) }),
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(StoreError::Exists { path: shown(folder) }),
        Err(_) => fs::create_dir(folder).or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Ok(()),
            _ => Err(StoreError::Write { path: shown(folder), error }),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten_and_no_link_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        create_new(&path, "one").unwrap();
        assert!(matches!(create_new(&path, "two"), Err(StoreError::Exists { .. })));
        assert_eq!(read_text(&path).unwrap(), "one");
        #[cfg(unix)]
        {
            let link = dir.path().join("link");
            std::os::unix::fs::symlink(dir.path().join("elsewhere"), &link).unwrap();
            assert!(matches!(create_new(&link, "two"), Err(StoreError::Link { .. })));
            assert!(!dir.path().join("elsewhere").exists());
            assert!(matches!(create_folder(&link), Err(StoreError::Link { .. })));
        }
        assert_eq!(files_below(dir.path(), "json").unwrap(), [path], "no temporary file is left");
    }

    #[test]
    fn an_oversized_or_binary_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("big");
        let size = usize::try_from(MAX_BYTES).unwrap() + 1;
        fs::write(&path, vec![b'a'; size]).unwrap();
        assert!(matches!(read_text(&path), Err(StoreError::TooLarge { .. })));
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(matches!(read_text(&path), Err(StoreError::NotText { .. })));
        assert!(matches!(read_text(dir.path()), Err(StoreError::Read { .. })));
    }

    #[test]
    fn the_nearest_file_above_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        fs::write(dir.path().join("a/breakglass.toml"), "").unwrap();
        fs::write(dir.path().join("breakglass.toml"), "").unwrap();
        assert_eq!(find_upwards(&deep, "breakglass.toml"), Some(dir.path().join("a/breakglass.toml")));
        assert_eq!(find_upwards(&deep, "no-such-file"), None);
    }
}
