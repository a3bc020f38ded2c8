//! The code of contracts, whole: of each and, for a proxy of EIP-1967, of its implementation.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, U256, b256};
use serde_json::json;

use super::chain_error::ChainError;
use super::json_rpc::{AT, Request};
use super::quorum::Chain;
use super::settle::Settled;
use crate::evm::{BlockRef, BlockTag};

/// `keccak256("eip1967.proxy.implementation") - 1`, of EIP-1967.
const IMPLEMENTATION: B256 = b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");

impl Chain {
    /// Returns the codes that may answer for each address: its own, and its implementation's. Two rounds where one of them
    /// is a proxy.
    ///
    /// # Errors
    /// If no quorum agrees.
    pub fn codes(
        &self,
        addresses: &[Address],
        block: &BlockRef,
    ) -> Result<BTreeMap<Address, Vec<Bytes>>, ChainError> {
        let code = |address: &Address| Request::new("eth_getCode", json!([address, AT]));
        let slot = |address: &Address| Request::new("eth_getStorageAt", json!([address, IMPLEMENTATION, AT]));
        let requests: Vec<Request> = addresses.iter().flat_map(|a| [code(a), slot(a)]).collect();
        let agreed = self.agree(&requests, BlockTag::Pinned(*block))?;
        let mut found: BTreeMap<Address, Vec<Bytes>> = BTreeMap::new();
        let mut behind: Vec<(Address, Address)> = Vec::new();
        for (address, pair) in addresses.iter().zip(agreed.values.chunks(2)) {
            let [own, implementation] = pair else { continue };
            found.entry(*address).or_default().extend(code_of(own));
            behind.extend(address_of(implementation).map(|implementation| (*address, implementation)));
        }
        if !behind.is_empty() {
            let requests: Vec<Request> =
                behind.iter().map(|(_, implementation)| code(implementation)).collect();
            let agreed = self.agree(&requests, BlockTag::Pinned(*block))?;
            for ((address, _), value) in behind.iter().zip(&agreed.values) {
                found.entry(*address).or_default().extend(code_of(value));
            }
        }
        Ok(found)
    }
}

fn code_of(value: &Settled) -> Option<Bytes> {
    match value {
        Settled::Data(code) if !code.is_empty() => Some(code.clone()),
        _ => None,
    }
}

fn address_of(value: &Settled) -> Option<Address> {
    let Settled::Number(word) = value else { return None };
    let word = B256::from(*word);
    (*word != *B256::from(U256::ZERO) && word[..12].iter().all(|b| *b == 0)).then(|| Address::from_word(word))
}
