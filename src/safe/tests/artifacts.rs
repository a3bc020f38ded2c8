//! The code of contracts, from npm packages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use alloy::primitives::Bytes;
use serde::Deserialize;

/// A compiled contract.
#[derive(Clone, Deserialize)]
pub(crate) struct Artifact {
    /// The code that creates it.
    #[serde(rename = "bytecode")]
    pub(crate) creation: Bytes,
    /// The code that it has then.
    #[serde(rename = "deployedBytecode")]
    pub(crate) deployed: Bytes,
}

/// The folder of the packages.
pub(crate) fn packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/node_modules")
}

/// The artifact at a path in the folder of the packages. Each is read once.
pub(crate) fn artifact(path: &str) -> Artifact {
    static READ: Mutex<BTreeMap<String, Artifact>> = Mutex::new(BTreeMap::new());
    let read = || {
        let text = std::fs::read(packages().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
        serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
    };
    let mut all = READ.lock().unwrap_or_else(PoisonError::into_inner);
    all.entry(path.into()).or_insert_with(read).clone()
}
