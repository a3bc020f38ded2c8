//! The committed completion scripts are those that the program prints.

use std::fs;
use std::process::Command;

const SCRIPTS: [(&str, &str); 5] = [
    ("bash", "breakglass.bash"),
    ("zsh", "_breakglass"),
    ("fish", "breakglass.fish"),
    ("powershell", "_breakglass.ps1"),
    ("elvish", "breakglass.elv"),
];

#[test]
fn completions_are_current() {
    for (shell, file) in SCRIPTS {
        let output = Command::new(env!("CARGO_BIN_EXE_breakglass")).args(["completions", shell]).output();
        let printed = output.map(|o| o.stdout).unwrap_or_default();
        let path = format!("{}/completions/{file}", env!("CARGO_MANIFEST_DIR"));
        let committed = fs::read(&path).unwrap_or_default();
        assert!(!printed.is_empty() && printed == committed, "{path} is not current: run `make completions`");
    }
}
