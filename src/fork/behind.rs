//! The code behind an address: a proxy runs another contract's, and says which only by running it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{Address, Bytes};
use revm::InspectEvm;

use super::env;
use super::run::{Attempt, RehearsalError, evm, transaction};
use super::trace::{FrameKind, Trace};
use super::world::World;

/// A selector that no function has by agreement (ERC-165): a contract does with it what it does with what it does not
/// know, and a proxy passes it on.
const UNKNOWN: [u8; 4] = [0xff; 4];

/// Returns, for each address, every code that runs on its storage: its own first, then what it delegates to when it is
/// called with a function that it does not have. An account without code has none.
///
/// This finds every proxy that delegates all functions that it does not have. A contract that reads its storage before
/// it delegates, as a diamond does, shows only its own code. Fails if no block can hold the call.
pub fn code_behind(
    world: &World,
    targets: &BTreeSet<Address>,
) -> Result<Attempt<BTreeMap<Address, Vec<Bytes>>>, RehearsalError> {
    let mut evm = evm(world, world.chain_id, env::block(world), BTreeMap::new());
    let mut places = BTreeMap::new();
    for target in targets {
        let call = transaction(world.chain_id, Address::ZERO, *target, UNKNOWN.into());
        evm.inspect_tx(call).map_err(|e| RehearsalError::Impossible(e.to_string()))?;
        let trace = std::mem::take(&mut evm.inspector.trace);
        places.insert(*target, delegated(&trace, *target));
    }
    let missing = &evm.ctx.journaled_state.database.missing;
    if !missing.is_empty() {
        return Ok(Attempt::Missing(missing.clone()));
    }
    let code = |at: &Address| world.state.accounts.get(at).map(|account| account.code.clone());
    let code = |(target, places): (Address, Vec<Address>)| {
        let codes = std::iter::once(&target).chain(&places).filter_map(code).filter(|code| !code.is_empty());
        (target, codes.collect())
    };
    Ok(Attempt::Complete(Box::new(places.into_iter().map(code).collect())))
}

/// Returns the addresses of the code that ran on the storage of `target`, besides its own; each once.
fn delegated(trace: &Trace, target: Address) -> Vec<Address> {
    let mut places = Vec::new();
    for frame in &trace.frames {
        let delegates = matches!(frame.kind, FrameKind::DelegateCall | FrameKind::CallCode);
        if delegates && frame.from == target && frame.to != target && !places.contains(&frame.to) {
            places.push(frame.to);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use alloy::consensus::Header;
    use alloy::primitives::{B256, U256, hex};

    use super::*;
    use crate::evm::{BlockHash, Keys};
    use crate::fork::Account;

    const PROXY: Address = Address::repeat_byte(1);
    const BEHIND: Address = Address::repeat_byte(2);
    const DEEPER: Address = Address::repeat_byte(3);

    /// EIP-1167.
    fn minimal_proxy(to: Address) -> Vec<u8> {
        [&hex!("363d3d373d3d3d363d73")[..], to.as_slice(), &hex!("5af43d82803e903d91602b57fd5bf3")].concat()
    }

    fn world(codes: &[(Address, Vec<u8>)]) -> World {
        let header = Header { gas_limit: 30_000_000, requests_hash: Some(B256::ZERO), ..Header::default() };
        let mut world = World::new(1, header, BlockHash::claimed(B256::repeat_byte(1)));
        world.state.accounts.insert(Address::ZERO, Account::default());
        for (address, code) in codes {
            let account = Account { balance: U256::ZERO, nonce: 1, code: code.clone().into() };
            world.state.accounts.insert(*address, account);
        }
        world
    }

    fn lens(world: &World, targets: &[Address]) -> Result<Vec<Vec<usize>>, Keys> {
        match code_behind(world, &targets.iter().copied().collect()).unwrap() {
            Attempt::Complete(found) => {
                Ok(found.values().map(|codes| codes.iter().map(|code| code.len()).collect()).collect())
            }
            Attempt::Missing(keys) => Err(keys),
        }
    }

    #[test]
    fn a_proxy_shows_what_it_delegates_to_link_by_link() {
        let known = [(PROXY, minimal_proxy(BEHIND)), (BEHIND, minimal_proxy(DEEPER))];
        let missing = lens(&world(&known), &[PROXY]).unwrap_err();
        assert_eq!(missing.accounts.into_iter().collect::<Vec<_>>(), [DEEPER]);
        let whole = world(&[known.as_slice(), &[(DEEPER, vec![0xfe])]].concat());
        // A contract further down runs on the first proxy's storage too.
        assert_eq!(lens(&whole, &[PROXY, DEEPER]).unwrap(), [vec![45, 45, 1], vec![1]]);
    }

    #[test]
    fn a_contract_that_is_only_called_is_not_counted_as_its_code() {
        // CALL(gas, BEHIND, 0, 0, 0, 0, 0)
        let calls = [&hex!("6000600060006000600073")[..], BEHIND.as_slice(), &hex!("5af100")].concat();
        let world = world(&[(PROXY, calls.clone()), (BEHIND, vec![0x00]), (DEEPER, vec![])]);
        assert_eq!(lens(&world, &[PROXY, DEEPER]).unwrap(), [vec![calls.len()], vec![]]);
    }
}
