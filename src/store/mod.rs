//! The only room that touches files and the environment. It knows names and bytes, not what the bytes mean.
//!
//! No file is ever overwritten: it is written whole under a temporary name, made durable, and only then given its
//! name, which fails when the name is taken. A crash between any two steps leaves the file there or not there. Two
//! kinds of file are replaced, whole: the council file, when its owner adds to it and if it still says what was read, and
//! files of the cache, which may be lost.
//!
//! Only files are opened: a pipe without a writer, or a device, would keep the program waiting.

#![allow(clippy::disallowed_methods, reason = "the room of files and of the environment")]

mod folder;
mod incidents;
mod keystores;
mod log_file;
mod programs;
mod read;
mod settings_folder;
mod write;

use std::io;
use std::path::Path;

pub use folder::{Stored, files_below};
pub use incidents::{Incidents, Lock};
pub use keystores::{find_keystore, keystores};
pub use log_file::{CutOff, NewLine, append_private, read_log};
pub use programs::{output_of, run_command, start_again};
pub use read::{
    ForeignText, find_upwards, read_foreign, read_given, read_password, read_stdin, read_text,
    read_text_up_to,
};
pub use settings_folder::CacheFolder;
pub use settings_folder::{
    SettingsFolder, arguments, from_here, home, is_folder, is_taken, real_path, variable, working_folder,
};
pub use write::{create_folder, create_new, keep_all, keep_new, let_all_read, replace, require_creatable};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot read {path}: {}", plain(error))]
    Read { path: String, error: io::Error },
    #[error("cannot use {path}: it is {what}, not a file")]
    NotAFile { path: String, what: &'static str },
    #[error("{path} is larger than {most} bytes: this is not the file you mean")]
    TooLarge { path: String, most: u64 },
    #[error("{path} is not text (UTF-8)")]
    NotText { path: String },
    #[error("{path} already exists, and nothing is overwritten")]
    Exists { path: String },
    #[error("{path} is a symbolic link; files are written only where no link leads elsewhere")]
    Link { path: String },
    #[error("{path} has changed while this ran: run the same command again")]
    Changed { path: String },
    #[error("cannot write {path}: {}", plain(error))]
    Write { path: String, error: io::Error },
    #[error("cannot lock {path}: {}", plain(error))]
    NoLock { path: String, error: io::Error },
    #[error("{path} has no line in its last {most} bytes: move it away, and a new one is begun")]
    NoLine { path: String, most: u64 },
    #[error("another breakglass is working in {path}; wait for it to end")]
    Locked { path: String },
}

/// Returns the system's error in plain words, without its number.
fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".into(),
        io::ErrorKind::PermissionDenied => "this user may not".into(),
        io::ErrorKind::StorageFull => "the disk is full".into(),
        io::ErrorKind::QuotaExceeded => "this user has no space left on the disk".into(),
        io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only".into(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_string()
        }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_system_is_said_without_its_number() {
        for (number, expected) in [
            (2, "cannot write a: there is no such file or folder"),
            (13, "cannot write a: this user may not"),
            (28, "cannot write a: the disk is full"),
            (30, "cannot write a: the disk is read-only"),
            (5, "cannot write a: Input/output error"),
        ] {
            let error = StoreError::Write { path: "a".into(), error: io::Error::from_raw_os_error(number) };
            assert_eq!(error.to_string(), expected);
        }
    }
}
