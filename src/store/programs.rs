//! Starts other programs: what a person named on the command line, and this program once more. No file and no message
//! names one.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

const SLICE: Duration = Duration::from_millis(10);

/// Runs a command of the shell with this on its standard input. What it prints goes to standard error. Returns how it
/// ended; `None` if it still runs after this time, and it goes on.
///
/// # Errors
/// If it cannot be started. A command that reads nothing is no error.
pub fn run_command(command: &str, input: &str, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut child =
        Command::new(shell).args([flag, command]).stdin(Stdio::piped()).stdout(io::stderr()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(input.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
            _ => {}
        }
    }
    for _ in 0..patience.as_millis() / SLICE.as_millis() {
        if let Some(ended) = child.try_wait()? {
            return Ok(Some(ended));
        }
        thread::sleep(SLICE);
    }
    child.try_wait()
}

/// Starts this program once more, and does not wait for it: it holds no stream of ours open.
///
/// # Errors
/// If it cannot be started.
pub fn start_again(arguments: &[OsString]) -> io::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A group of its own: who ends ours does not end it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_command_reads_what_it_is_given_and_its_end_is_told() {
        let long = Duration::from_mins(1);
        let grep = |input: &str| run_command("grep -q '\"alarm\"'", input, long).unwrap().unwrap().success();
        assert!(grep("{\"alarm\": 1}"));
        assert!(!grep("{}"));
        let much = "x".repeat(1 << 20);
        assert!(run_command("true", &much, long).unwrap().unwrap().success(), "it need not read");
        assert_eq!(run_command("sleep 2", "", Duration::ZERO).unwrap(), None);
    }
}
