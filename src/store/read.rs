//! Reading: files of bounded size, and streams where a stream is meant.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{StoreError, shown};

/// The most bytes read from a file or from standard input: far above any council file, proposal or chat.
pub const MAX_BYTES: u64 = 8 << 20;

/// Reads a text file of bounded size.
pub fn read_text(path: &Path) -> Result<String, StoreError> {
    text(file_bytes(path, MAX_BYTES)?, path)
}

/// Reads a text file of at most `most` bytes. One that is longer is refused before any of it is read.
pub fn read_text_up_to(most: usize, path: &Path) -> Result<String, StoreError> {
    text(file_bytes(path, most as u64)?, path)
}

fn file_bytes(path: &Path, most: u64) -> Result<Vec<u8>, StoreError> {
    let file = open(path, &[FileKind::File])?;
    let length = file.metadata().map_err(|error| StoreError::Read { path: shown(path), error })?.len();
    if length > most {
        return Err(StoreError::TooLarge { path: shown(path), most });
    }
    // It may have grown since.
    read_bounded(file, path, most)
}

fn text(bytes: Vec<u8>, path: &Path) -> Result<String, StoreError> {
    String::from_utf8(bytes).map_err(|_| StoreError::NotText { path: shown(path) })
}

/// A text that somebody else wrote. Bytes in it that are not UTF-8 are replaced.
#[derive(Debug)]
pub struct ForeignText {
    pub text: String,
    pub is_damaged: bool,
}

impl From<Vec<u8>> for ForeignText {
    fn from(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self { text, is_damaged: false },
            Err(error) => {
                Self { text: String::from_utf8_lossy(error.as_bytes()).into_owned(), is_damaged: true }
            }
        }
    }
}

/// Reads a file, or a pipe that the shell opened for this process (`<(…)`, `/dev/stdin`), to its end, of bounded size.
/// A named pipe is refused: nobody may ever write to it.
pub fn read_stream(path: &Path) -> Result<String, StoreError> {
    text(stream_bytes(path)?, path)
}

/// Reads a text that somebody else wrote.
pub fn read_foreign(path: &Path) -> Result<ForeignText, StoreError> {
    stream_bytes(path).map(ForeignText::from)
}

/// Reads a text that somebody else wrote, from a file that a person named, or for `-` from standard input.
pub fn read_given(path: &Path) -> Result<ForeignText, StoreError> {
    if path == Path::new("-") { read_stdin() } else { read_foreign(path) }
}

fn stream_bytes(path: &Path) -> Result<Vec<u8>, StoreError> {
    if path == Path::new("/dev/stdin") {
        return stdin_bytes();
    }
    let folder = path.parent();
    if folder != Some(Path::new("/dev/fd")) && folder != Some(Path::new("/proc/self/fd")) {
        return file_bytes(path, MAX_BYTES);
    }
    let file = open(path, &[FileKind::File, FileKind::Pipe])?;
    let error = |error| StoreError::Read { path: shown(path), error };
    waiting_for_bytes(&file).map_err(error)?;
    read_bounded(file, path, MAX_BYTES)
}

/// Reads standard input to its end, of bounded size.
pub fn read_stdin() -> Result<ForeignText, StoreError> {
    stdin_bytes().map(ForeignText::from)
}

fn stdin_bytes() -> Result<Vec<u8>, StoreError> {
    read_bounded(io::stdin().lock(), Path::new("standard input"), MAX_BYTES)
}

fn read_bounded(source: impl Read, path: &Path, most: u64) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    source
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| StoreError::Read { path: shown(path), error })?;
    if bytes.len() as u64 > most {
        return Err(StoreError::TooLarge { path: shown(path), most });
    }
    Ok(bytes)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    File,
    Folder,
    Pipe,
    Socket,
    Device,
}

impl FileKind {
    pub(super) fn of(kind: FileType) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileTypeExt;
            if kind.is_fifo() {
                return Self::Pipe;
            }
            if kind.is_socket() {
                return Self::Socket;
            }
            if kind.is_block_device() || kind.is_char_device() {
                return Self::Device;
            }
        }
        if kind.is_dir() { Self::Folder } else { Self::File }
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::File => "a file",
            Self::Folder => "a folder",
            Self::Pipe => "a pipe",
            Self::Socket => "a socket",
            Self::Device => "a device",
        }
    }
}

/// Opens a file of one of these kinds, and never waits. Its kind is checked before, because opening a device may
/// already act on it, and again afterwards, because the path may lead elsewhere by then.
fn open(path: &Path, kinds: &[FileKind]) -> Result<File, StoreError> {
    let error = |error| StoreError::Read { path: shown(path), error };
    let expected = |kind| {
        let kind = FileKind::of(kind);
        let refused = StoreError::NotAFile { path: shown(path), what: kind.text() };
        if kinds.contains(&kind) { Ok(()) } else { Err(refused) }
    };
    expected(fs::metadata(path).map_err(error)?.file_type())?;
    let file = never_waiting(File::options().read(true)).open(path).map_err(error)?;
    expected(file.metadata().map_err(error)?.file_type())?;
    Ok(file)
}

