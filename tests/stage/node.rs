//! The process of an anvil: a local chain, started for the tests of the library and of the program alike.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

/// A running anvil, killed when dropped.
pub struct Node {
    process: Child,
    pub port: u16,
}

/// npm's binary, which is for Linux on x86-64; elsewhere the one on the PATH.
fn binary() -> PathBuf {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/node_modules");
    let packaged = modules.join("@foundry-rs/anvil-linux-amd64/bin/anvil");
    if packaged.exists() && cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return packaged;
    }
    "anvil".into()
}

impl Node {
    /// Starts it on a free port, with more of anvil's own arguments.
    pub fn start(args: &[&str]) -> Self {
        let mut process = Command::new(binary())
            .args(["--port", "0"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("anvil does not start ({e}): run `make setup`, or install Foundry"));
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| line.ok()?.strip_prefix("Listening on 127.0.0.1:")?.parse().ok());
        let mut node = Self { process, port: 0 };
        node.port = port.expect("anvil ended before it listened");
        thread::spawn(move || lines.for_each(drop)); // a full pipe would stop anvil
        node
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
