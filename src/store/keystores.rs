//! Keystores by name: in Foundry's folder, `~/.foundry/keystores`.

use std::path::{Path, PathBuf};

use super::{home, shown};

/// The most names that are listed.
const MOST_LISTED: usize = 100;

fn folder() -> Option<PathBuf> {
    home().map(|home| home.join(".foundry").join("keystores"))
}

/// The names of the keystores in Foundry's folder.
pub fn keystores() -> Vec<String> {
    let entries = folder().and_then(|folder| folder.read_dir().ok()).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.take(MOST_LISTED).filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

/// Returns the file that is meant: this path, or the keystore of this name in Foundry's folder. The error has the
/// places that were searched.
pub fn find_keystore(named: &Path) -> Result<PathBuf, Vec<String>> {
    let is_name = named.components().count() == 1 && !named.is_absolute();
    let in_home = named.strip_prefix("~").ok().and_then(|rest| Some(home()?.join(rest)));
    let mut places = vec![in_home.unwrap_or_else(|| named.to_path_buf())];
    if let Some(folder) = folder().filter(|_| is_name) {
        places.push(folder.join(named));
        places.push(folder.join(named).with_extension("json"));
        places.dedup();
    }
    match places.iter().find(|path| path.symlink_metadata().is_ok()) {
        Some(found) => Ok(found.clone()),
        None => Err(places.iter().map(|path| shown(path)).collect()),
    }
}