/// Opening waits for nobody, such as the other end of a pipe.
pub(super) fn never_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    options
}

/// Reading from it waits again until there is something to read.
fn waiting_for_bytes(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
        fcntl_setfl(file, fcntl_getfl(file)? - OFlags::NONBLOCK)?;
    }
    Ok(())
}

/// Reads a password file: its first line, without the line's end.
pub fn read_password(path: &Path) -> Result<Zeroizing<String>, StoreError> {
    let text = Zeroizing::new(read_stream(path)?);
    Ok(Zeroizing::new(text.lines().next().unwrap_or("").to_string()))
}

/// The folder beside a council file that holds what was proposed, signed and sent by others.
pub(super) const INCIDENTS: &str = "incidents";

/// Returns `true` for a path inside a folder of incidents, at any depth. A file system may not tell cases apart.
fn is_within(path: &Path) -> bool {
    path.parent().is_some_and(|folder| {
        folder.components().any(|part| part.as_os_str().eq_ignore_ascii_case(INCIDENTS))
    })
}

/// The result of a search upwards.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FoundFile {
    pub path: Option<PathBuf>,
    /// Nearer files of that name that are never taken: they lie in a folder of incidents, among what others sent.
    pub passed_over: Vec<PathBuf>,
}

/// The file of this name in `start` or the nearest folder above it, outside of folders of incidents.
pub fn find_upwards(start: &Path, name: &str) -> FoundFile {
    let mut found = FoundFile::default();
    for path in start.ancestors().map(|folder| folder.join(name)).filter(|path| path.is_file()) {
        if !is_within(&path) {
            found.path = Some(path);
            break;
        }
        found.passed_over.push(path);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::files_below;

    #[test]
    fn an_oversized_or_binary_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("big");
        let size = usize::try_from(MAX_BYTES).unwrap() + 1;
        fs::write(&path, vec![b'a'; size]).unwrap();
        assert!(matches!(read_text(&path), Err(StoreError::TooLarge { .. })));
        fs::write(&path, "12345").unwrap();
        assert_eq!(read_text_up_to(5, &path).unwrap(), "12345");
        assert!(matches!(read_text_up_to(4, &path), Err(StoreError::TooLarge { most: 4, .. })));
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(matches!(read_text(&path), Err(StoreError::NotText { .. })));
        assert!(matches!(read_text(dir.path()), Err(StoreError::NotAFile { what: "a folder", .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_a_socket_and_a_device_are_named_and_not_waited_for() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe.json");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let socket = dir.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for (path, expected) in [
            (pipe.as_path(), "a pipe"),
            (socket.as_path(), "a socket"),
            (Path::new("/dev/null"), "a device"),
            (Path::new("/dev/zero"), "a device"),
        ] {
            for read in [read_text, read_stream] {
                let error = read(path).unwrap_err();
                assert!(matches!(error, StoreError::NotAFile { what, .. } if what == expected), "{error}");
            }
        }
        let found = files_below(dir.path(), "json", 10).unwrap();
        assert!(found.paths.is_empty(), "a folder's pipe is not one of its files");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_handed_to_this_process_is_read_to_its_end_and_only_as_a_stream() {
        use std::io::Write;
        use std::os::fd::AsRawFd;
        let (reader, mut writer) = io::pipe().unwrap();
        let path = PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
        assert!(matches!(read_text(&path), Err(StoreError::NotAFile { what: "a pipe", .. })));
        let writing = std::thread::spawn(move || {
            for part in ["one ", "two ", "three"] {
                writer.write_all(part.as_bytes()).unwrap();
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        });
        assert_eq!(read_stream(&path).unwrap(), "one two three");
        writing.join().unwrap();
    }

    #[test]
    fn the_nearest_file_above_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        fs::write(dir.path().join("a/breakglass.toml"), "").unwrap();
        fs::write(dir.path().join("breakglass.toml"), "").unwrap();
        let found = |path: &str| FoundFile { path: Some(dir.path().join(path)), passed_over: Vec::new() };
        assert_eq!(find_upwards(&deep, "breakglass.toml"), found("a/breakglass.toml"));
        assert_eq!(find_upwards(&deep, "no-such-file"), FoundFile::default());
    }

    /// A stranger's file is in a folder, and the program runs in that folder.
    #[test]
    fn no_file_among_the_incidents_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("breakglass.toml");
        fs::write(&own, "").unwrap();
        let mut passed_over = Vec::new();
        for folder in ["incidents", "incidents/0x12", "incidents/0x12/deep"] {
            let folder = dir.path().join(folder);
            fs::create_dir(&folder).unwrap();
            passed_over.insert(0, folder.join("breakglass.toml"));
            fs::write(&passed_over[0], "").unwrap();
            let found = find_upwards(&folder, "breakglass.toml");
            assert_eq!(found, FoundFile { path: Some(own.clone()), passed_over: passed_over.clone() });
        }
        fs::remove_file(&own).unwrap();
        let found = find_upwards(&dir.path().join("incidents"), "breakglass.toml");
        assert_eq!(found.path, None);
    }
}
