//! Where a person's own settings lie: `$XDG_CONFIG_HOME/breakglass`, else `~/.config/breakglass`. What they accepted is
//! beside them, one file each time and never changed: two runs at once lose nothing. And the cache, whose files may be lost.

use std::ffi::OsString;
use std::fs::DirBuilder;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use tempfile::Builder;

use super::read::read_text_up_to;
use super::{StoreError, create_new, files_below, keep_new, read_text, shown};

const CONFIG: &str = "config.toml";
const ACCEPTED: &str = "accepted";
const TEXTS: &str = "texts";
const UNDO_VALUES: &str = "undo-values";
/// The most files of values for an undo that are read: one for each act.
const MOST_VALUES: usize = 10_000;

/// The folder of settings; it need not be there.
#[derive(Clone, Debug)]
pub struct SettingsFolder {
    root: PathBuf,
}

/// The person's own folder.
pub fn home() -> Option<PathBuf> {
    env::var_os("HOME").map(PathBuf::from).filter(|path| path.is_absolute())
}

/// Returns the folder that a variable names, or else this one in the person's own.
fn own_folder(variable: &str, in_home: &str) -> Option<PathBuf> {
    let named = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| home().map(|home| home.join(in_home)))
}

/// Returns what a variable of the environment says; `None` if it is unset or empty.
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The folder that the program was started in.
pub fn working_folder() -> io::Result<PathBuf> {
    env::current_dir()
}

/// Returns the path as it is written from the folder that the program was started in, where it lies below that.
pub fn from_here(path: &Path) -> &Path {
    working_folder().ok().and_then(|folder| path.strip_prefix(folder).ok()).unwrap_or(path)
}

/// The words of the command line, the program's own name first.
pub fn arguments() -> impl Iterator<Item = OsString> {
    env::args_os()
}

/// Returns `true` if a folder has this name, by a link too.
pub fn is_folder(path: &Path) -> bool {
    path.is_dir()
}

/// Returns `true` if anything has this name, a link to nothing too.
pub fn is_taken(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The path by which every name of a file is the same, or as it was given.
pub fn real_path(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

impl SettingsFolder {
    /// `None` if the environment names neither folder.
    pub fn find() -> Option<Self> {
        own_folder("XDG_CONFIG_HOME", ".config").map(|above| Self::below(&above))
    }

    /// The settings in a folder of settings.
    pub(crate) fn below(above: &Path) -> Self {
        Self { root: above.join("breakglass") }
    }

    pub fn config_path(&self) -> PathBuf {
        self.root.join(CONFIG)
    }

    /// The settings' text; `None` if there is no such file.
    pub fn config(&self) -> Result<Option<String>, StoreError> {
        let path = self.config_path();
        if path.symlink_metadata().is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound) {
            return Ok(None);
        }
        read_text(&path).map(Some)
    }

    fn accepted(&self) -> PathBuf {
        self.root.join(ACCEPTED)
    }

    /// Returns the acceptances, oldest first.
    pub fn acceptances(&self) -> Result<Vec<(PathBuf, String)>, StoreError> {
        let folder = self.accepted();
        let all = files_below(&folder, "toml", usize::MAX)?.paths;
        let files = all.into_iter().filter(|path| path.parent() == Some(&folder));
        files.map(|path| Ok((path.clone(), read_text(&path)?))).collect()
    }

    /// Keeps what was accepted, after all that was before.
    pub fn keep_acceptance(&self, contents: &str) -> Result<(), StoreError> {
        self.ready()?;
        let folder = self.accepted();
        let number = |path: &PathBuf| path.file_stem()?.to_str()?.parse::<u32>().ok();
        let last =
            files_below(&folder, "toml", usize::MAX)?.paths.iter().filter_map(number).max().unwrap_or(0);
        let mut next = last.saturating_add(1);
        loop {
            match create_new(&folder.join(format!("{next:06}.toml")), contents) {
                // Another run took that number.
                Err(StoreError::Exists { .. }) if next < u32::MAX => next += 1,
                result => return result,
            }
        }
    }

    pub fn text_path(&self, digest: &str) -> PathBuf {
        self.accepted().join(TEXTS).join(digest)
    }

    /// Keeps the text that a digest stands for, so that a change can be shown.
    pub fn keep_text(&self, digest: &str, contents: &str) -> Result<(), StoreError> {
        self.ready()?;
        keep_new(&self.text_path(digest), contents)
    }

    pub fn text(&self, digest: &str) -> Result<String, StoreError> {
        read_text(&self.text_path(digest))
    }

    /// Returns the values that undos bring back, a text for each act.
    pub fn undo_values(&self) -> Result<Vec<String>, StoreError> {
        let files = files_below(&self.root.join(UNDO_VALUES), "json", MOST_VALUES)?.paths;
        files.iter().map(|path| read_text(path)).collect()
    }

    /// Keeps the values that the undo of one act brings back.
    pub fn keep_undo_value(&self, name: &str, contents: &str) -> Result<(), StoreError> {
        let folder = self.root.join(UNDO_VALUES);
        make_private(&folder)?;
        keep_new(&folder.join(format!("{name}.json")), contents)
    }

    fn ready(&self) -> Result<(), StoreError> {
        make_private(&self.accepted().join(TEXTS))
    }
}

/// Creates a folder, and those above it, that only its owner can read.
fn make_private(folder: &Path) -> Result<(), StoreError> {
    {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt;
            builder.mode(0o700);
        }
        builder.create(folder).map_err(|error| StoreError::Write { path: shown(folder), error })
    }
}

/// The longest file that is read.
const LONGEST: usize = 1 << 20;

/// The folder of the cache; it need not be there.
#[derive(Clone, Debug)]
pub struct CacheFolder {
    root: PathBuf,
}

impl CacheFolder {
    /// `None` if the environment names neither folder.
    pub fn find() -> Option<Self> {
        own_folder("XDG_CACHE_HOME", ".cache").map(|above| Self::below(&above))
    }

    /// The cache in a folder of caches.
    pub(crate) fn below(above: &Path) -> Self {
        Self { root: above.join("breakglass") }
    }

    /// Returns the text of a file; `None` if there is none that can be read.
    pub fn read(&self, name: &str) -> Option<String> {
        read_text_up_to(LONGEST, &self.root.join(name)).ok()
    }

    /// Writes a file whole, over one of the same name. Nothing depends on it: a failure is passed over.
    pub fn write(&self, name: &str, text: &str) {
        let write = || -> Option<()> {
            fs::create_dir_all(&self.root).ok()?;
            let mut file = Builder::new().prefix(".").tempfile_in(&self.root).ok()?;
            file.write_all(text.as_bytes()).ok()?;
            file.persist(self.root.join(name)).ok().map(drop)
        };
        let _ = write();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_texts_are_added_in_order_and_none_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let folder = SettingsFolder::below(dir.path());
        assert!(folder.config().unwrap().is_none() && folder.acceptances().unwrap().is_empty());
        for contents in ["one", "two", "three"] {
            folder.keep_acceptance(contents).unwrap();
        }
        let kept: Vec<String> = folder.acceptances().unwrap().into_iter().map(|(_, text)| text).collect();
        assert_eq!(kept, ["one", "two", "three"]);
        folder.keep_text("0x12", "text").unwrap();
        folder.keep_text("0x12", "text").unwrap();
        assert!(folder.keep_text("0x12", "another").is_err());
        assert_eq!(folder.text("0x12").unwrap(), "text");
        assert_eq!(folder.acceptances().unwrap().len(), 3);
    }
}
