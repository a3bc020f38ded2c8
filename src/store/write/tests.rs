use std::cell::RefCell;
use std::time::SystemTime;

use super::*;
use crate::store::files_below;

/// The real file system, watched, with something that happens while a file is synced and with names refused.
#[derive(Default)]
struct Watched<'a> {
    asked: RefCell<Vec<String>>,
    during_sync: Option<&'a dyn Fn(&File)>,
    refuses_names: Option<io::ErrorKind>,
    has_no_locks: bool,
}

impl Watched<'_> {
    fn note(&self, what: &str, path: &Path) {
        let name = path.file_name().unwrap_or_default().display();
        self.asked.borrow_mut().push(format!("{what} {name}"));
    }
}

impl Disk for Watched<'_> {
    fn sync(&self, file: &File) -> io::Result<()> {
        self.note("sync", Path::new("file"));
        if let Some(happens) = self.during_sync {
            happens(file);
        }
        System.sync(file)
    }

    fn name(&self, file: NamedTempFile, path: &Path) -> Result<(), PersistError> {
        self.note("name", path);
        match self.refuses_names {
            Some(kind) => Err(PersistError { error: kind.into(), file }),
            None => System.name(file, path),
        }
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.note("sync folder", folder);
        System.sync_folder(folder)
    }

    fn lock(&self, file: &File) -> Result<(), TryLockError> {
        if self.has_no_locks {
            return Err(TryLockError::Error(io::Error::from_raw_os_error(37))); // ENOLCK of Linux
        }
        System.lock(file)
    }
}

/// A file system without hard links and without a rename that replaces nothing: FAT on some systems.
fn fat() -> Watched<'static> {
    Watched { refuses_names: Some(io::ErrorKind::PermissionDenied), ..Watched::default() }
}

fn make_older(path: &Path, by: Duration) {
    File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - by).unwrap();
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// Every name in a folder, hidden ones too.
fn names(folder: &Path) -> Vec<String> {
    let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(name).collect();
    names.sort();
    names
}

#[test]
fn no_file_is_overwritten_and_no_link_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.json");
    create_new(&path, "one").unwrap();
    assert!(matches!(create_new(&path, "two"), Err(StoreError::Exists { .. })));
    assert_eq!(text(&path), "one");
    #[cfg(unix)]
    {
        let (link, elsewhere) = (dir.path().join("link"), dir.path().join("elsewhere"));
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        assert!(matches!(create_new(&link, "two"), Err(StoreError::Link { .. })));
        assert!(!elsewhere.exists());
        fs::create_dir(&elsewhere).unwrap();
        for link in [link.clone(), link.join(""), link.join(".")] {
            assert!(matches!(create_folder(&link), Err(StoreError::Link { .. })), "{}", link.display());
        }
    }
    assert_eq!(files_below(dir.path(), "json", 10).unwrap().paths, [path], "no temporary file is left");
}

#[test]
fn a_file_is_whole_and_synced_before_it_has_its_name_and_the_folder_after() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.json");
    let whole = |file: &File| {
        assert_eq!(file.metadata().unwrap().len(), 5);
        assert!(!path.exists());
    };
    let disk = Watched { during_sync: Some(&whole), ..Watched::default() };
    create_on(&disk, &path, b"whole").unwrap();
    let folder = format!("sync folder {}", dir.path().file_name().unwrap().display());
    assert_eq!(*disk.asked.borrow(), ["sync file", "name a.json", folder.as_str()]);
}

#[test]
fn the_parent_of_a_new_folder_is_synced() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, parent) = (Watched::default(), dir.path().join("parent"));
    create_folder(&parent).unwrap();
    create_folder_on(&disk, &parent.join("new")).unwrap();
    create_folder_on(&disk, &parent.join("new")).unwrap();
    assert_eq!(*disk.asked.borrow(), ["sync folder parent"]);
    let error = create_folder(&dir.path().join("no/such")).unwrap_err();
    assert!(matches!(error, StoreError::Write { .. }), "{error}");
}

