//! Compiled contracts: our own and unpacked ones in `target/fixtures`, others in `node_modules`. None is ever committed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use alloy::primitives::{Address, Bytes, U256, hex};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::anvil::Anvil;
use super::keys::key;

#[derive(Deserialize)]
struct Artifact {
    bytecode: Bytecode,
    /// Library → the hole in the creation code where its address goes.
    #[serde(default)]
    links: BTreeMap<String, String>,
    /// Link references as Hardhat writes them: file → library → places in the creation code.
    #[serde(default, rename = "linkReferences")]
    references: BTreeMap<String, BTreeMap<String, Vec<Place>>>,
}

#[derive(Deserialize)]
struct Place {
    start: usize,
}

/// As Hardhat and Truffle write it, and as Forge does.
#[derive(Deserialize)]
#[serde(untagged)]
enum Bytecode {
    Plain(String),
    Object { object: String },
}

impl Artifact {
    fn text(&self) -> &str {
        match &self.bytecode {
            Bytecode::Plain(text) | Bytecode::Object { object: text } => text,
        }
    }
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
    npm_json::<Artifact>(path).text().parse().unwrap()
}

/// Deploys a contract of `tests/fixtures/contracts`, or what `target/fixtures` has at a path, with ABI-encoded
/// constructor arguments; the libraries that it is linked to first.
pub fn deploy(anvil: &Anvil, contract: &str, constructor_args: &[u8]) -> Address {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fixtures");
    if contract.rsplit_once('.').is_some_and(|(_, ending)| ending == "bin") {
        let code = fs::read_to_string(built.join(contract)).unwrap_or_else(|e| panic!("{contract}: {e}"));
        return deploy_code(anvil, &code.trim().parse().unwrap(), constructor_args);
    }
    let artifact: Artifact = read(&built.join(format!("{contract}.json")));
    let mut code = artifact.text().to_string();
    for (library, hole) in &artifact.links {
        let beside =
            contract.rsplit_once('/').map_or(library.clone(), |(folder, _)| format!("{folder}/{library}"));
        code = code.replace(hole, &hex::encode(deploy(anvil, &beside, &[])));
    }
    // Reads a package from the folder that its files are named in.
    let folder = contract.split_once("artifacts/").map(|(before, _)| format!("{before}artifacts"));
    let libraries = artifact.references.iter().flat_map(|(file, all)| all.iter().map(move |one| (file, one)));
    for (file, (library, places)) in libraries {
        let path = format!("{}/{file}/{library}", folder.as_deref().unwrap_or_default());
        if built.join(format!("{path}.json")).exists() {
            let address = hex::encode(deploy(anvil, &path, &[]));
            for Place { start } in places {
                code.replace_range(2 + 2 * start..42 + 2 * start, &address);
            }
        }
    }
    // A library that comes in no artifact is one that no test calls.
    while let Some(at) = code.find("__$") {
        code.replace_range(at..at + 40, &"0".repeat(40));
    }
    deploy_code(anvil, &code.parse().unwrap(), constructor_args)
}

/// Returns where the code of a contract that [`deploy`] takes comes from: a package and its version, or a file of ours
/// and the package that it builds on.
pub fn origins(contract: &str) -> Vec<String> {
    if let Some(path) = contract.strip_prefix("npm/") {
        let package: Vec<&str> = path.splitn(3, '/').collect();
        let (name, version) = package[1].split_once('@').unwrap();
        return vec![format!("{}/{name} {version}", package[0])];
    }
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fixtures");
    let source = read::<serde_json::Value>(&built.join(format!("{contract}.json")))["source"].clone();
    let source = source.as_str().unwrap_or_else(|| panic!("{contract} says no source: run `make setup`"));
    let mut all = vec![source.to_string()];
    let own = fixtures().join("contracts").join(source);
    if fs::read_to_string(own).is_ok_and(|text| text.contains("from \"@openzeppelin/contracts/")) {
        let package: serde_json::Value = npm_json("@openzeppelin/contracts/package.json");
        all.push(format!("@openzeppelin/contracts {}", package["version"].as_str().unwrap()));
    }
    all
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
