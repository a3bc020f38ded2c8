//! The code of contracts, whole: of each and, for a proxy, of its implementation.

use std::collections::BTreeMap;

use alloy::primitives::{Address, B256, Bytes, b256, hex};
use alloy::sol;
use alloy::sol_types::SolCall;
use serde_json::json;

use super::chain_error::ChainError;
use super::json_rpc::{AT, Request};
use super::quorum::Chain;
use super::settle::Settled;
use crate::evm::{BlockRef, BlockTag};

/// `keccak256("eip1967.proxy.implementation") - 1`, of EIP-1967.
const IMPLEMENTATION: B256 = b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");
/// `keccak256("eip1967.proxy.beacon") - 1`, of EIP-1967.
const BEACON: B256 = b256!("a3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50");
/// The code around the address in a minimal proxy, of EIP-1167.
const CLONE: ([u8; 10], [u8; 15]) = (hex!("363d3d373d3d3d363d73"), hex!("5af43d82803e903d91602b57fd5bf3"));

sol! {
    /// A beacon's function, by EIP-1967.
    function implementation() external view returns (address);
}

/// The code of a contract, and what is behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Codes {
    /// Each code that may answer for it: its own first, then its implementation's.
    pub codes: Vec<(Address, Bytes)>,
    /// The beacon that says what its implementation is.
    pub beacon: Option<Address>,
}

impl Chain {
    /// Returns the codes that may answer for each address: its own, and its implementation's, also where a beacon names
    /// it. One more round where one of them is a proxy, and another one for a beacon.
    pub fn codes(
        &self,
        addresses: &[Address],
        block: &BlockRef,
    ) -> Result<BTreeMap<Address, Codes>, ChainError> {
        let slot = |address: &Address, slot| Request::new("eth_getStorageAt", json!([address, slot, AT]));
        let three = |a: &Address| [code(*a), slot(a, IMPLEMENTATION), slot(a, BEACON)];
        let requests: Vec<Request> = addresses.iter().flat_map(three).collect();
        let agreed = self.agree(&requests, BlockTag::Pinned(*block))?;
        let mut found: BTreeMap<Address, Codes> = BTreeMap::new();
        let (mut behind, mut beacons) = (Vec::new(), Vec::new());
        for (address, values) in addresses.iter().zip(agreed.values.chunks(3)) {
            let [own, implementation, beacon] = values else { continue };
            let codes = found.entry(*address).or_default();
            let own = code_of(own);
            let of_clone = own.as_ref().and_then(|code| cloned(code));
            codes.codes.extend(own.map(|code| (*address, code)));
            codes.beacon = address_of(beacon);
            behind.extend(address_of(implementation).or(of_clone).map(|behind| (*address, behind)));
            beacons.extend(codes.beacon.map(|beacon| (*address, beacon)));
        }
        if !beacons.is_empty() {
            let call = implementationCall {}.abi_encode().into();
            let requests: Vec<Request> =
                beacons.iter().map(|(_, beacon)| Request::call(None, *beacon, &call)).collect();
            let agreed = self.agree(&requests, BlockTag::Pinned(*block))?;
            let named = beacons.iter().zip(&agreed.values);
            behind.extend(named.filter_map(|((address, _), value)| Some((*address, returned(value)?))));
        }
        if !behind.is_empty() {
            let requests: Vec<Request> = behind.iter().map(|(_, behind)| code(*behind)).collect();
            let agreed = self.agree(&requests, BlockTag::Pinned(*block))?;
            for ((address, behind), value) in behind.iter().zip(&agreed.values) {
                let code = code_of(value).map(|code| (*behind, code));
                found.entry(*address).or_default().codes.extend(code);
            }
        }
        Ok(found)
    }
}

fn code(address: Address) -> Request {
    Request::new("eth_getCode", json!([address, AT]))
}

/// Returns the address that a minimal proxy passes everything on to.
fn cloned(code: &[u8]) -> Option<Address> {
    let address = code.strip_prefix(&CLONE.0)?.strip_suffix(&CLONE.1)?;
    (address.len() == 20).then(|| Address::from_slice(address))
}

fn returned(value: &Settled) -> Option<Address> {
    let Settled::Data(data) = value else { return None };
    implementationCall::abi_decode_returns_validate(data).ok().filter(|address| !address.is_zero())
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
    (!word.is_zero() && word[..12].iter().all(|b| *b == 0)).then(|| Address::from_word(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minimal_proxy_names_what_it_passes_everything_on_to() {
        let to = Address::repeat_byte(7);
        let code = [&CLONE.0[..], to.as_slice(), &CLONE.1].concat();
        assert_eq!(cloned(&code), Some(to));
        for other in [&code[1..], &code[..44], &[&code[..], &[0]].concat()] {
            assert_eq!(cloned(other), None);
        }
    }
}
