//! One command, run alone in a process of its own that has no other child: its peak memory and its processor time
//! are then the system's word about that command.

use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// The argument by which the bench runs itself for that.
pub const ALONE: &str = "--measure-one";

/// The time, processor and memory of one run.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub millis: f64,
    /// Processor time, user and system, of the whole process.
    pub cpu: f64,
    pub megabytes: f64,
    pub code: i32,
}

/// Runs a command and prints milliseconds of wall time and processor, its peak in KiB and its exit code.
pub fn alone(args: &[String]) {
    let [program, rest @ ..] = args else { return };
    let begun = Instant::now();
    let status = Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let millis = begun.elapsed().as_secs_f64() * 1000.0;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let cpu = in_millis(usage.user_time()) + in_millis(usage.system_time());
    let code = status.ok().and_then(|s| s.code()).unwrap_or(-1);
    println!("{millis} {cpu} {} {code}", usage.max_rss());
}

#[allow(clippy::cast_precision_loss, reason = "a few seconds")]
fn in_millis(time: TimeVal) -> f64 {
    time.tv_sec() as f64 * 1000.0 + time.tv_usec() as f64 / 1000.0
}

/// The bench itself, with a clean environment: PATH and nothing else.
pub fn myself() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// One run of `program` by `command`, which is [`myself`] in the folder where it shall run.
pub fn cost(mut command: Command, program: &str, args: &[&str]) -> Cost {
    let output = command.arg(ALONE).arg(program).args(args).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let words: Vec<&str> = text.split_whitespace().collect();
    let [millis, cpu, kib, code] = words[..] else { panic!("{program} {args:?}: {text}") };
    let number = |text: &str| text.parse::<f64>().unwrap();
    Cost {
        millis: number(millis),
        cpu: number(cpu),
        megabytes: number(kib) / 1024.0,
        code: code.parse().unwrap(),
    }
}

impl Cost {
    /// A command that ends in another way has not done what was to be measured.
    pub fn ended(self, what: &str, code: i32) -> Self {
        assert!(self.code == code, "{what} ended with {}, not {code}", self.code);
        self
    }
}
