//! Calls [`breakglass::run`] and returns the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(breakglass::run(std::env::args_os()))
}
