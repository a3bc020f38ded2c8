//! Starts other programs: what a person named on the command line, and this program once more. No file and no message
//! names one.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The most that is read of what a program prints.
const LONGEST_OUTPUT: u64 = 64 << 10;
const SLICE: Duration = Duration::from_millis(10);

/// Runs a command of the shell with this on its standard input. What it prints goes to standard error. Returns how it
/// ended; `None` if it still runs after this time, and it goes on.
/// Fails if it cannot be started. A command that reads nothing is not an error.
pub fn run_command(command: &str, input: &str, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut child =
        Command::new(shell).args([flag, command]).stdin(Stdio::piped()).stdout(io::stderr()).spawn()?;
    let (tell, told) = mpsc::channel();
    let input = input.to_string();
    // One that does not read what does not fit into the pipe holds up nobody but this thread.
    thread::spawn(move || tell.send(feed(&mut child, &input)));
    told.recv_timeout(patience).ok().transpose()
}

/// Gives a process its input, and waits until it ends.
fn feed(child: &mut Child, input: &str) -> io::Result<ExitStatus> {
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(input.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
            _ => {}
        }
    }
    child.wait()
}

/// Runs a program of PATH, without a shell, and returns what it printed on standard output, of bounded length. It is given
/// the variables PATH and HOME alone: addresses of RPCs with their keys are none of its business. `None` if there is no
/// such program.
/// Fails if the program fails, prints no text, or still runs after this time: it is then ended.
pub fn output_of(program: &str, args: &[&str], patience: Duration) -> io::Result<Option<String>> {
    let mut command = Command::new(program);
    command.args(args).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    for name in ["PATH", "HOME"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    let mut child = match command.spawn() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        child => child?,
    };
    let deadline = patience.as_millis() / SLICE.as_millis();
    for _ in 0..deadline {
        if child.try_wait()?.is_some() {
            break;
        }
        thread::sleep(SLICE);
    }
    let Some(ended) = child.try_wait()? else {
        // It waits, or prints more than anybody reads.
        child.kill()?;
        child.wait()?;
        return Err(io::Error::other(format!("it did not end within {} s", patience.as_secs())));
    };
    if !ended.success() {
        return Err(io::Error::other(format!("it failed: {ended}")));
    }
    let mut text = String::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(LONGEST_OUTPUT).read_to_string(&mut text)?;
    }
    Ok(Some(text))
}

/// Starts this program once more, and does not wait for it: it holds no stream of ours open.
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
        let moment = Duration::from_millis(50);
        assert_eq!(
            run_command("sleep 5", &much, moment).unwrap(),
            None,
            "one that never reads is not waited for"
        );
    }

    #[test]
    #[cfg(unix)]
    fn the_output_of_a_program_is_returned_and_none_if_it_is_missing() {
        let long = Duration::from_mins(1);
        assert_eq!(
            output_of("echo", &["$HOME", "a b"], long).unwrap().as_deref(),
            Some("$HOME a b\n"),
            "no shell"
        );
        assert_eq!(output_of("no-program-is-called-so", &[], long).unwrap(), None);
        assert!(output_of("sh", &["-c", "exit 3"], long).is_err());
        let endless = output_of("sh", &["-c", "while true; do echo yes; done"], Duration::from_millis(100));
        assert!(endless.unwrap_err().to_string().contains("did not end"));
    }
}
