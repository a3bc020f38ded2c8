//! One signer's machine: a folder of its own with a council file, a keystore and a password, and the program run in
//! it with nothing else of the host's environment.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::keys::Key;
use super::keystore::encrypt;
use super::waiting::PATIENCE;

pub struct Desk {
    pub name: String,
    pub key: Key,
    folder: TempDir,
    /// The folder of the person's own settings, apart from the desk's, which a refusal leaves as it was.
    home: TempDir,
}

/// The result of one run of the program.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub(super) command: String,
}

impl Desk {
    pub fn new(name: &str, key: Key, council: &str) -> Self {
        let folder = TempDir::with_prefix(format!("breakglass-{name}-")).unwrap();
        let home = TempDir::with_prefix(format!("breakglass-home-{name}-")).unwrap();
        let desk = Self { name: name.into(), key, folder, home };
        let password = format!("the password of {name}");
        fs::write(desk.path("breakglass.toml"), council).unwrap();
        fs::write(desk.keystore(), encrypt(&key, &password).to_string()).unwrap();
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(desk.password_file()).unwrap();
        writeln!(file, "{password}").unwrap();
        desk
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The person forgets which council file and playbooks they accepted: the next run is the first of these.
    pub fn forgets(&self) {
        let _ = fs::remove_dir_all(self.home().join(".config/breakglass/accepted"));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn keystore(&self) -> PathBuf {
        self.path("keystore.json")
    }

    /// The password, as it is typed.
    pub fn password(&self) -> String {
        fs::read_to_string(self.password_file()).unwrap().trim().to_string()
    }

    /// Writes the person's own settings.
    pub fn settings(&self, text: &str) {
        let folder = self.home().join(".config/breakglass");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config.toml"), text).unwrap();
    }

    pub fn password_file(&self) -> PathBuf {
        self.path("password")
    }

    /// The program, to be run at this desk.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = breakglass();
        command.args(args).current_dir(self.folder()).env("HOME", self.home());
        command
    }

    /// Runs the program at this desk; there is no terminal.
    pub fn run(&self, args: &[&str]) -> Run {
        run(&mut self.command(args))
    }
}

/// The program with a clean environment: PATH and nothing else.
pub fn breakglass() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_breakglass"));
    command.env_clear().stdin(Stdio::null());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// Runs to the end, output into files so that no full pipe can stop it.
pub fn run(command: &mut Command) -> Run {
    let files = [tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap()];
    let [stdout, stderr] = files.each_ref().map(|file| file.try_clone().unwrap());
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>();
    let shown = format!("breakglass {}", words.join(" "));
    let mut process = command.stdout(stdout).stderr(stderr).spawn().unwrap();
    let begun = Instant::now();
    let status = loop {
        match process.try_wait().unwrap() {
            Some(status) => break Some(status),
            None if begun.elapsed() > PATIENCE => break None,
            None => thread::sleep(Duration::from_millis(1)),
        }
    };
    if status.is_none() {
        let _ = process.kill();
        let _ = process.wait();
    }
    let [stdout, stderr] = files.map(read_back);
    let Some(status) = status else {
        panic!("{shown} did not end in {PATIENCE:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
    };
    Run { code: status.code().unwrap_or(-1), stdout, stderr, command: shown }
}

/// One space where the program put any white space, or wrapped a line.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != "↪").collect::<Vec<_>>().join(" ")
}

fn read_back(mut file: File) -> String {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    String::from_utf8(bytes).expect("output that is not UTF-8")
}

impl Run {
    /// Fails the test, with everything that was printed, unless the program ended with this code.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert!(self.code == code, "expected exit code {code}\n{}", self.shown());
        self
    }

    /// Fails the test unless stdout or stderr contains the text, however its lines are wrapped.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let said = unwrapped(&self.stdout).contains(&unwrapped(text))
            || unwrapped(&self.stderr).contains(&unwrapped(text));
        assert!(said, "expected to read {text:?}\n{}", self.shown());
        self
    }

    /// Fails the test if stdout or stderr contains the text.
    #[track_caller]
    pub fn never_says(self, text: &str) -> Self {
        let said = unwrapped(&self.stdout).contains(&unwrapped(text))
            || unwrapped(&self.stderr).contains(&unwrapped(text));
        assert!(!said, "expected never to read {text:?}\n{}", self.shown());
        self
    }

    /// The one JSON object on stdout.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(e) => panic!("stdout is not one JSON value: {e}\n{}", self.shown()),
        }
    }

    fn shown(&self) -> String {
        let Self { code, stdout, stderr, command } = self;
        format!("$ {command}\n(exit code {code})\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}
