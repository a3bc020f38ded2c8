use std::cell::{Cell, RefCell};

use tempfile::{NamedTempFile, PersistError};

use super::*;

/// The real file system, on which syncing fails and which says what was asked.
#[derive(Default)]
struct Failing {
    asked: RefCell<Vec<&'static str>>,
    is_full: Cell<bool>,
}

impl Disk for Failing {
    fn sync(&self, file: &File) -> io::Result<()> {
        self.asked.borrow_mut().push("sync");
        if self.is_full.get() { Err(io::ErrorKind::StorageFull.into()) } else { System.sync(file) }
    }

    fn name(&self, file: NamedTempFile, path: &Path) -> Result<(), PersistError> {
        System.name(file, path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.asked.borrow_mut().push("sync folder");
        System.sync_folder(folder)
    }

    fn lock(&self, file: &File) -> Result<(), TryLockError> {
        self.asked.borrow_mut().push("lock");
        System.lock(file)
    }
}

/// A line of this text; what is torn is whole if it is four bytes long.
fn line(text: &str) -> impl FnOnce(&[u8]) -> Result<NewLine, StoreError> {
    let line = format!("{text}\n");
    |tail| {
        let torn = tail.iter().rev().take_while(|b| **b != b'\n').count();
        Ok(NewLine { completes: torn == 4, line })
    }
}

fn log(dir: &tempfile::TempDir) -> Log {
    Log::at(dir.path().join("incidents/journal.jsonl"))
}

fn text(log: &Log) -> String {
    String::from_utf8(log.read().unwrap()).unwrap()
}

#[test]
fn lines_are_added_and_the_file_is_its_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(&dir);
    assert_eq!(text(&log), "");
    for word in ["one", "two"] {
        assert_eq!(log.append(line(word)).unwrap(), None);
    }
    assert_eq!(text(&log), "one\ntwo\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(log.path()).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_line_is_locked_written_and_synced_and_the_folder_once() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, path) = (Failing::default(), log(&dir).path);
    append_on(&disk, &path, line("one")).unwrap();
    append_on(&disk, &path, line("two")).unwrap();
    assert_eq!(*disk.asked.borrow(), ["lock", "sync", "sync folder", "lock", "sync"]);
}

/// Cut at every byte: no line before the cut is lost, what is cut off is kept, and a line that lacks only its end is none
/// of that.
#[test]
fn cut_at_every_byte_no_whole_line_is_lost() {
    let whole = b"one!\ntwo!\nthree\n";
    for cut in 0..=whole.len() {
        let dir = tempfile::tempdir().unwrap();
        let log = log(&dir);
        create_folder(log.path().parent().unwrap()).unwrap();
        fs::write(log.path(), &whole[..cut]).unwrap();
        let before: Vec<&[u8]> = whole[..cut].split_inclusive(|b| *b == b'\n').collect();
        let torn = before.last().filter(|last| !last.ends_with(b"\n")).copied();
        let cut_off = log.append(line("last")).unwrap();
        let kept = |before: &[&[u8]]| String::from_utf8(before.concat()).unwrap();
        let expected = match torn {
            None => kept(&before),
            Some(torn) if torn.len() == 4 => format!("{}\n", kept(&before)),
            Some(_) => kept(&before[..before.len() - 1]),
        };
        assert_eq!(text(&log), format!("{expected}last\n"), "cut at {cut}");
        match torn.filter(|torn| torn.len() != 4) {
            None => assert_eq!(cut_off, None),
            Some(torn) => {
                let cut_off = cut_off.unwrap();
                assert_eq!((cut_off.bytes, fs::read(&cut_off.kept).unwrap().as_slice()), (torn.len(), torn));
            }
        }
    }
}

#[test]
fn a_second_torn_line_does_not_replace_the_first_one_kept() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(&dir);
    log.append(line("one")).unwrap();
    let tear = |bytes: &[u8]| {
        let mut file = File::options().append(true).open(log.path()).unwrap();
        file.write_all(bytes).unwrap();
        log.append(line("next")).unwrap().unwrap().kept
    };
    let (first, second, again) = (tear(b"{\xff"), tear(b"{\"v"), tear(b"{\xff"));
    assert_eq!(fs::read(&first).unwrap(), b"{\xff");
    assert_eq!(fs::read(&second).unwrap(), b"{\"v");
    assert_eq!(again, first, "it is there already");
    assert_eq!(text(&log), "one\nnext\nnext\nnext\n");
}

#[test]
fn a_full_disk_leaves_the_journal_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, log) = (Failing::default(), log(&dir));
    append_on(&disk, &log.path, line("one")).unwrap();
    disk.is_full.set(true);
    let error = append_on(&disk, &log.path, line("two")).unwrap_err();
    assert!(matches!(error, StoreError::Write { .. }), "{error}");
    assert_eq!(text(&log), "one\n");
    disk.is_full.set(false);
    append_on(&disk, &log.path, line("two")).unwrap();
    assert_eq!(text(&log), "one\ntwo\n");
}

#[test]
fn many_writers_at_once_lose_no_line() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(&dir);
    // As the journal does: each line counts those before it.
    let counted = |tail: &[u8]| {
        let count = tail.split(|b| *b == b'\n').count() - 1;
        Ok::<_, StoreError>(NewLine { completes: false, line: format!("{count}\n") })
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..25).for_each(|_| assert_eq!(log.append(counted).unwrap(), None)));
        }
    });
    let expected: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    assert_eq!(text(&log).lines().collect::<Vec<_>>(), expected);
}

#[test]
fn of_a_long_file_only_the_end_is_read_and_one_without_lines_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(&dir);
    create_folder(log.path().parent().unwrap()).unwrap();
    let many = "a line\n".repeat(60_000);
    fs::write(log.path(), &many).unwrap();
    let check = |tail: &[u8]| {
        assert!(tail.len() as u64 <= TAIL && tail.starts_with(b"a line\n") && tail.ends_with(b"a line\n"));
        Ok::<_, StoreError>(NewLine { completes: false, line: "last\n".into() })
    };
    log.append(check).unwrap();
    assert_eq!(text(&log), format!("{many}last\n"));
    let endless = "x".repeat(usize::try_from(TAIL).unwrap() + 1);
    fs::write(log.path(), &endless).unwrap();
    assert!(matches!(log.append(line("next")), Err(StoreError::NoLine { .. })));
    assert_eq!(text(&log), endless);
}

#[cfg(unix)]
#[test]
fn a_link_or_a_pipe_is_named_and_not_written() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let dir = tempfile::tempdir().unwrap();
    let log = log(&dir);
    create_folder(log.path().parent().unwrap()).unwrap();
    let elsewhere = dir.path().join("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, log.path()).unwrap();
    assert!(matches!(log.append(line("one")), Err(StoreError::Link { .. })));
    assert!(matches!(log.read(), Err(StoreError::Link { .. })) && !elsewhere.exists());
    fs::remove_file(log.path()).unwrap();
    mknodat(CWD, log.path(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    assert!(matches!(log.append(line("one")), Err(StoreError::NotAFile { what: "a pipe", .. })));
    assert!(matches!(log.read(), Err(StoreError::NotAFile { what: "a pipe", .. })));
}