/// A file that cannot be synced is an error: the system is really asked.
#[cfg(target_os = "linux")]
#[test]
fn a_sync_calls_the_operating_system() {
    let null = Path::new("/dev/null");
    assert!(System.sync(&File::open(null).unwrap()).is_err());
    assert!(System.sync_folder(null).is_err());
}

#[test]
fn a_file_that_another_run_names_meanwhile_is_not_replaced() {
    for refuses_names in [None, fat().refuses_names] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        let other = |_: &File| fs::write(&path, "theirs").unwrap();
        let disk = Watched { during_sync: Some(&other), refuses_names, ..Watched::default() };
        let error = create_on(&disk, &path, b"ours").unwrap_err();
        assert!(matches!(error, StoreError::Exists { .. }), "{error}");
        assert_eq!((text(&path).as_str(), names(dir.path())), ("theirs", vec!["a.json".to_string()]));
    }
}

#[test]
fn without_hard_links_a_file_is_written_all_the_same_and_nothing_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.json");
    create_on(&fat(), &path, b"one").unwrap();
    assert!(matches!(create_on(&fat(), &path, b"two"), Err(StoreError::Exists { .. })));
    assert_eq!((text(&path).as_str(), names(dir.path())), ("one", vec!["a.json".to_string()]));
}

/// A run that was killed between taking the name and filling it leaves an empty file: it keeps nobody out.
#[test]
fn a_name_taken_by_a_killed_run_is_free_again_and_one_of_a_living_run_is_not() {
    for disk in [Watched::default(), fat()] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        let is_taken = || matches!(create_on(&disk, &path, b"whole"), Err(StoreError::Exists { .. }));
        let reserved = File::create(&path).unwrap();
        assert!(is_taken(), "made this moment");
        make_older(&path, MOMENT);
        reserved.lock().unwrap();
        assert!(is_taken(), "its writer lives");
        drop(reserved);
        create_on(&disk, &path, b"whole").unwrap();
        assert_eq!(text(&path), "whole");
        make_older(&path, HOUR);
        assert!(is_taken(), "it is not empty");
    }
}

#[test]
fn only_files_of_killed_runs_are_cleared() {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str, age: Duration| {
        let path = dir.path().join(name);
        fs::write(&path, "half").unwrap();
        make_older(&path, age);
        File::open(path).unwrap()
    };
    make(".breakglass-dead.tmp", MOMENT);
    make(".breakglass-new.tmp", Duration::ZERO);
    make(".breakglass-notes", HOUR);
    make("breakglass.tmp", HOUR);
    let living = make(".breakglass-living.tmp", HOUR);
    living.lock().unwrap();
    create_new(&dir.path().join("a.json"), "whole").unwrap();
    let left =
        [".breakglass-living.tmp", ".breakglass-new.tmp", ".breakglass-notes", "a.json", "breakglass.tmp"];
    assert_eq!(names(dir.path()), left);
    drop(living);
    create_new(&dir.path().join("b.json"), "whole").unwrap();
    assert!(!names(dir.path()).contains(&left[0].to_string()));
}

/// While it writes, a run's own temporary file is safe from all others.
#[test]
fn a_run_does_not_clear_what_another_is_writing() {
    let dir = tempfile::tempdir().unwrap();
    let other = |_: &File| {
        for name in names(dir.path()) {
            make_older(&dir.path().join(name), HOUR);
        }
        clear_temporary(dir.path());
        assert_eq!(names(dir.path()).len(), 1);
    };
    let disk = Watched { during_sync: Some(&other), ..Watched::default() };
    create_on(&disk, &dir.path().join("a.json"), b"ours").unwrap();
}

#[test]
fn a_lock_that_fails_is_distinguished_from_one_that_another_run_holds() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(".lock");
    let held = lock_on(&System, &path).unwrap();
    assert!(matches!(lock_on(&System, &path), Err(StoreError::Locked { .. })));
    drop(held);
    let disk = Watched { has_no_locks: true, ..Watched::default() };
    assert!(matches!(lock_on(&disk, &path), Err(StoreError::NoLock { .. })));
    #[cfg(unix)]
    {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        fs::remove_file(&path).unwrap();
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        assert!(matches!(lock_on(&System, &path), Err(StoreError::NotAFile { what: "a pipe", .. })));
    }
}
