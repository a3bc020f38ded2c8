//! A terminal at which the test answers the program's questions.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::desk::Run;
use super::waiting::PATIENCE;

pub const CTRL_C: &str = "\u{3}";
pub const CTRL_D: &str = "\u{4}";

/// One program at one terminal; both outputs go to its screen.
pub struct Terminal {
    keyboard: File,
    line: File,
    process: Child,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
    command: String,
}

impl Terminal {
    pub fn start(command: &mut Command) -> Self {
        Self::of_width(120, command)
    }

    pub fn of_width(columns: u16, command: &mut Command) -> Self {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        // The windows for which the screens are made.
        let rows = if columns > 80 { 40 } else { 24 };
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&keyboard, size).unwrap();
        let name = ptsname(&keyboard, Vec::new()).unwrap();
        let line = File::options()
            .read(true)
            .write(true)
            .custom_flags(OFlags::NOCTTY.bits().cast_signed())
            .open(OsStr::from_bytes(name.as_bytes()))
            .unwrap();
        let end = || Stdio::from(line.try_clone().unwrap());
        let shown = format!("{command:?}");
        let process = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        // The command keeps its ends of the line open until it is used again.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let keyboard = File::from(keyboard);
        let mut source = keyboard.try_clone().unwrap();
        let screen = Arc::<Mutex<Vec<u8>>>::default();
        let shared = screen.clone();
        let reader = thread::spawn(move || {
            let mut piece = [0; 4096];
            // Ends with an error once nobody holds the other end.
            while let Ok(n) = source.read(&mut piece) {
                shared.lock().unwrap().extend_from_slice(&piece[..n]);
            }
        });
        Self { keyboard, line, process, screen, reader, command: shown }
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned()
    }

    /// The lines that stand on the screen, as a person reads them: without colours, and without what was written over.
    pub fn lines(&self) -> Vec<String> {
        let seen = self.seen();
        let lines = seen.split('\n').map(|line| without_escapes(line.trim_end_matches('\r')));
        lines.map(|line| line.rsplit('\r').next().unwrap_or_default().to_string()).collect()
    }

    /// Waits until the program has asked this.
    #[track_caller]
    pub fn asks(&mut self, text: &str) -> &mut Self {
        self.asks_times(text, 1)
    }

    /// Waits until the program has asked this so many times. What is typed before a question stands is thrown away.
    #[track_caller]
    pub fn asks_times(&mut self, text: &str, times: usize) -> &mut Self {
        let begun = Instant::now();
        while self.seen().matches(text).count() < times {
            if begun.elapsed() > PATIENCE || self.process.try_wait().unwrap().is_some() {
                assert!(
                    self.seen().matches(text).count() >= times,
                    "{}\nnever asked {text:?} {times} times:\n{}",
                    self.command,
                    self.seen()
                );
            }
            thread::sleep(Duration::from_millis(2));
        }
        self
    }

    pub fn types(&mut self, text: &str) -> &mut Self {
        self.keyboard.write_all(text.as_bytes()).unwrap();
        self
    }

    /// The person makes the window this wide.
    pub fn resizes(&mut self, columns: u16) -> &mut Self {
        let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.keyboard, size).unwrap();
        kill_process(Pid::from_child(&self.process), Signal::WINCH).unwrap();
        self
    }

    /// Sends the signal of Ctrl-C, as the terminal does while no question stands.
    pub fn interrupts(&mut self) -> &mut Self {
        kill_process(Pid::from_child(&self.process), Signal::INT).unwrap();
        self
    }

    /// Waits for the end, with this exit code.
    #[track_caller]
    pub fn ended(self, code: i32) -> Run {
        self.ends().ended(code)
    }

    /// Waits for the end. The terminal must show again what is typed.
    #[track_caller]
    pub fn ends(mut self) -> Run {
        let begun = Instant::now();
        let status = loop {
            match self.process.try_wait().unwrap() {
                Some(status) => break status,
                None if begun.elapsed() > PATIENCE => {
                    let _ = self.process.kill();
                    panic!("{} does not end:\n{}", self.command, self.seen());
                }
                None => thread::sleep(Duration::from_millis(2)),
            }
        };
        let modes = tcgetattr(&self.line).unwrap().local_modes;
        assert!(
            modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG),
            "the terminal is left as {modes:?} after {}",
            self.command
        );
        drop(self.line);
        self.reader.join().unwrap();
        let stdout = String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned();
        let code_found = status.code().unwrap_or(-1);
        Run { code: code_found, stdout, stderr: String::new(), command: self.command }
    }
}

/// Leaves out what begins with an escape character and ends with a letter.
fn without_escapes(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).map_or(part.len(), |at| at + 1);
        out.push_str(&part[end..]);
    }
    out
}
