//! Reads folders that anybody may have filled: as many files and bytes as a bound allows; the rest is counted.

use std::fs::{self, ReadDir};
use std::io;
use std::path::{Path, PathBuf};

use super::read::read_text_up_to;
use super::{StoreError, shown};

/// A file that is kept here, whole or with the reason why it cannot be read: one bad file must not stop an emergency.
#[derive(Debug)]
pub struct Stored {
    pub path: PathBuf,
    /// The name of its folder.
    pub folder: String,
    pub text: Result<String, StoreError>,
}

/// The most entries that are read, of one folder or of all below it.
const MOST_ENTRIES: usize = 100_000;
/// The depth below a folder to which files are searched for.
const DEEPEST: usize = 16;
/// The most files of one kind that are read for one question, and the most bytes of all of them.
const MOST_FILES: usize = 10_000;
const MOST_BYTES: u64 = 64 << 20;

/// Files below a folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// In order of path.
    pub paths: Vec<PathBuf>,
    /// The least number of further files and folders: they are over a bound.
    pub left: usize,
}

/// The files of one extension below a folder, at most `most`, those that lie less deep before all others; none when the
/// folder is not there. Links are not followed.
pub fn files_below(folder: &Path, extension: &str, most: usize) -> Result<Files, StoreError> {
    let mut found = Files::default();
    let mut room = MOST_ENTRIES;
    let mut level = vec![folder.to_path_buf()];
    for depth in 0..=DEEPEST {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for folder in &level {
            let error = |error| StoreError::Read { path: shown(folder), error };
            for entry in entries(folder)?.into_iter().flatten() {
                let entry = entry.map_err(error)?;
                if room == 0 {
                    found.left += 1;
                    break;
                }
                room -= 1;
                let kind = entry.file_type().map_err(error)?;
                let path = entry.path();
                // Files that an operating system leaves behind (`._name`) were put there by nobody.
                if entry.file_name().to_string_lossy().starts_with('.') {
                    continue;
                }
                if kind.is_dir() {
                    folders.push(path);
                } else if kind.is_file() && path.extension().is_some_and(|e| e == extension) {
                    files.push(path);
                }
            }
        }
        files.sort();
        found.left += files.len().saturating_sub(most - found.paths.len());
        files.truncate(most - found.paths.len());
        found.paths.append(&mut files);
        folders.sort();
        level = folders;
        if depth == DEEPEST {
            found.left += level.len();
        }
    }
    found.paths.sort();
    Ok(found)
}

/// The names in a folder, at most [`MOST_ENTRIES`], in their order; none when the folder is not there.
pub(super) fn names_in(folder: &Path) -> Result<Vec<String>, StoreError> {
    let entries = entries(folder)?.into_iter().flatten().take(MOST_ENTRIES);
    let mut names: Vec<String> = entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

fn entries(folder: &Path) -> Result<Option<ReadDir>, StoreError> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(Some(entries)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::Read { path: shown(folder), error }),
    }
}

/// Files that were read, and how many more there are.
#[derive(Debug, Default)]
pub struct StoredFiles {
    pub files: Vec<Stored>,
    /// Files over the bound, which were not read.
    pub left: usize,
}

/// A file that may be read.
pub(super) struct CandidateFile {
    pub path: PathBuf,
    /// The name of its folder.
    pub folder: String,
    /// Those of a lower rank are read before all of a higher, whatever their names and sizes are.
    pub rank: usize,
}

/// Reads files in the order given. Where they are too many, or too long together, those of the lowest rank are read,
/// and of one rank the shortest: no flood of long files keeps an honest one out.
pub(super) fn read_shelf(candidates: Vec<CandidateFile>, longest: usize) -> StoredFiles {
    let length = |path: &Path| fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|m| m.len());
    let there = candidates.into_iter().filter_map(|file| Some((length(&file.path)?, file)));
    let mut there: Vec<(usize, (u64, CandidateFile))> = there.enumerate().collect();
    there.sort_by_key(|(at, (length, file))| (file.rank, *length, *at));
    let (mut count, mut bytes) = (0, 0_u64);
    let all = there.len();
    // One that is too long is not read, and refused by its length.
    there.retain(|(_, (length, _))| {
        count += 1;
        bytes = bytes.saturating_add(if *length > longest as u64 { 0 } else { *length });
        count <= MOST_FILES && bytes <= MOST_BYTES
    });
    let left = all - there.len();
    there.sort_by_key(|(at, _)| *at);
    let read = |(_, (_, file)): (usize, (u64, CandidateFile))| Stored {
        text: read_text_up_to(longest, &file.path),
        path: file.path,
        folder: file.folder,
    };
    StoredFiles { files: there.into_iter().map(read).collect(), left }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_too_many_files_or_too_deep_is_read_to_the_bound_and_the_rest_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        for n in 0..20 {
            fs::write(dir.path().join(format!("{n:02}.json")), "").unwrap();
        }
        let mut deep = dir.path().join("a");
        for _ in 0..DEEPEST {
            fs::create_dir(&deep).unwrap();
            fs::write(deep.join("a.json"), "").unwrap();
            deep.push("a");
        }
        fs::create_dir(&deep).unwrap();
        fs::write(deep.join("too-deep.json"), "").unwrap();
        let found = files_below(dir.path(), "json", 1_000).unwrap();
        assert_eq!((found.paths.len(), found.left), (20 + DEEPEST, 1), "the folder below the deepest");
        let found = files_below(dir.path(), "json", 10).unwrap();
        assert_eq!((found.paths.len(), found.left), (10, 10 + DEEPEST + 1));
        assert_eq!(found.paths[9], dir.path().join("09.json"), "what lies less deep comes first");
        assert_eq!(files_below(&dir.path().join("none"), "json", 10).unwrap(), Files::default());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_folder_above_leads_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("again")).unwrap();
        std::os::unix::fs::symlink("/", dir.path().join("all")).unwrap();
        fs::write(dir.path().join("a.json"), "").unwrap();
        let found = files_below(dir.path(), "json", 1_000).unwrap();
        assert_eq!(found, Files { paths: vec![dir.path().join("a.json")], left: 0 });
    }

    #[test]
    fn of_too_many_bytes_the_lowest_rank_and_the_shortest_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let long = "x".repeat(1 << 20);
        let file = |name: String, text: &str, rank| {
            let path = dir.path().join(name);
            fs::write(&path, text).unwrap();
            CandidateFile { path, folder: String::new(), rank }
        };
        let mut candidates: Vec<CandidateFile> = (0..70).map(|n| file(format!("{n}"), &long, 2)).collect();
        candidates.push(file("honest".into(), "short", 2));
        candidates.push(file("named".into(), &long, 1));
        candidates.push(file("longer".into(), &format!("{long}x"), 1));
        let shelf = read_shelf(candidates, 1 << 20);
        let read = |name: &str| shelf.files.iter().find(|f| f.path.ends_with(name)).map(|f| &f.text);
        assert!(matches!(read("honest"), Some(Ok(text)) if text == "short"));
        assert!(matches!(read("named"), Some(Ok(_))));
        assert!(matches!(read("longer"), Some(Err(StoreError::TooLarge { .. }))));
        assert_eq!((shelf.files.len(), shelf.left), (65, 8), "64 MB, and one that is refused unread");
    }
}
