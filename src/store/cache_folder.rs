//! Files that may be lost: `$XDG_CACHE_HOME/breakglass`, else `~/.cache/breakglass`. A file there is replaced, and one that cannot
//! be read or written is as good as none.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::Builder;

use super::home;
use super::read::read_text_up_to;

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
        let named = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let above = named.or_else(|| home().map(|home| home.join(".cache")))?;
        Some(Self::below(&above))
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
