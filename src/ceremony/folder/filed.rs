//! A cache of the files of `incidents/` that were read in this run. Values only.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::proposal::{OwnerSignature, Proposal, SafeOwners, Set, Stated, VerifyError};
use crate::safe::SafeTxHash;

/// The files of `incidents/` that were read in this run.
#[derive(Debug, Default)]
pub struct Filed {
    /// The readable files of proposals by folder, the last kept first. `None` before they are needed.
    pub files: Mutex<Option<Vec<Arc<KeptFile>>>>,
    /// The sets that were signed ahead. `None` before they are needed.
    pub sets: Mutex<Option<Vec<Arc<KeptSet>>>>,
    /// Signatures that were verified, with the owners for whom they were.
    recovered: Mutex<HashMap<(SafeTxHash, Stated), Recovered>>,
}

type Recovered = (SafeOwners, Result<OwnerSignature, VerifyError>);

/// A file of a proposal.
#[derive(Debug)]
pub struct KeptFile {
    pub folder: String,
    pub path: PathBuf,
    pub proposal: Proposal,
    /// The result of deriving it from the reader's own files, or why they do not give it.
    pub derived: OnceLock<Result<(), String>>,
}

/// The file of a set that was signed ahead.
#[derive(Debug)]
pub struct KeptSet {
    pub path: PathBuf,
    pub set: Set,
}

impl Filed {
    /// Verifies a signature once in a run.
    pub fn recover_once(
        &self,
        stated: &Stated,
        proposal: &Proposal,
        owners: &SafeOwners,
    ) -> Result<OwnerSignature, VerifyError> {
        let key = (proposal.hash(), stated.clone());
        if let Some((among, known)) = lock(&self.recovered).get(&key)
            && among == owners
        {
            return known.clone();
        }
        let verified = OwnerSignature::verify(stated, proposal, owners);
        lock(&self.recovered).insert(key, (owners.clone(), verified.clone()));
        verified
    }
}

/// Locks values. They are consistent between two writes, so that a panic of another thread does no harm.
pub fn lock<T>(values: &Mutex<T>) -> MutexGuard<'_, T> {
    values.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::tests::{ALICE, Home, at, proposed, stated};

    /// A result for some owners does not count for others.
    #[test]
    fn a_signature_is_verified_again_for_other_owners() {
        let home = Home::new();
        let desk = home.desk();
        let vault = proposed(&desk, &["vault"], &at(4), 0);
        let owners = desk.pinned_owners(desk.safe("guardian").unwrap()).unwrap();
        let others = owners.restricted_to(alloy::primitives::Address::repeat_byte(9));
        let (filed, alices) = (Filed::default(), stated(ALICE, &vault));
        for _ in 0..2 {
            assert!(filed.recover_once(&alices, &vault, &owners).is_ok());
            assert!(filed.recover_once(&alices, &vault, &others).is_err());
        }
    }
}
