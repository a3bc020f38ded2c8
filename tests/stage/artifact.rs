//! Compiled contracts: our own in `target/fixtures`, others' in `node_modules`. Neither is ever committed.

use std::fs;
use std::path::{Path, PathBuf};

use alloy::primitives::{Address, Bytes, U256};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::anvil::Anvil;
use super::keys::key;

#[derive(Deserialize)]
struct Artifact {
    bytecode: Bytes,
}

/// The folder of the npm packages.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// A JSON file of an npm package.
pub fn npm_json<T: DeserializeOwned>(path: &str) -> T {
    read(&fixtures().join("node_modules").join(path))
}

/// The creation code of an npm package's artifact.
pub fn npm_bytecode(path: &str) -> Bytes {
    npm_json::<Artifact>(path).bytecode
}

/// The creation code of a contract in `target/fixtures`; `path` is without the `.json`.
pub fn own_bytecode(path: &str) -> Bytes {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fixtures");
    read::<Artifact>(&folder.join(format!("{path}.json"))).bytecode
}

/// Deploys a contract of `tests/fixtures/contracts` with ABI-encoded constructor arguments.
pub fn deploy(anvil: &Anvil, contract: &str, constructor_args: &[u8]) -> Address {
    deploy_code(anvil, &own_bytecode(contract), constructor_args)
}

/// Runs creation code.
pub fn deploy_code(anvil: &Anvil, creation: &Bytes, constructor_args: &[u8]) -> Address {
    let data = [creation, constructor_args].concat().into();
    let receipt = anvil.try_send(key(9).address, None, &data, U256::ZERO);
    assert!(receipt.succeeded, "a contract's constructor failed");
    receipt.created.expect("a creation without an address")
}

fn read<T: DeserializeOwned>(path: &Path) -> T {
    let text = fs::read(path).unwrap_or_else(|e| panic!("{} ({e}): run `make setup`", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
